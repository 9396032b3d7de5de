"""Articles from several JSON-lines sources, ready for articles.raw."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import BinaryIO

from schemas.records import RawArticle
from services.ingest.jsonl import Line, read_lines

STANDARD_INPUT = "-"


@contextmanager
def opened(name: str) -> Iterator[BinaryIO]:
    """A file to read, or standard input for "-". Raises OSError."""
    if name == STANDARD_INPUT:
        yield sys.stdin.buffer
    else:
        with open(name, "rb") as stream:
            yield stream


def read_articles(
    names: Sequence[str], now: Callable[[], datetime], refused: Callable[[str, Line[RawArticle]], None]
) -> Iterator[RawArticle]:
    """The articles of all sources in order, stamped with the time they were read; `refused` hears of every bad line."""
    for name in names:
        with opened(name) as stream:
            for line in read_lines(stream, RawArticle):
                if line.record is None:
                    refused(name, line)
                elif line.record.ingested_at is None:
                    yield line.record.model_copy(update={"ingested_at": now()})
                else:
                    yield line.record
