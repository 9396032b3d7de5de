"""Turns events that a desk waits for into alerts: for now the codebook's alert question as the one subscription."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.records import Alert, DiplomaticEvent, Side
from services.ids import derive
from services.stage import Input, Outcome

SUBSCRIPTION = "new-peace-talk-statements"
ALERT_CLAIMS = frozenset({"asserted", "reported"})
PEACE_WORDS = {"support": "for", "oppose": "against", "conditional": "on terms on", "neutral": "without a position on"}
QUOTE_CHARACTERS = 160


def desk(inputs: Sequence[Input[DiplomaticEvent]]) -> list[Outcome[Alert]]:
    """An alert for each event that bears on peace, is new and is asserted or reported; nothing for the others."""
    return [[alert(i.value)] if wanted(i.value) else [] for i in inputs]


def wanted(event: DiplomaticEvent) -> bool:
    """The codebook's alert question."""
    return event.peace != "none" and event.timing == "new" and event.claim in ALERT_CLAIMS


def alert(event: DiplomaticEvent) -> Alert:
    """The alert on an event; the same event gives the same alert_id."""
    return Alert(
        alert_id=derive("alert", SUBSCRIPTION, event.event_id),
        subscription=SUBSCRIPTION,
        summary=summary(event),
        event=event,
    )


def summary(event: DiplomaticEvent) -> str:
    """One line for people: 2024-05-03 RUS (Sergei Lavrov) → UKR: REJECT, against peace: "…" [reported; Reuters]."""
    recipients = _sides(event.recipients)
    head = " ".join(part for part in (event.when.date, _sides(event.actors) or "somebody") if part)
    arrow = f" → {recipients}" if recipients else ""
    quote = " ".join(event.evidence.quote.split())
    if len(quote) > QUOTE_CHARACTERS:
        quote = quote[: QUOTE_CHARACTERS - 1].rstrip() + "…"
    told = "; ".join(part for part in (event.claim, event.source) if part)
    return f"{head}{arrow}: {event.type}, {PEACE_WORDS.get(event.peace, event.peace)} peace: “{quote}” [{told}]"


def _sides(sides: Sequence[Side]) -> str:
    """Codes with the name, or the words, that stand behind each."""
    shown = [f"{s.code} ({name})" if (name := s.name or s.text) and name != s.code else s.code for s in sides]
    return ", ".join(dict.fromkeys(shown))
