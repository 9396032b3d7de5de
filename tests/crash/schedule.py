"""One crash schedule: stream articles, kill by plan, let all come to rest, then read everything and check it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from services.runtime import clients
from services.runtime.drain import drained
from services.runtime.settings import ConnectionSettings
from services.runtime.supervisor import supervise
from services.runtime.topics import ensure_topics
from tests.crash import articles
from tests.crash.checks import STAGES, Findings, check_events, check_stage, events_by_article
from tests.crash.fleet import SETTINGS, fleet
from tests.crash.plan import SHARES, plan
from tests.crash.reader import Onlooker, Seen, Snapshot, lag, read

TICK_SECONDS = 0.05
LOOK_SECONDS = 0.5
REST_SECONDS = 240.0
FEED = 10
LAGS = {"normalize": 15, "classify": 40, "resolve": 40, "track": 120}
"""More is fed while every service has at most so much before it."""
Calm = Sequence[Counter[str]]
"""Event ids of each different article."""


@dataclass
class Result:
    """What a schedule did and found."""

    seed: int
    kills: Counter[tuple[str, str]]
    missed: int
    articles: int
    inputs: int
    events: int
    looks: int
    starts: int
    ends: Counter[str]
    seconds: float
    findings: Findings


def calm_run(settings: ConnectionSettings, folder: Path, seconds: float = 600) -> Calm:
    """The event ids of each different article, from services that nobody disturbs."""
    ensure_topics(settings)
    with supervise(settings, tuple(SHARES), log_dir=folder, environment={"DEMARCHE_THREADS": "1"}) as running:
        running.wait_ready(seconds)
        send(settings, 0, articles.DIFFERENT)
        _wait(running.drained, seconds, f"the undisturbed run; logs in {folder}")
    found = events_by_article(read(settings, "events.diplomatic"))
    return [found.get(articles.mark(place), Counter()) for place in range(articles.DIFFERENT)]


def run(settings: ConnectionSettings, seed: int, kills: int, calm: Calm, folder: Path, seconds: float) -> Result:
    """The schedule of `seed`, until its kills have come; those that have not after `seconds` are told as missed."""
    began = time.monotonic()
    ensure_topics(settings)
    ships, onlooker = fleet(settings, plan(seed, kills), folder, SETTINGS), Onlooker(settings, tuple(SHARES))
    snapshots: list[Snapshot] = []
    fed, looked = 0, 0.0
    try:
        while ships.left and time.monotonic() < began + seconds:
            came = ships.tick()
            if came or time.monotonic() > looked + LOOK_SECONDS:
                snapshots.append(onlooker.look())
                looked = time.monotonic()
                if all(lag(snapshots[-1], s) <= most for s, most in LAGS.items()):
                    fed += send(settings, fed, FEED)
            time.sleep(TICK_SECONDS)
        ships.ending = ships.left > 0
        _wait(lambda: (ships.tick(), ships.settled)[1], REST_SECONDS, f"the services steady again; logs in {folder}")
        _wait(lambda: (ships.tick(), drained(settings, SHARES))[1], REST_SECONDS, f"all work done; logs in {folder}")
        snapshots.append(onlooker.look())
    finally:
        ships.close()
        onlooker.close()
    names = {name for stage in STAGES for name in (stage.source, stage.target, f"{stage.source}.dlq")}
    topics = {name: read(settings, name) for name in names}
    expected = {articles.mark(place): calm[place % len(calm)] for place in range(fed)}
    findings = _findings(topics, expected, snapshots)
    return Result(
        seed=seed,
        kills=ships.kills,
        missed=ships.left,
        articles=fed,
        inputs=sum(len(topics[stage.source]) for stage in STAGES),
        events=len(topics["events.diplomatic"]),
        looks=len(snapshots),
        starts=ships.starts,
        ends=ships.ends,
        seconds=time.monotonic() - began,
        findings=findings,
    )


def _findings(
    topics: Mapping[str, list[Seen]], expected: Mapping[Hashable, Counter[str]], snapshots: list[Snapshot]
) -> Findings:
    findings = Findings()
    for stage in STAGES:
        findings.add(check_stage(stage, topics, expected, snapshots))
        left = lag(snapshots[-1], stage.service)
        if left:
            findings.lost.append(f"{stage.service}: {left} offsets at the end are not committed")
    for name in ("events.resolved", "events.diplomatic"):
        findings.add(check_events(topics[name], expected))
    return findings


def send(settings: ConnectionSettings, first: int, count: int) -> int:
    """Writes `count` places of the stream; how many."""
    producer = clients.producer(settings)
    try:
        for place in range(first, first + count):
            for topic, key, value in articles.records(place):
                producer.send(settings.topic_prefix + topic, value=value, key=key)
        producer.flush()
    finally:
        producer.close()
    return count


def _wait(condition: Callable[[], bool], seconds: float, what: str) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, f"not within {seconds:g} s: {what}"
        time.sleep(TICK_SECONDS)
