"""When an actor's stance on peace is another one than its last."""

from __future__ import annotations

from schemas.records import EarlierStance, ResolvedEvent, StanceShift
from services.track.facts import OPEN_STANCES
from services.track.meaning import meaning, nearness

SAME_ISSUE = 0.15

TELLING = frozenset({"asserted", "reported"})
"""Claims under which an actor's stance is its own; of a plan, a condition or a denial it is not yet one."""


def stance_of(event: ResolvedEvent) -> EarlierStance | None:
    """The stance that an event shows; None when it takes no position, is context or nobody can be named for it."""
    if event.peace not in OPEN_STANCES or event.claim not in TELLING or event.timing != "new":
        return None
    published = event.published_at.isoformat() if event.published_at else None
    return EarlierStance(
        peace=event.peace,
        event_id=event.event_id,
        article_id=event.article_id,
        quote=event.evidence.quote,
        source=event.source,
        url=event.url,
        date=event.when.date if event.when.granularity == "day" else published,
    )


def shift(actor: str, dyad: str, last: EarlierStance | None, now: EarlierStance) -> StanceShift | None:
    """The shift from the last stance to this one; None when it is the same, older, of the same article or undated.

    One article that shows two stances quotes two people or sets terms: no shift. Without dates nobody knows which
    stance came first.
    """
    if last is None or last.peace == now.peace or last.article_id == now.article_id or not follows(now, last):
        return None
    toward = [code for code in dyad.split("|") if code != actor]
    if not toward and nearness(meaning(last.quote, ()), meaning(now.quote, ())) < SAME_ISSUE:
        return None  # Without another side only the words tell whether it is the same issue.
    return StanceShift(actor=actor, toward=toward, before=last, after=now.peace)


def follows(now: EarlierStance, last: EarlierStance) -> bool:
    """Whether a stance is known to be of the same day as another or of a later one."""
    return now.date is not None and last.date is not None and now.date >= last.date
