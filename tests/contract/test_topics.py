"""topics.yaml against the services that exist and what they write; purity of the stages."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from schemas.topics import DEAD_LETTER_MODEL, input_topic, topics

ROOT = Path(__file__).parents[2]
SERVICES = ROOT / "services"
NOT_PURE = {"kafka", "prometheus_client", "confluent_kafka"}
LAST = {"alerts", "feedback"}
"""Topics that people and other systems read, none of our services."""
TOPIC_LIKE = re.compile(r"(?:articles|events|alerts|track)(?:\.[a-z_]+)*\.[a-z_]+|alerts")


def stages() -> set[str]:
    """Services that run as a process of their own and read a topic; ingest is where the line begins."""
    return {path.parent.name for path in SERVICES.glob("*/__main__.py")} - {"ingest"}


def test_every_topic_is_written_and_read_by_services_that_exist() -> None:
    there = {path.parent.name for path in SERVICES.glob("*/__init__.py")}
    for name, topic in topics().items():
        assert topic.producers, f"nobody writes {name}"
        assert set(topic.producers) | set(topic.consumers) <= there, name
        if topic.model != DEAD_LETTER_MODEL and name not in LAST:
            assert topic.consumers, f"nobody reads {name}"


def test_every_stage_reads_one_topic_and_its_dead_letters_have_a_place() -> None:
    assert stages()
    for service in stages():
        read = [topic for topic in topics().values() if service in topic.consumers and not topic.changelog]
        assert len(read) == 1, service
        assert read[0].dead_letters is not None
        assert service in topics()[read[0].dead_letters].producers


def test_dead_letter_topics_belong_to_the_topic_they_are_named_after() -> None:
    for name, topic in topics().items():
        if topic.dead_letters is not None:
            assert topic.dead_letters == f"{name}.dlq"
            assert sorted(topics()[topic.dead_letters].producers) == sorted(topic.consumers)


def test_a_changelog_is_its_service_s_own_and_lies_beside_its_input() -> None:
    changelogs = {name: topic for name, topic in topics().items() if topic.changelog}
    assert changelogs
    for topic in changelogs.values():
        assert topic.producers == topic.consumers
        assert len(topic.producers) == 1
        assert topic.cleanup == "compact"
        assert topic.partitions == topics()[input_topic(topic.producers[0])].partitions


def strings(path: Path) -> list[str]:
    """String constants of a module, docstrings left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    return [
        n.value
        for n in ast.walk(tree)
        if isinstance(n, ast.Constant) and isinstance(n.value, str) and id(n) not in docs
    ]


def test_no_code_names_a_topic_that_is_not_there() -> None:
    named = {
        (path.relative_to(ROOT).as_posix(), text)
        for path in SERVICES.rglob("*.py")
        for text in strings(path)
        if TOPIC_LIKE.fullmatch(text)
    }
    unknown = sorted((path, text) for path, text in named if text not in topics())
    assert unknown == []


def imported(path: Path) -> set[str]:
    """Top-level names of the packages that a module imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


def own_imports(path: Path) -> set[Path]:
    """Modules of this project that a module imports."""
    found: set[Path] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            for file in (ROOT / f"{name.replace('.', '/')}.py", ROOT / name.replace(".", "/") / "__init__.py"):
                if name.split(".")[0] in {"services", "schemas"} and file.is_file():
                    found.add(file)
    return found


PURE = sorted([*SERVICES.glob("*/transform.py"), *SERVICES.glob("*/batching.py"), *(ROOT / "schemas").glob("*.py")])


@pytest.mark.parametrize("path", PURE, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_stage_logic_and_schemas_are_pure(path: Path) -> None:
    """Neither the module nor any module of ours that it pulls in imports a Kafka or metrics client."""
    seen: set[Path] = set()
    waiting = [path]
    while waiting:
        module = waiting.pop()
        if module not in seen:
            seen.add(module)
            assert not imported(module) & NOT_PURE, module
            waiting += own_imports(module)


def test_the_purity_check_finds_an_import(tmp_path: Path) -> None:
    module = tmp_path / "transform.py"
    module.write_text("def f():\n    from kafka.errors import KafkaError\n    import prometheus_client.core\n")
    assert imported(module) == {"kafka", "prometheus_client"}
