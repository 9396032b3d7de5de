"""Alert rules and the dashboard: rules do what they say, queries name what exists, runbooks have a place."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from schemas.topics import topics
from tests.deploy.queries import DASHBOARD, DEPLOY, RULES, dashboard_queries, faults, named, panels, rules

ROOT = DEPLOY.parent
ANCHORS = {"lag", "no-commit", "dead-letters", "latency", "breaker", "model-mismatch", "not-ready"}


def promtool(*arguments: str, folder: Path = RULES.parent) -> subprocess.CompletedProcess[str]:
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed; it is in Debian's package prometheus")
    command = ["promtool", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def test_prometheus_reads_its_configuration() -> None:
    done = promtool("check", "config", "prometheus.yml")
    assert done.returncode == 0, done.stderr


def test_each_alert_fires_where_it_should_and_nowhere_else() -> None:
    done = promtool("test", "rules", "rules_test.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    tests = yaml.safe_load((RULES.parent / "rules_test.yml").read_text())["tests"]
    fired = {case["alertname"] for test in tests for case in test["alert_rule_test"] if case["exp_alerts"]}
    assert fired == {rule["alert"] for rule in rules()}


def test_a_rule_that_tells_too_late_fails_its_test(tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(RULES.read_text().replace("for: 20m", "for: 25m"))
    shutil.copy(RULES.parent / "rules_test.yml", tmp_path)
    assert promtool("test", "rules", "rules_test.yml", folder=tmp_path).returncode != 0


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_an_alert_names_what_exists_and_what_to_do(rule: dict[str, dict[str, str]]) -> None:
    assert list(named(str(rule["expr"])))
    assert faults(str(rule["expr"])) == []
    page, anchor = rule["annotations"]["runbook"].split("#")
    assert page == "docs/operations.md"
    assert anchor in ANCHORS
    assert rule["labels"]["severity"] in {"page", "ticket"}


def test_every_runbook_anchor_is_used_and_is_in_the_page() -> None:
    assert {rule["annotations"]["runbook"].split("#")[1] for rule in rules()} == ANCHORS
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    there = {re.sub(r"[^\w -]", "", h.lower()).strip().replace(" ", "-") for h in headings}
    assert there | set(re.findall(r'<a (?:id|name)="([^"]+)"', text)) >= ANCHORS


def test_services_that_are_gone_are_told_of_whichever_it_is() -> None:
    readers = {service for topic in topics().values() for service in topic.consumers} - {"replay"}
    gone = next(rule for rule in rules() if rule["alert"] == "DemarcheGone")
    assert set(re.findall(r'absent\(demarche_build_info\{service="(\w+)"', gone["expr"])) == readers
    jobs = yaml.safe_load((RULES.parent / "prometheus.yml").read_text())["scrape_configs"]
    assert {target["labels"]["service"] for target in jobs[0]["static_configs"]} == readers


@pytest.mark.parametrize(("title", "query"), list(dashboard_queries()))
def test_a_panel_shows_what_exists(title: str, query: str) -> None:
    assert list(named(query)), title
    assert faults(query) == []


def test_a_query_for_what_does_not_exist_is_found() -> None:
    assert faults("rate(demarche_inference_padding_total[1m])") == ["no metric demarche_inference_padding_total"]
    assert faults('demarche_ready{stage="x"}') == ["demarche_ready has no label stage"]
    assert faults("sum by (reason) (demarche_ready)") == ["no label reason to group by"]


def test_the_dashboard_has_what_the_inference_stage_needs_and_nothing_lies_on_top() -> None:
    shown = {name for _, query in dashboard_queries() for name, _ in named(query)}
    assert shown >= {
        "demarche_records_consumed_total",
        "demarche_inference_batch_records_bucket",
        "demarche_inference_tokens_total",
        "demarche_stage_duration_seconds_sum",
        "demarche_article_latency_seconds_bucket",
        "demarche_consumer_lag_records",
    }
    everything = json.loads(DASHBOARD.read_text())["panels"]
    assert len({panel["id"] for panel in everything}) == len(everything)
    taken: set[tuple[int, int]] = set()
    for panel in everything:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        assert all(x < 24 for x, _ in cells)
        taken |= cells
    assert all(panel["description"] for panel in panels())


def test_grafana_finds_its_source_and_its_dashboard() -> None:
    source = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/prometheus.yaml").read_text())
    assert source["datasources"][0]["url"] == "http://prometheus:9090"
    provider = yaml.safe_load((DEPLOY / "grafana/provisioning/dashboards/demarche.yaml").read_text())["providers"][0]
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]["grafana"]
    mounts = dict(volume.split(":")[:2] for volume in compose["volumes"])
    assert mounts["./grafana/dashboards"] == provider["options"]["path"]
