"""The AsyncAPI document: valid by its own validator, whole, and true to the topics and the records."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from schemas.generate import ASYNCAPI, FOLDER
from schemas.topics import topics
from tests.contract.test_schemas import examples
from tests.node.install import require_node, run_node

PATH = FOLDER / ASYNCAPI
ERROR, WARNING = 0, 1


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    found = yaml.safe_load(PATH.read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def parsed(path: Path) -> dict[str, Any]:
    done = run_node(require_node() / "asyncapi.js", str(path))
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def test_its_own_validator_finds_nothing_and_sees_all() -> None:
    said = parsed(PATH)
    assert [d for d in said["diagnostics"] if d["severity"] in (ERROR, WARNING)] == []
    assert said["channels"] == list(topics())
    flow = {f"{s}-writes-{n}" for n, t in topics().items() for s in t.producers}
    flow |= {f"{s}-reads-{n}" for n, t in topics().items() for s in t.consumers}
    assert set(said["operations"]) == flow


def test_the_validator_does_find_what_is_wrong(document: dict[str, Any], tmp_path: Path) -> None:
    first, second, *_ = document["operations"]
    broken = {**document, "operations": {first: {"action": "shout"}, second: {"channel": {"$ref": "#/nowhere"}}}}
    (tmp_path / "broken.yaml").write_text(yaml.safe_dump(broken))
    places = {d["path"].split("/")[1] for d in parsed(tmp_path / "broken.yaml")["diagnostics"] if "/" in d["path"]}
    assert {first, second} <= places


@pytest.mark.parametrize("topic", topics())
def test_examples_fit_the_document_too(topic: str, document: dict[str, Any]) -> None:
    kinds = {model.__name__: _validator(document, topic, model.__name__) for model in topics()[topic].kinds}
    for example in examples(topic):
        assert [name for name, validator in kinds.items() if validator.is_valid(example)] == [_kind(topic, example)]
    for name, validator in kinds.items():
        example = next(example for example in examples(topic) if _kind(topic, example) == name)
        required = document["components"]["schemas"][name]["required"]
        assert not validator.is_valid({key: value for key, value in example.items() if key != required[-1]})


def _kind(topic: str, example: dict[str, Any]) -> str:
    return "ArticleEnd" if example.get("kind") == "article_end" else topics()[topic].model


def _validator(document: dict[str, Any], topic: str, kind: str) -> Draft202012Validator:
    payload: Any = document
    for part in document["channels"][topic]["messages"][kind]["$ref"].removeprefix("#/").split("/"):
        payload = payload[part]
    schema = {**payload["payload"], "components": {"schemas": document["components"]["schemas"]}}
    return Draft202012Validator(_with_tuples(schema))


def _with_tuples(schema: Any) -> Any:
    """The schema as draft 2020-12 has it, where a tuple's parts do not stand under `items`."""
    if isinstance(schema, dict):
        return {
            "prefixItems" if key == "items" and isinstance(value, list) else key: _with_tuples(value)
            for key, value in schema.items()
        }
    return [_with_tuples(part) for part in schema] if isinstance(schema, list) else schema
