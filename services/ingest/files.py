"""Which files are meant, in what form, and their articles one by one."""

from __future__ import annotations

import gzip
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from schemas.records import RawArticle
from services.ingest.jsonl import Line, read_lines
from services.ingest.rows import read_rows

STANDARD_INPUT = "-"
SUFFIXES = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".tsv": "csv"}
GZIP = ".gz"


def expand(names: Sequence[str]) -> list[str]:
    """The files behind the names, in order: of a folder all of a known form in and under it, by name.

    Raises OSError for a name that is not there or a folder that has none.
    """
    found: list[str] = []
    for name in names:
        path = Path(name)
        if name == STANDARD_INPUT or not path.is_dir():
            if name != STANDARD_INPUT and not path.exists():
                raise FileNotFoundError(f"no file or folder {name}")
            found.append(name)
            continue
        inside = sorted(str(p) for p in path.rglob("*") if p.is_file() and _suffix(p.name) in SUFFIXES)
        if not inside:
            raise FileNotFoundError(
                f"{name} has no files that end in {', '.join(sorted(SUFFIXES))} (or these with .gz)"
            )
        found += inside
    return found


def _suffix(name: str) -> str:
    return Path(name.lower().removesuffix(GZIP)).suffix


def form_of(name: str) -> str:
    """jsonl, csv or warc, by the name's ending; what is not known is taken for JSON lines."""
    return SUFFIXES.get(_suffix(name), "jsonl")


@contextmanager
def opened(name: str) -> Iterator[BinaryIO]:
    """A file to read, or standard input for "-". Raises OSError."""
    if name == STANDARD_INPUT:
        yield sys.stdin.buffer
    else:
        with open(name, "rb") as stream:
            yield stream


def read(name: str, stream: BinaryIO, form: str, columns: Mapping[str, str]) -> Iterator[Line[RawArticle]]:
    """The articles of an open file, each with the number of its line or record; those that are none with a reason.

    `columns` names the column of a CSV file for a field that is called otherwise there. OSError for broken gzip.
    """
    if name.lower().endswith(GZIP):
        stream = cast(BinaryIO, gzip.GzipFile(fileobj=stream))
    if form == "csv":
        return read_rows(stream, columns)
    return read_lines(stream, RawArticle)
