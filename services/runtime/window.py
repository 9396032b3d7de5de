"""One window of records on its way through a stage: decode, transform, encode. No Kafka client in here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from schemas.records import Origin
from services.runtime.codec import dead_letter, decode, encode, key_of
from services.stage import In, Input, Out, Outcome, Reject, State, Transform

Sink = Callable[[Sequence[Input[In]]], None]
T = TypeVar("T", bound=BaseModel)
DETAIL_CHARACTERS = 1000
EVERY_PARTITION = -1
ONLY_FOR = "demarche-only-for"
"""Header of a record that a replay put back: the stage that had not handled it. Other readers have had it."""
MEMORY_WORDS = ("out of memory", "std::bad_alloc", "failed to allocate", "cannot allocate memory")


@dataclass(frozen=True)
class Stage(Generic[In, Out]):
    """A service: its name in topics.yaml and what it does with a window.

    `transform` makes outcomes, one per input. `sink` is called with the inputs of a whole window before its offsets
    are committed; called again with the same inputs after a crash, it must leave the same result. `state` is what
    the transform keeps from record to record; the loop writes its changes with the outputs.
    """

    name: str
    transform: Transform[In, Out] | None = None
    sink: Sink[In] | None = None
    state: State | None = None


@dataclass(frozen=True)
class Route:
    """Where a stage's records go: names on the broker, the outputs' key field, the limit of a record in bytes, and the
    kind of output that goes to every partition, if there is one."""

    stage: str
    target: str | None
    key_field: str | None
    dead_letters: str
    max_bytes: int
    everywhere: type[BaseModel] | None = None


@dataclass(frozen=True)
class Outgoing:
    """A record to write; `topic` is the name on the broker. No value drops the key; no partition: by the key;
    EVERY_PARTITION: a copy on each."""

    topic: str
    key: bytes | None
    value: bytes | None
    partition: int | None = None
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True)
class Raw:
    """A record as it came from the broker; `only_for` names the one stage that a replay put it back for."""

    origin: Origin
    key: bytes | None
    value: bytes | None
    only_for: str | None = None


@dataclass(frozen=True)
class Done(Generic[In, Out]):
    """A record and what became of it; `input` is None when it could not be decoded."""

    raw: Raw
    input: Input[In] | None
    outcome: Outcome[Out]


class Stopped(Exception):
    """A stop was asked for in mid-window; nothing of the window is to be kept."""


def decode_window(model: type[T], raws: Sequence[Raw], max_bytes: int) -> list[Input[T] | Reject]:
    """Each record decoded, or why it cannot be."""
    now = datetime.now(UTC)
    decoded = [decode(model, raw.value, max_bytes) for raw in raws]
    return [
        d if isinstance(d, Reject) else Input(value=d, origin=raw.origin, read_at=now)
        for raw, d in zip(raws, decoded, strict=True)
    ]


def run_transform(
    transform: Transform[In, Out] | None,
    decoded: Sequence[Input[In] | Reject],
    slice_records: int,
    check: Callable[[], None],
) -> list[Outcome[Out]]:
    """The outcome of every record, in order; `check` is called before each slice and may raise Stopped."""
    inputs = [d for d in decoded if not isinstance(d, Reject)]
    results: list[Outcome[Out]] = []
    for start in range(0, len(inputs), slice_records):
        check()
        part = inputs[start : start + slice_records]
        results.extend(_outcomes(transform, part, check) if transform else [[] for _ in part])
    following = iter(results)
    return [d if isinstance(d, Reject) else next(following) for d in decoded]


def _outcomes(
    transform: Transform[In, Out], inputs: Sequence[Input[In]], check: Callable[[], None]
) -> list[Outcome[Out]]:
    """Runs the transform; when it raises, runs it record by record to find those that make it raise."""
    try:
        return _counted(transform(inputs), len(inputs))
    except Exception as error:
        if is_trouble(error):
            raise
    outcomes: list[Outcome[Out]] = []
    for single in inputs:
        check()
        try:
            outcomes.extend(_counted(transform([single]), 1))
        except Exception as error:
            if is_trouble(error):
                raise
            outcomes.append(Reject("transform_error", f"{type(error).__name__}: {error}"[:DETAIL_CHARACTERS]))
    return outcomes


def _counted(outcomes: list[Any], expected: int) -> list[Any]:
    if len(outcomes) != expected:
        raise ValueError(f"the transform gave {len(outcomes)} outcomes for {expected} records")
    return outcomes


def is_trouble(error: Exception) -> bool:
    """Whether the error tells of the machine (memory, files, network), not of the record."""
    return isinstance(error, OSError) or is_out_of_memory(error)


def is_out_of_memory(error: Exception) -> bool:
    """Whether the error tells of a lack of memory, as Python or a library of C tells it."""
    return isinstance(error, MemoryError) or any(words in str(error).lower() for words in MEMORY_WORDS)


def encode_window(done: Sequence[Done[In, Out]], route: Route) -> tuple[list[Outgoing], list[Reject | None]]:
    """What to write, in order, and for each record its Reject, if it has one."""
    outgoing: list[Outgoing] = []
    rejects: list[Reject | None] = []
    for d in done:
        made = _encoded(d.outcome, route)
        if isinstance(made, Reject):
            letter = dead_letter(route.stage, made, d.raw.origin, d.raw.key, d.raw.value, route.max_bytes)
            outgoing.append(Outgoing(route.dead_letters, None, encode(letter)))
            rejects.append(made)
        else:
            outgoing.extend(made)
            rejects.append(None)
    return outgoing, rejects


def _encoded(outcome: Outcome[Out], route: Route) -> list[Outgoing] | Reject:
    if isinstance(outcome, Reject):
        return outcome
    if not outcome:
        return []
    if route.target is None:
        return Reject("no_output_topic", f"{route.stage} made a record but writes no topic")
    made = [_placed(route.target, record, route) for record in outcome]
    # The client refuses a record that passes the limit with its framing.
    limit = route.max_bytes * 99 // 100
    largest = max(len(o.value or b"") for o in made)
    return Reject("output_oversize", f"{largest} bytes, limit {limit}") if largest > limit else made


def _placed(target: str, record: BaseModel, route: Route) -> Outgoing:
    if route.everywhere is not None and isinstance(record, route.everywhere):
        return Outgoing(target, None, encode(record), EVERY_PARTITION)
    return Outgoing(target, key_of(record, route.key_field), encode(record))
