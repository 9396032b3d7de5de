"""The transactional producer: all of a window, outputs, dead letters and offsets, or nothing of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from kafka import KafkaProducer
from kafka.errors import InvalidProducerEpochError, KafkaError, ProducerFencedError
from kafka.structs import ConsumerGroupMetadata, OffsetAndMetadata, TopicPartition

from services.runtime import broker, clients
from services.runtime.settings import ServiceSettings
from services.runtime.window import EVERY_PARTITION, Outgoing

CLOSE_SECONDS = 2.0


class Aborted(RuntimeError):
    """The transaction was aborted; the window can be done again."""


class Fatal(RuntimeError):
    """The producer cannot go on; the process must end."""


class Fenced(Fatal):
    """Another process took over our transactional id."""


class Transactions:
    """Writes windows under a stable transactional id. Opening it fences and aborts the id's former process."""

    def __init__(self, settings: ServiceSettings, transactional_id: str) -> None:
        self._settings = settings
        self._base = transactional_id
        self._open = False
        self._producer, self._local = self._start()

    def _start(self) -> tuple[KafkaProducer, bool]:
        admin = clients.admin(self._settings)
        try:
            local = broker.is_local(admin)
            name = broker.next_transactional_id(self._settings, admin, self._base) if local else self._base
        finally:
            admin.close()
        producer = clients.producer(
            self._settings,
            transactional_id=name,
            transaction_timeout_ms=int(self._settings.transaction_timeout * 1000),
        )
        producer.init_transactions()
        return producer, local

    def spread(self, records: Sequence[Outgoing]) -> list[Outgoing]:
        """The records in their order, those for every partition as one for each. KafkaError for an unknown topic."""
        return [
            copy
            for record in records
            for copy in (
                [replace(record, partition=n) for n in sorted(self._producer.partitions_for(record.topic))]
                if record.partition == EVERY_PARTITION
                else [record]
            )
        ]

    def commit(
        self,
        records: Sequence[Outgoing],
        offsets: Mapping[TopicPartition, OffsetAndMetadata] | None = None,
        group: ConsumerGroupMetadata | None = None,
        still_member: Callable[[], bool] = lambda: True,
    ) -> None:
        """Writes `records` and, where given, the group's `offsets` atomically.

        Raises Aborted when it was aborted and may be tried again, Fenced or Fatal when the process must end.
        No step but the flush has a timeout: run it under a watchdog.
        """
        try:
            self._producer.begin_transaction()
            self._open = True
            futures = [self._producer.send(r.topic, r.value, r.key, list(r.headers), r.partition) for r in records]
            if offsets:
                self._producer.send_offsets_to_transaction(dict(offsets), group)
            self._producer.flush(timeout=self._settings.transaction_timeout)
            # A lost batch may make the client raise its epoch and forget the transaction: look before committing.
            for future in futures:
                if not future.succeeded():
                    raise future.exception or KafkaError("a record was not acknowledged")
            if not still_member():
                raise KafkaError("the group was rebalanced")
            self._producer.commit_transaction()
            self._open = False
        except KafkaError as error:
            self._abort_after(error)

    def _abort_after(self, error: KafkaError) -> None:
        try:
            self.abort()
        except KafkaError as second:
            if _tells_of_fencing(error) or _tells_of_fencing(second):
                raise Fenced(str(error)) from error
            raise Fatal(f"{error}; the abort failed too: {second}") from error
        raise Aborted(str(error)) from error

    def abort(self) -> None:
        """Aborts the open transaction, if there is one; KafkaError when that fails."""
        if not self._open:
            return
        self._open = False
        self._producer.abort_transaction()
        if self._local:
            self._producer.close(timeout=CLOSE_SECONDS)
            self._producer, _ = self._start()

    def close(self) -> None:
        """Aborts what is open and closes."""
        try:
            if self._open:
                self._open = False
                self._producer.abort_transaction()
        except KafkaError:
            pass  # The next process of this id aborts it.
        finally:
            self._producer.close(timeout=CLOSE_SECONDS)


def _tells_of_fencing(error: KafkaError) -> bool:
    names = (ProducerFencedError.__name__, InvalidProducerEpochError.__name__)
    return isinstance(error, ProducerFencedError | InvalidProducerEpochError) or any(n in str(error) for n in names)
