"""What track needs from the stages before it, and stories through the offline command."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from random import Random

from schemas.records import CleanArticle, ExtractedEvents
from services.cli_offline import Reader, extract
from services.resolve.transform import resolve_article
from services.stage import Input, Outcome
from services.track.transform import Tracker
from tests.unit.test_track import run
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
