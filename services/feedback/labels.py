"""The labels of an event that an analyst may correct, and what a correction changes. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from schemas.records import Feedback, FeedbackKind, Labels, ResolvedEvent, Side


def labels_of(event: ResolvedEvent) -> Labels:
    """The event's labels, each side once."""
    return Labels(
        type=event.type,
        actors=_codes(event.actors),
        recipients=_codes(event.recipients),
        claim=event.claim,
        timing=event.timing,
        tone=event.tone,
        peace=event.peace,
    )


def kinds_of(before: Labels, after: Labels | None) -> list[FeedbackKind]:
    """What differs; None is no event."""
    if after is None:
        return ["not-an-event"]
    found: list[FeedbackKind] = [] if before.type == after.type else ["type"]
    if _sides(before) != _sides(after):
        found.append("sides")
    named = ("claim", "timing", "tone", "peace")
    return found + [cast(FeedbackKind, name) for name in named if getattr(before, name) != getattr(after, name)]


def standing(given: Iterable[Feedback]) -> dict[str, Feedback]:
    """The correction that holds for each event: the last one, in the order of the topic. One that came twice is one."""
    seen: set[str] = set()
    found: dict[str, Feedback] = {}
    for one in given:
        if one.feedback_id not in seen:
            seen.add(one.feedback_id)
            found[one.event_id] = one
    return found


def _codes(sides: Iterable[Side]) -> list[str]:
    return list(dict.fromkeys(side.code for side in sides))


def _sides(labels: Labels) -> tuple[frozenset[str], frozenset[str]]:
    """Sides for comparing: their order within a list says nothing."""
    return frozenset(labels.actors), frozenset(labels.recipients)
