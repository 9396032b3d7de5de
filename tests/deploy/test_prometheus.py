"""A real Prometheus with the deployment's own configuration, scraping real services."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.cli_up import sample_articles
from services.runtime.drain import drained
from services.runtime.settings import ConnectionSettings
from tests.deploy.queries import RULES, dashboard_queries, rules
from tests.integration.helpers import produce, service, wait_until

SERVICES = ("normalize", "classify")
ARTICLES = 4
OTHERS = {"Records a second": "rejected"}
"""Panels that may show less than they could: no record is rejected here."""


class Prometheus:
    def __init__(self, port: int) -> None:
        self._address = f"http://127.0.0.1:{port}"

    def get(self, path: str, **parameters: str) -> Any:
        url = f"{self._address}{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=5) as answer:
            return json.load(answer)["data"]

    def ask(self, query: str) -> list[Any]:
        found: list[Any] = self.get("/api/v1/query", query=query)["result"]
        return found

    def ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self._address}/-/ready", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


@contextmanager
def prometheus(folder: Path, targets: dict[str, int]) -> Iterator[Prometheus]:
    """Prometheus with the deployment's files; only where the services are, and how often they are asked, differs."""
    config = yaml.safe_load((RULES.parent / "prometheus.yml").read_text())
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    (job,) = config["scrape_configs"]
    there = [static for static in job["static_configs"] if static["labels"]["service"] in targets]
    for static in there:
        static["targets"] = [f"127.0.0.1:{targets[static['labels']['service']]}"]
    job["static_configs"] = there
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    shutil.copy(RULES, folder)
    with socket.create_server(("127.0.0.1", 0)) as tried:
        port = tried.getsockname()[1]
    log = folder / "prometheus.log"
    with log.open("wb") as to:
        process = subprocess.Popen(
            [
                "prometheus",
                "--config.file=prometheus.yml",
                f"--storage.tsdb.path={folder}/data",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            cwd=folder,
            stdout=to,
            stderr=to,
        )
    try:
        running = Prometheus(port)
        wait_until(lambda: process.poll() is not None or running.ready(), 30, "prometheus")
        assert process.poll() is None, log.read_text()
        yield running
    finally:
        process.terminate()
        process.wait(20)


def test_rules_and_dashboard_work_on_what_the_services_show(connection: ConnectionSettings, tmp_path: Path) -> None:
    if shutil.which("prometheus") is None:
        pytest.skip("prometheus is not installed; it is in Debian's package prometheus")
    articles = [a.model_dump_json().encode() for a in sample_articles()[: 2 * ARTICLES]]
    with (
        service(connection, tmp_path, "services.normalize") as normalize,
        service(connection, tmp_path, "services.classify") as classify,
    ):
        for running in (normalize, classify):
            running.wait_ready(120)
        with prometheus(tmp_path, {"normalize": normalize.port, "classify": classify.port}) as asked:
            produce(connection, "articles.raw", articles[:ARTICLES])
            wait_until(lambda: drained(connection, SERVICES), 60, "drained")
            wait_until(lambda: len(asked.ask("demarche_ready == 1")) == 2, 30, "scraped")
            produce(connection, "articles.raw", articles[ARTICLES:])  # Rates need a step between two scrapes.
            wait_until(lambda: drained(connection, SERVICES), 60, "drained")
            done = 'sum(demarche_records_consumed_total{service="classify"}) == 8'
            wait_until(lambda: bool(asked.ask(done)), 30, "all counted")

            empty = [(title, query) for title, query in dashboard_queries() if not asked.ask(query)]
            assert [query for title, query in empty if OTHERS.get(title, "never") not in query] == []
            up = {r["metric"]["service"]: r["value"][1] for r in asked.ask('up{job="demarche"}')}
            assert up == {"normalize": "1", "classify": "1"}

            (group,) = asked.get("/api/v1/rules")["groups"]
            assert [rule["name"] for rule in group["rules"]] == [rule["alert"] for rule in rules()]
            wait_until(lambda: all(r["health"] != "unknown" for r in _rules(asked)), 30, "rules evaluated")
            assert {rule["health"] for rule in _rules(asked)} == {"ok"}
            active = {alert["labels"]["alertname"] for alert in asked.get("/api/v1/alerts")["alerts"]}
            assert active == {"DemarcheGone"}, "only those services are missing that this test does not start"

            classify.process.kill()
            wait_until(lambda: bool(asked.ask('up{service="classify"} == 0')), 30, "seen as down")
            down = rules_named("DemarcheDown")["expr"]
            assert [r["metric"]["service"] for r in asked.ask(down)] == ["classify"]


def _rules(asked: Prometheus) -> list[dict[str, Any]]:
    (group,) = asked.get("/api/v1/rules")["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def rules_named(name: str) -> dict[str, Any]:
    return next(rule for rule in rules() if rule["alert"] == name)
