"""What several tests share: one local broker for the whole run, topics of their own for each test."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from services.runtime.broker import LocalBroker
    from services.runtime.settings import ConnectionSettings


def pytest_configure(config: pytest.Config) -> None:
    # kafka-python reads its protocol tables the old way; so it is imported only after this line.
    config.addinivalue_line("filterwarnings", "ignore:(read_text|open_text) is deprecated:DeprecationWarning")


@pytest.fixture(scope="session")
def broker() -> Iterator[LocalBroker]:
    from services.runtime.broker import local_broker

    with local_broker() as running:
        yield running


@pytest.fixture
def connection(broker: LocalBroker) -> ConnectionSettings:
    """Topics and groups that no other test touches."""
    from services.runtime.settings import ConnectionSettings
    from services.runtime.topics import ensure_topics

    mark = uuid.uuid4().hex[:8] + "."
    settings = ConnectionSettings(bootstrap=broker.bootstrap, topic_prefix=mark, group_prefix=mark)
    ensure_topics(settings)
    return settings
