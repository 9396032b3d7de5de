from __future__ import annotations

from typing import Any

import pytest

from schemas.records import DiplomaticEvent
from services.desk.transform import SUBSCRIPTION, alert, desk, summary, wanted
from tests.unit.test_track import READ_AT, given, resolved


def diplomatic(**fields: Any) -> DiplomaticEvent:
    event = resolved(**fields).model_dump()
    return DiplomaticEvent.model_validate({**event, "story_id": "s", "status": "new", "processed_at": READ_AT})


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, True),
        ({"claim": "reported"}, True),
        ({"peace": "support"}, True),
        ({"peace": "neutral"}, True),
        ({"peace": "none"}, False),
        ({"timing": "background"}, False),
        ({"claim": "planned"}, False),
        ({"claim": "conditional"}, False),
        ({"claim": "denied"}, False),
    ],
)
def test_only_what_the_desk_waits_for(fields: dict[str, Any], expected: bool) -> None:
    event = diplomatic(**fields)
    assert wanted(event) == expected
    (outcome,) = desk([given(event)])
    assert isinstance(outcome, list)
    assert len(outcome) == expected


def test_an_alert_is_the_same_when_made_again() -> None:
    first, second = alert(diplomatic()), alert(diplomatic())
    assert first == second
    assert first.subscription == SUBSCRIPTION
    assert first.alert_id != alert(diplomatic(event_id="other")).alert_id
    assert first.event.event_id == "e0"


def test_the_summary_is_one_line_for_people() -> None:
    assert summary(diplomatic()) == (
        "2024-05-03 FRA (Jeanne Roc) → ITA (Rome): REJECT, against peace: "
        "“the envoy turned down the talks” [asserted; Example Wire]"
    )
    evidence = resolved().evidence.model_dump() | {"quote": "word\n  " * 100}
    bare = summary(diplomatic(actors=[], recipients=[], when={"date": None, "granularity": None}, evidence=evidence))
    assert bare.startswith("somebody: REJECT")
    assert "\n" not in bare
    assert len(bare) < 250
