"""Dockerfile and compose file: as far as they can be checked without an engine."""

from __future__ import annotations

import copy
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose

from schemas.topics import topics
from services.archive.settings import ArchiveSettings
from services.classify.settings import ClassifySettings
from services.desk.settings import DeskSettings
from tests.deploy.queries import DEPLOY

ROOT = DEPLOY.parent
DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
READERS = sorted({service for topic in topics().values() for service in topic.consumers} - {"replay"})
PINNED = re.compile(r"[\w./-]+:v?\d+\.\d+\.\d+[\w.-]*")


def compose(name: str = "compose.yaml") -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / name).read_text(encoding="utf-8"))
    return found


def services() -> dict[str, Any]:
    found: dict[str, Any] = compose()["services"]
    return found


@pytest.mark.parametrize("name", ["compose.yaml", "compose.cuda.yaml"])
def test_compose_files_follow_the_specification(name: str) -> None:
    assert PyCompose.from_yaml(yaml.safe_dump(compose(name))).service_names()


def test_a_misspelt_key_or_condition_would_be_found() -> None:
    for place in (("healthcheck", "heathcheck"), ("restart", "restrat")):
        broken = copy.deepcopy(compose())
        broken["services"]["desk"][place[1]] = broken["services"]["desk"].pop(place[0])
        with pytest.raises(ValueError, match=place[1]):
            PyCompose.from_yaml(yaml.safe_dump(broken))


def test_every_service_of_the_line_runs_guarded_and_is_watched() -> None:
    for name in READERS:
        service = services()[name]
        assert service["command"] == [f"services.{name}"]
        assert (ROOT / "services" / name / "__main__.py").exists()
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert "/readyz" in service["healthcheck"]["test"][-1]
        assert service["depends_on"]["topics"]["condition"] == "service_completed_successfully"


def test_what_runs_for_long_has_a_health_check_and_every_image_a_version() -> None:
    for name, service in services().items():
        assert PINNED.fullmatch(service["image"]), name
        if "once" not in service.get("profiles", []) and name != "topics":
            assert service["healthcheck"]["test"], name
            assert service["restart"] == "unless-stopped", name
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    stages = set(re.findall(r" AS (\S+)$", DOCKERFILE, re.MULTILINE))
    assert all(base in stages or PINNED.fullmatch(base) for base in bases)


def test_ports_are_open_to_this_machine_only() -> None:
    for service in services().values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


def test_volumes_and_files_that_are_mounted_exist() -> None:
    for name, service in services().items():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source in compose()["volumes"] or (DEPLOY / source).exists(), f"{name}: {source}"


def test_the_variables_that_are_set_are_settings() -> None:
    known = {f"DEMARCHE_{n.upper()}" for s in (ClassifySettings, DeskSettings, ArchiveSettings) for n in s.model_fields}
    known |= {"DEMARCHE_CACHE"}
    named = set(re.findall(r"\bDEMARCHE_[A-Z_]+", DOCKERFILE))
    for file in [*DEPLOY.glob("*.yaml"), *DEPLOY.glob("kubernetes/**/*.yaml")]:
        lines = [line for line in file.read_text().splitlines() if not line.lstrip().startswith("#")]
        named |= set(re.findall(r"\bDEMARCHE_[A-Z_]+", "\n".join(lines)))
    assert named <= known


def test_images_run_as_nobody_in_particular_and_copy_what_exists() -> None:
    last = DOCKERFILE.split("AS service", 1)[1]
    assert "USER 10001:10001" in last
    assert last.index("USER 10001") < last.index("ENTRYPOINT")
    for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE):
        for source in line.split()[:-1]:
            assert "*" in source or (ROOT / source).exists(), source
    shown = (DEPLOY / "Dockerfile.dockerignore").read_text().split()
    assert {f"!{name}" for name in ("pyproject.toml", "README.md", "LICENSE", "schemas", "services", "models")} <= set(
        shown
    )


def test_the_image_without_torch_has_all_that_classify_needs(tmp_path: Path) -> None:
    """Run as the image runs it: no torch, nothing of tests, from another folder, by the modules' names."""
    program = (
        "import sys\n"
        "for name in ('torch', 'transformers', 'confluent_kafka', 'pytest'): sys.modules[name] = None\n"
        "import services.cli, services.classify.__main__, services.desk.__main__, services.archive.__main__\n"
        "from services.classify.settings import ClassifySettings\n"
        "from services.classify.model import load_model\n"
        "print(type(load_model(ClassifySettings().model, 'auto', 1).backend).__name__)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-P", "-c", program],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "OnnxBackend\n"), done.stderr
