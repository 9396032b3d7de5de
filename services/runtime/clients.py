"""Kafka clients with demarche's fixed choices: read_committed, no auto-commit, no auto-created topics."""

from __future__ import annotations

import importlib.util
import logging
import time
from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer

from services.runtime.settings import ConnectionSettings

FETCH_BYTES = 64 * 1024 * 1024
FRAME_BYTES = 1024 * 1024 * 1024
BATCH_BYTES = 256 * 1024
BOOTSTRAP_MS = 15_000
RECONNECT_MS = 2000


class Crc32cMissing(RuntimeError):
    """The C implementation of CRC-32C is not installed."""


def require_crc32c() -> None:
    """Raises Crc32cMissing without the crc32c package: kafka-python would silently be ten times slower."""
    if importlib.util.find_spec("crc32c") is None:
        raise Crc32cMissing("the crc32c package is missing: pip install crc32c")


def connection(settings: ConnectionSettings) -> dict[str, Any]:
    """Keyword arguments that every client takes."""
    # Its network thread logs a traceback when it meets a close(); real trouble is logged by kafka.net.manager too.
    logging.getLogger("kafka.net.transport").setLevel(logging.CRITICAL)
    password, key_password = settings.sasl_password, settings.ssl_key_password
    options: dict[str, Any] = {
        "bootstrap_servers": settings.bootstrap.split(","),
        "security_protocol": settings.security_protocol,
        "sasl_mechanism": settings.sasl_mechanism,
        "sasl_plain_username": settings.sasl_username,
        "sasl_plain_password": password.get_secret_value() if password else None,
        "ssl_cafile": str(settings.ssl_cafile) if settings.ssl_cafile else None,
        "ssl_certfile": str(settings.ssl_certfile) if settings.ssl_certfile else None,
        "ssl_keyfile": str(settings.ssl_keyfile) if settings.ssl_keyfile else None,
        "ssl_password": key_password.get_secret_value() if key_password else None,
        "receive_message_max_bytes": FRAME_BYTES,
        "bootstrap_timeout_ms": BOOTSTRAP_MS,
        "reconnect_backoff_max_ms": RECONNECT_MS,
    }
    return {name: value for name, value in options.items() if value is not None}


def admin(settings: ConnectionSettings) -> KafkaAdminClient:
    """An admin client; close it."""
    return KafkaAdminClient(**connection(settings))


def reader(settings: ConnectionSettings, **options: Any) -> KafkaConsumer:
    """A consumer that sees only committed records and never commits by itself; `options` go to KafkaConsumer."""
    fixed = {
        "isolation_level": "read_committed",
        "enable_auto_commit": False,
        "auto_offset_reset": "earliest",
        "allow_auto_create_topics": False,
        "max_partition_fetch_bytes": settings.max_produce_bytes,
        "fetch_max_bytes": FETCH_BYTES,
        "retry_backoff_ms": 10,
    }
    return KafkaConsumer(**connection(settings), **fixed, **options)


def producer(settings: ConnectionSettings, **options: Any) -> KafkaProducer:
    """An idempotent producer; `options` go to KafkaProducer (transactional_id makes it a transactional one)."""
    return KafkaProducer(
        **connection(settings),
        max_request_size=settings.max_produce_bytes,
        batch_size=BATCH_BYTES,
        retry_backoff_ms=10,
        allow_auto_create_topics=False,
        **options,
    )


def silence(consumer: KafkaConsumer) -> float:
    """Seconds since the group's coordinator last answered a heartbeat or let us in; 0 before it was ever sent one."""
    heartbeat = consumer._coordinator.heartbeat
    last = float(max(heartbeat.last_receive, heartbeat.last_reset))
    return max(0.0, time.monotonic() - last) if heartbeat.last_send >= 0 else 0.0
