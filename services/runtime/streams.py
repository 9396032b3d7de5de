"""demarche's topics from outside the loop: putting articles in, following a topic."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, NamedTuple

from kafka import KafkaConsumer, KafkaProducer
from kafka.errors import KafkaError, MessageSizeTooLargeError
from kafka.structs import TopicPartition

from schemas.records import Origin, RawArticle
from services.ids import article_id
from services.runtime import broker, clients
from services.runtime.codec import encode
from services.runtime.settings import ConnectionSettings

RAW_TOPIC = "articles.raw"
POLL_SECONDS = 0.25
CHUNK = 500


class StreamError(RuntimeError):
    """Kafka did not do what was asked; the message is for people."""


class NoTopic(StreamError):
    """The topic is not there."""


class Record(NamedTuple):
    """A committed record of a topic."""

    key: bytes | None
    value: bytes | None
    origin: Origin


def produce_raw(settings: ConnectionSettings, articles: Iterable[RawArticle]) -> int:
    """Writes articles to articles.raw, keyed by their article_id, and waits for the broker; how many.

    `articles` may be an endless iterator: each is sent at once. Raises StreamError when one cannot be written.
    """
    waiting = iter(articles)
    topic = settings.topic_prefix + RAW_TOPIC
    count = 0
    with told(f"cannot write to {topic}"):
        producer = clients.producer(settings)
        try:
            while futures := [_send(producer, topic, article) for article in islice(waiting, CHUNK)]:
                producer.flush()
                for future in futures:
                    if not future.succeeded():
                        raise StreamError(f"an article was not written: {future.exception}")
                count += len(futures)
            return count
        finally:
            producer.close(timeout=5)


def _send(producer: KafkaProducer, topic: str, article: RawArticle) -> Any:
    key = article_id(article)
    try:
        return producer.send(topic, value=encode(article), key=key.encode())
    except MessageSizeTooLargeError as error:
        raise StreamError(f"article {key} is larger than {topic} takes: {error}") from error


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
    with told(f"cannot read {name}"):
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
                for tp, records in polled.items():
                    yield from (_record(r) for r in records if ends is None or r.offset < ends[tp])
                if ends is not None:
                    if all((consumer.position(tp) or 0) >= end for tp, end in ends.items()):
                        return
                elif not polled and stop is not None and stop():
                    ends = consumer.end_offsets(partitions)
        finally:
            consumer.close(autocommit=False, timeout_ms=1000)


@contextmanager
def told(what: str) -> Iterator[None]:
    """Turns the client's errors into StreamError; `what` begins its message."""
    try:
        yield
    except KafkaError as error:
        raise StreamError(f"{what}: {error}") from error


def _assign(consumer: KafkaConsumer, topic: str) -> list[TopicPartition]:
    numbers = consumer.partitions_for_topic(topic)
    if not numbers:
        raise NoTopic(f"no topic {topic} on this broker")
    partitions = [TopicPartition(topic, number) for number in sorted(numbers)]
    consumer.assign(partitions)
    return partitions


def _record(record: Any) -> Record:
    stamp = record.timestamp if record.timestamp is not None and record.timestamp >= 0 else None
    origin = Origin(topic=record.topic, partition=record.partition, offset=record.offset, timestamp_ms=stamp)
    return Record(record.key, record.value, origin)
