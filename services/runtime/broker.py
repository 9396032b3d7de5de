"""The local broker: noida-db's binary as a child process, and what it lacks beside Apache Kafka.

noida-db 0.2.3 does real transactions, read_committed, fencing by epoch, consumer groups, topic configurations and
offset metadata. Five things it does not do, and what we do about them, all in this file:

1. A fetch lists every aborted transaction of the partition, not only those in the fetched range. A reader that starts
   behind an aborted transaction therefore drops all later records of the same producer id. So a producer id must not
   live on after an abort: transactional ids are numbered (`next_transactional_id`), and a producer that aborted is
   replaced by one with the next number.
2. A group member that was killed stays in the group for ever and holds up every rebalance until max_poll_interval. So
   a service that starts first removes former members of its own client id (`remove_former_members`).
3. TxnOffsetCommit does not check the group's generation. The loop compares it just before the commit, which leaves a
   gap of milliseconds; so run one replica of a service on the local broker (the supervisor does).
4. A fetch that finds nothing is answered at once instead of after fetch.max.wait.ms, so a waiting client spins. `poll`
   sleeps between looks.
5. Everything is in memory and saved as JSON about every two seconds and at SIGTERM: a broker that is killed loses the
   last seconds, and its fetches return a partition's whole backlog at once. It is for one machine and small data.

Apache Kafka needs none of this: there the ids stay as they are, no member is removed, and polls wait.
"""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any, cast

from kafka import KafkaAdminClient, KafkaConsumer
from kafka.admin import MemberToRemove
from kafka.structs import MemberState, TopicPartition

from services.runtime import clients
from services.runtime.children import spawn, stop
from services.runtime.settings import ConnectionSettings

CLUSTER_ID = "MkU3OEVBNTctOEUyRi00"
HARMLESS = re.compile(r"weak version `GLIBC_[0-9.]+' not found")
START_SECONDS = 15.0
SAVE_SECONDS = 8.0
LOOK_SECONDS = 0.05
JOIN_MS = 2000
LISTENING = re.compile(r"^\s*kafka\s+(127\.0\.0\.1:\d+)\s*$", re.MULTILINE)


class BrokerError(RuntimeError):
    """The local broker did not start; the message has what it said."""


class LocalBroker:
    """A running local broker; `bootstrap` is its address on the loopback."""

    def __init__(self, child: subprocess.Popen[bytes], bootstrap: str) -> None:
        self._child = child
        self.bootstrap = bootstrap

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._child.pid

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._child.poll() is None


@contextmanager
def local_broker(data_dir: Path | None = None) -> Iterator[LocalBroker]:
    """Starts a broker on a free port of the loopback and stops it at the end; it also ends when we are killed.

    Without `data_dir` its data lives in a temporary folder and is removed; with it, it is saved for the next time.
    Raises BrokerError when the broker does not come up within 15 s.
    """
    with tempfile.TemporaryDirectory(prefix="demarche-broker-") as scratch:
        data = data_dir or Path(scratch) / "data"
        data.mkdir(parents=True, exist_ok=True)
        out, err = Path(scratch) / "out", Path(scratch) / "err"
        command = [_binary(), "start", "--only", "kafka", "--host", "127.0.0.1", "--kafka-port", "0"]
        with out.open("wb") as to_out, err.open("wb") as to_err:
            death_signal = signal.SIGTERM if data_dir else signal.SIGKILL
            child = spawn([*command, "--data-dir", str(data)], death_signal, to_out, to_err)
        try:
            yield LocalBroker(child, _wait(child, out, err))
        finally:
            if data_dir is None:
                child.kill()
                child.wait()
            else:
                stop([child], SAVE_SECONDS)


def _binary() -> str:
    path = Path(str(files("noida_db").joinpath("noida-db")))
    if not path.is_file():
        found = shutil.which("noida-db")
        raise BrokerError(f"the noida-db package has no binary at {path} (found: {found})")
    return str(path)


def _wait(child: subprocess.Popen[bytes], out: Path, err: Path) -> str:
    """Its address, once it says that it listens (it binds before it says so)."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if match := LISTENING.search(out.read_text(errors="replace")):
            return match[1]
        if child.poll() is not None:
            break
        time.sleep(0.02)
    said = [line for line in err.read_text(errors="replace").splitlines() if not HARMLESS.search(line)]
    raise BrokerError(f"the local broker did not start: {' '.join(said) or out.read_text(errors='replace').strip()}")


def is_local(client: KafkaAdminClient | KafkaConsumer) -> bool:
    """Whether the client's cluster is a noida-db (its cluster id is a constant)."""
    # describe_cluster() of kafka-python 3.0.12 fails on noida-db's older response; the bootstrap told the id already.
    return bool(client._manager.cluster.cluster_id == CLUSTER_ID)


def poll(consumer: KafkaConsumer, seconds: float) -> Mapping[TopicPartition, Sequence[Any]]:
    """The consumer's next records by partition; waits for them up to `seconds`, and for its group up to two more."""
    local = is_local(consumer)
    if not _settled(consumer):
        # In one long wait: kafka-python forgets a join that ends between two, and its asking anew disturbs the others.
        consumer._coordinator.poll(timeout_ms=JOIN_MS)
    until = time.monotonic() + seconds
    while True:
        look = local and _settled(consumer)
        left = max(0.0, until - time.monotonic())
        polled = cast(Mapping[TopicPartition, Sequence[Any]], consumer.poll(timeout_ms=0 if look else int(left * 1000)))
        left = until - time.monotonic()
        if polled or left <= 0:
            return polled
        if look:
            time.sleep(min(left, LOOK_SECONDS))


def _settled(consumer: KafkaConsumer) -> bool:
    """Whether the consumer is no member of a group (it then has no subscription) or has its place in one."""
    return consumer.subscription() is None or consumer.group_metadata().state is MemberState.STABLE


def next_transactional_id(settings: ConnectionSettings, admin: KafkaAdminClient, base: str) -> str:
    """The next number of `base`, after fencing the former one and aborting what numbers of `base` left open."""
    pattern = re.compile(rf"{re.escape(base)}#(\d+)")
    numbers: dict[int, bool] = {}
    for listing in (entry for entries in admin.list_transactions().values() for entry in entries):
        if match := pattern.fullmatch(listing.transactional_id):
            numbers[int(match[1])] = str(listing.state.value) == "Ongoing"
    latest = max(numbers, default=0)
    for number in sorted(number for number, is_open in numbers.items() if is_open or number == latest):
        former = clients.producer(settings, transactional_id=f"{base}#{number}")
        try:
            former.init_transactions()
        finally:
            former.close(timeout=1)
    return f"{base}#{latest + 1}"


def remove_former_members(admin: KafkaAdminClient, group: str, client_id: str) -> int:
    """Removes the members of `group` that bear `client_id`; how many."""
    members = admin.describe_groups([group])[group].get("members") or []
    former = [MemberToRemove(member_id=m["member_id"]) for m in members if m["client_id"] == client_id]
    if former:
        admin.remove_group_members(group, former)
    return len(former)
