"""Puts each resolved event into its story.

For now every event opens a story of its own, with status "new": that two articles tell of one event, or that an event
was restated, changed or contradicted, is not found yet. The story's id is derived from the event's, so a replay gives
the same stories.
"""

from __future__ import annotations

from collections.abc import Sequence

from schemas.records import DiplomaticEvent, ResolvedEvent
from services.ids import derive
from services.stage import Input, Outcome


def track(inputs: Sequence[Input[ResolvedEvent]]) -> list[Outcome[DiplomaticEvent]]:
    """One DiplomaticEvent per resolved event, processed when the loop read it."""
    return [
        [
            DiplomaticEvent.model_validate(
                {
                    **i.value.model_dump(),
                    "story_id": story_id(i.value.event_id),
                    "status": "new",
                    "processed_at": i.read_at,
                }
            )
        ]
        for i in inputs
    ]


def story_id(event_id: str) -> str:
    """The id of the story that an event opens."""
    return derive("story", event_id)
