from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from schemas.records import Origin, ResolvedEvent
from services.stage import Input
from services.track.transform import story_id, track

READ_AT = datetime(2024, 5, 4, 12, tzinfo=UTC)


def resolved(**fields: Any) -> ResolvedEvent:
    """An event: an envoy turns down talks; the tests change what they need."""
    return ResolvedEvent.model_validate(
        {
            "event_id": "e0",
            "article_id": "a0",
            "dyad": "FRA|ITA",
            "type": "REJECT",
            "actors": [{"code": "FRA", "text": "the envoy", "name": "Jeanne Roc", "resolved_by": "description"}],
            "recipients": [{"code": "ITA", "text": "Rome", "resolved_by": "capital"}],
            "claim": "asserted",
            "timing": "new",
            "tone": "negative",
            "peace": "oppose",
            "when": {"date": "2024-05-03", "granularity": "day"},
            "where": {"name": "Geneva", "country": "CHE", "latitude": 46.2, "longitude": 6.1},
            "attribution": [{"text": "a diplomat"}],
            "evidence": {
                "quote": "the envoy turned down the talks",
                "start": 0,
                "end": 31,
                "sentence": "the envoy turned down the talks",
                "sentence_start": 0,
                "part": "body",
            },
            "cameo": "12",
            "quad": 3,
            "goldstein": -4.0,
            "plover_intensity": -2.0,
            "score": 0.9,
            "model": {"name": "m", "version": "1", "sha256": "00"},
            "pipeline_version": "0.1.0",
            "source": "Example Wire",
            "url": None,
            "title": "Talks off",
            "language": "en",
            "fingerprint": "0" * 16,
            "published_at": "2024-05-04",
            "published_at_reason": None,
            **fields,
        }
    )


def given(event: Any, offset: int = 0, partition: int = 0) -> Input[Any]:
    return Input(event, Origin(topic="t", partition=partition, offset=offset), READ_AT)


def test_each_event_opens_its_own_story_and_keeps_its_fields() -> None:
    events = [resolved(event_id="e1"), resolved(event_id="e2", score=0.5)]
    made = [outcome[0] for outcome in track([given(e) for e in events])]
    assert [m.event_id for m in made] == ["e1", "e2"]
    assert made[0].story_id != made[1].story_id
    assert {m.status for m in made} == {"new"}
    assert {m.processed_at for m in made} == {READ_AT}
    fields = set(ResolvedEvent.model_fields)
    assert [m.model_dump(include=fields) for m in made] == [e.model_dump() for e in events]


def test_a_replay_gives_the_same_story() -> None:
    first, second = (track([given(resolved())])[0] for _ in range(2))
    assert first == second
    assert story_id("e0") == story_id("e0") != "e0"
