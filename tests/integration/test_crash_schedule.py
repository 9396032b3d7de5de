"""A short crash schedule over all four stages; `make soak` runs long ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient

from services.runtime.settings import ConnectionSettings
from services.runtime.topics import ensure_topics
from tests.crash.place import place, prefixed
from tests.crash.plan import POINTS, SHARES, SIGNALS
from tests.crash.reader import Onlooker, options
from tests.crash.schedule import calm_run, run
from tests.integration.helpers import produce, service

SEED = 1
KILLS = 18
SECONDS = 600.0
"""For a machine that has much else to do; alone it takes less than a minute."""


@pytest.mark.timeout(1800)
def test_nothing_is_lost_or_doubled_whatever_is_killed(tmp_path: Path) -> None:
    with place() as settings:
        calm = calm_run(settings, tmp_path / "calm")
    assert sum(ids.total() for ids in calm) > len(calm), "too few events to prove anything"
    with place() as settings:
        result = run(settings, SEED, KILLS, calm, tmp_path / "killed", SECONDS)
    assert result.findings.all() == [], f"seed {SEED}"
    assert result.missed == 0, f"not reached: {KILLS - result.missed} of {KILLS} came, seed {SEED}"
    assert {point for point, _ in result.kills} == set(POINTS)
    assert {signal for _, signal in result.kills} == set(SIGNALS)


def test_what_a_run_left_on_foreign_brokers_is_deleted(connection: ConnectionSettings, tmp_path: Path) -> None:
    produce(connection, "alerts", [b"of somebody else"])
    with prefixed(connection) as settings:
        ensure_topics(settings)
        assert settings.topic_prefix != connection.topic_prefix
        onlooker = Onlooker(settings, tuple(SHARES))
        assert ("alerts", 0) in onlooker.look().ends
        onlooker.close()
        with service(settings, tmp_path) as running:
            running.wait_ready()
            running.process.terminate()
            assert running.ends(15) == 0
    client = AdminClient(options(settings))
    groups = client.list_consumer_groups(request_timeout=10).result().valid
    assert not [group for group in groups if group.group_id.startswith(settings.group_prefix)]
    assert not [name for name in client.list_topics(timeout=10).topics if name.startswith(settings.topic_prefix)]
    again = Onlooker(connection, tuple(SHARES))
    assert again.look().ends["alerts", 0] == 1
    again.close()
