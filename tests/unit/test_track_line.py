"""What track needs from the stages before it, and stories through the offline command."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest

from schemas.records import CleanArticle, ExtractedEvents
from schemas.resolved import ArticleEnd
from services.cli_offline import Format, Reader, extract
from services.resolve.transform import resolve, resolve_article
from services.stage import Input, Outcome
from services.track.transform import Tracker
from tests.unit.test_track import given, run
from tests.unit.test_track_edits import restored
from training.stories import read_reports

EXAMPLES = Path(__file__).parents[2] / "schemas" / "examples"


def example(topic: str) -> dict[str, object]:
    found = json.loads((EXAMPLES / f"{topic}.json").read_text(encoding="utf-8"))[0]
    assert isinstance(found, dict)
    return found


def test_every_event_lists_its_article_s_events_and_the_agency() -> None:
    extracted = ExtractedEvents.model_validate(example("events.extracted"))
    events = resolve_article(extracted)
    assert len(events) > 1
    for event in events:
        assert [(e.event_id, e.dyad) for e in event.article_events] == [(e.event_id, e.dyad) for e in events]
        assert event.agency == (extracted.article.dateline.agency if extracted.article.dateline else None)


@pytest.mark.parametrize("empty", [False, True])
def test_behind_an_article_s_events_stands_their_end(empty: bool) -> None:
    extracted = ExtractedEvents.model_validate(example("events.extracted"))
    if empty:
        extracted = extracted.model_copy(update={"sentences": []})
    events = resolve_article(extracted)
    assert (events == []) == empty
    [outcome] = resolve([given(extracted)])
    assert isinstance(outcome, list)
    *first, end = outcome
    assert first == events
    assert isinstance(end, ArticleEnd)
    assert end.event_ids == [event.event_id for event in events]
    article = extracted.article
    assert (end.article_id, end.url, end.fingerprint) == (article.article_id, article.url, article.fingerprint)
    assert (end.model, end.ingested_at) == (extracted.model, article.ingested_at)


@pytest.mark.parametrize("url", [None, " "])
def test_an_article_without_an_address_has_no_end(url: str | None) -> None:
    extracted = ExtractedEvents.model_validate(example("events.extracted"))
    extracted = extracted.model_copy(update={"article": extracted.article.model_copy(update={"url": url})})
    assert resolve([given(extracted)]) == [resolve_article(extracted)]


def test_offline_an_edit_withdraws_what_it_leaves_out() -> None:
    raw, found = example("articles.raw"), ExtractedEvents.model_validate(example("events.extracted"))

    def classify(inputs: Sequence[Input[CleanArticle]]) -> list[Outcome[ExtractedEvents]]:
        return [
            [
                found.model_copy(
                    update={"article": i.value, "sentences": [] if "Retracted" in i.value.text else found.sentences}
                )
            ]
            for i in inputs
        ]

    lines = [raw, {**raw, "title": "", "text": "Retracted: the paper takes its report back. It was not so."}]
    data = "\n".join(map(json.dumps, lines)).encode()
    rows: dict[Format, list[dict[str, object]]] = {}
    for form in ("full", "flat"):
        out = io.StringIO()
        assert extract(Reader(io.BytesIO(data), io.StringIO()), out, form, classify) == 0
        rows[form] = [json.loads(line) for line in out.getvalue().splitlines()]
    told, taken_back = rows["full"][: len(rows["flat"])], rows["full"][len(rows["flat"]) :]
    assert {e["status"] for e in told} == {"new"}
    assert {e["status"] for e in taken_back} == {"withdrawn"}
    assert sorted(str(e["event_id"]) for e in taken_back) == sorted(str(e["event_id"]) for e in told)


def test_offline_two_prints_of_one_text_are_one_story_of_one_voice() -> None:
    raw, found = example("articles.raw"), ExtractedEvents.model_validate(example("events.extracted"))

    def classify(inputs: Sequence[Input[CleanArticle]]) -> list[Outcome[ExtractedEvents]]:
        return [[found.model_copy(update={"article_id": i.value.article_id, "article": i.value})] for i in inputs]

    lines = [raw, {**raw, "article_id": "print", "source": "Other Paper", "url": None}]
    out = io.StringIO()
    reader = Reader(io.BytesIO("\n".join(map(json.dumps, lines)).encode()), io.StringIO())
    assert extract(reader, out, "full", classify) == 0
    events = [json.loads(line) for line in out.getvalue().splitlines()]
    half = len(events) // 2
    assert half > 1
    assert [e["story_id"] for e in events[:half]] == [e["story_id"] for e in events[half:]]
    assert {e["status"] for e in events[:half]} == {"new"}
    assert {e["status"] for e in events[half:]} == {"restated"}
    assert {e["independent_families"] for e in events} == {1}
    assert [len(e["sources"]) for e in events[half:]] == [2] * half


def test_a_long_stream_goes_on_from_a_compacted_changelog_in_any_order() -> None:
    events = [report.event for report in read_reports()]
    whole = run(*events)
    first, cut = Tracker(), len(events) // 2
    before = run(*events[:cut], tracker=first)
    changes = first.take_changes()
    Random(7).shuffle(changes)
    after = run(*events[cut:], tracker=restored(changes))
    assert [e.model_dump() for e in before + after] == [e.model_dump() for e in whole]
