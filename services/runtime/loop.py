"""The consume, transform, produce loop: every input has exactly one outcome, committed with it in one transaction."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Generic, cast

from kafka import KafkaConsumer
from kafka.errors import KafkaError
from kafka.structs import ConsumerGroupMetadata, MemberState, OffsetAndMetadata, TopicPartition
from structlog.typing import FilteringBoundLogger

from schemas.records import Origin
from schemas.topics import input_topic, output_topic, record_model, topics
from services.runtime import broker, clients
from services.runtime.breaker import Breaker
from services.runtime.changelog import Changelog
from services.runtime.health import Health
from services.runtime.metrics import Metrics
from services.runtime.poison import Note, Watch, alone_note, is_poison, read_note, window_note
from services.runtime.settings import ServiceSettings
from services.runtime.transactions import Aborted, Fatal, Transactions
from services.runtime.watchdog import Watchdog
from services.runtime.window import (
    ONLY_FOR,
    Done,
    Outgoing,
    Raw,
    Route,
    Stage,
    Stopped,
    decode_window,
    encode_window,
    is_out_of_memory,
    run_transform,
)
from services.stage import In, Input, Out, Outcome, Reject

NO_EPOCH = NO_GENERATION = -1
FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0
WAIT_TICK = 0.1
POSITION_TIMEOUT_MS = 10_000
DETAIL_LOGGED = 200

Polled = Mapping[TopicPartition, Sequence[Any]]
POISON = Reject(
    "process_killed", "the process died, ran out of memory or got stuck whenever it worked on this record alone"
)


class BreakerTripped(RuntimeError):
    """Too many records rejected."""


class Loop(Generic[In, Out]):
    """One service at work. All Kafka calls are made by the thread that calls `run`."""

    def __init__(
        self,
        stage: Stage[In, Out],
        settings: ServiceSettings,
        consumer: KafkaConsumer,
        transactions: Transactions,
        metrics: Metrics,
        health: Health,
        watchdog: Watchdog,
        log: FilteringBoundLogger,
    ) -> None:
        self._stage, self._settings = stage, settings
        self._consumer, self._transactions = consumer, transactions
        self._metrics, self._health, self._watchdog, self._log = metrics, health, watchdog, log
        source = input_topic(stage.name)
        self._model = topics()[source].shape
        self._source = settings.topic_prefix + source
        self._others = set(topics()[source].consumers) - {stage.name}
        self._route = route(stage.name, settings)
        self._breaker = Breaker(settings.breaker_ratio, settings.breaker_minimum, settings.breaker_in_a_row)
        metrics.flow(self._source, *filter(None, (self._route.target, self._route.dead_letters)))
        metrics.breaker(0.0)
        self._committed: dict[TopicPartition, int] = {}
        self._notes: dict[TopicPartition, Note | None] = {}
        self._watches: dict[TopicPartition, Watch] = {}
        self._changelog = Changelog(stage.name, settings, stage.state) if stage.state else None
        self._generation = NO_GENERATION
        self._troubles = 0
        self._broker_answers = True
        metrics.broker_silence(lambda: clients.silence(consumer))

    def run(self) -> None:
        """Works until a stop is asked for. Raises Fenced, Fatal, BreakerTripped or KafkaError when it must end."""
        with suppress(Stopped):
            while not self._watchdog.stopping:
                self._turn()

    def _turn(self) -> None:
        polled = broker.poll(self._consumer, self._settings.poll_timeout)
        # At once: later the consumer may have lost its place, and generation -1 is not fenced.
        group = self._consumer.group_metadata()
        self._health.beat()
        if group.generation_id != self._generation and (polled or group.state is MemberState.STABLE):
            self._begin_generation(group.generation_id)
            polled = {}
        if self._changelog and (polled or group.state is MemberState.STABLE):
            self._follow_state(self._changelog, group)
        self._listen_for_broker()
        self._health.ready = group.state is MemberState.STABLE and self._broker_answers and not self._troubles
        if polled:
            try:
                if not self._take(polled, group):
                    self._seek_back(polled)
                    if self._changelog:
                        self._changelog.drop({tp.partition for tp in polled})
            except Exception as error:
                # A record that eats all memory may end the process in good order too: it is looked for as well.
                if not is_out_of_memory(error):
                    self._wipe_notes(group)
                raise
        elif group.state is MemberState.STABLE and self._broker_answers:
            self._commit_idle(group)
        self._tell_lag()

    def _begin_generation(self, generation: int) -> None:
        """Goes to what is committed. A generation that this member missed may have had another owner of a partition;
        kafka-python keeps the position from before it, and what the other did would be done twice."""
        self._committed.clear()
        for tp in self._consumer.assignment():
            offset = self._consumer.committed(tp, timeout_ms=POSITION_TIMEOUT_MS)
            if offset is None:
                self._consumer.seek_to_beginning(tp)
            else:
                self._consumer.seek(tp, offset)
            self._committed[tp] = offset or 0
        self._notes.clear()
        self._watches.clear()
        self._metrics.forget_lags()
        self._generation = generation

    def _follow_state(self, changelog: Changelog, group: ConsumerGroupMetadata) -> None:
        """Has the state of the partitions that are ours now, before the first of their records is worked on."""
        began = time.monotonic()
        mine = {tp.partition for tp in self._consumer.assignment()}
        read = changelog.follow(group.generation_id, mine, self._check_stop)
        if read:
            seconds = round(time.monotonic() - began, 3)
            self._log.info("state restored", records=read, partitions=sorted(mine), seconds=seconds)

    def _take(self, polled: Polled, group: ConsumerGroupMetadata) -> bool:
        """Does a window, or, where a process died, its records one by one; whether all of it was committed."""
        former = {tp: self._former_note(tp) for tp in polled.keys() - self._watches.keys()}
        for tp, note in former.items():
            self._watches[tp] = Watch(self._settings.max_poll_records, alone=note is not None)
        watched = {tp for tp in polled if self._watches[tp].left}
        self._notes.update({tp: window_note(former.get(tp)) for tp in watched})
        first = {tp: polled[tp][0].offset for tp in watched}
        if first and not self._commit([], first, group, {tp: str(self._notes[tp]) for tp in watched}):
            return False
        if not any(self._watches[tp].alone for tp in watched):
            return self._window(polled, group)
        self._log.warning("a process died in this window; its records are done one by one", partitions=len(watched))
        return all(
            self._alone(tp, record, former.pop(tp, None), group) for tp, records in polled.items() for record in records
        )

    def _former_note(self, tp: TopicPartition) -> Note | None:
        committed = self._consumer.committed(tp, metadata=True, timeout_ms=POSITION_TIMEOUT_MS)
        return read_note(committed.metadata) if committed is not None else None

    def _alone(self, tp: TopicPartition, record: Any, former: Note | None, group: ConsumerGroupMetadata) -> bool:
        if is_poison(former):
            return self._finish([Done(_raw(record), None, POISON)], {tp: [record]}, group)
        note = alone_note(former)
        self._notes[tp] = note
        return self._commit([], {tp: record.offset}, group, {tp: str(note)}) and self._window({tp: [record]}, group)

    def _window(self, polled: Polled, group: ConsumerGroupMetadata) -> bool:
        """Whether the window was committed; False when it is to be done again."""
        try:
            done = self._work([_raw(record) for records in polled.values() for record in records])
            if self._stage.sink:
                with self._metrics.phase("sink").time():
                    self._stage.sink([d.input for d in done if d.input is not None])
        except OSError as error:
            self._wait_out(error)
            return False
        if self._troubles:
            self._log.info("the trouble is over", tries=self._troubles)
            self._troubles = 0
        return self._finish(done, polled, group)

    def _wait_out(self, error: OSError) -> None:
        """A full disk or a database away: tells of it and waits, longer each time, so that the window is done again.

        Nothing is held meanwhile but the window, and the polls in between keep our place in the group.
        """
        seconds = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(self._troubles, 16), self._settings.max_poll_interval / 3)
        self._troubles += 1
        self._health.ready = False
        self._metrics.put_off()
        self._log.error(
            "trouble outside; the window is done again", kind=type(error).__name__, why=str(error), again_in=seconds
        )
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self._check_stop()
            time.sleep(min(left, WAIT_TICK))

    def _listen_for_broker(self) -> None:
        """Tells once when the broker falls silent for longer than a session lasts, and once when it is back."""
        silence = clients.silence(self._consumer)
        answers = silence < self._settings.session_timeout
        if answers != self._broker_answers:
            tell = self._log.info if answers else self._log.warning
            tell("the broker answers again" if answers else "the broker does not answer", seconds=round(silence, 1))
        self._broker_answers = answers

    def _work(self, raws: Sequence[Raw]) -> list[Done[In, Out]]:
        mine = [raw for raw in raws if raw.only_for not in self._others]
        others = [raw for raw in raws if raw.only_for in self._others]
        with self._metrics.phase("decode").time():
            decoded = cast(
                "list[Input[In] | Reject]", decode_window(self._model, mine, self._settings.max_record_bytes)
            )
        with self._metrics.phase("transform").time():
            # With state each record goes alone: a slice done again would work on its first records twice.
            size = 1 if self._changelog else self._settings.slice_records
            transform = self._transform if self._stage.transform else None
            outcomes = run_transform(transform, decoded, size, self._check_stop)
        done = [
            Done(raw, None if isinstance(d, Reject) else d, outcome)
            for raw, d, outcome in zip(mine, decoded, outcomes, strict=True)
        ]
        return done + [Done(raw, None, []) for raw in others]

    def _transform(self, inputs: Sequence[Input[In]]) -> list[Outcome[Out]]:
        assert self._stage.transform
        with self._watchdog.limit("the transform", self._settings.slice_deadline):
            return self._stage.transform(inputs)

    def _check_stop(self) -> None:
        self._health.beat()
        if self._watchdog.stopping:
            raise Stopped

    def _finish(self, done: Sequence[Done[In, Out]], polled: Polled, group: ConsumerGroupMetadata) -> bool:
        """Commits the outcomes and the offsets behind them, and then tells of them."""
        with self._metrics.phase("encode").time():
            made, rejects = encode_window(done, self._route)
            outgoing = self._transactions.spread(made)
        if self._settings.breaker:
            self._check_breaker(rejects)
        if self._changelog:
            outgoing += self._changelog.outgoing()
        if not self._commit(outgoing, {tp: records[-1].offset + 1 for tp, records in polled.items()}, group):
            return False
        for tp, records in polled.items():
            self._watches[tp].left = max(0, self._watches[tp].left - len(records))
        now = time.time()
        self._metrics.consumed(self._source, len(done))
        for topic in {o.topic for o in outgoing}:
            self._metrics.produced(topic, sum(o.topic == topic for o in outgoing))
        for d, reject in zip(done, rejects, strict=True):
            if d.raw.origin.timestamp_ms is not None:
                self._metrics.latency(self._source, now - d.raw.origin.timestamp_ms / 1000)
            if reject is not None:
                self._metrics.rejected(self._source, reject.reason)
                where = d.raw.origin.model_dump(include={"topic", "partition", "offset"})
                self._log.warning(
                    "record rejected", reason=reject.reason, detail=reject.detail[:DETAIL_LOGGED], **where
                )
        return True

    def _check_breaker(self, rejects: Sequence[Reject | None]) -> None:
        for reject in rejects:
            self._breaker.record(reject is not None)
            if why := self._breaker.tripped:
                last = next(r for r in reversed(rejects) if r)
                raise BreakerTripped(f"{why}; the last for {last.reason}: {last.detail[:DETAIL_LOGGED]}")
        self._metrics.breaker(self._breaker.share)

    def _commit(
        self,
        outgoing: Sequence[Outgoing],
        offsets: Mapping[TopicPartition, int],
        group: ConsumerGroupMetadata,
        notes: Mapping[TopicPartition, str] | None = None,
    ) -> bool:
        """Whether it was committed; False when it was aborted and is to be done again."""

        def still_member() -> bool:
            now = self._consumer.group_metadata()
            return bool((now.generation_id, now.member_id) == (group.generation_id, group.member_id))

        metadata = notes or {}
        told = {tp: OffsetAndMetadata(offset, metadata.get(tp, ""), NO_EPOCH) for tp, offset in offsets.items()}
        try:
            with self._watchdog.limit("a commit", self._settings.commit_deadline), self._metrics.phase("commit").time():
                self._transactions.commit(outgoing, told, group, still_member)
        except Aborted as why:
            self._metrics.transaction("aborted", time.time())
            self._log.warning("transaction aborted, the window is done again", why=str(why))
            return False
        self._metrics.transaction("committed", time.time())
        self._committed.update(offsets)
        self._notes.update({tp: None for tp in offsets if tp not in metadata})
        return True

    def _seek_back(self, polled: Polled) -> None:
        """Goes back to the first record of each partition whose outcome was not committed."""
        for tp in self._consumer.assignment() & polled.keys():
            committed = self._committed.get(tp, 0)
            left = next((record.offset for record in polled[tp] if record.offset >= committed), None)
            if left is not None:
                self._consumer.seek(tp, left)

    def _wipe_notes(self, group: ConsumerGroupMetadata) -> None:
        """Takes back the notes of a window that ends without the sudden death of the process."""
        offsets = {tp: self._committed[tp] for tp, note in self._notes.items() if note and tp in self._committed}
        with suppress(KafkaError, Fatal):
            if offsets:
                self._commit([], offsets, group)

    def _commit_idle(self, group: ConsumerGroupMetadata) -> None:
        """Commits positions that moved without records, past the markers of the producers' transactions, so that the
        committed offset of a service that has done all its work is the end of the topic."""
        moved: dict[TopicPartition, int] = {}
        for tp in self._consumer.assignment():
            position = self._consumer.position(tp, timeout_ms=POSITION_TIMEOUT_MS)
            if tp not in self._committed:
                self._committed[tp] = self._consumer.committed(tp, timeout_ms=POSITION_TIMEOUT_MS) or 0
            if position is not None and position > self._committed[tp]:
                moved[tp] = position
        if moved:
            self._commit([], moved, group)

    def _tell_lag(self) -> None:
        assigned = self._consumer.assignment()
        for gone in (self._committed.keys() | self._watches.keys()) - assigned:
            self._committed.pop(gone, None)
            self._notes.pop(gone, None)
            self._watches.pop(gone, None)
            self._metrics.forget_lags()
        for tp in assigned & self._committed.keys():
            end = self._consumer.highwater(tp)
            if end is not None:
                self._metrics.lag(tp.topic, tp.partition, max(0, end - self._committed[tp]))


def route(service: str, settings: ServiceSettings) -> Route:
    """Where topics.yaml sends the service's records."""
    source, target = input_topic(service), output_topic(service)
    letters = topics()[source].dead_letters
    if letters is None:
        raise ValueError(f"{source} has consumers but no topic for dead letters")
    everywhere = topics()[target].every_partition if target else None
    return Route(
        stage=service,
        target=settings.topic_prefix + target if target else None,
        key_field=topics()[target].key if target else None,
        dead_letters=settings.topic_prefix + letters,
        max_bytes=settings.max_produce_bytes,
        everywhere=record_model(everywhere) if everywhere else None,
    )


def _raw(record: Any) -> Raw:
    stamp = record.timestamp if record.timestamp is not None and record.timestamp >= 0 else None
    origin = Origin(topic=record.topic, partition=record.partition, offset=record.offset, timestamp_ms=stamp)
    only_for = next(
        ((value or b"").decode("utf-8", "replace") for name, value in record.headers if name == ONLY_FOR), None
    )
    return Raw(origin, record.key, record.value, only_for)
