"""The local broker and what we do about what it lacks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import confluent_kafka
import confluent_kafka.admin
import pytest
from kafka.structs import ConsumerGroupMetadata, OffsetAndMetadata, TopicPartition

from schemas.topics import topics
from services.runtime import clients
from services.runtime.broker import BrokerError, is_local, local_broker
from services.runtime.settings import ConnectionSettings, ServiceSettings
from services.runtime.topics import ensure_topics
from services.runtime.transactions import Aborted, Fatal, Transactions
from services.runtime.window import Outgoing
from tests.integration.helpers import ROOT, produce, read_committed, wait_until


@pytest.fixture
def connection() -> Iterator[ConnectionSettings]:
    """A local broker, whatever the other tests run on."""
    with local_broker() as broker:
        settings = ConnectionSettings(bootstrap=broker.bootstrap, topic_prefix="t.", group_prefix="t.")
        ensure_topics(settings)
        yield settings


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_stops_with_us_and_keeps_data_when_asked(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for expected in (3, 6):
        with local_broker(tmp_path / "data") as broker:
            settings = ConnectionSettings(bootstrap=broker.bootstrap)
            assert broker.bootstrap.startswith("127.0.0.1:")
            ensure_topics(settings)
            produce(settings, "alerts", [b"x"] * 3)
            assert len(read_committed(settings, "alerts", expected, quiet=0.2)) == expected
            pid = broker.pid
        assert not alive(pid)
    said = capfd.readouterr()
    assert "GLIBC" not in said.out + said.err


def test_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    code = (
        "import time\n"
        "from services.runtime.broker import local_broker\n"
        "with local_broker() as broker:\n"
        "    print(broker.pid, flush=True)\n"
        "    time.sleep(60)\n"
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    parent = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert alive(pid)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    wait_until(lambda: not alive(pid), 5, "the broker's end")


def test_a_broker_that_cannot_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "kafka.json").write_text("no snapshot")
    with pytest.raises(BrokerError, match="snapshot"), local_broker(tmp_path):
        pass


def test_topics_are_laid_out_as_the_table_says(connection: ConnectionSettings) -> None:
    assert ensure_topics(connection) == []
    admin = clients.admin(connection)
    assert is_local(admin)
    prefix = connection.topic_prefix
    described = {t["name"]: t for t in admin.describe_topics([prefix + name for name in topics()])}
    admin.close()
    assert {name.removeprefix(prefix): len(t["partitions"]) for name, t in described.items()} == {
        name: topic.partitions for name, topic in topics().items()
    }
    client = confluent_kafka.admin.AdminClient({"bootstrap.servers": connection.bootstrap})
    resource = confluent_kafka.admin.ConfigResource("topic", prefix + "alerts")
    values = client.describe_configs([resource])[resource].result(10)
    assert values["retention.ms"].value == str(720 * 3_600_000)
    assert values["cleanup.policy"].value == "delete"


def offsets(settings: ConnectionSettings, offset: int) -> dict[TopicPartition, OffsetAndMetadata]:
    return {TopicPartition(settings.topic_prefix + "articles.raw", 0): OffsetAndMetadata(offset, "", -1)}


def records_behind(settings: ConnectionSettings, offset: int) -> list[bytes]:
    consumer = confluent_kafka.Consumer(
        {"bootstrap.servers": settings.bootstrap, "group.id": "behind", "isolation.level": "read_committed"}
    )
    consumer.assign([confluent_kafka.TopicPartition(settings.topic_prefix + "alerts", 0, offset)])
    values = []
    until = time.monotonic() + 3
    while time.monotonic() < until and b"last" not in values:
        message = consumer.poll(0.1)
        if message is not None and message.error() is None:
            values.append(message.value())
    consumer.close()
    return values


def test_an_abort_leaves_no_trace_for_any_reader(connection: ConnectionSettings) -> None:
    group = ConsumerGroupMetadata(group_id=connection.group_prefix + "g")
    writer = Transactions(ServiceSettings.model_validate(connection.model_dump()), "writer")
    topic = connection.topic_prefix + "alerts"
    writer.commit([Outgoing(topic, None, b"first")], offsets(connection, 1), group, lambda: True)
    with pytest.raises(Aborted, match="rebalanced"):
        writer.commit([Outgoing(topic, None, b"never")], offsets(connection, 2), group, lambda: False)
    writer.commit([Outgoing(topic, None, b"second")], offsets(connection, 3), group, lambda: True)
    writer.commit([Outgoing(topic, None, b"last")], offsets(connection, 4), group, lambda: True)
    writer.close()
    values = [value for _, value in read_committed(connection, "alerts", 3, quiet=0.3)]
    assert values == [b"first", b"second", b"last"]
    # Offsets 0 and 1: first and its marker; 2 and 3: the aborted record and its marker.
    assert records_behind(connection, 4) == [b"second", b"last"]
    assert records_behind(connection, 5) == [b"last"]


def test_a_killed_writers_open_transaction_is_aborted_by_the_next(connection: ConnectionSettings) -> None:
    topic = connection.topic_prefix + "alerts"
    code = (
        "import os, sys\n"
        "from services.runtime.settings import ServiceSettings\n"
        "from services.runtime.transactions import Transactions\n"
        "writer = Transactions(ServiceSettings(), 'writer')\n"
        "writer._producer.begin_transaction()\n"
        f"writer._producer.send({topic!r}, b'never').get(10)\n"
        "os._exit(9)\n"
    )
    environment = {**os.environ, "DEMARCHE_BOOTSTRAP": connection.bootstrap}
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=False).returncode == 9
    group = ConsumerGroupMetadata(group_id=connection.group_prefix + "g")
    produce(connection, "alerts", [b"held back"])
    assert read_committed(connection, "alerts", 1, seconds=1) == [], "the transaction is not open"
    writer = Transactions(ServiceSettings.model_validate(connection.model_dump()), "writer")
    writer.commit([Outgoing(topic, None, b"last")], offsets(connection, 1), group, lambda: True)
    writer.close()
    assert [v for _, v in read_committed(connection, "alerts", 2, quiet=0.3)] == [b"held back", b"last"]
    # Offset 0: never, 1: held back, 2: the marker of the abort.
    assert records_behind(connection, 3) == [b"last"]


def test_the_elder_writer_is_fenced(connection: ConnectionSettings) -> None:
    group = ConsumerGroupMetadata(group_id=connection.group_prefix + "g")
    settings = ServiceSettings.model_validate(connection.model_dump())
    topic = connection.topic_prefix + "alerts"
    elder = Transactions(settings, "twin")
    younger = Transactions(settings, "twin")
    with pytest.raises(Fatal):
        elder.commit([Outgoing(topic, None, b"elder")], offsets(connection, 1), group, lambda: True)
    younger.commit([Outgoing(topic, None, b"younger")], offsets(connection, 1), group, lambda: True)
    assert [v for _, v in read_committed(connection, "alerts", 1, quiet=0.3)] == [b"younger"]
    elder.close()
    younger.close()
