"""What a stage is to the runtime: pure types, no Kafka."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from pydantic import BaseModel

from schemas.records import Origin

In = TypeVar("In", bound=BaseModel)
Out = TypeVar("Out", bound=BaseModel)


@dataclass(frozen=True)
class Reject:
    """A record that the stage cannot handle; becomes a dead letter. `reason` is a short code, `detail` for people."""

    reason: str
    detail: str


@dataclass(frozen=True)
class Input(Generic[In]):
    """A decoded record, where it came from and when the loop read it (UTC)."""

    value: In
    origin: Origin
    read_at: datetime


Outcome: TypeAlias = list[Out] | Reject
Transform: TypeAlias = Callable[[Sequence[Input[In]]], list[Outcome[Out]]]
"""Pure: one outcome per input, in order."""


@dataclass(frozen=True)
class StateChange:
    """A record for the stage's changelog: the state under `key` of an input partition, None where it is dropped."""

    partition: int
    key: str
    value: BaseModel | None


class State(Protocol):
    """State that a transform keeps for each partition of its input, all of it told in its changelog.

    A transform with state is given one record at a time, and leaves the state as it was when it raises.
    """

    def restore(self, partition: int, key: str, value: Any) -> None:
        """Takes a record of the changelog, in the order they were written."""

    def forget(self, partition: int) -> None:
        """Drops what is kept for a partition."""

    def take_changes(self) -> list[StateChange]:
        """What changed since the last call."""
