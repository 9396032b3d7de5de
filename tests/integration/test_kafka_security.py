"""TLS and SASL: each client of ours comes through a listener that asks for both, and not without them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kafka.errors import KafkaError

from services.runtime import clients
from services.runtime.settings import ConnectionSettings
from tests.integration.helpers import ROOT, produce, read_committed, service
from tests.integration.test_bad_input import WORDS, raw
from tests.kafka_gate import KEY_PASSWORD, PASSWORD, USER, Gate, Papers, kafka_gate, make_papers


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    return make_papers(tmp_path_factory.mktemp("papers"))


@pytest.fixture
def gate(brokers: ConnectionSettings, papers: Papers) -> Iterator[Gate]:
    with kafka_gate(brokers.bootstrap, papers) as opened:
        yield opened


def secured(gate: Gate, papers: Papers, connection: ConnectionSettings, **fields: Any) -> ConnectionSettings:
    """How the gate is to be reached; `fields` change it."""
    given = {
        "bootstrap": gate.bootstrap,
        "topic_prefix": connection.topic_prefix,
        "group_prefix": connection.group_prefix,
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "PLAIN",
        "sasl_username": USER,
        "sasl_password": PASSWORD,
        "ssl_cafile": papers.ca,
        "ssl_certfile": papers.client,
        "ssl_keyfile": papers.client_key,
        "ssl_key_password": KEY_PASSWORD,
    }
    return ConnectionSettings(**{**given, **fields})


def variables(gate: Gate, papers: Papers, connection: ConnectionSettings, folder: Path) -> dict[str, str]:
    """The same as DEMARCHE_* variables, the secrets in files."""
    settings = secured(gate, papers, connection).model_dump(exclude_none=True, exclude={"max_produce_bytes"})
    for name in ("sasl_password", "ssl_key_password"):
        file = folder / name
        file.write_text(settings.pop(name).get_secret_value() + "\n")
        settings[f"{name}_file"] = file
    return {name: str(value) for name, value in settings.items()}


def use_admin(settings: ConnectionSettings) -> None:
    admin = clients.admin(settings)
    try:
        assert settings.topic_prefix + "articles.raw" in admin.list_topics()
    finally:
        admin.close()


def use_producer(settings: ConnectionSettings) -> None:
    producer = clients.producer(settings, client_id="the-producer")
    try:
        producer.send(settings.topic_prefix + "articles.raw", value=b"{}").get(timeout=10)
    finally:
        producer.close(timeout=1)


def use_reader(settings: ConnectionSettings) -> None:
    consumer = clients.reader(settings, client_id="the-reader")
    try:
        assert consumer.partitions_for_topic(settings.topic_prefix + "articles.raw")
    finally:
        consumer.close(autocommit=False, timeout_ms=1000)


USES = pytest.mark.parametrize("use", [use_admin, use_producer, use_reader])
Use = Callable[[ConnectionSettings], None]


@USES
def test_each_client_brings_password_and_certificate(
    use: Use, gate: Gate, papers: Papers, connection: ConnectionSettings
) -> None:
    use(secured(gate, papers, connection))
    assert gate.admitted
    assert not gate.refused


@USES
@pytest.mark.parametrize(
    "wrong",
    [
        {"sasl_password": "guessed"},
        {"ssl_cafile": "other_ca"},
        {"ssl_certfile": None, "ssl_keyfile": None, "ssl_key_password": None},
        {"security_protocol": "SASL_PLAINTEXT"},
    ],
    ids=["password", "another's broker", "no certificate", "no TLS"],
)
def test_each_client_fails_without(
    use: Use,
    wrong: dict[str, Any],
    gate: Gate,
    papers: Papers,
    connection: ConnectionSettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(clients, "BOOTSTRAP_MS", 1500)
    if "ssl_cafile" in wrong:
        wrong = {"ssl_cafile": papers.other_ca}
    with pytest.raises(KafkaError) as failed:
        use(secured(gate, papers, connection, **wrong))
    assert PASSWORD not in str(failed.value)
    assert not gate.admitted


def test_a_service_and_the_command_come_through(
    gate: Gate, papers: Papers, connection: ConnectionSettings, tmp_path: Path
) -> None:
    produce(connection, "articles.raw", [raw("good", text=WORDS * 3)])
    given = variables(gate, papers, connection, tmp_path)
    with service(connection, tmp_path, "services.normalize", **given) as running:
        assert len(read_committed(connection, "articles.clean", 1)) == 1
        assert f"{connection.group_prefix}normalize.0" in gate.admitted
    environment = {**os.environ, **{f"DEMARCHE_{name.upper()}": value for name, value in given.items()}}
    command = [sys.executable, "-m", "services.cli", "tail", "articles.clean"]
    told = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert told.returncode == 0, told.stderr
    assert told.stdout.count("\n") == 1
    for said in (running.log, told.stdout, told.stderr):
        assert PASSWORD not in said
        assert KEY_PASSWORD not in said


def test_a_wrong_password_is_told_and_not_shown(
    gate: Gate, papers: Papers, connection: ConnectionSettings, tmp_path: Path
) -> None:
    given = variables(gate, papers, connection, tmp_path)
    Path(given["sasl_password_file"]).write_text("guessed-Geheim")
    with service(connection, tmp_path, "services.normalize", log_level="DEBUG", **given) as running:
        assert running.ends(60) == 1
    assert "uthentication" in running.log
    assert "guessed-Geheim" not in running.log
