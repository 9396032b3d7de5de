"""The checks of a crash schedule find what they are for, and the plan is what its seed says."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.crash import plan
from tests.crash.checks import STAGES, Findings, check_events, check_stage
from tests.crash.plan import AT_WORK, Kill, Life
from tests.crash.reader import Seen, Snapshot

NORMALIZE, _, RESOLVE, TRACK = STAGES
CALM = {"t0": Counter({"e0": 1, "e1": 1}), "t1": Counter({"e2": 1})}


def raw(offset: int, mark: str | None, partition: int = 0) -> Seen:
    return Seen("articles.raw", partition, offset, b"story", {"ingested_at": mark} if mark else None)


def clean(offset: int, mark: str) -> Seen:
    return Seen("articles.clean", 1, offset, b"story", {"ingested_at": mark})


def letter(offset: int, of: int, stage: str = "normalize") -> Seen:
    origin = {"partition": 0, "offset": of}
    value: dict[str, Any] = {"stage": stage, "reason": "process_killed", "origin": origin}
    return Seen("articles.raw.dlq", 0, offset, None, value)


def normalized(
    outputs: list[Seen], letters: list[Seen], inputs: list[Seen] | None = None, looks: list[Snapshot] | None = None
) -> Findings:
    topics = {
        "articles.raw": inputs or [raw(0, "t0"), raw(1, None), raw(2, "t1")],
        "articles.clean": outputs,
        "articles.raw.dlq": letters,
    }
    return check_stage(NORMALIZE, topics, CALM, looks or [])


WHOLE = [clean(0, "t0"), clean(1, "t1")]


def kinds(findings: Findings) -> dict[str, int]:
    return {kind: len(lines) for kind, lines in vars(findings).items() if lines}


def test_a_whole_stage_has_no_findings() -> None:
    assert normalized(WHOLE, [letter(0, 1)]).all() == []


@pytest.mark.parametrize(
    ("outputs", "letters", "expected"),
    [
        (WHOLE[:1], [letter(0, 1)], {"lost": 1}),
        ([*WHOLE, clean(2, "t1")], [letter(0, 1)], {"doubled": 1}),
        (WHOLE, [], {"lost": 1}),
        (WHOLE, [letter(0, 1), letter(1, 1)], {"doubled": 1}),
        (WHOLE, [letter(0, 1), letter(1, 2)], {"doubled": 1, "blamed": 1}),
        (WHOLE[:1], [letter(0, 1), letter(1, 2)], {"blamed": 1}),
        ([*WHOLE, clean(2, "t9")], [letter(0, 1)], {"foreign": 1}),
        (WHOLE, [letter(0, 1), letter(1, 7)], {"foreign": 1}),
        ([clean(0, "t1"), clean(1, "t0")], [letter(0, 1)], {"disordered": 1}),
    ],
)
def test_what_is_wrong_is_found(outputs: list[Seen], letters: list[Seen], expected: dict[str, int]) -> None:
    assert kinds(normalized(outputs, letters)) == expected


def test_partitions_of_the_input_have_no_order_between_them() -> None:
    inputs = [raw(5, "t0"), raw(2, "t1", partition=1)]
    assert normalized(WHOLE, [], inputs).all() == []


def test_a_commit_ahead_of_its_outcome_is_found() -> None:
    def look(committed: int, clean_end: int) -> Snapshot:
        return Snapshot({("normalize", 0): committed}, {("articles.clean", 1): clean_end, ("articles.raw.dlq", 0): 1})

    assert normalized(WHOLE, [letter(0, 1)], looks=[look(2, 1), look(3, 2)]).all() == []
    assert kinds(normalized(WHOLE, [letter(0, 1)], looks=[look(3, 1)])) == {"ahead": 1}


def test_events_of_an_article_are_compared_with_the_undisturbed_run() -> None:
    def resolved(offset: int, mark: str, name: str) -> Seen:
        return Seen("events.resolved", 0, offset, b"A|B", {"ingested_at": mark, "event_id": name})

    def end(offset: int, partition: int) -> Seen:
        value = {"ingested_at": "t0", "kind": "article_end"}
        return Seen("events.resolved", partition, offset, None, value)

    source = [Seen("events.extracted", 0, 0, b"story", {"article": {"ingested_at": "t0"}})]
    both = [resolved(0, "t0", "e0"), resolved(1, "t0", "e1")]
    ends = [end(2, 0), end(0, 1), end(0, 2)]
    for outputs, expected in (
        ([*both, *ends], {}),
        ([*both[:1], *ends], {"lost": 1}),
        ([*both, *ends[1:]], {"lost": 1}),
        ([*both, *ends, end(3, 0)], {"doubled": 1}),
        ([*both[:1], *ends, resolved(3, "t0", "e1")], {"disordered": 1}),
        ([*both, *ends, resolved(3, "t0", "e1")], {"doubled": 1, "disordered": 1}),
        ([*both, resolved(2, "t0", "e7"), *ends], {"doubled": 1}),
    ):
        topics = {"events.extracted": source, "events.resolved": outputs, "events.extracted.dlq": []}
        assert kinds(check_stage(RESOLVE, topics, CALM, [])) == expected
    first = {"t0": CALM["t0"]}
    assert kinds(check_events([*both, *ends], first)) == {}
    assert kinds(check_events(both, CALM)) == {"lost": 1}
    assert kinds(check_events([*both, resolved(2, "t1", "e2")], first)) == {"foreign": 1}


def test_the_end_of_an_article_has_no_outcome_but_never_a_dead_letter() -> None:
    source = [Seen("events.resolved", 0, 5, None, {"ingested_at": "t0", "kind": "article_end"})]
    letter = {"stage": "track", "reason": "newer_schema_version", "origin": {"partition": 0, "offset": 5}}
    withdrawn = {"ingested_at": "t9", "event_id": "e9", "status": "withdrawn"}
    topics = {
        "events.resolved": source,
        "events.diplomatic": [Seen("events.diplomatic", 0, 0, b"A|B", withdrawn)],
        "events.resolved.dlq": [],
    }
    assert kinds(check_stage(TRACK, topics, {}, [])) == {}
    topics["events.resolved.dlq"] = [Seen("events.resolved.dlq", 0, 0, None, letter)]
    assert kinds(check_stage(TRACK, topics, {}, [])) == {"blamed": 1}


def test_a_seed_is_a_plan() -> None:
    assert plan.plan(3, 48) == plan.plan(3, 48)
    assert plan.plan(3, 48) != plan.plan(4, 48)
    assert plan.loaded(plan.dumped([Kill("rebalance", "STOP", 2)])) == [Kill("rebalance", "STOP", 2)]


@pytest.mark.parametrize("count", [0, 1, 18, 48])
def test_a_plan_has_its_kills_and_every_point(count: int) -> None:
    lives = plan.plan(5, count)
    kills = [kill for life in lives for kill in life.kills]
    assert len(kills) == count
    if count >= 48:
        assert {kill.point for kill in kills} == set(plan.POINTS)
        assert {life.instance for life in lives if life.service == "track"} == {"0", "1", "2"}
        assert all(life.kills for life in lives)


def test_a_plan_never_makes_poison_of_a_good_record() -> None:
    """Alone with a record a process may die once; then one must wait until nothing is under suspicion."""
    for seed in range(200):
        for life in plan.plan(seed, 60):
            assert alone(life) <= 1


def alone(life: Life) -> int:
    """The most deaths with one record alone."""
    most = now = 0
    for kill in life.kills:
        if kill.signal == "KILL" and kill.point in AT_WORK:
            now = now + 1 if kill.early else 0
            most = max(most, now)
    return most
