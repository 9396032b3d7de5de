"""The supervisor: all services up, kept up, drained, and gone at the end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from schemas.records import Alert, DiplomaticEvent
from services.runtime.settings import ConnectionSettings
from services.runtime.streams import tail
from services.runtime.supervisor import SupervisorError, supervise
from tests.integration.helpers import ROOT, produce, wait_until
from tests.integration.test_broker import alive
from tests.unit.test_track import resolved

QUICK = ("track", "desk", "archive")


def events(first: int, last: int) -> list[bytes]:
    return [
        resolved(event_id=f"e{n}", peace="oppose" if n % 2 else "none").model_dump_json().encode()
        for n in range(first, last)
    ]


def archived(folder: Path) -> list[str]:
    return sorted(name for path in folder.rglob("*.parquet") for name in pq.read_table(path)["event_id"].to_pylist())


def test_services_run_are_kept_running_and_end(connection: ConnectionSettings, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    places = {"DEMARCHE_ARCHIVE_DIR": str(archive), "DEMARCHE_DESK_DATABASE": f"sqlite:///{tmp_path}/desk.sqlite"}
    with supervise(
        connection, QUICK, log_dir=tmp_path / "logs", environment=places | {"DEMARCHE_DESK_PORT": "0"}
    ) as running:
        running.wait_ready(60)
        produce(connection, "events.resolved", events(0, 20))
        seen = list(tail(connection, "events.diplomatic", follow=True, stop=running.drained))
        assert len(seen) == 20
        killed = running.pids()
        for name in QUICK:
            os.kill(killed[name], signal.SIGKILL)
        produce(connection, "events.resolved", events(20, 40))
        wait_until(lambda: all(running.pids()[name] != killed[name] for name in QUICK), 10, "the restart")
        wait_until(running.drained, 30, "drained")
        pids = list(running.pids().values())
        started = time.monotonic()
    assert time.monotonic() - started < 10
    assert not any(alive(pid) for pid in pids)
    diplomatic = [DiplomaticEvent.model_validate_json(r.value or b"") for r in tail(connection, "events.diplomatic")]
    assert sorted(e.event_id for e in diplomatic) == sorted(f"e{n}" for n in range(40))
    alerts = [Alert.model_validate_json(r.value or b"") for r in tail(connection, "alerts")]
    assert sorted(a.event.event_id for a in alerts) == sorted(f"e{n}" for n in range(1, 40, 2))
    assert archived(archive) == sorted(f"e{n}" for n in range(40))


def test_a_service_that_cannot_start_ends_the_whole_with_a_clear_line(connection: ConnectionSettings) -> None:
    with (
        pytest.raises(SupervisorError, match=r"desk ended, last with code 2: .*DEMARCHE_STOP_DEADLINE"),
        supervise(connection, ("desk",), environment={"DEMARCHE_STOP_DEADLINE": "soon"}) as running,
    ):
        running.wait_ready(30)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_is_left_behind(tmp_path: Path, number: signal.Signals) -> None:
    code = (
        "import json, time\n"
        "from services.runtime.supervisor import supervise\n"
        "with supervise(None, ('track', 'desk')) as running:\n"
        "    running.wait_ready(60)\n"
        "    print(json.dumps([*running.pids().values(), running._broker.pid]), flush=True)\n"
        "    time.sleep(60)\n"
    )
    desk = {"DEMARCHE_DESK_DATABASE": f"sqlite:///{tmp_path}/desk.sqlite", "DEMARCHE_DESK_PORT": "0"}
    environment = {**os.environ, **desk, "TMPDIR": str(tmp_path)}
    with (tmp_path / "err").open("wb") as err:
        process = subprocess.Popen(
            [sys.executable, "-c", code], cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=err
        )
    assert process.stdout is not None
    pids = json.loads(process.stdout.readline())
    process.stdout.close()
    assert len(pids) == 3
    assert all(alive(pid) for pid in pids)
    process.send_signal(number)
    process.wait(10)
    wait_until(lambda: not any(alive(pid) for pid in pids), 10, "the end of all")
