from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from schemas.records import DeadLetter, Origin
from services.replay.selection import Places, Return, Selection, moment, places, read_letter, source_of

LETTER = DeadLetter(
    stage="desk", reason="refused", detail="d", key_base64="aw==", value_base64="e30=", value_bytes=2,
    origin=Origin(topic="events.diplomatic", partition=0, offset=3), pipeline_version="0",
)  # fmt: skip
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PLACE = Origin(topic="events.diplomatic.dlq", partition=1, offset=20, timestamp_ms=int(NOON.timestamp() * 1000))
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    "selection",
    [
        Selection(),
        Selection(reason="refused"),
        Selection(since=NOON),
        Selection(until=NOON + MINUTE),
        Selection(places=(Places(0, 0, 99), Places(1, 20, 20))),
        Selection(reason="refused", since=NOON, until=NOON + MINUTE, places=(Places(1, 0, 20),)),
    ],
)
def test_what_is_asked_for_is_taken(selection: Selection) -> None:
    assert selection.passes_over(LETTER, PLACE) is None


@pytest.mark.parametrize(
    ("selection", "why"),
    [
        (Selection(reason="oversize"), "of another reason, refused"),
        (Selection(since=NOON + MINUTE), "of another time"),
        (Selection(until=NOON), "of another time"),
        (Selection(places=(Places(0, 20, 20), Places(1, 21, 30))), "at another offset"),
    ],
)
def test_anything_else_is_left(selection: Selection, why: str) -> None:
    assert selection.passes_over(LETTER, PLACE) == why


def test_a_letter_without_a_time_is_not_guessed_to_be_in_it() -> None:
    untimed = PLACE.model_copy(update={"timestamp_ms": None})
    assert Selection(since=NOON).passes_over(LETTER, untimed) == "without a time"
    assert Selection().passes_over(LETTER, untimed) is None


def read(value: bytes | None) -> Return | str:
    return read_letter(value, PLACE, "events.diplomatic", 10**6)


def test_what_a_letter_gives_back() -> None:
    found = read(LETTER.model_dump_json().encode())
    assert isinstance(found, Return)
    assert (found.key, found.value, found.place) == (b"k", b"{}", PLACE)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"value_base64": None}, "without value"),
        ({"value_base64": "x"}, "no dead letter, its base64 is broken"),
        ({"value_base64": "ü"}, "no dead letter, its base64 is broken"),
        ({"stage": "normalize"}, "of normalize, which does not read events.diplomatic"),
    ],
)
def test_a_letter_that_gives_nothing_says_why(change: dict[str, object], why: str) -> None:
    assert read(LETTER.model_copy(update=change).model_dump_json().encode()) == why


def test_what_is_no_letter_is_left() -> None:
    assert read(None) == "no dead letter, empty"
    assert read(b"x") == "no dead letter, invalid_json"
    newer = LETTER.model_dump_json().replace('"schema_version":1', '"schema_version":99')
    assert read(newer.encode()) == "of a newer version, replay with newer code"


def test_places_and_moments_are_read() -> None:
    assert places("0:12") == Places(0, 12, 12)
    assert places("2:12-40") == Places(2, 12, 40)
    assert moment("2026-03-01T12:00") == NOON
    assert moment("2026-03-01T13:00+01:00") == NOON
    assert moment("2026-03-01") == NOON.replace(hour=0)
    assert moment("2026-03-01T12:00").astimezone(timezone(MINUTE)) == NOON
    for words in ("12", "0:", "0:3-1", "-1:3", "0:1,2"):
        with pytest.raises(ValueError, match=r"neither|before"):
            places(words)
    with pytest.raises(ValueError, match="ISO 8601"):
        moment("noon")


def test_topics_of_dead_letters_name_their_source() -> None:
    assert source_of("articles.raw.dlq") == "articles.raw"
    with pytest.raises(ValueError, match=r"articles\.raw\.dlq"):
        source_of("alerts")
