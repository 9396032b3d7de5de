"""Where a schedule runs: a local broker of its own, or the brokers of DEMARCHE_BOOTSTRAP under prefixes of its own."""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from services.runtime.broker import local_broker
from services.runtime.settings import ConnectionSettings, load_settings
from tests.crash.reader import clean_up


def given() -> ConnectionSettings | None:
    """The brokers of the environment, or None when it names none."""
    return load_settings(ConnectionSettings) if os.environ.get("DEMARCHE_BOOTSTRAP") else None


@contextmanager
def place() -> Iterator[ConnectionSettings]:
    """A connection whose topics and groups nobody else has; on brokers of others they are deleted at the end."""
    brokers = given()
    if brokers is None:
        with local_broker() as broker:
            yield ConnectionSettings(bootstrap=broker.bootstrap, security_protocol="PLAINTEXT")
        return
    with prefixed(brokers) as settings:
        yield settings


@contextmanager
def prefixed(brokers: ConnectionSettings, *, clean: bool = True) -> Iterator[ConnectionSettings]:
    """A connection to `brokers` with prefixes of its own; `clean`: its topics and groups are deleted at the end."""
    mark = f"demarche-test-{uuid.uuid4().hex[:8]}."
    settings = brokers.model_copy(update={"topic_prefix": mark, "group_prefix": mark})
    try:
        yield settings
    finally:
        if clean and (left := clean_up(settings)):
            sys.stderr.write(f"could not be deleted from {settings.bootstrap}: {'; '.join(left)}\n")
