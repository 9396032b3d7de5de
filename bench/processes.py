"""Services as processes of their own on the local broker, and what the kernel and they themselves tell of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.metering import Scrape, scrape
from services.runtime import clients
from services.runtime.children import spawn, stop
from services.runtime.settings import ConnectionSettings

LOOK_SECONDS = 0.5
READY_LOOK_SECONDS = 0.02
READY_SECONDS = 120.0
STOP_SECONDS = 9.0
TICKS = os.sysconf("SC_CLK_TCK")


class BenchError(RuntimeError):
    """A benchmark cannot go on; the message says what to look at."""


@dataclass
class Process:
    """A running service."""

    name: str
    child: subprocess.Popen[bytes]
    port_file: Path
    log: Path
    began: float = field(default_factory=time.monotonic)

    def _get(self, path: str) -> str:
        port = int(self.port_file.read_text())
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            text: str = answer.read().decode()
        return text

    def wait_ready(self) -> float:
        """Waits until it answers /readyz; seconds since it was started. BenchError when it ends or takes too long."""
        while True:
            try:
                self._get("/readyz")
                return time.monotonic() - self.began
            except (OSError, ValueError):
                pass
            if self.child.poll() is not None or time.monotonic() - self.began > READY_SECONDS:
                raise BenchError(f"{self.name} does not start: {self.log.read_text(errors='replace')[-2000:]}")
            time.sleep(READY_LOOK_SECONDS)

    def look(self) -> Scrape:
        """What its /metrics says now. BenchError when it has ended."""
        try:
            return scrape(self._get("/metrics"), time.time())
        except OSError as error:
            raise BenchError(f"{self.name} is gone: {self.log.read_text(errors='replace')[-2000:]}") from error

    def watch(self, done: Callable[[Scrape], bool], every: float = LOOK_SECONDS) -> list[Scrape]:
        """Looks every so many seconds until `done`; all looks."""
        seen = [self.look()]
        while not done(seen[-1]):
            time.sleep(every)
            seen.append(self.look())
        return seen

    @property
    def cpu_seconds(self) -> float:
        """Processor time of all its threads until now."""
        return cpu_seconds(self.child.pid)

    @property
    def peak_bytes(self) -> int:
        """The largest resident set it ever had."""
        status = Path(f"/proc/{self.child.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) * 1024


def cpu_seconds(pid: int) -> float:
    """Processor time of a process until now."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


@contextmanager
def running(
    settings: ConnectionSettings,
    folder: Path,
    name: str,
    *,
    instance: str = "0",
    cores: Iterable[int] | None = None,
    **variables: object,
) -> Iterator[Process]:
    """The service, on these cores (None: on all), with these settings; stopped at the end. Use `wait_ready`.

    What desk and archive keep is kept in `folder`.
    """
    mark = f"{settings.topic_prefix}{name}.{instance}"
    port_file, log = folder / f"{mark}.port", folder / f"{mark}.log"
    port_file.unlink(missing_ok=True)
    environment = {
        **os.environ,
        "DEMARCHE_BOOTSTRAP": settings.bootstrap,
        "DEMARCHE_TOPIC_PREFIX": settings.topic_prefix,
        "DEMARCHE_GROUP_PREFIX": settings.group_prefix,
        "DEMARCHE_INSTANCE": instance,
        "DEMARCHE_METRICS_PORT_FILE": str(port_file),
        "DEMARCHE_DESK_PORT": "0",
        "DEMARCHE_DESK_DATABASE": f"sqlite:///{folder}/{settings.topic_prefix}desk.sqlite",
        "DEMARCHE_ARCHIVE_DIR": str(folder / f"{settings.topic_prefix}archive"),
        **{f"DEMARCHE_{key.upper()}": str(value) for key, value in variables.items()},
    }
    with log.open("wb") as to:
        child = spawn([sys.executable, "-m", f"services.{name}"], signal.SIGKILL, stdout=to, stderr=to, env=environment)
    if cores is not None:
        os.sched_setaffinity(child.pid, cores)  # Before it has threads: they take it over.
    try:
        yield Process(name, child, port_file, log)
    finally:
        stop([child], STOP_SECONDS)


def on(bootstrap: str, mark: str) -> ConnectionSettings:
    """Topics and groups of their own on a broker."""
    return ConnectionSettings(
        bootstrap=bootstrap, security_protocol="PLAINTEXT", topic_prefix=f"{mark}.", group_prefix=f"{mark}."
    )


def produce(settings: ConnectionSettings, topic: str, values: Sequence[bytes], partitions: int = 3) -> None:
    """Writes the values, as many to each partition, and waits for the broker."""
    producer = clients.producer(settings)
    try:
        for number, value in enumerate(values):
            producer.send(settings.topic_prefix + topic, value=value, partition=number % partitions)
        producer.flush()
    finally:
        producer.close()
