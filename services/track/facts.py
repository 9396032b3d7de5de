"""The facts of an event that a later report may tell otherwise: day, place, rank, numbers, stance, claim."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass, field, replace
from datetime import date

from schemas.codebook import Claim, Granularity, Peace
from schemas.records import EventDate, ResolvedEvent, StoryChange
from services.resolve.gazetteer import countries, fold
from services.track.meaning import figure

Days = tuple[int, int]
"""First and last day an act can have happened, as proleptic ordinals."""

BACK = 7
"""Days before publication within which an undated act that counts as news happened (codebook, "Timing")."""
AHEAD = 45
"""Days after publication within which an undated plan is to be carried out."""
OPEN_STANCES = frozenset({"support", "oppose", "conditional"})
"""Stances that take a position; the others are no news when they give way to one of these."""
TIME_ZONES = 1
"""Days by which two reports of one past act may differ without telling of another day."""

_RANKS = (
    ("leader", re.compile(r"\b(?:[Pp]residents?|[Pp]rime [Mm]inisters?|[Cc]hancellor|[Kk]ing|[Ee]mir|"
                          r"[Cc]rown [Pp]rince|[Ll]eaders|[Pp]remier|[Ss]ummit)\b(?!['’]s)")),
    ("minister", re.compile(r"\b(?:[Mm]inisters?|[Ss]ecretary of [Ss]tate|[Ff]oreign [Ss]ecretary|[Tt]op diplomats?|"
                            r"[Cc]hief diplomats?|[Mm]inisterial)\b")),
    ("official", re.compile(r"\b(?:[Ee]nvoys?|[Aa]mbassadors?|[Dd]elegations?|[Oo]fficials?|[Nn]egotiators?|"
                            r"[Ee]xperts?|[Tt]echnical|[Oo]fficers|[Dd]iplomats)\b")),
)  # fmt: skip
_PRIME = re.compile(r"\b[Pp]rime [Mm]inister\b|\b[Dd]eputy (?:[Pp]rime |[Ff]oreign )?[Mm]inister\b")
_COUNTED = re.compile(
    r"\b(?P<number>\d[\d,]*(?:\.\d+)?|[A-Za-z]+(?:-[a-z]+)?)(?P<scale> (?:hundred|thousand|million|billion|percent|"
    r"per cent))?(?: (?!(?:of|and|to|in|on|at)\b)[a-z]+){0,2}? (?P<unit>[a-z]{3,}s|people|men|women|children|dead|"
    r"killed|wounded|troops|percent|crew)\b"
)
_ORDINAL = re.compile(
    r"\b(?P<order>[Ff]irst|[Ss]econd|[Tt]hird|[Ff]ourth|[Ff]ifth|[Ss]ixth|[Ss]eventh|[Ee]ighth|[Nn]inth|[Tt]enth|"
    r"\d+(?:st|nd|rd|th)) (?:and final )?(?P<noun>round|package|stage|phase|tranche|slice|batch|day|summit|swap)\b"
)
_ORDERS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
ORDER = "#"
"""Marks the counted things whose number is a place in a series: another one is another event, no change of this one."""
_TIMES = frozenset(("days", "hours", "weeks", "months", "years", "minutes", "sides", "times", "rounds", "parties"))
_SAME_UNIT = {"persons": "people", "men": "people", "killed": "people", "dead": "people", "sailors": "people"}


@dataclass(frozen=True, slots=True)
class Facts:
    """What a report tells; None where it does not."""

    date: str | None = None
    granularity: Granularity | None = None
    place: str | None = None
    country: str | None = None
    level: str | None = None
    numbers: dict[str, str] = field(default_factory=dict)
    stances: dict[str, Peace] = field(default_factory=dict)
    claim: Claim | None = None


def facts(event: ResolvedEvent) -> Facts:
    """The facts of an event, from its fields and from the words of its evidence."""
    words = f"{event.evidence.sentence} {' '.join(s.office or '' for s in event.actors + event.recipients)}"
    takes = event.peace in OPEN_STANCES
    return Facts(
        date=event.when.date,
        granularity=event.when.granularity,
        place=event.where.name,
        country=event.where.country,
        level=level(words),
        numbers=numbers(event.evidence.sentence),
        stances={side.code: event.peace for side in event.actors} if takes else {},
        claim=event.claim,
    )


def days(event: ResolvedEvent) -> Days | None:
    """When the act happened or is to happen; from the publication where the text does not tell; None without either.

    Publication bounds an undated act, it does not date it: the span then reaches a week back, or ahead for plans.
    """
    if event.when.date is not None:
        return span_of(event.when)
    if event.published_at is None:
        return None
    published = event.published_at.toordinal()
    if event.claim in ("planned", "conditional"):
        return published - BACK, published + AHEAD
    # Background without a date may be of any day before.
    return (published - BACK if event.timing == "new" else 1), published


def likely(span: Days) -> Days:
    """The days of a span on which it most likely happened: news is of the day it is printed or the day before."""
    return max(span[0], span[1] - 1), span[1]


def span_of(when: EventDate) -> Days:
    """First and last day of an ISO date of any granularity; a week begins on the day given."""
    parts = [int(part) for part in (when.date or "").split("-")]
    if len(parts) == 1:
        return date(parts[0], 1, 1).toordinal(), date(parts[0], 12, 31).toordinal()
    if len(parts) == 2:
        first = date(parts[0], parts[1], 1).toordinal()
        return first, first + monthrange(parts[0], parts[1])[1] - 1
    day = date(parts[0], parts[1], parts[2]).toordinal()
    return (day - 3, day + 6) if when.granularity == "week" else (day, day)


def level(words: str) -> str | None:
    """The highest rank that takes part: leader, minister or official; None where the words name none."""
    # "Prime minister" is no minister, and a deputy minister ranks with officials.
    plain = _PRIME.sub(lambda m: "official" if m[0].lower().startswith("deputy") else "President", words)
    return next((name for name, pattern in _RANKS if pattern.search(plain)), None)


def numbers(sentence: str) -> dict[str, str]:
    """What is counted, as the plural noun, to how many: {"prisoners": "150", "dollars": "3 million"}.

    Places in a series are marked: "the third round" is {"#round": "3"}.
    """
    found: dict[str, str] = {}
    for match in _ORDINAL.finditer(sentence):
        order = match["order"].lower()
        place = str(_ORDERS.index(order) + 1) if order in _ORDERS else re.sub(r"\D", "", order)
        found.setdefault(ORDER + match["noun"], place)
    at = 0
    while counted := _COUNTED.search(sentence, at):
        number = figure(counted["number"].lower())
        at = counted.end() if number is not None else counted.end("number")
        unit = _SAME_UNIT.get(counted["unit"], counted["unit"])
        if number is not None and unit not in _TIMES:
            found.setdefault(unit, number + (counted["scale"] or ""))
    return found


def merged(old: Facts, new: Facts) -> Facts:
    """The facts after a later report: its own where it tells any, the former ones where it is silent."""
    dated, placed = new.date is not None and not coarser(new, old), new.place is not None
    return replace(
        old,
        date=new.date if dated else old.date,
        granularity=new.granularity if dated else old.granularity,
        place=new.place if placed else old.place,
        country=new.country if placed else old.country,
        level=new.level or old.level,
        numbers={**old.numbers, **new.numbers},
        stances={**old.stances, **new.stances},
        claim=new.claim if new.claim != "denied" else old.claim,
    )


def changes(old: Facts, new: Facts, *, exact: bool = False) -> list[StoryChange]:
    """What the later report tells otherwise. `exact`: the same article corrects itself, so a day's difference counts.

    Silence changes nothing, nor does a coarser date or a country named for its city.
    """
    found: list[StoryChange] = []

    def differs(name: str, before: str, after: str) -> None:
        found.append(StoryChange.model_validate({"field": name, "before": before, "after": after}))

    if old.date and new.date and old.granularity == new.granularity == "day":
        apart = abs(date.fromisoformat(old.date).toordinal() - date.fromisoformat(new.date).toordinal())
        if apart > (0 if exact or new.claim == "planned" else TIME_ZONES):
            differs("date", old.date, new.date)
    if places_differ(old, new):
        differs("place", str(old.place), str(new.place))
    if old.level and new.level and old.level != new.level:
        differs("level", old.level, new.level)
    for unit in sorted(old.numbers.keys() & new.numbers.keys()):
        if old.numbers[unit] != new.numbers[unit] and not unit.startswith(ORDER):
            differs("number", f"{old.numbers[unit]} {unit}", f"{new.numbers[unit]} {unit}")
    for actor in sorted(old.stances.keys() & new.stances.keys()):
        if old.stances[actor] != new.stances[actor]:
            differs("stance", f"{actor} {old.stances[actor]}", f"{actor} {new.stances[actor]}")
    if old.claim in ("planned", "conditional") and new.claim in ("asserted", "reported"):
        differs("claim", old.claim, new.claim)
    return found


def places_differ(one: Facts, other: Facts) -> bool:
    """Whether two places are named of which neither can contain the other."""
    if not one.place or not other.place or fold(one.place) == fold(other.place):
        return False
    # A country may stand for its city: "in Switzerland" does not contradict "in Geneva".
    return not (one.country == other.country and (_is_country(one) or _is_country(other)))


def same_place(one: Facts, other: Facts) -> bool:
    """Whether both name one and the same place."""
    return bool(one.place and other.place and fold(one.place) == fold(other.place))


def coarser(one: Facts, other: Facts) -> bool:
    """Whether the first date is known less exactly than the second."""
    order = ("day", "week", "month", "year")
    if one.granularity is None or other.granularity is None:
        return one.granularity is None and other.granularity is not None
    return order.index(one.granularity) > order.index(other.granularity)


def _is_country(one: Facts) -> bool:
    return countries().get(fold(one.place or ""), ("", ""))[1] == "country"
