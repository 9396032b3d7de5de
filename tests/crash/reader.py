"""Looks at topics and groups with librdkafka, which shares no code with the services' client."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from schemas.topics import topics
from services.runtime.settings import ConnectionSettings

SECONDS = 30.0
Place = tuple[str, int]
"""Topic (as in topics.yaml) and partition."""


@dataclass(frozen=True)
class Seen:
    """A committed record; `value` is None when it is no JSON object."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: dict[str, Any] | None


@dataclass(frozen=True)
class Snapshot:
    """What groups had committed, by service and input partition, and, looked at after that, the ends of all logs."""

    committed: dict[tuple[str, int], int]
    ends: dict[Place, int]


def options(settings: ConnectionSettings) -> dict[str, Any]:
    """The connection in librdkafka's words."""
    password = settings.sasl_password
    found = {
        "bootstrap.servers": settings.bootstrap,
        "security.protocol": settings.security_protocol,
        "sasl.mechanism": settings.sasl_mechanism,
        "sasl.username": settings.sasl_username,
        "sasl.password": password.get_secret_value() if password else None,
        "ssl.ca.location": str(settings.ssl_cafile) if settings.ssl_cafile else None,
        "ssl.certificate.location": str(settings.ssl_certfile) if settings.ssl_certfile else None,
        "ssl.key.location": str(settings.ssl_keyfile) if settings.ssl_keyfile else None,
        "log_level": 2,
    }
    return {name: value for name, value in found.items() if value is not None}


def read(settings: ConnectionSettings, topic: str) -> list[Seen]:
    """Every committed record of the topic, in the order of each partition; waits for open transactions to end."""
    fixed = {**options(settings), "group.id": f"{settings.group_prefix}reader", "enable.auto.commit": False}
    plain = Consumer({**fixed, "isolation.level": "read_uncommitted"})
    left = {tp.partition: _high(plain, tp) for tp in _partitions(settings, topic)}
    plain.close()
    consumer = Consumer({**fixed, "isolation.level": "read_committed", "enable.partition.eof": True})
    name = settings.topic_prefix + topic
    consumer.assign([TopicPartition(name, partition, 0) for partition in left])
    found: list[Seen] = []
    until = time.monotonic() + SECONDS
    try:
        while left:
            assert time.monotonic() < until, f"{name}: a transaction stays open, {left} not reached"
            message = consumer.poll(0.1)
            if message is None:
                continue
            if message.error() is not None:
                assert message.error().code() == KafkaError._PARTITION_EOF, message.error()
                if message.offset() >= left.get(message.partition(), 0):
                    left.pop(message.partition(), None)
                continue
            found.append(Seen(topic, message.partition(), message.offset(), message.key(), _object(message.value())))
    finally:
        consumer.close()
    return sorted(found, key=lambda s: (s.partition, s.offset))


def _object(value: bytes | None) -> dict[str, Any] | None:
    with suppress(ValueError):
        found = json.loads(value or b"")
        return found if isinstance(found, dict) else None
    return None


def _partitions(settings: ConnectionSettings, topic: str) -> list[TopicPartition]:
    return [TopicPartition(settings.topic_prefix + topic, n) for n in range(topics()[topic].partitions)]


def _high(consumer: Consumer, tp: TopicPartition) -> int:
    return int(consumer.get_watermark_offsets(tp, timeout=SECONDS)[1])


class Onlooker:
    """Asks for committed offsets and ends of logs, as often as you like."""

    def __init__(self, settings: ConnectionSettings, services: Sequence[str]) -> None:
        self._settings = settings
        self._inputs = {s: _partitions(settings, _input(s)) for s in services}
        self._logs = {name: _partitions(settings, name) for name in topics()}
        fixed = {**options(settings), "isolation.level": "read_uncommitted", "enable.auto.commit": False}
        self._members = {s: Consumer({**fixed, "group.id": settings.group_prefix + s}) for s in services}

    def look(self) -> Snapshot:
        """Committed offsets first, ends after them: whatever is committed must then lie before an end."""
        committed = {}
        for service, member in self._members.items():
            for tp in member.committed(self._inputs[service], timeout=SECONDS):
                committed[service, tp.partition] = max(0, tp.offset)
        any_member = next(iter(self._members.values()))
        ends = {(name, tp.partition): _high(any_member, tp) for name, tps in self._logs.items() for tp in tps}
        return Snapshot(committed, ends)

    def close(self) -> None:
        """Closes its clients."""
        for member in self._members.values():
            member.close()


def lag(snapshot: Snapshot, service: str) -> int:
    """How far the service's commits are behind the ends of its input."""
    name = _input(service)
    mine = {p: offset for (s, p), offset in snapshot.committed.items() if s == service}
    return sum(max(0, snapshot.ends[name, p] - offset) for p, offset in mine.items())


def _input(service: str) -> str:
    return next(n for n, t in topics().items() if service in t.consumers and not t.changelog)


def clean_up(settings: ConnectionSettings) -> list[str]:
    """Deletes the topics and groups that bear the prefixes of the settings; what could not be deleted, and why.

    A group that still has members, of killed processes, is tried again until they time out. Prefixes must be set.
    """
    assert settings.topic_prefix, "without a prefix this would delete topics in use"
    assert settings.group_prefix, "without a prefix this would delete groups in use"
    admin = AdminClient(options(settings))
    if names := [name for name in admin.list_topics(timeout=SECONDS).topics if name.startswith(settings.topic_prefix)]:
        for answer in admin.delete_topics(names).values():
            answer.result(SECONDS)
    left: dict[str, str] = {}
    until = time.monotonic() + SECONDS
    while groups := _groups(admin, settings.group_prefix):
        left = {}
        for group, answer in admin.delete_consumer_groups(groups).items():
            try:
                answer.result(SECONDS)
            except KafkaException as error:
                left[group] = error.args[0].str()
        if not left or time.monotonic() > until:
            break
        time.sleep(1)
    return [f"{group}: {why}" for group, why in left.items()]


def _groups(admin: AdminClient, prefix: str) -> list[str]:
    listed = admin.list_consumer_groups(request_timeout=SECONDS).result().valid
    return [group.group_id for group in listed if group.group_id.startswith(prefix)]
