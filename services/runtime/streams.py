"""demarche's topics from outside the loop: putting articles in, following a topic, replaying dead letters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from kafka import KafkaConsumer
from kafka.errors import KafkaError
from kafka.structs import ConsumerGroupMetadata, OffsetAndMetadata, TopicPartition
from pydantic import ValidationError

from schemas.records import DeadLetter, Origin, RawArticle
from services.runtime import broker, clients
from services.runtime.codec import original
from services.runtime.settings import ConnectionSettings, ServiceSettings
from services.runtime.transactions import Aborted, Fatal, Transactions
from services.runtime.window import Outgoing
from services.runtime.writer import ArticleWriter, write_all
from services.runtime.writer import StreamError as StreamError

POLL_SECONDS = 0.25
CHUNK = 500
NO_EPOCH = -1


class Record(NamedTuple):
    """A committed record of a topic."""

    key: bytes | None
    value: bytes | None
    origin: Origin


def produce_raw(settings: ConnectionSettings, articles: Iterable[RawArticle]) -> int:
    """Writes articles to articles.raw and waits for the broker; how many. StreamError when one cannot be written."""
    with ArticleWriter(settings) as writer:
        return write_all(writer, articles, lambda _count: None)


def tail(
    settings: ConnectionSettings,
    topic: str,
    *,
    from_beginning: bool = True,
    follow: bool = False,
    stop: Callable[[], bool] | None = None,
) -> Iterator[Record]:
    """The committed records of a topic in the order of each partition; `topic` is its name in topics.yaml.

    Without `follow` it ends at the topic's end; with it, when `stop` says so (asked whenever there is nothing new, and
    then what has come by that time is still given). Raises StreamError for a topic that is not there.
    """
    name = settings.topic_prefix + topic
    with _told(f"cannot read {name}"):
        consumer = clients.reader(settings)
        try:
            partitions = _assign(consumer, name)
            (consumer.seek_to_beginning if from_beginning else consumer.seek_to_end)(*partitions)
            if not from_beginning:  # The end is now, not when the first record is polled.
                for tp in partitions:
                    consumer.position(tp)
            ends = None if follow else consumer.end_offsets(partitions)
            while True:
                polled = broker.poll(consumer, POLL_SECONDS)
                yield from (_record(r) for records in polled.values() for r in records)
                if ends is not None:
                    if all((consumer.position(tp) or 0) >= end for tp, end in ends.items()):
                        return
                elif not polled and stop is not None and stop():
                    ends = consumer.end_offsets(partitions)
        finally:
            consumer.close(autocommit=False, timeout_ms=1000)


@contextmanager
def _told(what: str) -> Iterator[None]:
    """Turns the client's errors into StreamError."""
    try:
        yield
    except KafkaError as error:
        raise StreamError(f"{what}: {error}") from error


@dataclass
class Replayed:
    """What a replay did: records put back, by topic, and dead letters left, by why."""

    replayed: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)


def replay_dead_letters(
    settings: ConnectionSettings, topic: str, *, reason: str | None = None, from_beginning: bool = False
) -> Replayed:
    """Puts the records behind the dead letters of `topic` back onto the topics they came from, each exactly once.

    A dead letter is looked at once: the next call goes on behind it, unless `from_beginning`. Those of another
    `reason`, without their value, or that are no dead letters are left. Raises StreamError.
    """
    service = ServiceSettings.model_validate(settings.model_dump())
    group, name = f"{settings.group_prefix}replay.{topic}", settings.topic_prefix + topic
    done = Replayed()
    with _told(f"the replay of {name} stopped"), ExitStack() as stack:
        consumer = clients.reader(settings, group_id=group, max_poll_records=CHUNK)
        stack.callback(consumer.close, autocommit=False, timeout_ms=1000)
        partitions = _assign(consumer, name)
        transactions = Transactions(service, group)
        stack.callback(transactions.close)
        if from_beginning:
            consumer.seek_to_beginning(*partitions)
        ends = consumer.end_offsets(partitions)
        while any((consumer.position(tp) or 0) < end for tp, end in ends.items()):
            polled = broker.poll(consumer, POLL_SECONDS)
            wanted = {tp: [r for r in records if r.offset < ends[tp]] for tp, records in polled.items()}
            wanted = {tp: records for tp, records in wanted.items() if records}
            if not wanted:
                continue
            outgoing = _originals((r.value for records in wanted.values() for r in records), reason, done)
            offsets = {tp: OffsetAndMetadata(rs[-1].offset + 1, "", NO_EPOCH) for tp, rs in wanted.items()}
            try:
                transactions.commit(outgoing, offsets, ConsumerGroupMetadata(group_id=group), lambda: True)
            except (Aborted, Fatal) as error:
                raise StreamError(f"the replay of {name} stopped: {error}") from error
    return done


def _originals(values: Iterable[bytes | None], reason: str | None, done: Replayed) -> list[Outgoing]:
    outgoing = []
    for value in values:
        try:
            letter = DeadLetter.model_validate_json(value or b"")
        except ValidationError:
            done.left["no dead letter"] += 1
            continue
        key, body = original(letter)
        if reason is not None and letter.reason != reason:
            done.left[letter.reason] += 1
        elif body is None:
            done.left["without value"] += 1
        else:
            outgoing.append(Outgoing(letter.origin.topic, key, body))
            done.replayed[letter.origin.topic] += 1
    return outgoing


def _assign(consumer: KafkaConsumer, topic: str) -> list[TopicPartition]:
    numbers = consumer.partitions_for_topic(topic)
    if not numbers:
        raise StreamError(f"no topic {topic} on this broker")
    partitions = [TopicPartition(topic, number) for number in sorted(numbers)]
    consumer.assign(partitions)
    return partitions


def _record(record: Any) -> Record:
    stamp = record.timestamp if record.timestamp is not None and record.timestamp >= 0 else None
    origin = Origin(topic=record.topic, partition=record.partition, offset=record.offset, timestamp_ms=stamp)
    return Record(record.key, record.value, origin)
