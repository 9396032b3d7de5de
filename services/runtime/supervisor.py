"""Starts the broker, the topics and every service as child processes, keeps them running and stops them all."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread, current_thread, main_thread
from types import FrameType

from services.runtime.broker import LocalBroker, local_broker
from services.runtime.children import spawn, stop
from services.runtime.drain import drained
from services.runtime.settings import EXIT_BROKEN_SETTING, ConnectionSettings
from services.runtime.topics import ensure_topics

SERVICES = ("normalize", "classify", "resolve", "track", "desk", "archive")
STOP_SECONDS = 9.0
READY_SECONDS = 120.0
BACKOFF_SECONDS = (0.5, 1.0, 2.0, 4.0, 8.0)
STEADY_SECONDS = 60.0
TICK_SECONDS = 0.2
REQUEST_SECONDS = 2.0
SHOWN_CHARACTERS = 500


class SupervisorError(RuntimeError):
    """A service cannot be kept running, or the broker is gone; the message is one clear line."""


@dataclass
class Service:
    """A service and its present process."""

    name: str
    child: subprocess.Popen[bytes]
    port_file: Path
    log: Path
    started: float
    failures: int = 0
    restart_at: float | None = field(default=None)


class Supervisor:
    """The running services. Made by `supervise`."""

    def __init__(
        self,
        settings: ConnectionSettings,
        services: Sequence[str],
        environment: Mapping[str, str],
        port_dir: Path,
        log_dir: Path,
        broker: LocalBroker | None,
    ) -> None:
        self.settings = settings
        self._environment, self._port_dir, self._log_dir, self._broker = environment, port_dir, log_dir, broker
        self._failure: str | None = None
        self._stopping = Event()
        self._services = [self._start(name) for name in services]
        self._monitor = Thread(target=self._watch, name="supervisor", daemon=True)
        self._monitor.start()

    @property
    def bootstrap(self) -> str:
        """Address of the brokers."""
        return self.settings.bootstrap

    def pids(self) -> dict[str, int]:
        """Process id of each service as it runs now."""
        return {service.name: service.child.pid for service in self._services}

    def check(self) -> None:
        """Raises SupervisorError when the services had to be given up."""
        if self._failure is not None:
            raise SupervisorError(self._failure)

    def wait_ready(self, seconds: float = READY_SECONDS) -> None:
        """Returns when every service answers /readyz; SupervisorError when one does not in time."""
        until = time.monotonic() + seconds
        waiting = list(self._services)
        while waiting:
            self.check()
            waiting = [service for service in waiting if not _ready(service.port_file)]
            if waiting and time.monotonic() > until:
                names = ", ".join(service.name for service in waiting)
                raise SupervisorError(f"not ready after {seconds:g} s: {names}; see the logs in {self._log_dir}")
            time.sleep(TICK_SECONDS if waiting else 0)

    def drained(self) -> bool:
        """Whether all services have done all their work; raises SupervisorError like `check`."""
        self.check()
        return drained(self.settings, [service.name for service in self._services])

    def stop(self) -> None:
        """Stops all services within about 9 s."""
        self._stopping.set()
        self._monitor.join()
        stop([service.child for service in self._services], STOP_SECONDS)

    def _start(self, name: str) -> Service:
        port_file, log = self._port_dir / f"{name}.port", self._log_dir / f"{name}.log"
        port_file.unlink(missing_ok=True)
        return Service(name, self._spawn(name, port_file, log), port_file, log, time.monotonic())

    def _spawn(self, name: str, port_file: Path, log: Path) -> subprocess.Popen[bytes]:
        environment = {
            **os.environ,
            **self._environment,
            "DEMARCHE_BOOTSTRAP": self.settings.bootstrap,
            "DEMARCHE_SECURITY_PROTOCOL": self.settings.security_protocol,
            "DEMARCHE_TOPIC_PREFIX": self.settings.topic_prefix,
            "DEMARCHE_GROUP_PREFIX": self.settings.group_prefix,
            "DEMARCHE_METRICS_PORT": "0",
            "DEMARCHE_METRICS_PORT_FILE": str(port_file),
        }
        environment.pop("DEMARCHE_TRANSACTIONAL_ID", None)  # One for all would have them fence each other.
        command = [sys.executable, "-m", f"services.{name}"]
        with log.open("ab") as to:
            return spawn(command, signal.SIGTERM, stdout=to, stderr=to, env=environment)

    def _watch(self) -> None:
        while not self._stopping.wait(TICK_SECONDS):
            if self._broker is not None and not self._broker.running:
                self._give_up("the local broker is gone")
            for service in self._services:
                if self._failure is None:
                    self._tend(service)

    def _tend(self, service: Service) -> None:
        code, now = service.child.poll(), time.monotonic()
        if code is None:
            return
        if service.restart_at is None:
            if now - service.started > STEADY_SECONDS:
                service.failures = 0
            if code == EXIT_BROKEN_SETTING or service.failures >= len(BACKOFF_SECONDS):
                times = f" {service.failures + 1} times" if service.failures else ""
                self._give_up(f"{service.name} ended{times}, last with code {code}: {_last_line(service.log)}")
                return
            service.restart_at = now + BACKOFF_SECONDS[service.failures]
            service.failures += 1
        elif now >= service.restart_at:
            service.restart_at, service.started = None, now
            service.port_file.unlink(missing_ok=True)
            service.child = self._spawn(service.name, service.port_file, service.log)

    def _give_up(self, why: str) -> None:
        self._failure = why
        stop([service.child for service in self._services], STOP_SECONDS)


@contextmanager
def supervise(
    settings: ConnectionSettings | None = None,
    services: Sequence[str] = SERVICES,
    *,
    data_dir: Path | None = None,
    log_dir: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Supervisor]:
    """Runs `services` against the brokers of `settings`, or against a local broker of its own when that is None.

    `data_dir` keeps the local broker's data for the next time, `log_dir` the services' logs (service.log each);
    otherwise both live in temporary folders. `environment` adds variables for the services. At the end, also by Ctrl-C,
    SIGTERM or an exception, every process is stopped within 10 s; when this process is killed the kernel ends them.
    Enter it in a thread that lives as long as the services. Raises BrokerError, KafkaError.
    """
    with ExitStack() as stack:
        stack.enter_context(_sigterm_as_exit())
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="demarche-")))
        logs = log_dir or scratch / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        broker = None
        if settings is None:
            broker = stack.enter_context(local_broker(data_dir))
            settings = ConnectionSettings(bootstrap=broker.bootstrap, security_protocol="PLAINTEXT")
        ensure_topics(settings)
        supervisor = Supervisor(settings, services, environment or {}, scratch, logs, broker)
        stack.callback(supervisor.stop)
        yield supervisor


@contextmanager
def _sigterm_as_exit() -> Iterator[None]:
    """Lets SIGTERM unwind the main thread like Ctrl-C does."""
    if current_thread() is not main_thread():
        yield
        return

    def leave(_number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + signal.SIGTERM)

    former = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, former)


def _ready(port_file: Path) -> bool:
    with suppress(OSError, ValueError, urllib.error.URLError):
        port = int(port_file.read_text())
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=REQUEST_SECONDS) as answer:
            return bool(answer.status == 200)
    return False


def _last_line(log: Path) -> str:
    """What the service said last; of a log record only the event and why."""
    lines = log.read_text(errors="replace").split("\n") if log.exists() else []
    line = next((line for line in reversed(lines) if line.strip()), "it said nothing")
    with suppress(ValueError):
        record = json.loads(line)
        line = ": ".join(str(record[name]) for name in ("event", "why") if name in record) or line
    return line[:SHOWN_CHARACTERS]
