"""What the queries of rules and dashboards name, and what the services' metrics offer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from schemas.records import ModelInfo
from services.runtime.metrics import Metrics

DEPLOY = Path(__file__).parents[2] / "deploy"
RULES = DEPLOY / "prometheus" / "rules.yml"
DASHBOARD = DEPLOY / "grafana" / "dashboards" / "inference.json"
SCRAPE_LABELS = {"job", "instance", "service"}
STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
SELECTOR = re.compile(r"\b((?:demarche|process)_\w+|up|ALERTS)\b(\{[^}]*\})?")
GROUPING = re.compile(r"\bby \(([^)]*)\)")


def rules() -> list[dict[str, Any]]:
    """The alerts, in the file's order."""
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    """The dashboard's panels that show data."""
    return [p for p in json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"] if p["type"] != "row"]


def dashboard_queries() -> Iterator[tuple[str, str]]:
    """Title and query of each target, as Prometheus is to be asked."""
    for panel in panels():
        for target in panel["targets"]:
            yield panel["title"], target["expr"].replace("$__rate_interval", "1m")


def offered() -> dict[str, set[str]]:
    """Name of each series that a service can show → its own labels."""
    metrics = Metrics("classify")
    metrics.flow("in", "out")
    metrics.readiness(lambda: True)
    metrics.breaker(0.0)
    with metrics.phase("infer").time():
        pass
    metrics.model(ModelInfo(name="m", version="v", sha256="0"), "onnx")
    metrics.batch(1, 1, 1)
    metrics.rejected("in", "empty")
    metrics.latency("in", 1.0)
    metrics.lag("in", 0, 1)
    metrics.transaction("committed", 1.0)
    metrics.webhook_call("sent")
    return {s.name: set(s.labels) for family in metrics.registry.collect() for s in family.samples}


def named(query: str) -> Iterator[tuple[str, set[str]]]:
    """Each series that a query names, with the labels that it is selected by."""
    bare = STRING.sub('""', query)
    for name, selector in SELECTOR.findall(bare):
        yield name, set(re.findall(r"(\w+)\s*[=!]", selector))


def faults(query: str) -> list[str]:
    """Series that no service shows, and labels that these series do not have."""
    there = {**offered(), "up": set(), "ALERTS": {"alertname", "alertstate"}}
    found, together = [], set(SCRAPE_LABELS)
    for name, labels in named(query):
        if name not in there:
            found.append(f"no metric {name}")
            continue
        together |= there[name]
        found += [f"{name} has no label {label}" for label in labels - there[name] - SCRAPE_LABELS]
    for group in GROUPING.findall(query):
        found += [f"no label {label} to group by" for label in set(re.split(r",\s*", group)) - together]
    return found
