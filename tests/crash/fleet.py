"""The services of a plan as processes: starts them, again after each of their kills, and wakes those that stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from services.runtime.children import spawn, stop
from services.runtime.settings import EXIT_BROKEN_SETTING, ConnectionSettings
from tests.crash import plan
from tests.crash.plan import Kill, Life

ROOT = Path(__file__).parents[2]
SESSION_SECONDS = 6.0
"""The shortest that Apache Kafka allows as it comes."""
STOPPED_SECONDS = SESSION_SECONDS + 2
PATIENCE_SECONDS = 5.0
SETTINGS = {
    "DEMARCHE_MAX_POLL_RECORDS": "6",
    "DEMARCHE_MAX_POLL_INTERVAL": "30",
    "DEMARCHE_SESSION_TIMEOUT": str(SESSION_SECONDS),
    "DEMARCHE_TRANSACTION_TIMEOUT": "15",
    "DEMARCHE_WORST_SECONDS_PER_RECORD": "1",
    "DEMARCHE_THREADS": "1",
}
"""Small windows, so that there are many of them."""
EXPLAINED = (0, -signal.SIGKILL)
UNRULY = 20
"""Ends of processes that no kill explains before the schedule is given up."""


@dataclass
class Runner:
    """A life of the plan and its present process."""

    life: Life
    left: list[Kill]
    folder: Path
    child: subprocess.Popen[bytes] | None = None
    lines: int = 0
    wake_at: float | None = None
    waiting_since: float = 0.0
    over: bool = False

    @property
    def name(self) -> str:
        """Service and instance."""
        return f"{self.life.service}.{self.life.instance}"

    @property
    def first(self) -> bool:
        """Whether it is there from the start to the end."""
        return self.life.instance == "0"

    @property
    def fired(self) -> Path:
        """Where its process notes its kills."""
        return self.folder / f"{self.name}.fired"

    @property
    def joined(self) -> Path:
        """Where its process notes that it is a member of the group."""
        return self.folder / f"{self.name}.joined"

    @property
    def log(self) -> Path:
        """What it says."""
        return self.folder / f"{self.name}.log"

    @property
    def member(self) -> bool:
        """Whether it has a process that is a member of the group and not stopped."""
        alive = self.child is not None and self.child.poll() is None and self.wake_at is None
        return alive and self.joined.exists() and self.joined.read_text() == str(self.child and self.child.pid)


@dataclass
class Fleet:
    """All processes of a plan; `tick` it often and `close` it."""

    settings: ConnectionSettings
    runners: list[Runner]
    environment: Mapping[str, str]
    kills: Counter[tuple[str, str]] = field(default_factory=Counter)
    starts: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    ending: bool = False
    """Time is up: who starts has no kills, guests leave. A process that still has some may yet take them."""
    _unexplained: int = 0

    @property
    def left(self) -> int:
        """Kills that have not come yet."""
        return sum(len(r.left) for r in self.runners)

    @property
    def settled(self) -> bool:
        """Whether all kills are done or time is up, nobody is stopped, and only the first instances are there."""
        return (self.ending or not self.left) and all(r.member if r.first else r.over for r in self.runners)

    def tick(self) -> int:
        """Looks after everyone; how many kills have come since the last time."""
        return sum(self._tend(runner) for runner in self.runners if not runner.over)

    def close(self) -> None:
        """Ends all processes."""
        children = [r.child for r in self.runners if r.child is not None]
        for child in children:
            if child.poll() is None:
                child.send_signal(signal.SIGCONT)
        stop(children, 9.0)

    def _tend(self, runner: Runner) -> int:
        now = time.monotonic()
        if runner.child is None:
            if self.ending:
                runner.over = True
                return 0
            host = next(r for r in self.runners if r.life.service == runner.life.service and r.first)
            if len(host.life.kills) - len(host.left) >= runner.life.joins_after:
                self._start(runner)
            return 0
        came = self._note_kills(runner, now)
        if runner.wake_at is not None:
            if now >= runner.wake_at:
                runner.wake_at = None
                runner.child.send_signal(signal.SIGCONT)
            return came
        code, done = runner.child.poll(), self.ending or not runner.left
        if code is not None:
            self.ends[f"{runner.life.service} {code}"] += 1
            self._unexplained += code not in EXPLAINED
            assert code != EXIT_BROKEN_SETTING, f"{runner.name} does not start; see {runner.log}"
            assert self._unexplained < UNRULY, f"services end by themselves: {self.ends}; see {runner.log.parent}"
            if code == 0 and done and not runner.first:
                runner.over = True
            else:
                self._start(runner)
        elif runner.member and done and not runner.first:
            self._stop(runner)
        elif runner.member and not done and now - runner.waiting_since > PATIENCE_SECONDS:
            self._nudge(runner, now)
        return came

    def _note_kills(self, runner: Runner, now: float) -> int:
        lines = runner.fired.read_text().splitlines() if runner.fired.exists() else []
        fresh = lines[runner.lines :]
        for line in fresh:
            point, sent = json.loads(line)
            kill = runner.left.pop(0)
            assert (kill.point, kill.signal) == (point, sent), f"{runner.name}: {line} came, due was {kill}"
            self.kills[point, sent] += 1
            runner.waiting_since = now
            if sent == "STOP":
                runner.wake_at = now + STOPPED_SECONDS
        runner.lines = len(lines)
        return len(fresh)

    def _nudge(self, runner: Runner, now: float) -> None:
        """Makes a point come that does not come by work alone: who waits to join or restore starts again, and where a
        rebalance is waited for another instance does."""
        point = runner.left[0].point
        others = [r for r in self.runners if r.life.service == runner.life.service and r is not runner]
        runner.waiting_since = now
        if point in (plan.JOINING, plan.RESTORING):
            self._stop(runner)
        elif point == plan.REBALANCE and (idle := next((r for r in others if r.over), None)):
            idle.over = False  # It joins once more, to leave at once.
            self._start(idle)
        elif point == plan.REBALANCE and (working := next((r for r in others if r.member), None)):
            self._stop(working)

    def _stop(self, runner: Runner) -> None:
        assert runner.child is not None
        runner.child.send_signal(signal.SIGTERM)
        runner.joined.unlink()

    def _start(self, runner: Runner) -> None:
        self.starts += 1
        environment = {
            **os.environ,
            **SETTINGS,
            **self.environment,
            "DEMARCHE_BOOTSTRAP": self.settings.bootstrap,
            "DEMARCHE_TOPIC_PREFIX": self.settings.topic_prefix,
            "DEMARCHE_GROUP_PREFIX": self.settings.group_prefix,
            "DEMARCHE_INSTANCE": runner.life.instance,
            "CRASH_KILLS": plan.dumped([] if self.ending else runner.left),
            "CRASH_FIRED": str(runner.fired),
            "CRASH_JOINED": str(runner.joined),
        }
        command = [sys.executable, "-m", "tests.crash.hooked", runner.life.service]
        with runner.log.open("ab") as to:
            runner.child = spawn(command, signal.SIGKILL, stdout=to, stderr=to, env=environment)
        runner.waiting_since = time.monotonic()


def fleet(settings: ConnectionSettings, lives: list[Life], folder: Path, environment: Mapping[str, str]) -> Fleet:
    """The fleet of a plan; the logs and the notes of kills are written to `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    return Fleet(settings, [Runner(life, list(life.kills), folder) for life in lives], environment)
