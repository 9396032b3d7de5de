"""What is killed where: a plan that a seed repeats. Pure."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TypeVar

AFTER_POLL = "after poll"
AFTER_INFERENCE = "after inference"
AFTER_SENDING = "after sending"
AFTER_OFFSETS = "after the offsets"
BEFORE_COMMIT = "before the commit"
COMMIT_RETURNS = "before commit returns"
RESTORING = "restoring state"
JOINING = "joining the group"
REBALANCE = "rebalance"
POINTS = (
    AFTER_POLL,
    AFTER_INFERENCE,
    AFTER_SENDING,
    AFTER_OFFSETS,
    BEFORE_COMMIT,
    COMMIT_RETURNS,
    RESTORING,
    JOINING,
    REBALANCE,
)
AT_WORK = frozenset({AFTER_INFERENCE, AFTER_SENDING, AFTER_OFFSETS, BEFORE_COMMIT, COMMIT_RETURNS})
"""Where a sudden death is held against the records under way, by the notes that find poison."""
SIGNALS = ("KILL", "KILL", "KILL", "TERM", "TERM", "STOP")
"""STOP lasts longer than the session timeout and so costs the most time."""
SHARES = {"normalize": 3, "classify": 2, "resolve": 2, "track": 4}
STATEFUL = frozenset({"track"})
REPLICATED = frozenset({"normalize", "track"})
VISITS = 4
T = TypeVar("T")


@dataclass(frozen=True)
class Kill:
    """A signal at the nth visit of a point. `early`: also while a former sudden death is being looked into."""

    point: str
    signal: str
    nth: int = 1
    early: bool = False


@dataclass(frozen=True)
class Life:
    """One instance of a service: it joins when instance 0 has had `joins_after` of its kills, takes its own kills one
    after another, starting again after each, and leaves at the end unless it is instance 0."""

    service: str
    instance: str
    joins_after: int
    kills: tuple[Kill, ...]


def plan(seed: int, kills: int) -> list[Life]:
    """The lives of all services, with `kills` kills between them."""
    chance = random.Random(seed)
    lives = []
    for service, count in zip(SHARES, shares(kills, list(SHARES.values())), strict=True):
        guests = (1, 2) if service in REPLICATED and count >= 3 else ()
        counts = shares(count, [2, *(1 for _ in guests)])
        points = [p for p in POINTS if (p != RESTORING or service in STATEFUL) and (p != REBALANCE or guests)]
        deck, signals = _dealt(chance, points), _dealt(chance, SIGNALS)
        for instance, own in enumerate(counts):
            after = chance.randint(0, counts[0] // 2) if instance else 0
            made = _kills(chance, deck, signals, own, alone=not guests)
            lives.append(Life(service, str(instance), after, tuple(made)))
    return lives


def shares(total: int, weights: Sequence[int]) -> list[int]:
    """Whole numbers that add up to `total`, as the weights are."""
    ends = [round(total * sum(weights[: n + 1]) / sum(weights)) for n in range(len(weights))]
    return [end - start for start, end in zip([0, *ends], ends, strict=False)]


def _dealt(chance: random.Random, cards: Sequence[T]) -> Iterator[T]:
    """The cards in random order, over and over: each comes as often as any other."""
    while True:
        yield from chance.sample(cards, len(cards))


def _kills(
    chance: random.Random, points: Iterator[str], signals: Iterator[str], count: int, *, alone: bool
) -> list[Kill]:
    """Three sudden deaths over one record would rightly make it a dead letter. So between two early ones there is
    always one that waits until nothing is left to look into; where replicas hand partitions to each other none is
    early."""
    made: list[Kill] = []
    rested = alone
    for point, sent in zip((next(points) for _ in range(count)), signals, strict=False):
        blamed = sent == "KILL" and point in AT_WORK
        early = blamed and rested and chance.random() < 0.5
        rested = alone and (blamed or rested) and not early
        nth = 1 if early or point == JOINING else chance.randint(1, 2 if point == REBALANCE else VISITS)
        made.append(Kill(point, sent, nth, early))
    return made


def dumped(kills: Sequence[Kill]) -> str:
    """The kills as text for the environment."""
    return json.dumps([asdict(kill) for kill in kills])


def loaded(text: str) -> list[Kill]:
    """The kills from the environment's text."""
    return [Kill(**kill) for kill in json.loads(text)]
