"""The AsyncAPI 3 document of all topics: where records travel, who sends and receives them, what they hold."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import models_json_schema

from schemas.records import SCHEMA_VERSION, Versioned
from schemas.topics import Topic, topics

HOUR_MS = 3_600_000
DESCRIPTION = (
    "Articles in, structured diplomatic events out. Generated from schemas/topics.yaml and the record models by "
    "`make schemas`; an example of every record is in schemas/examples, the rules of change are in docs/contracts.md. "
    "Values are JSON in UTF-8, keys are UTF-8 text. Read with isolation.level=read_committed: records are written in "
    "transactions, and those of an aborted one must not be seen."
)


def document() -> dict[str, Any]:
    """The whole document, ready to be written as YAML or JSON. It refers to nothing outside itself."""
    table = topics()
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "demarche",
            "version": f"{SCHEMA_VERSION}",
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "kafka": {"host": "127.0.0.1:9092", "protocol": "kafka", "description": "DEMARCHE_BOOTSTRAP of a service"}
        },
        "channels": {name: _channel(name, topic) for name, topic in table.items()},
        "operations": {
            key: operation for name, topic in table.items() for key, operation in _operations(name, topic).items()
        },
        "components": {
            "messages": {
                _message_id(name, topic, model): _message(topic, model)
                for name, topic in table.items()
                for model in topic.kinds
            },
            "schemas": _record_schemas(),
        },
    }


def _channel(name: str, topic: Topic) -> dict[str, Any]:
    retention = topic.retention_hours * HOUR_MS or -1
    return {
        "address": name,
        "description": _documentation(topic.record),
        "messages": {
            model.__name__: {"$ref": f"#/components/messages/{_message_id(name, topic, model)}"}
            for model in topic.kinds
        },
        "bindings": {
            "kafka": {
                "topic": name,
                "partitions": topic.partitions,
                "topicConfiguration": {"cleanup.policy": [topic.cleanup], "retention.ms": retention},
                "bindingVersion": "0.5.0",
            }
        },
    }


def _message_id(name: str, topic: Topic, model: type[Versioned]) -> str:
    """The topic's name; for its second kind with that kind's name behind it."""
    return name if model is topic.record else f"{name}.{model.__name__}"


def _message(topic: Topic, model: type[Versioned]) -> dict[str, Any]:
    keyed = topic.key is not None and model is topic.record
    key = f"The record's {topic.key}" if keyed else "No key"
    return {
        "name": model.__name__,
        "title": f"{model.__name__}, version {model.model_fields['schema_version'].default}",
        "contentType": "application/json",
        "payload": {"$ref": f"#/components/schemas/{model.__name__}"},
        "bindings": {
            "kafka": {
                "key": {"type": "string" if keyed else "null", "description": key},
                "bindingVersion": "0.5.0",
            }
        },
    }


def _operations(name: str, topic: Topic) -> dict[str, Any]:
    """An operation for each service that writes or reads the topic."""
    sides = [("send", "writes", service) for service in topic.producers]
    sides += [("receive", "reads", service) for service in topic.consumers]
    return {
        f"{service}-{verb}-{name}": {
            "action": action,
            "summary": f"{service} {verb} {name}",
            "channel": {"$ref": f"#/channels/{name}"},
            "messages": [{"$ref": f"#/channels/{name}/messages/{model.__name__}"} for model in topic.kinds],
            "tags": [{"name": service}],
        }
        for action, verb, service in sides
    }


def _record_schemas() -> dict[str, Any]:
    """The schemas of all records and their parts by name."""
    models = dict.fromkeys(model for topic in topics().values() for model in topic.kinds)
    _, whole = models_json_schema(
        [(model, "serialization") for model in models], ref_template="#/components/schemas/{model}"
    )
    schemas: dict[str, Any] = _draft7(whole["$defs"])
    return schemas


def _draft7(schema: Any) -> Any:
    """AsyncAPI's own schemas follow draft 7, in which a tuple's parts stand under `items`."""
    if isinstance(schema, dict):
        return {"items" if key == "prefixItems" else key: _draft7(value) for key, value in schema.items()}
    return [_draft7(part) for part in schema] if isinstance(schema, list) else schema


def _documentation(model: type[Versioned]) -> str:
    return " ".join((model.__doc__ or "").split())
