"""What stands in the way for a while: a full disk, a stalled broker, a webhook that hangs, a reader that takes nothing.

Each is seen in the metrics and the log, holds a bounded amount of memory, and is over without a restart.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread

from schemas.records import DeadLetter
from services.desk import outbox, register
from services.desk.courier import Courier
from services.desk.settings import DeskSettings
from services.desk.store import Store
from services.desk.subscriptions import Channels, Filter, Webhook
from services.desk.views import SubscriptionIn
from services.runtime.broker import local_broker
from services.runtime.drain import drained
from services.runtime.settings import ConnectionSettings
from services.runtime.topics import ensure_topics
from tests.integration.helpers import Running, produce, read_committed, service, wait_until
from tests.integration.test_desk_store import feed
from tests.integration.test_loop import article, ids
from tests.unit.test_desk import diplomatic

PATIENCE = 60.0


def metric(running_service: Running, name: str) -> float:
    """The first sample whose name and labels begin so; 0 where there is none."""
    for line in running_service.get("/metrics")[1].splitlines():
        if line.startswith(name):
            return float(line.rsplit(" ", 1)[1])
    return 0.0


def resident(pid: int) -> int:
    """Bytes of memory that a process holds."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def story(number: int) -> bytes:
    return diplomatic(story_id=f"s{number}", event_id=f"e{number}").model_dump_json().encode()


def test_a_full_disk_holds_the_archive_up_and_it_goes_on_by_itself(
    connection: ConnectionSettings, tmp_path: Path
) -> None:
    archive, full = tmp_path / "archive", tmp_path / "full"
    full.touch()
    variables = {"archive_dir": archive, "test_full": full}
    produce(connection, "events.diplomatic", [story(n) for n in range(20)])
    with service(connection, tmp_path, "tests.integration.full_disk", **variables) as running_service:
        wait_until(lambda: '"again_in"' in running_service.log, PATIENCE, "the log tells of it")
        put_off = 'demarche_windows_put_off_total{service="archive"}'
        wait_until(lambda: metric(running_service, put_off) >= 2, PATIENCE, "the metric tells of it")
        assert "No space left on device" in running_service.log
        assert running_service.get("/readyz")[0] == 503
        assert running_service.get("/healthz")[0] == 200
        assert not [*archive.rglob("*.parquet")]
        full.unlink()
        wait_until(lambda: drained(connection, ["archive"]), PATIENCE, "drained")
        assert running_service.process.poll() is None, running_service.log
        wait_until(lambda: running_service.get("/readyz")[0] == 200, PATIENCE, "ready again")
        assert "the trouble is over" in running_service.log
    import pyarrow.parquet as pq

    written = [name for file in archive.rglob("*.parquet") for name in pq.read_table(file)["event_id"].to_pylist()]
    assert sorted(written) == sorted(f"e{n}" for n in range(20))
    assert not [*archive.rglob("*.part")]


def test_a_stalled_broker_is_seen_and_all_goes_on_when_it_answers(tmp_path: Path) -> None:
    with local_broker() as stalled:
        settings = ConnectionSettings(bootstrap=stalled.bootstrap, topic_prefix="s.", group_prefix="s.")
        ensure_topics(settings)
        names = [f"a{n}" for n in range(60)]
        produce(settings, "articles.raw", [article(n, "sleep 0.05") for n in names[:30]])
        with service(settings, tmp_path, max_poll_records=5, session_timeout=6) as running_service:
            running_service.wait_ready(PATIENCE)
            wait_until(lambda: metric(running_service, "demarche_records_consumed_total") > 0, PATIENCE, "work")
            held = resident(running_service.process.pid)
            os.kill(stalled.pid, signal.SIGSTOP)
            try:
                silence = "demarche_broker_silence_seconds"
                wait_until(lambda: metric(running_service, silence) > 7, PATIENCE, "the silence")
                assert running_service.process.poll() is None
            finally:
                os.kill(stalled.pid, signal.SIGCONT)
            produce(settings, "articles.raw", [article(n) for n in names[30:]])
            wait_until(lambda: drained(settings, ["normalize"]), PATIENCE, "drained")
            assert running_service.process.poll() is None, running_service.log
            wait_until(lambda: metric(running_service, silence) < 6, PATIENCE, "the answer")
            wait_until(running_service.ready, PATIENCE, "ready again")
            assert resident(running_service.process.pid) - held < 64 << 20
            log = running_service.log
        assert sorted(ids(read_committed(settings, "articles.clean", 60))) == sorted(names)
        assert '"level": "warning"' in log


@contextmanager
def hanging_and_good() -> Iterator[tuple[str, str, list[float], Event]]:
    """Two addresses: one does not answer before the event is set, the other notes when it was called."""
    released, called = Event(), list[float]()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/hangs":
                released.wait(PATIENCE)
            else:
                called.append(time.monotonic())
            try:
                self.send_response(204)
                self.end_headers()
            except OSError:
                pass  # The caller gave up long ago.

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield f"{base}/hangs", f"{base}/good", called, released
    finally:
        released.set()
        server.shutdown()
        server.server_close()


def test_a_webhook_that_hangs_holds_up_no_other_and_is_served_when_it_answers(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/desk.sqlite")
    told: list[str] = []
    quick = {
        "desk_webhook_allow": ["127.0.0.0/8"], "desk_webhook_seconds": 2, "desk_webhook_first_wait": 0.2,
        "desk_webhook_longest_wait": 1, "desk_webhook_tries": 1000,
    }  # fmt: skip
    settings = DeskSettings(**quick)
    letters: list[DeadLetter] = []
    with (
        hanging_and_good() as (hangs, good, called, released),
        Courier(store, settings, told.append, letters.extend),
    ):
        # Before the others, so that what it gets is due first and would take every caller.
        for name, url, types in (("hangs", hangs, ["AGREE"]), ("good", good, ["REJECT"])):
            channels = Channels(webhooks=[Webhook(url=url)])
            made = SubscriptionIn(name=name, channels=channels, secret="0123456789abcdef", filter=Filter(types=types))
            register.add(store, made)
        feed(store, *(diplomatic(story_id=f"h{n}", event_id=f"h{n}", type="AGREE") for n in range(40)))
        wait_until(lambda: "failed" in told, PATIENCE, "the first call that hangs")
        began = time.monotonic()
        events = [diplomatic(story_id=f"g{n}", event_id=f"g{n}", type="REJECT") for n in range(10)]
        feed(store, *events, first=40)
        wait_until(lambda: len(called) == 10, PATIENCE, "the calls to the good address")
        assert told.count("failed") < 10, "each good call waited for one that hangs"
        assert began < called[-1]
        assert outbox.waiting(store) >= 40
        released.set()
        wait_until(lambda: outbox.waiting(store) == 0, PATIENCE, "that all are taken")
    assert "dead" not in told
    assert not letters
    assert told.count("sent") == 50
    store.close()
