"""What a stage is to the runtime: pure types, no Kafka."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeAlias, TypeVar

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
