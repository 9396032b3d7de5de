"""A second track that joins and leaves in mid-stream: the output and the state are those of one instance."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest

from schemas.records import DiplomaticEvent, ResolvedEvent
from schemas.state import TrackState
from services.runtime.drain import drained
from services.runtime.settings import ConnectionSettings
from services.runtime.streams import tail
from services.stage import Input
from services.track.transform import Tracker
from tests.integration.helpers import Running, service, wait_until
from tests.integration.test_crash_track import diplomatic, kept, send
from tests.unit.test_track import READ_AT
from training.stories import read_reports

SECONDS = 100
"""Far more than it takes; a busy machine is no failure."""
CONSUMED = re.compile(r"^demarche_records_consumed_total\{[^}]*\} ([\d.e+]+)", re.MULTILINE)


def consumed(running: Running) -> float:
    """Records that this instance has worked on."""
    return sum(map(float, CONSUMED.findall(running.get("/metrics")[1])))


def by_one(settings: ConnectionSettings) -> tuple[dict[str, dict[str, object]], dict[tuple[int, str], object]]:
    """What one undisturbed tracker makes of the topic: records by event, and the state it ends with."""
    tracker = Tracker()
    made: dict[str, dict[str, object]] = {}
    state: dict[tuple[int, str], object] = {}
    for record in tail(settings, "events.resolved"):
        event = ResolvedEvent.model_validate_json(record.value or b"")
        [outcome] = tracker.track([Input(event, record.origin, READ_AT)])
        assert isinstance(outcome, list)
        for out in outcome:
            # As it is read back from the topic.
            back = DiplomaticEvent.model_validate_json(out.model_dump_json())
            made[out.event_id] = back.model_dump(exclude={"processed_at"})
    for change in tracker.take_changes():
        value = None if change.value is None else TrackState.model_validate_json(change.value.model_dump_json())
        state[change.partition, change.key] = value
    return made, state


@pytest.mark.timeout(600)
def test_a_second_instance_joins_and_leaves_in_mid_stream(connection: ConnectionSettings, tmp_path: Path) -> None:
    count = len(read_reports())
    quarter = count // 4
    parts = [slice(0, quarter), slice(quarter, 2 * quarter), slice(2 * quarter, 3 * quarter), slice(3 * quarter, None)]
    small = {"max_poll_records": 5}
    send(connection, parts[0])
    with service(connection, tmp_path, "services.track", instance="one", **small) as one:
        one.wait_ready(SECONDS)
        wait_until(lambda: drained(connection, ["track"]), SECONDS, "the first quarter")
        with service(connection, tmp_path, "services.track", instance="two", **small) as two:
            send(connection, parts[1])
            wait_until(lambda: "state restored" in two.log, SECONDS, "that the second one takes a partition over")
            send(connection, parts[2])
            wait_until(lambda: consumed(two) > 0, SECONDS, "that the second one works")
            send(connection, parts[3])
            restored = one.log.count("state restored")
            two.process.send_signal(signal.SIGTERM)
            assert two.ends(SECONDS) == 0, two.log
        wait_until(lambda: drained(connection, ["track"]), SECONDS, "the rest")
        taken_back = "that the first takes back what it gave, with what was done to it meanwhile"
        wait_until(lambda: one.log.count("state restored") > restored, SECONDS, taken_back)
        assert one.process.poll() is None, one.log
    made, state = by_one(connection)
    assert len(made) == count
    assert diplomatic(connection) == made
    assert {key: value for key, value in kept(connection).items() if value is not None} == {
        key: value for key, value in state.items() if value is not None
    }
