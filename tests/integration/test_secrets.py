"""Secrets are in no log and no metric: services at work with secrets that the test knows, and in trouble."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from services.cli_up import metrics_urls
from services.desk import register
from services.desk.store import Store
from services.runtime.settings import ConnectionSettings
from services.runtime.supervisor import supervise
from tests.desk_store import binary, new_database, postgres
from tests.integration.helpers import ROOT, produce, service, wait_until
from tests.integration.test_desk_service import free_port, story
from tests.integration.test_kafka_security import secured, variables
from tests.kafka_gate import KEY_PASSWORD, PASSWORD, kafka_gate, make_papers

DATABASE_PASSWORD = "db-Geheim-1848"
WEBHOOK_SECRET = "hook-Geheim-1989"
WEBHOOK_PATH = "path-Geheim-1990"
SERVICES = ("normalize", "desk", "archive")
"""One that only transforms, the one with secrets of its own, one that writes files; the runtime is the same for all."""
NOWHERE = f"postgresql+psycopg://desk:{DATABASE_PASSWORD}@127.0.0.1:1/desk"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[str]:
    """PostgreSQL by an address with a password where it is installed, else SQLite."""
    if binary("initdb") is None:
        yield f"sqlite:///{tmp_path}/desk.sqlite"
        return
    with postgres() as folder:
        yield new_database(folder).replace("@/", f":{DATABASE_PASSWORD}@/")


def test_no_secret_is_in_a_log_or_a_metric(
    brokers: ConnectionSettings, connection: ConnectionSettings, database: str, tmp_path: Path
) -> None:
    port, logs = free_port(), tmp_path / "logs"
    papers = make_papers(tmp_path)
    with ExitStack() as stack:
        gate = stack.enter_context(kafka_gate(brokers.bootstrap, papers))
        settings = secured(gate, papers, connection)
        given = {
            **variables(gate, papers, connection, tmp_path),
            "log_level": "DEBUG",
            "desk_port": str(port),
            "desk_database": database,
            "desk_webhook_allow": '["127.0.0.0/8"]',
            "desk_webhook_tries": "1",
            "archive_dir": str(tmp_path / "archive"),
        }
        environment = {f"DEMARCHE_{name.upper()}": value for name, value in given.items()}
        running = stack.enter_context(supervise(settings, SERVICES, log_dir=logs, environment=environment))
        running.wait_ready()
        store = Store(database)
        stack.callback(store.close)
        token = register.new_token(store, "tests")
        desk = stack.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{port}/api", timeout=20))
        hook = f"http://127.0.0.1:{free_port()}/{WEBHOOK_PATH}"
        wanted = {"name": "all", "secret": WEBHOOK_SECRET, "channels": {"webhooks": [{"url": hook}]}}
        bearer = {"Authorization": f"Bearer {token}"}
        assert desk.post("/subscriptions", json=wanted, headers=bearer).status_code == 201
        assert desk.post("/subscriptions", json=wanted, headers=bearer).status_code == 409
        assert desk.post("/subscriptions", json={**wanted, "filter": 1}, headers=bearer).status_code == 422
        assert (
            desk.post("/subscriptions", json=wanted, headers={"Authorization": f"Bearer x{token}"}).status_code == 401
        )
        produce(connection, "articles.raw", [b"nonsense"])
        produce(connection, "events.diplomatic", [story(0), b"nonsense"])
        wait_until(lambda: desk.get("/stories").json()["items"] != [] and running.drained(), 90, "all is done")
        urls = dict(metrics_urls(logs))
        assert set(urls) == set(SERVICES)
        dead = re.compile(r'^demarche_webhook_calls_total\{outcome="dead"\} [1-9]', re.MULTILINE)
        wait_until(lambda: dead.search(httpx.get(urls["desk"]).text) is not None, 30, "a webhook given up")
        metrics = {name: httpx.get(url).text for name, url in urls.items()}
        public = desk.get("/subscriptions").text
    written = {name: (logs / f"{name}.log").read_text() for name in SERVICES}
    assert all('"started"' in log for log in written.values())
    assert all("record rejected" in log for log in written.values())
    secrets = [PASSWORD, KEY_PASSWORD, DATABASE_PASSWORD, WEBHOOK_SECRET, WEBHOOK_PATH, token]
    places = {**{f"log of {n}": t for n, t in written.items()}, **{f"metrics of {n}": t for n, t in metrics.items()}}
    places["what anybody may read"] = public
    assert [(place, secret) for place, text in places.items() for secret in secrets if secret in text] == []


def test_a_database_away_is_told_without_its_password(connection: ConnectionSettings, tmp_path: Path) -> None:
    with service(connection, tmp_path, "services.desk", desk_database=NOWHERE, desk_port=0) as desk:
        assert desk.ends(30) == 1
    command = [sys.executable, "-m", "services.cli", "token", "somebody"]
    environment = {**os.environ, "DEMARCHE_DESK_DATABASE": NOWHERE}
    told = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert told.returncode == 1
    for said in (desk.log, told.stderr):
        assert "127.0.0.1" in said
        assert said.count("\n") == 1
        assert DATABASE_PASSWORD not in said


def test_an_error_of_the_database_shows_no_values(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/desk.sqlite")
    row = {"id": "one", "body": "{}", "secret": WEBHOOK_SECRET, "created_at": 1, "updated_at": 1}
    with store.transaction() as connection:
        connection.execute(insert(store.tables.subscriptions).values(row))
        with pytest.raises(IntegrityError) as failed:
            connection.execute(insert(store.tables.subscriptions).values(row))
    store.close()
    assert "subscriptions" in str(failed.value)
    assert WEBHOOK_SECRET not in str(failed.value)
