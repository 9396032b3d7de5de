"""What several tests share: one broker for the whole run, topics of their own for each test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from services.runtime.settings import ConnectionSettings


def pytest_configure(config: pytest.Config) -> None:
    # kafka-python reads its protocol tables the old way; so it is imported only after this line.
    config.addinivalue_line("filterwarnings", "ignore:(read_text|open_text) is deprecated:DeprecationWarning")


@pytest.fixture(scope="session")
def brokers() -> Iterator[ConnectionSettings]:
    """The brokers of DEMARCHE_BOOTSTRAP, or a local one."""
    from services.runtime.broker import local_broker
    from services.runtime.settings import ConnectionSettings
    from tests.crash.place import given

    if named := given():
        yield named
        return
    with local_broker() as running:
        yield ConnectionSettings(bootstrap=running.bootstrap, security_protocol="PLAINTEXT")


@pytest.fixture
def connection(brokers: ConnectionSettings) -> Iterator[ConnectionSettings]:
    """Topics and groups that no other test touches; on brokers of others they are deleted at the end."""
    from services.runtime.topics import ensure_topics
    from tests.crash.place import given, prefixed

    with prefixed(brokers, clean=given() is not None) as settings:
        ensure_topics(settings)
        yield settings
