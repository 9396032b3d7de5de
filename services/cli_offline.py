"""The verbs that need no broker: extract, classify, actors. JSON lines in, JSON lines out, in windows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from datetime import date as Day
from itertools import islice
from typing import Any, BinaryIO, Literal, TextIO, TypeVar

from pydantic import BaseModel

from schemas.records import CleanArticle, ExtractedEvents, Origin, RawArticle
from schemas.resolved import ArticleEnd, Resolved
from services.classify.pairs import PairAnswer, PairQuestion
from services.cli_flat import flat_event, with_raw_quotes
from services.ingest.jsonl import read_lines
from services.normalize.transform import normalize
from services.resolve.actors import code_actor
from services.resolve.transform import resolve
from services.stage import In, Input, Out, Reject, Transform
from services.track.transform import Tracker

ARTICLES = 64
PAIRS = 512
"""Lines of one window: enough for full batches of sentences of like length, little enough to stream."""

Format = Literal["full", "flat"]
M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")


@dataclass
class Reader:
    """Reads lines and tells of bad ones on `err`; `bad` counts them."""

    stream: BinaryIO
    err: TextIO
    bad: int = field(default=0)

    def records(self, model: type[M]) -> Iterator[tuple[int, M]]:
        """Line number and record of every good line."""
        for line in read_lines(self.stream, model):
            if line.record is None:
                self.refuse(line.number, line.reason)
            else:
                yield line.number, line.record

    def refuse(self, number: int, reason: str) -> None:
        """A line that gives no result."""
        self.bad += 1
        self.err.write(f"line {number}: {reason}\n")
        self.err.flush()

    @property
    def code(self) -> int:
        """Exit code: 1 when a line was bad."""
        return 1 if self.bad else 0


def extract(reader: Reader, out: TextIO, form: Format, classify: Transform[CleanArticle, ExtractedEvents]) -> int:
    """Articles to events: normalize, classify, resolve, track. An article that a stage rejects counts as a bad line."""
    tracker = Tracker()
    for window in _windows(reader.records(RawArticle), ARTICLES):
        now = datetime.now(UTC)
        raws = dict(window)
        clean = _stage(normalize, raws, now, reader)
        extracted = _stage(classify, _single(clean), now, reader)
        resolved = _stage(resolve, _single(extracted), now, reader)
        for number, events in resolved.items():
            for record in events:
                if form == "full":
                    rows = _full(record, raws[number], tracker, now)
                else:
                    rows = [] if isinstance(record, ArticleEnd) else [flat_event(record, raws[number])]
                for row in rows:
                    _write(out, row)
    return reader.code


def classify_pairs(
    reader: Reader, out: TextIO, answer: Callable[[Sequence[PairQuestion]], Sequence[PairAnswer]]
) -> int:
    """Sentences with their two sides given to types, tones, peace stance and claim."""
    for window in _windows(reader.records(PairQuestion), PAIRS):
        for found in answer([question for _, question in window]):
            _write(out, found.model_dump(exclude={"event_score"}))
    return reader.code


class Name(BaseModel):
    """A name or description of a side, the day it is said of and words around it. `id` comes back."""

    id: str | int
    text: str
    date: Day | None = None
    context: str = ""


def code_actors(reader: Reader, out: TextIO) -> int:
    """Names and descriptions to country, sector, name and office; null where unknown."""
    for _, name in reader.records(Name):
        found = code_actor(name.text, name.date, name.context)
        row = {"country": found.country, "sector": found.sector, "name": found.name, "office": found.office}
        _write(out, {"id": name.id, **row})
    return reader.code


def _windows(items: Iterable[T], size: int) -> Iterator[list[T]]:
    waiting = iter(items)
    while window := list(islice(waiting, size)):
        yield window


def _stage(
    transform: Transform[In, Out], records: dict[int, In], now: datetime, reader: Reader
) -> dict[int, list[Out]]:
    """What a stage makes of the records, by line number; rejected ones are told and left out."""
    inputs = [
        Input(record, Origin(topic="articles.raw", partition=0, offset=number), now)
        for number, record in records.items()
    ]
    made: dict[int, list[Out]] = {}
    for number, outcome in zip(records, transform(inputs), strict=True):
        if isinstance(outcome, Reject):
            reader.refuse(number, f"{outcome.reason}: {outcome.detail}")
        else:
            made[number] = outcome
    return made


def _single(made: dict[int, list[Out]]) -> dict[int, Out]:
    return {number: records[0] for number, records in made.items()}


def _full(record: Resolved, raw: RawArticle, tracker: Tracker, now: datetime) -> list[dict[str, Any]]:
    """The event in its story among all that this run has read; of an article's end what the article took back."""
    [outcome] = tracker.track([Input(record, Origin(topic="events.resolved", partition=0, offset=0), now)])
    if isinstance(outcome, Reject):
        raise ValueError(f"{outcome.reason}: {outcome.detail}")
    tracker.take_changes()  # Nothing is restored from an offline run.
    # The raw article at hand is this event's, not that of what is withdrawn.
    quotes = {} if isinstance(record, ArticleEnd) else with_raw_quotes(record, raw)
    # No service handled it at a time: the same input, the same bytes.
    return [made.model_copy(update={"processed_at": None, **quotes}).model_dump(mode="json") for made in outcome]


def _write(out: TextIO, row: dict[str, Any]) -> None:
    out.write(json.dumps(row, ensure_ascii=False) + "\n")
