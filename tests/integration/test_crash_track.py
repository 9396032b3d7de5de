"""track killed in mid-stream: the stories are those of an undisturbed run, and what it kept is on its topic."""

from __future__ import annotations

import json
import os
import signal
import time
import uuid
from pathlib import Path

import pytest

from schemas.records import DiplomaticEvent
from schemas.state import TrackState
from services.runtime import clients
from services.runtime.settings import ConnectionSettings
from services.runtime.streams import tail
from services.runtime.supervisor import supervise
from services.runtime.topics import ensure_topics
from tests.integration.helpers import wait_until
from training.stories import read_reports

KILLS = 3
SLOW = {"DEMARCHE_MAX_POLL_RECORDS": "5"}
"""Small windows, so that the kills find the service at work."""


def send(settings: ConnectionSettings, part: slice = slice(None)) -> int:
    """The story groups, or a part of them, onto events.resolved in the order of their publication; how many."""
    producer = clients.producer(settings)
    events = [report.event for report in read_reports()][part]
    for event in events:
        producer.send(settings.topic_prefix + "events.resolved", event.model_dump_json().encode(), event.dyad.encode())
    producer.flush()
    producer.close()
    return len(events)


def diplomatic(settings: ConnectionSettings) -> dict[str, dict[str, object]]:
    """By event all that was written of it but the time; each event once."""
    found: dict[str, dict[str, object]] = {}
    for record in tail(settings, "events.diplomatic"):
        event = DiplomaticEvent.model_validate_json(record.value or b"")
        assert event.event_id not in found
        found[event.event_id] = event.model_dump(exclude={"processed_at"})
    return found


def kept(settings: ConnectionSettings) -> dict[tuple[int, str], object]:
    """The state that a reader of track.state ends with."""
    last: dict[tuple[int, str], object] = {}
    for record in tail(settings, "track.state"):
        value = None if record.value is None else TrackState.model_validate_json(record.value)
        last[record.origin.partition, (record.key or b"").decode()] = value
    return last


@pytest.mark.timeout(240)
def test_track_killed_in_mid_stream_gives_the_same_stories(connection: ConnectionSettings, tmp_path: Path) -> None:
    mark = uuid.uuid4().hex[:8] + "."
    calm = connection.model_copy(update={"topic_prefix": mark, "group_prefix": mark})
    ensure_topics(calm)
    count = send(calm)
    with supervise(calm, ("track",), log_dir=tmp_path / "calm", environment=SLOW) as running:
        wait_until(running.drained, 90, "the undisturbed run")
    whole = diplomatic(calm)
    assert len(whole) == count
    assert sum(event["status"] == "new" for event in whole.values()) < count / 2

    assert send(connection) == count
    with supervise(connection, ("track",), log_dir=tmp_path / "killed", environment=SLOW) as running:
        for kill in range(1, KILLS + 1):
            reached(connection, count * kill // (KILLS + 2), count)
            pid = running.pids()["track"]
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda pid=pid: running.pids()["track"] != pid, 20, "the restart")  # type: ignore[misc]
        wait_until(running.drained, 90, "the disturbed run")
    assert diplomatic(connection) == whole
    assert kept(connection) == kept(calm)
    log = (tmp_path / "killed" / "track.log").read_text()
    restores = [json.loads(line) for line in log.splitlines() if "state restored" in line]
    assert len(restores) >= KILLS, "it went on without its state"


def reached(settings: ConnectionSettings, wanted: int, all_of_it: int, seconds: float = 60) -> None:
    """Waits until that many records are out, but not all."""
    until = time.monotonic() + seconds
    counted = 0
    for _ in tail(settings, "events.diplomatic", follow=True, stop=lambda: time.monotonic() > until):
        counted += 1
        if counted >= wanted:
            assert counted < all_of_it
            return
    raise AssertionError(f"{counted} records after {seconds} s, not {wanted}")
