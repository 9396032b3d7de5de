"""What the desk knows of a story: the facts that filters ask for, taken from its events. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from schemas.records import DiplomaticEvent
from services.normalize.fingerprint import NEAR, distance

Status = Literal["new", "restated", "changed", "contradicted", "withdrawn"]
RESTATED: Status = "restated"
WITHDRAWN: Status = "withdrawn"
MOVING: frozenset[Status] = frozenset({"changed", "contradicted"})
MOST_COMPARED = 200


@dataclass(frozen=True)
class Facts:
    """What a filter can ask of a story. `words` is folded text."""

    dyad: str
    sides: frozenset[str]
    type: str
    claim: str
    tone: str
    peace: str
    timing: str
    status: str
    families: int
    shifted: bool
    words: str


def fold(text: str) -> str:
    """Text for comparing: case, accents and control characters do not count."""
    plain = unicodedata.normalize("NFKD", " ".join(text.casefold().split()))
    return " ".join("".join(c for c in plain if c.isprintable() and not unicodedata.combining(c)).split())


def facts_of(event: DiplomaticEvent, families: int) -> Facts:
    """The facts of a story that is told by this event."""
    sides = [*event.actors, *event.recipients]
    told = [event.title, event.evidence.sentence, event.evidence.quote, event.where.name or "", event.source]
    told += [part for side in sides for part in (side.code, side.text, side.name or "", side.office or "")]
    told += [link.text for link in event.attribution]
    return Facts(
        dyad=event.dyad,
        sides=frozenset(side.code for side in sides),
        type=event.type,
        claim=event.claim,
        tone=event.tone,
        peace=event.peace,
        timing=event.timing,
        status=event.status,
        families=families,
        shifted=bool(shifts_of(event)),
        words="\n".join(fold(part) for part in dict.fromkeys(told)),
    )


def shifts_of(event: DiplomaticEvent) -> Sequence[Any]:
    """The changed stances that the event tells of (`actor`, `before.peace`, `after`); none in an older record."""
    return getattr(event, "stance_shifts", None) or ()


def changes_of(event: DiplomaticEvent) -> Sequence[Any]:
    """The facts that the event tells otherwise than before (`field`, `before`, `after`); none in an older record."""
    return getattr(event, "changes", None) or ()


def families(events: Sequence[DiplomaticEvent]) -> int:
    """Independent tellings of one story, as its last event counts them.

    Where it does not: near copies of one text count once, and so do two articles of one outlet. A story of very many
    articles is then counted by its first ones.
    """
    told = getattr(events[-1], "independent_families", 0) if events else 0
    if told:
        return int(told)
    counted: list[DiplomaticEvent] = []
    for event in events[:MOST_COMPARED]:
        if not any(_akin(event, other) for other in counted):
            counted.append(event)
    return len(counted)


def _akin(one: DiplomaticEvent, other: DiplomaticEvent) -> bool:
    outlet = fold(one.source)
    return bool(outlet and outlet == fold(other.source)) or distance(one.fingerprint, other.fingerprint) <= NEAR


def lead_of(
    event: DiplomaticEvent, present: DiplomaticEvent | None, events: Sequence[DiplomaticEvent]
) -> DiplomaticEvent:
    """What a story is shown by after `event`: its first report, then each that is more than a restatement.

    A withdrawn event is followed by the last one that still stands; where none does, it is shown as withdrawn.
    """
    if event.status == WITHDRAWN:
        standing = [other for other in events if other.status != WITHDRAWN]
        return next((other for other in reversed(standing) if other.status != RESTATED), (standing or [event])[-1])
    if present is None or present.status == WITHDRAWN or event.status != RESTATED:
        return event
    return present


def moves(event: DiplomaticEvent, lead: DiplomaticEvent) -> bool:
    """Whether those who were alerted to the story are to hear of the event; `lead` is what it is shown by now."""
    gone = event.status == WITHDRAWN and lead.status == WITHDRAWN
    return gone or event.status in MOVING or bool(shifts_of(event))
