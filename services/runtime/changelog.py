"""A stage's state on its compacted topic: written with the window's transaction, read back when a partition comes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from kafka import IsolationLevel, KafkaAdminClient, OffsetSpec
from kafka.errors import KafkaTimeoutError
from kafka.structs import TopicPartition

from schemas.topics import changelog_topic, topics
from services.runtime import broker, clients
from services.runtime.codec import decode, encode
from services.runtime.settings import ServiceSettings
from services.runtime.window import Outgoing
from services.stage import Reject, State, StateChange

POLL_SECONDS = 0.25
LOOK_SECONDS = 0.05


class BrokenState(RuntimeError):
    """A record of the state cannot be read; going on without it would make other stories."""


class Changelog:
    """The state of one stage, partition by partition, beside the input's partitions of the same number."""

    def __init__(self, service: str, settings: ServiceSettings, state: State) -> None:
        name = changelog_topic(service)
        if name is None:
            raise ValueError(f"{service} keeps state but topics.yaml has no changelog for it")
        self._settings, self._state = settings, state
        self._topic = settings.topic_prefix + name
        self._model = topics()[name].record
        self._generation: int | None = None
        self._held: set[int] = set()

    def follow(self, generation: int, partitions: set[int], beat: Callable[[], None]) -> int:
        """Restores what the group gave us and drops what it took; the number of records read.

        Another generation may have had another owner of a partition in between, so all of its state is read anew.
        `beat` is called while reading and may raise.
        """
        if generation != self._generation:
            self.drop(self._held)
            self._generation = generation
        self.drop(self._held - partitions)
        return sum(self._restore(partition, beat) for partition in sorted(partitions - self._held))

    def drop(self, partitions: set[int]) -> None:
        """Forgets partitions, so that they are restored: after an abort the state is ahead of what was committed."""
        self._state.take_changes()
        for partition in partitions:
            self._state.forget(partition)
        self._held = self._held - partitions

    def outgoing(self) -> list[Outgoing]:
        """The changes since the last call, as records; of several under one key the last."""
        last: dict[tuple[int, str], StateChange] = {(c.partition, c.key): c for c in self._state.take_changes()}
        return [
            Outgoing(self._topic, c.key.encode(), None if c.value is None else encode(c.value), c.partition)
            for c in last.values()
        ]

    def _restore(self, partition: int, beat: Callable[[], None]) -> int:
        self._state.forget(partition)
        count = 0
        for key, value in self._records(partition, beat):
            count += 1
            record = None if value is None else decode(self._model, value, self._settings.max_produce_bytes)
            if isinstance(record, Reject):
                raise BrokenState(f"{self._topic} {partition} {key!r}: {record.reason}: {record.detail}")
            self._state.restore(partition, key, record)
        self._state.take_changes()
        self._held.add(partition)
        return count

    def _records(self, partition: int, beat: Callable[[], None]) -> Iterator[tuple[str, bytes | None]]:
        """Key and value of every committed record of the partition, in order."""
        tp = TopicPartition(self._topic, partition)
        self._wait_for_open_transactions(tp, beat)
        consumer = clients.reader(self._settings)
        try:
            consumer.assign([tp])
            consumer.seek_to_beginning(tp)
            end = consumer.end_offsets([tp])[tp]
            while (consumer.position(tp) or 0) < end:
                beat()
                records: Sequence[Any] = broker.poll(consumer, POLL_SECONDS).get(tp, ())
                yield from ((record.key.decode(), record.value) for record in records)
        finally:
            consumer.close(autocommit=False, timeout_ms=1000)

    def _wait_for_open_transactions(self, tp: TopicPartition, beat: Callable[[], None]) -> None:
        """Until the partition's former owner has committed or aborted what it had under way."""
        until = time.monotonic() + self._settings.transaction_timeout
        admin = clients.admin(self._settings)
        try:
            while _end(admin, tp, IsolationLevel.READ_COMMITTED) < _end(admin, tp, IsolationLevel.READ_UNCOMMITTED):
                beat()
                if time.monotonic() > until:
                    raise KafkaTimeoutError(f"a transaction on {tp.topic} {tp.partition} does not end")
                time.sleep(LOOK_SECONDS)
        finally:
            admin.close()


def _end(admin: KafkaAdminClient, tp: TopicPartition, level: IsolationLevel) -> int:
    found = admin.list_partition_offsets({tp: OffsetSpec.LATEST}, isolation_level=level)
    return int(found[tp].offset)
