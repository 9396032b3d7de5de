"""The checker of breaking changes, on made-up changes."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.contract.breaking import breaking_changes

BASE: dict[str, Any] = {
    "$defs": {
        "Side": {
            "type": "object",
            "properties": {
                "code": {"type": "string", "pattern": "^[A-Z]+$"},
                "parts": {"type": "array", "items": {"$ref": "#/$defs/Side"}},
            },
            "required": ["code"],
        }
    },
    "type": "object",
    "properties": {
        "claim": {"enum": ["asserted", "denied"], "type": "string"},
        "score": {"type": "number", "minimum": 0, "maximum": 1},
        "note": {"anyOf": [{"type": "string", "maxLength": 90}, {"type": "null"}]},
        "actor": {"$ref": "#/$defs/Side"},
        "span": {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "integer"}]},
        "extra": {"type": "object", "additionalProperties": {"type": "number"}},
    },
    "required": ["claim"],
}
Change = Callable[[dict[str, Any]], object]
BREAKING: dict[str, Change] = {
    "field removed": lambda s: s["properties"].pop("score"),
    "field newly required": lambda s: s["required"].append("score"),
    "new field required": lambda s: (s["properties"].update(x={"type": "string"}), s["required"].append("x")),
    "value removed": lambda s: s["properties"]["claim"].update(enum=["asserted"]),
    "values where any were": lambda s: s["properties"]["score"].update(enum=[0, 1]),
    "type changed": lambda s: s["properties"]["score"].update(type="string"),
    "type narrowed": lambda s: s["properties"]["score"].update(type="integer"),
    "null no longer": lambda s: s["properties"].update(note={"type": "string", "maxLength": 90}),
    "bound raised": lambda s: s["properties"]["score"].update(minimum=0.5),
    "bound lowered in an alternative": lambda s: s["properties"]["note"]["anyOf"][0].update(maxLength=9),
    "field removed in a definition": lambda s: s["$defs"]["Side"]["properties"].pop("parts"),
    "pattern changed in a definition": lambda s: s["$defs"]["Side"]["properties"]["code"].update(pattern="^[A-Z]{3}$"),
    "part of a tuple narrowed": lambda s: s["properties"]["span"]["prefixItems"][1].update(minimum=5),
    "values of a map narrowed": lambda s: s["properties"]["extra"]["additionalProperties"].update(type="integer"),
    "format added": lambda s: s["properties"]["note"]["anyOf"][0].update(format="date"),
}
HARMLESS: dict[str, Change] = {
    "nothing": lambda s: None,
    "optional field added": lambda s: s["properties"].update(extra2={"type": "string"}),
    "field no longer required": lambda s: s["required"].remove("claim"),
    "value added": lambda s: s["properties"]["claim"]["enum"].append("planned"),
    "null also": lambda s: s["properties"].update(score={"anyOf": [s["properties"]["score"], {"type": "null"}]}),
    "bound widened": lambda s: s["properties"]["score"].update(maximum=2),
    "bound dropped": lambda s: s["properties"]["score"].pop("maximum"),
    "description added": lambda s: s["properties"]["score"].update(description="how sure", title="Score"),
    "integer to number in a tuple": lambda s: s["properties"]["span"]["prefixItems"][0].update(type="number"),
    "definition renamed": lambda s: (
        s["$defs"].update(Party=s["$defs"]["Side"]),
        s["properties"].update(actor={"$ref": "#/$defs/Party"}),
    ),
}


def changed(change: Change) -> dict[str, Any]:
    schema = copy.deepcopy(BASE)
    change(schema)
    return schema


@pytest.mark.parametrize("name", BREAKING)
def test_breaking(name: str) -> None:
    assert len(breaking_changes(BASE, changed(BREAKING[name]))) == 1


@pytest.mark.parametrize("name", HARMLESS)
def test_harmless(name: str) -> None:
    assert breaking_changes(BASE, changed(HARMLESS[name])) == []


def test_the_message_names_the_field() -> None:
    assert breaking_changes(BASE, changed(BREAKING["value removed"])) == ["/claim: values removed: denied"]


@pytest.mark.parametrize(("least", "found"), [(1, 1), (2, 0)])
def test_a_new_kind_of_record_needs_a_version_that_old_readers_refuse(least: int, found: int) -> None:
    version = {"type": "integer", "minimum": 1, "maximum": 1}
    old = {"title": "Event", "type": "object", "properties": {"schema_version": version}}
    end = {"title": "End", "type": "object", "properties": {"schema_version": {**version, "minimum": least}}}
    new = {"$defs": {"Event": old, "End": end}, "oneOf": [{"$ref": "#/$defs/Event"}, {"$ref": "#/$defs/End"}]}
    assert len(breaking_changes(old, new)) == found
    assert breaking_changes(new, new) == []
