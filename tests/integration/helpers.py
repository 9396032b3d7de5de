"""Starting services under test and reading topics with a client that shares no code with ours."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import confluent_kafka

from schemas.records import DeadLetter
from services.runtime import clients
from services.runtime.settings import ConnectionSettings

ROOT = Path(__file__).parents[2]
Message = tuple[bytes | None, bytes]


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, f"{what}: not within {seconds} s"
        time.sleep(0.05)


def produce(settings: ConnectionSettings, topic: str, values: Sequence[bytes | None], keys: bool = True) -> None:
    producer = clients.producer(settings)
    for number, value in enumerate(values):
        producer.send(settings.topic_prefix + topic, value=value, key=f"key-{number}".encode() if keys else None)
    producer.flush()
    producer.close()


def read_committed(
    settings: ConnectionSettings, topic: str, expected: int, seconds: float = 30.0, quiet: float = 1.0
) -> list[Message]:
    """Key and value of all committed records, by librdkafka: waits for `expected`, then `quiet` seconds for more."""
    consumer = confluent_kafka.Consumer(
        {
            "bootstrap.servers": settings.bootstrap,
            "group.id": f"reader-{time.time_ns()}",
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    name = settings.topic_prefix + topic
    partitions = consumer.list_topics(name, timeout=10).topics[name].partitions
    consumer.assign([confluent_kafka.TopicPartition(name, p, confluent_kafka.OFFSET_BEGINNING) for p in partitions])
    messages: list[Message] = []
    until = time.monotonic() + seconds
    try:
        while time.monotonic() < until:
            message = consumer.poll(0.1)
            if message is None:
                continue
            assert message.error() is None, message.error()
            messages.append((message.key(), message.value()))
            if len(messages) >= expected:
                until = min(until, time.monotonic() + quiet)
    finally:
        consumer.close()
    return messages


def dead_letters(settings: ConnectionSettings, topic: str, expected: int) -> list[DeadLetter]:
    return [DeadLetter.model_validate_json(value) for _, value in read_committed(settings, topic, expected)]


class Running:
    """A service process, its port file and its log."""

    def __init__(self, process: subprocess.Popen[bytes], port_file: Path, log: Path) -> None:
        self.process, self._port_file, self._log = process, port_file, log

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def get(self, path: str) -> tuple[int, str]:
        port = int(self._port_file.read_text())
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def ready(self) -> bool:
        assert self.process.poll() is None, self.log
        try:
            return self._port_file.exists() and self.get("/readyz")[0] == 200
        except OSError:
            return False

    def wait_ready(self, seconds: float = 30.0) -> None:
        wait_until(self.ready, seconds, "ready")

    def ends(self, seconds: float) -> int:
        """Its exit code."""
        return self.process.wait(seconds)


@contextmanager
def service(
    settings: ConnectionSettings,
    folder: Path,
    module: str = "tests.integration.copier",
    hooks: Path | None = None,
    **variables: object,
) -> Iterator[Running]:
    """The module as a service; killed at the end if it still runs. `hooks` holds a sitecustomize.py to run first."""
    mark = time.time_ns()
    port_file, log = folder / f"{mark}.port", folder / f"{mark}.log"
    environment = {
        **os.environ,
        "DEMARCHE_BOOTSTRAP": settings.bootstrap,
        "DEMARCHE_TOPIC_PREFIX": settings.topic_prefix,
        "DEMARCHE_GROUP_PREFIX": settings.group_prefix,
        "DEMARCHE_METRICS_PORT_FILE": str(port_file),
        **({"PYTHONPATH": os.pathsep.join([str(hooks), str(ROOT)])} if hooks else {}),
        **{f"DEMARCHE_{name.upper()}": str(value) for name, value in variables.items()},
    }
    with log.open("wb") as to:
        process = subprocess.Popen([sys.executable, "-m", module], cwd=ROOT, env=environment, stdout=to, stderr=to)
    running = Running(process, port_file, log)
    try:
        yield running
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
