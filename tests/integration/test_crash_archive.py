"""archive killed where it hurts most: no event is lost and none is twice, for any reader of Parquet."""

from __future__ import annotations

import signal
from pathlib import Path

import pyarrow.dataset as ds
import pytest

from services.runtime import clients
from services.runtime.drain import drained
from services.runtime.settings import ConnectionSettings
from tests.integration.helpers import service, wait_until
from tests.unit.test_desk import diplomatic

EVENTS = 90
KILLS = 3
DATES = ("2024-05-03", "2024-04-30", "2024-05-04", None)


def send(settings: ConnectionSettings) -> set[str]:
    """Events of several months onto events.diplomatic; their ids."""
    producer = clients.producer(settings)
    for n in range(EVENTS):
        event = diplomatic(event_id=f"e{n}", when={"date": DATES[n % len(DATES)], "granularity": None})
        producer.send(settings.topic_prefix + "events.diplomatic", event.model_dump_json().encode(), b"%d" % n)
    producer.flush()
    producer.close()
    return {f"e{n}" for n in range(EVENTS)}


@pytest.mark.timeout(180)
@pytest.mark.parametrize("place", ["write", "rename", "commit", "merge"])
def test_archive_killed(connection: ConnectionSettings, tmp_path: Path, place: str) -> None:
    sent = send(connection)
    lives = tmp_path / "lives"
    lives.mkdir()
    for n in range(KILLS):
        (lives / str(n)).touch()
    variables = {
        "test_kill": place,
        "test_lives": lives,
        "archive_dir": tmp_path / "archive",
        "archive_small_files": 3,
        "max_poll_records": 8,
    }
    for _ in range(KILLS):
        with service(connection, tmp_path, "tests.integration.archiver", **variables) as running:
            assert running.ends(60) == -signal.SIGKILL, running.log
    assert not list(lives.iterdir())
    with service(connection, tmp_path, "tests.integration.archiver", **variables) as running:
        running.wait_ready()
        wait_until(lambda: drained(connection, ["archive"]), 60, "all archived")
    found = ds.dataset(tmp_path / "archive", partitioning="hive").to_table(columns=["event_id"])["event_id"].to_pylist()
    assert len(found) == EVENTS
    assert set(found) == sent
