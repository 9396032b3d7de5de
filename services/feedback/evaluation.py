"""Corrections as data to evaluate with, in the fields of the codebook's scorer. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from schemas.records import DiplomaticEvent, Labels
from services.feedback.labels import labels_of
from services.feedback.passages import Judged, Passage

UNKNOWN = "UNK"
ALERTING = ("asserted", "reported")


def rows(found: Iterable[Passage]) -> list[dict[str, Any]]:
    """A row for each corrected event; one that is no event has nulls for labels. `before` has the model's labels."""
    return [_row(one) for passage in found for one in passage.events if one.given is not None]


def articles(found: Iterable[Passage]) -> list[dict[str, Any]]:
    """Articles with their events as the scorer takes them for truth, and `demarche extract` for input.

    Their text is only the sentences of corrections, as the desk keeps no articles.
    """
    return [_article(article_id, [*group]) for article_id, group in groupby(found, key=lambda one: one.article_id)]


def _row(one: Judged) -> dict[str, Any]:
    event, given = one.event, one.given
    if given is None:
        raise ValueError(f"event {event.event_id} is not corrected")
    labels = dict.fromkeys(_labels(labels_of(event))) if one.labels is None else _labels(one.labels)
    return {
        **_words(event),
        **labels,
        "date": event.when.date,
        "not_an_event": one.labels is None,
        "kinds": given.kinds,
        "note": given.note,
        "by": given.by,
        "given_at": given.given_at.isoformat(),
        "event_id": event.event_id,
        "feedback_id": given.feedback_id,
        "sentence": event.evidence.sentence,
        "before": _labels(labels_of(event)),
        "model": event.model.version,
    }


def _article(article_id: str, found: Sequence[Passage]) -> dict[str, Any]:
    events = [
        {**_words(one.event), **_labels(one.labels), "date": one.event.when.date, "checked": one.given is not None}
        for passage in found
        for one in passage.events
        if one.labels is not None
    ]
    first = found[0].events[0].event
    return {
        "article_id": article_id,
        "title": " ".join(passage.sentence for passage in found if passage.part == "title"),
        "text": "\n\n".join(passage.sentence for passage in found if passage.part != "title"),
        "published_at": first.published_at.isoformat() if first.published_at else None,
        "source": first.source,
        "events": events,
        "alert": any(e["peace"] != "none" and e["timing"] == "new" and e["claim"] in ALERTING for e in events),
    }


def _words(event: DiplomaticEvent) -> dict[str, Any]:
    return {"article_id": event.article_id, "quote": event.evidence.quote}


def _labels(labels: Labels) -> dict[str, Any]:
    """Labels by the scorer's names; an actor that nobody names is UNK there."""
    return {
        "type": labels.type,
        "actor": labels.actors or [UNKNOWN],
        "recipient": labels.recipients,
        "claim": labels.claim,
        "timing": labels.timing,
        "tone": labels.tone,
        "peace": labels.peace,
    }
