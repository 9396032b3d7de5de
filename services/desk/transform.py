"""Which alerts an event raises or updates: one per story and subscription. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from schemas.records import Alert, DiplomaticEvent, Side
from services.desk.story import WITHDRAWN, Facts
from services.desk.subscriptions import Subscription, matches
from services.ids import derive

PEACE_WORDS = {"support": "for", "oppose": "against", "conditional": "on terms on", "neutral": "without a position on"}
QUOTE_CHARACTERS = 160


@dataclass(frozen=True)
class Raised:
    """An alert as it stands, and the places on the topic of the events that raised and updated it, oldest first."""

    alert: Alert
    causes: tuple[str, ...]


@dataclass(frozen=True)
class Decision:
    """A record for the topic, and what the desk is to know of the alert from now on."""

    record: Alert
    state: Raised


def decide(
    event: DiplomaticEvent,
    cause: str,
    facts: Facts,
    subscriptions: Iterable[tuple[str, Subscription]],
    known: Mapping[str, Raised],
    *,
    moved: bool,
) -> list[Decision]:
    """What one event does to the alerts of its story.

    It raises an alert where the filter matches and the story has none yet; it updates one in place when it changes the
    story, even into something that the filter would not take; a restatement does neither. `cause` is the event's place
    on the topic: the same place again, after a crash, gives the same records, while a copy elsewhere gives none.
    `moved` says whether the event changes the story.
    """
    decisions = []
    for name, subscription in subscriptions:
        present = known.get(name)
        if present is None:
            if subscription.enabled and event.status != WITHDRAWN and matches(subscription.filter, facts):
                made = alert(event, name)
                decisions.append(Decision(made, Raised(made, (cause,))))
        elif cause in present.causes:
            again = alert(event, name, present.causes.index(cause) + 1)
            decisions.append(Decision(again, present))
        elif subscription.enabled and moved:
            made = alert(event, name, present.alert.revision + 1)
            decisions.append(Decision(made, replace(present, alert=made, causes=(*present.causes, cause))))
    return decisions


def alert(event: DiplomaticEvent, subscription: str, revision: int = 1) -> Alert:
    """The alert on an event; the same story gives the same alert_id."""
    return Alert(
        alert_id=derive("alert", subscription, event.story_id),
        subscription=subscription,
        revision=revision,
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
    stance = "" if event.peace == "none" else f", {PEACE_WORDS.get(event.peace, event.peace)} peace"
    return f"{head}{arrow}: {event.type}{stance}: “{quote}” [{told}]"


def _sides(sides: Sequence[Side]) -> str:
    """Codes with the name, or the words, that stand behind each."""
    shown = [f"{s.code} ({name})" if (name := s.name or s.text) and name != s.code else s.code for s in sides]
    return ", ".join(dict.fromkeys(shown))
