"""The pages for those who run demarche name what is there: metrics, variables, commands, exit codes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from prometheus_client import Counter, Histogram

from services import cli
from services.archive.settings import ArchiveSettings
from services.classify.settings import ClassifySettings
from services.desk.settings import DeskSettings
from services.runtime import service
from services.runtime.metrics import Metrics
from services.runtime.watchdog import EXIT_STUCK

ROOT = Path(__file__).parents[2]
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
SECURITY = (ROOT / "SECURITY.md").read_text()
OUTSIDE_SETTINGS = {"DEMARCHE_CACHE"}


def metric_names() -> set[str]:
    """As /metrics shows them, a histogram by its base name."""
    found = set()
    for family in Metrics("normalize").registry.collect():
        if family.name.startswith("demarche_"):
            found.add(family.name + ("_total" if family.type == Counter._type else ""))
            assert family.type in (Counter._type, Histogram._type, "gauge")
    return found


def test_every_metric_is_explained_and_no_other() -> None:
    table = OPERATIONS.split("## What to watch")[1].split("## What to do when")[0]
    named = set(re.findall(r"`(demarche_[a-z_]+)", table))
    assert named == metric_names()


@pytest.mark.parametrize("page", [OPERATIONS, SECURITY])
def test_every_variable_is_a_setting(page: str) -> None:
    named = set(re.findall(r"DEMARCHE_[A-Z_]*[A-Z]", page))
    there = {f"DEMARCHE_{n.upper()}" for s in (ClassifySettings, DeskSettings, ArchiveSettings) for n in s.model_fields}
    assert named - OUTSIDE_SETTINGS
    assert named - there - OUTSIDE_SETTINGS == set()


def test_every_command_can_be_given() -> None:
    lines = re.findall(r"^demarche (.+?)(?:\s+#.*)?$", OPERATIONS, re.MULTILINE)
    assert len(lines) >= 5
    for line in lines:
        cli.parser().parse_args(line.split())


def test_every_exit_code_is_explained() -> None:
    told = {int(code) for code in re.findall(r"^\| (\d+) \|", OPERATIONS, re.MULTILINE)}
    codes = {value for name, value in vars(service).items() if name.startswith("EXIT_")}
    assert told == {0, EXIT_STUCK, *codes}


def test_every_reason_that_is_named_exists() -> None:
    source = "".join(path.read_text() for path in (ROOT / "services").rglob("*.py"))
    paragraph = OPERATIONS.split("### Dead letters")[1].split("### Breaker")[0].split("```")[2]
    reasons = re.findall(r"`([a-z0-9_]+)`", paragraph)
    assert len(reasons) >= 9
    assert [reason for reason in reasons if f'"{reason}"' not in source] == []
