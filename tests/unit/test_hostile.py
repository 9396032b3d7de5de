"""Hostile articles through the whole line; `make fuzz` runs many more of them."""

from __future__ import annotations

import json
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings

from services.resolve.actors import code_actor
from services.resolve.coreference import publisher
from services.resolve.dates import find_dates, is_past
from services.resolve.transform import FRESH
from tests.hostile.articles import records
from tests.hostile.line import LIMIT_SECONDS, WORDS, Line, TooSlowError, limited

INPUTS = 300


@pytest.fixture(scope="module")
def line() -> Line:
    return Line()


@pytest.fixture(autouse=True)
def stories_of_its_own(line: Line) -> None:
    line.forget()


def said(text: str, **fields: object) -> bytes:
    return json.dumps({"article_id": "a", "published_at": "2024-05-03", "text": text, **fields}).encode()


def test_no_article_breaks_the_line(line: Line) -> None:
    @settings(max_examples=INPUTS, deadline=None, database=None, derandomize=True, suppress_health_check=[*HealthCheck])
    @given(records())
    def one(value: bytes) -> None:
        line.walk(value)

    one()


def test_a_stage_that_hangs_is_found_out() -> None:
    def hang() -> None:
        with limited("normalize", 0.05):
            while True:
                pass

    with pytest.raises(TooSlowError, match="normalize took more than"):
        hang()


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("<div>" * 100_000 + WORDS, {"content_type": "html"}),
        ("<p>" + "<b>" * 20_000 + WORDS + "</b>" * 20_000, {"content_type": "html"}),
        ("<a title='" * 40_000 + WORDS, {"content_type": "html"}),
        ("<!--" * 49_000 + WORDS, {"content_type": "html"}),
        ("Iran attacked Iraq. " * 9_900, {}),
        ('"He said. ' * 19_000, {}),
        ("\n" * 1_000_000 + WORDS, {}),
        ("\u200b" * 1_000_000 + WORDS, {}),
        ("&amp;" * 300_000 + WORDS, {}),
        (WORDS, {"source": "government of a.a.a.a " * 7_000}),
        (WORDS, {"title": "a b " * 40_000}),
        (WORDS, {"url": "https://example.org/?" + "a=b&" * 200_000}),
    ],
    ids=lambda given: repr(given)[:24],
)
def test_bombs(line: Line, text: str, fields: dict[str, object]) -> None:
    line.walk(said(text, **fields))


@pytest.mark.parametrize("words", ["a.a" * 200_000, "Aaaa " * 100_000, "government " + "Jane Doe and " * 50_000])
def test_names_without_end_are_nobody(words: str) -> None:
    with limited("code_actor", LIMIT_SECONDS):
        assert code_actor(words, None).codes == ()
        assert publisher(words).codes == ()


@pytest.mark.parametrize(
    "words", ["in January 0000", "in December 9999", "in March ٢٠٢٤", "on 3 March 9999", "on 1 January 0001", "in 19٢٤"]
)
def test_dates_that_no_calendar_has_are_told_as_unknown_or_bear_the_sums_made_with_them(words: str) -> None:
    for _, _, found in find_dates(f"They met {words}.", date(2024, 5, 3)):
        assert found.date is None or found.date.isascii()
        assert found.date is None or 1 <= int(found.date[:4]) <= 9999
        is_past(found, date(2024, 5, 3), FRESH)


def test_an_article_of_too_many_events_is_refused(line: Line) -> None:
    assert line.walk(said("Iran attacked Iraq. " * 9_900)).ended == "too_many_events"
