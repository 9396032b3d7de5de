"""Corrections sorted by the sentences that they are about. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from schemas.records import DiplomaticEvent, Feedback, Labels
from services.feedback.labels import labels_of, standing


@dataclass(frozen=True)
class Judged:
    """An event with the labels that hold for it, None for no event. Without `given` they are the model's, unchecked."""

    event: DiplomaticEvent
    labels: Labels | None
    given: Feedback | None


@dataclass(frozen=True)
class Passage:
    """A sentence of an article with all of its events that the desk knew, at least one of them corrected."""

    article_id: str
    part: str
    start: int
    sentence: str
    events: tuple[Judged, ...]


def passages(given: Iterable[Feedback]) -> list[Passage]:
    """The sentences of all corrections, by article and place; of several corrections of an event the last one holds."""
    last = standing(given)
    known: dict[str, DiplomaticEvent] = {}
    for one in last.values():
        for event in one.beside:
            known.setdefault(event.event_id, event)
    known |= {event_id: one.event for event_id, one in last.items()}
    found: dict[tuple[str, str, int, str], list[Judged]] = {}
    for event_id, event in known.items():
        place = (event.article_id, event.evidence.part, event.evidence.sentence_start, event.evidence.sentence)
        correction = last.get(event_id)
        labels = labels_of(event) if correction is None else correction.corrected
        found.setdefault(place, []).append(Judged(event, labels, correction))
    return [
        Passage(*place, tuple(sorted(events, key=lambda one: (one.event.evidence.start, one.event.event_id))))
        for place, events in sorted(found.items())
    ]
