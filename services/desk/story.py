"""What the desk knows of a story: the facts that filters ask for, taken from its events. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from schemas.records import DiplomaticEvent
from services.normalize.fingerprint import NEAR, distance

Status = Literal["new", "restated", "changed", "contradicted"]
RESTATED: Status = "restated"
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
        shifted=shift_of(event) is not None,
        words="\n".join(fold(part) for part in dict.fromkeys(told)),
    )


def shift_of(event: DiplomaticEvent) -> object | None:
    """What the event says of a changed stance; None for a record without the field, or with nothing in it."""
    return getattr(event, "stance_shift", None) or None


def families(events: Sequence[DiplomaticEvent]) -> int:
    """Independent tellings of one story: near copies of one text count once, and so do two articles of one outlet.

    A story of very many articles is counted by its first ones.
    """
    counted: list[DiplomaticEvent] = []
    for event in events[:MOST_COMPARED]:
        if not any(_akin(event, other) for other in counted):
            counted.append(event)
    return len(counted)


def _akin(one: DiplomaticEvent, other: DiplomaticEvent) -> bool:
    outlet = fold(one.source)
    return bool(outlet and outlet == fold(other.source)) or distance(one.fingerprint, other.fingerprint) <= NEAR


def leads(event: DiplomaticEvent, present: DiplomaticEvent | None) -> bool:
    """Whether the event is what a story is shown by: its first, and then each that is more than a restatement."""
    return present is None or event.status != RESTATED


def moves(event: DiplomaticEvent) -> bool:
    """Whether the event changes a story that is already known."""
    return event.status in ("changed", "contradicted") or shift_of(event) is not None
