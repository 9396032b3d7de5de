"""`python -m tests.crash.hooked SERVICE`: the service as it is, with a signal to itself at the points of its plan.

CRASH_KILLS holds the plan, CRASH_FIRED names the file that gets a line for every signal before it is sent, and
CRASH_JOINED the file that gets the process id of a member of the group.
"""

from __future__ import annotations

import json
import os
import runpy
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

from kafka import KafkaProducer
from kafka.coordinator.consumer import ConsumerCoordinator

from services.runtime import broker
from services.runtime.changelog import Changelog
from services.runtime.loop import Loop
from tests.crash import plan
from tests.crash.plan import Kill


class Trigger:
    """Counts the visits of the points and sends the signals. The consumer's points are visited by another thread."""

    def __init__(self, kills: Sequence[Kill], fired: Path) -> None:
        self._kills, self._fired, self._seen, self._lock = list(kills), fired, 0, Lock()
        self.loop: Any = None

    def at(self, point: str) -> None:
        """A visit of `point`; the process may not come back from it."""
        with self._lock:
            kill = self._kills[0] if self._kills else None
            if kill is None or kill.point != point or not self._may(kill):
                return
            self._seen += 1
            if self._seen < kill.nth:
                return
            self._kills.pop(0)
            self._seen = 0
            with self._fired.open("a") as to:
                to.write(json.dumps([point, kill.signal]) + "\n")
            os.kill(os.getpid(), getattr(signal, f"SIG{kill.signal}"))
            time.sleep(0.05)  # A stop reaches every thread only by and by.

    def _may(self, kill: Kill) -> bool:
        """Whether no note of a former death is left on our partitions, where that matters."""
        if kill.signal != "KILL" or kill.early or kill.point not in plan.AT_WORK:
            return True
        notes, mine = self.loop._notes, self.loop._consumer.assignment()
        return bool(mine) and all(tp in notes and notes[tp] is None for tp in mine)


def hook(trigger: Trigger) -> None:
    """Puts the trigger into the loop, its state and its Kafka clients."""
    _hook_loop(trigger)
    _hook_producer(trigger)
    _hook_group(trigger)


def _hook_loop(trigger: Trigger) -> None:
    poll, run, work, restored = broker.poll, Loop.run, Loop._work, Changelog._records

    def polled(consumer: Any, seconds: float) -> Any:
        records = poll(consumer, seconds)
        if records and consumer.config["group_id"] is not None:
            trigger.at(plan.AFTER_POLL)
        return records

    def running(loop: Any) -> None:
        trigger.loop = loop
        run(loop)

    def worked(loop: Any, raws: Any) -> Any:
        done = work(loop, raws)
        trigger.at(plan.AFTER_INFERENCE)
        return done

    def restoring(changelog: Any, partition: int, beat: Any) -> Iterator[Any]:
        for record in restored(changelog, partition, beat):
            yield record
            trigger.at(plan.RESTORING)

    broker.poll = polled
    Loop.run, Loop._work, Changelog._records = running, worked, restoring  # type: ignore[method-assign]


def _hook_producer(trigger: Trigger) -> None:
    begin, send = KafkaProducer.begin_transaction, KafkaProducer.send
    offsets, commit = KafkaProducer.send_offsets_to_transaction, KafkaProducer.commit_transaction
    sent: set[int] = set()

    def begun(producer: Any) -> None:
        sent.discard(id(producer))
        begin(producer)

    def sending(producer: Any, *given: Any, **named: Any) -> Any:
        sent.add(id(producer))
        return send(producer, *given, **named)

    def telling(producer: Any, *given: Any) -> None:
        if id(producer) in sent:
            producer.flush(timeout=30)  # So that they stand in the log when we die.
            trigger.at(plan.AFTER_SENDING)
        offsets(producer, *given)
        trigger.at(plan.AFTER_OFFSETS)

    def committing(producer: Any) -> None:
        trigger.at(plan.BEFORE_COMMIT)
        commit(producer)
        trigger.at(plan.COMMIT_RETURNS)

    KafkaProducer.begin_transaction, KafkaProducer.send = begun, sending
    KafkaProducer.send_offsets_to_transaction, KafkaProducer.commit_transaction = telling, committing


def _hook_group(trigger: Trigger) -> None:
    joined = Path(os.environ["CRASH_JOINED"])
    prepare, complete = ConsumerCoordinator._on_join_prepare_async, ConsumerCoordinator._on_join_complete_async
    members: set[int] = set()

    async def preparing(coordinator: Any, *given: Any, **named: Any) -> None:
        if id(coordinator) in members:
            trigger.at(plan.REBALANCE)
        await prepare(coordinator, *given, **named)

    async def completing(coordinator: Any, *given: Any, **named: Any) -> None:
        trigger.at(plan.REBALANCE if id(coordinator) in members else plan.JOINING)
        members.add(id(coordinator))
        await complete(coordinator, *given, **named)
        joined.write_text(str(os.getpid()))

    ConsumerCoordinator._on_join_prepare_async = preparing
    ConsumerCoordinator._on_join_complete_async = completing


if __name__ == "__main__":
    hook(Trigger(plan.loaded(os.environ["CRASH_KILLS"]), Path(os.environ["CRASH_FIRED"])))
    name = f"services.{sys.argv[1]}"
    sys.argv = [name]
    runpy.run_module(name, run_name="__main__", alter_sys=True)
