"""The topic table (topics.yaml) as typed data: what is on each topic, who writes and reads it, how it is laid out."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Annotated, Any, Literal, Union, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, TypeAdapter, model_validator

from schemas import records, resolved, state

DEAD_LETTER_MODEL = "DeadLetter"


class Topic(BaseModel):
    """One row of topics.yaml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Annotated[int, Field(ge=1)]
    model: str
    key: str | None = Field(description="The record's field that keys the topic; null: no key")
    every_partition: str | None = Field(
        default=None, description="Model of a second kind of record, told by its `kind`; each partition gets a copy"
    )
    producers: list[str]
    consumers: list[str]
    partitions: Annotated[int, Field(ge=1)]
    retention_hours: Annotated[int, Field(ge=0, description="0 keeps for ever")]
    cleanup: Literal["delete", "compact"]
    dead_letters: str | None
    changelog: bool = Field(default=False, description="State of its producer, which alone reads it")
    aside: bool = Field(default=False, description="Written beside its producer's loop, in answer to people")

    @model_validator(mode="after")
    def _key_is_a_field(self) -> Topic:
        model = record_model(self.model)
        if self.key is not None and self.key not in model.model_fields:
            raise ValueError(f"key {self.key!r} is no field of {self.model}")
        return self

    @property
    def record(self) -> type[records.Versioned]:
        """The pydantic class of the topic's records that have its key."""
        return record_model(self.model)

    @property
    def kinds(self) -> tuple[type[records.Versioned], ...]:
        """The classes of all kinds of records on the topic."""
        return tuple(record_model(name) for name in (self.model, self.every_partition) if name is not None)

    @property
    def shape(self) -> Any:
        """What a reader decodes: the record's class, or where there are two kinds their union."""
        return self.record if self.every_partition is None else _either(*self.kinds)


@cache
def _either(keyed: type[records.Versioned], other: type[records.Versioned]) -> Any:
    (kind,) = get_args(other.model_fields["kind"].annotation)

    def told(value: Any) -> str:
        # A kind that is not known is taken for the keyed one: its version then tells that it is newer.
        found = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)
        return (other if found == kind else keyed).__name__

    tagged = tuple(Annotated[model, Tag(model.__name__)] for model in (keyed, other))
    return Annotated[Union[tagged], Discriminator(told)]  # noqa: UP007


def record_model(name: str) -> type[records.Versioned]:
    """The record class of that name in schemas; ValueError when there is none."""
    model = next((getattr(module, name) for module in (records, resolved, state) if hasattr(module, name)), None)
    if not (isinstance(model, type) and issubclass(model, records.Versioned)):
        raise ValueError(f"schemas has no record model {name!r}")
    return model


@cache
def topics() -> MappingProxyType[str, Topic]:
    """The table by topic name, in the file's order, which is the order of the flow."""
    text = files("schemas").joinpath("topics.yaml").read_text(encoding="utf-8")
    table = TypeAdapter(dict[str, Topic]).validate_python(yaml.safe_load(text))
    for name, topic in table.items():
        if topic.dead_letters is not None and table[topic.dead_letters].model != DEAD_LETTER_MODEL:
            raise ValueError(f"{name}: {topic.dead_letters} does not hold dead letters")
        for service in topic.producers if topic.changelog else ():
            read = [t for t in table.values() if service in t.consumers and not t.changelog]
            if topic.cleanup != "compact" or any(t.partitions != topic.partitions for t in read):
                raise ValueError(f"{name}: a changelog is compacted and has as many partitions as what {service} reads")
    return MappingProxyType(table)


def input_topic(service: str) -> str:
    """The topic that the service reads; ValueError unless there is exactly one."""
    names = [name for name, topic in topics().items() if service in topic.consumers and not topic.changelog]
    if len(names) != 1:
        raise ValueError(f"{service} reads {len(names)} topics in topics.yaml, expected 1")
    return names[0]


def output_topic(service: str) -> str | None:
    """The topic that the service's loop writes besides dead letters and its own state; None when it writes none."""
    return _written(service, changelog=False)


def changelog_topic(service: str) -> str | None:
    """The topic of the service's state; None when it keeps none."""
    return _written(service, changelog=True)


def _written(service: str, *, changelog: bool) -> str | None:
    table = topics()
    written = [n for n, t in table.items() if service in t.producers and t.model != DEAD_LETTER_MODEL and not t.aside]
    names = [n for n in written if table[n].changelog == changelog]
    if len(names) > 1:
        raise ValueError(f"{service} writes {', '.join(names)} in topics.yaml, expected at most one topic")
    return names[0] if names else None
