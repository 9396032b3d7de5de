"""The topic table (topics.yaml) as typed data: what is on each topic, who writes and reads it, how it is laid out."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from schemas import records

DEAD_LETTER_MODEL = "DeadLetter"


class Topic(BaseModel):
    """One row of topics.yaml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Annotated[int, Field(ge=1)]
    model: str
    key: str | None = Field(description="The record's field that keys the topic; null: no key")
    producers: list[str]
    consumers: list[str]
    partitions: Annotated[int, Field(ge=1)]
    retention_hours: Annotated[int, Field(ge=0, description="0 keeps for ever")]
    cleanup: Literal["delete", "compact"]
    dead_letters: str | None

    @model_validator(mode="after")
    def _key_is_a_field(self) -> Topic:
        model = record_model(self.model)
        if self.key is not None and self.key not in model.model_fields:
            raise ValueError(f"key {self.key!r} is no field of {self.model}")
        return self

    @property
    def record(self) -> type[records.Versioned]:
        """The pydantic class of the topic's records."""
        return record_model(self.model)


def record_model(name: str) -> type[records.Versioned]:
    """The record class of that name in schemas.records; ValueError when there is none."""
    model = getattr(records, name, None)
    if not (isinstance(model, type) and issubclass(model, records.Versioned)):
        raise ValueError(f"schemas.records has no record model {name!r}")
    return model


@cache
def topics() -> MappingProxyType[str, Topic]:
    """The table by topic name, in the file's order, which is the order of the flow."""
    text = files("schemas").joinpath("topics.yaml").read_text(encoding="utf-8")
    table = TypeAdapter(dict[str, Topic]).validate_python(yaml.safe_load(text))
    for name, topic in table.items():
        if topic.dead_letters is not None and table[topic.dead_letters].model != DEAD_LETTER_MODEL:
            raise ValueError(f"{name}: {topic.dead_letters} does not hold dead letters")
    return MappingProxyType(table)


def input_topic(service: str) -> str:
    """The topic that the service reads; ValueError unless there is exactly one."""
    names = [name for name, topic in topics().items() if service in topic.consumers]
    if len(names) != 1:
        raise ValueError(f"{service} reads {len(names)} topics in topics.yaml, expected 1")
    return names[0]


def output_topic(service: str) -> str | None:
    """The topic that the service writes besides dead letters; None when it writes none."""
    names = [n for n, t in topics().items() if service in t.producers and t.model != DEAD_LETTER_MODEL]
    if len(names) > 1:
        raise ValueError(f"{service} writes {len(names)} topics in topics.yaml, expected at most 1")
    return names[0] if names else None
