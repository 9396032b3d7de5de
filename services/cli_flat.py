"""An event as the flat row that scoring scripts and spreadsheets read."""

from __future__ import annotations

from typing import Any

from schemas.records import Evidence, RawArticle, ResolvedEvent


def raw_quote(evidence: Evidence, raw: RawArticle) -> str | None:
    """The event's words as they stand in the raw title or text; None when they cannot be traced there."""
    if evidence.raw_field is None or evidence.raw_start is None or evidence.raw_end is None:
        return None
    field = raw.title if evidence.raw_field == "title" else raw.text
    return field[evidence.raw_start : evidence.raw_end] or None


def with_raw_quotes(event: ResolvedEvent, raw: RawArticle) -> dict[str, Any]:
    """Update for `model_copy` that fills in the raw quotes, which only the raw article can give."""

    def filled(evidence: Evidence) -> Evidence:
        return evidence.model_copy(update={"raw_quote": raw_quote(evidence, raw)})

    return {"evidence": filled(event.evidence), "other_mentions": [filled(e) for e in event.other_mentions]}


def flat_event(event: ResolvedEvent, raw: RawArticle) -> dict[str, Any]:
    """The codebook's fields of an event; `quote` is a substring of the raw title or text where it can be traced."""
    return {
        "article_id": event.article_id,
        "quote": raw_quote(event.evidence, raw) or event.evidence.quote,
        "type": event.type,
        "actor": [side.code for side in event.actors],
        "recipient": [side.code for side in event.recipients],
        "actor_text": [side.text for side in event.actors],
        "recipient_text": [side.text for side in event.recipients],
        "claim": event.claim,
        "timing": event.timing,
        "tone": event.tone,
        "peace": event.peace,
        "date": event.when.date,
        "granularity": event.when.granularity,
        "attribution": [link.text for link in event.attribution],
    }
