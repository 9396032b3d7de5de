"""Whether an event is told by a story: sides, type, day, place, rank, numbers and meaning weighed together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from schemas.codebook import MUTUAL_TYPES, EventType
from schemas.records import ResolvedEvent
from services.track.facts import ORDER, Days, Facts, days, facts, likely, places_differ, same_place
from services.track.families import copies
from services.track.meaning import Meaning, nearness, unpacked
from services.track.story import Member, Story, codes

THRESHOLD = 0.33
"""Likeness from which an event and a story are one. Set as the weights are."""
SURE = 0.7
MEAN_SHARE = 0.3
NEAR_TEXT = 0.3
"""An edited article's event is the former one above this nearness: it need not be told from other articles' events."""
DAYS_APART = 2
"""Days by which reports of one act may disagree: time zones, "overnight", a report that took a day."""
PLAN_MOVES = 30
"""Days by which a plan may be put off and still be that plan."""

_ALIKE: tuple[frozenset[EventType], ...] = (
    frozenset({"CONSULT", "AGREE", "STATEMENT"}),
    frozenset({"AGREE", "SUPPORT", "CONCEDE", "COOPERATE", "STATEMENT"}),
    frozenset({"AGREE", "AID", "COOPERATE"}),
    frozenset({"CONCEDE", "RETREAT", "AGREE"}),
    frozenset({"ACCUSE", "REJECT", "THREATEN", "REQUEST", "STATEMENT"}),
    frozenset({"SANCTION", "COERCE", "REJECT"}),
    frozenset({"SANCTION", "THREATEN"}),
    frozenset({"ASSAULT", "COERCE"}),
    frozenset({"MOBILIZE", "THREATEN"}),
    frozenset({"MOBILIZE", "COOPERATE"}),
    frozenset({"PROTEST", "ACCUSE"}),
)
"""Types that two readers give to one act."""


@dataclass(frozen=True, slots=True)
class Weights:
    """What each sign adds to the likeness of an event and a story; nearness itself counts from 0 to 1.

    Set by hand and a random search on the even-numbered cases of training/checks/stories.jsonl.
    """

    same_type: float = 0.07
    same_place: float = 0.10
    other_place: float = -0.16
    same_day: float = 0.12
    apart_per_day: float = -0.07
    unlikely_per_day: float = -0.09
    other_rank: float = -0.12
    same_number: float = 0.08
    other_number: float = -0.04
    other_order: float = -0.25


WEIGHTS = Weights()


@dataclass(frozen=True, slots=True)
class Told:
    """An event with what identity needs of it."""

    event: ResolvedEvent
    member: Member
    features: Meaning
    span: Days | None
    facts: Facts
    actors: tuple[str, ...]
    recipients: tuple[str, ...]


def told(event: ResolvedEvent, member: Member) -> Told:
    """The event made ready for comparison."""
    return Told(
        event=event,
        member=member,
        features=unpacked(member.features),
        span=days(event),
        facts=facts(event),
        actors=codes(event.actors),
        recipients=codes(event.recipients),
    )


def best(event: Told, stories: Iterable[Story]) -> Story | None:
    """The story that tells the event, if one does; of equals the one with the lesser id, so that order is nothing."""
    scored = ((-likeness(event, story), story.story_id, story) for story in stories)
    found = min(scored, key=lambda s: s[:2], default=None)
    # Unknown sides are not known to be the same ones: then only the same words will do.
    least = SURE if event.event.dyad == "UNK" else THRESHOLD
    return found[2] if found is not None and -found[0] >= least else None


def likeness(event: Told, story: Story, weights: Weights = WEIGHTS) -> float:
    """How surely the story tells the event: 0 where sides, type or days rule it out, above THRESHOLD where it does."""
    if told_beside(event, story) or not (
        same_sides(event, story) and compatible(event.event.type, story.type, event.event.claim == "denied")
    ):
        return 0.0
    apart = gap(event.span, story.span)
    planned = "planned" in (event.event.claim, story.facts.claim)
    if apart is None or apart > (PLAN_MOVES if planned else DAYS_APART):
        return 0.0
    if any(copies(event.member.fingerprint, m.fingerprint) and event.features == unpacked(m.features)
           for m in story.members):  # fmt: skip
        return 1.0
    score = story_nearness(event, story) + weights.same_type * (event.event.type == story.type)
    score += weights.same_place * same_place(event.facts, story.facts)
    # A plan may change its day freely, and its place and rank more easily than a thing done.
    firm = 0.5 if planned else 1.0
    score += firm * weights.other_place * places_differ(event.facts, story.facts)
    exact = event.facts.granularity == story.facts.granularity == "day" and apart == 0
    score += weights.same_day * exact + weights.apart_per_day * (0 if planned else apart)
    if event.facts.level and story.facts.level and event.facts.level != story.facts.level:
        score += firm * weights.other_rank
    if not planned and event.span and story.span:
        score += weights.unlikely_per_day * ((gap(likely(event.span), likely(story.span)) or 0) - apart)
    shared = event.facts.numbers.keys() & story.facts.numbers.keys()
    orders = {unit for unit in shared if unit.startswith(ORDER)}
    if any(event.facts.numbers[u] != story.facts.numbers[u] for u in orders):
        score += weights.other_order
    if units := shared - orders:
        same = any(event.facts.numbers[u] == story.facts.numbers[u] for u in units)
        score += weights.same_number if same else weights.other_number
    return score


def told_beside(event: Told, story: Story) -> bool:
    """Whether the story has another event of the same version of the article. Two events of one text are two acts,
    for mentions of one act are one event already, except that a headline and the text may name it by two types."""
    return any(
        m.article_id == event.event.article_id
        and m.fingerprint == event.event.fingerprint
        and m.title == event.member.title
        for m in story.members
    )


def story_nearness(event: Told, story: Story) -> float:
    """Nearness to the story's nearest report, drawn toward the mean of all: the nearest alone would let a report that
    fits badly draw others in after it."""
    near = [nearness(event.features, unpacked(m.features)) for m in story.members] or [0.0]
    return (1 - MEAN_SHARE) * max(near) + MEAN_SHARE * sum(near) / len(near)


def same_sides(event: Told, story: Story) -> bool:
    """Same actors toward same recipients; in mutual acts and denials the order is free."""
    if event.event.dyad != story.dyad:
        return False
    free = event.event.type in MUTUAL_TYPES or story.type in MUTUAL_TYPES or event.event.claim == "denied"
    return free or (event.actors == story.actors and event.recipients == story.recipients)


def compatible(one: EventType, other: EventType, denied: bool = False) -> bool:
    """Whether two types can be readings of one act; a denial is often read as a rejection or a statement."""
    if one == other or (denied and one in ("REJECT", "STATEMENT", "ACCUSE")):
        return True
    return any({one, other} <= group for group in _ALIKE)


def gap(one: Days | None, other: Days | None) -> int | None:
    """Days between two spans, 0 where they touch; None where a day is unknown, for then nothing says it is one act."""
    if one is None or other is None:
        return None
    return max(0, one[0] - other[1], other[0] - one[1])
