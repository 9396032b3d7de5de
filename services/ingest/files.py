"""Which files are meant, in what form, and their articles one by one."""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from schemas.records import RawArticle
from services.ingest.jsonl import Line, read_lines
from services.ingest.rows import read_rows
from services.ingest.warc import read_warc

STANDARD_INPUT = "-"
SUFFIXES = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".tsv": "csv", ".warc": "warc"}
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

    `columns` names the column of a CSV file for a field that is called otherwise there. Broken gzip ends the file.
    """
    if name.lower().endswith(GZIP):
        unpacked = _Unpacked(stream)
        # warcio has a buffer of its own, which loses nothing when a read fails.
        stream = cast(BinaryIO, unpacked if form == "warc" else io.BufferedReader(unpacked))
    number = 0
    try:
        for line in _lines(stream, form, columns):
            number = line.number
            yield line
    except BrokenGzip as error:
        yield Line(number + 1, None, f"broken gzip, nothing more is read: {error}")


def _lines(stream: BinaryIO, form: str, columns: Mapping[str, str]) -> Iterator[Line[RawArticle]]:
    if form == "csv":
        return read_rows(stream, columns)
    return read_warc(stream) if form == "warc" else read_lines(stream, RawArticle)


class BrokenGzip(OSError):
    """A file that gzip cannot unpack to its end."""


class _Unpacked(io.RawIOBase):
    """What gzip packed. Whatever is wrong with it is one kind of error, which no reader takes for the file's end."""

    def __init__(self, stream: BinaryIO) -> None:
        self._file = gzip.GzipFile(fileobj=stream)

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, into: Any) -> int:
        """The next bytes, as many as are at hand before trouble comes; none at the end."""
        try:
            return self._file.readinto1(into)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise BrokenGzip(str(error)) from error
