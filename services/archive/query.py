"""A query's rows as a table for people, as CSV or as JSON lines."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal, TextIO

import duckdb

from services.archive.reading import QueryError, ask, connect

Format = Literal["table", "csv", "jsonl"]
Row = tuple[Any, ...]
BATCH = 1000
TABLE_ROWS = 1000
CELL = 60


def query(folder: Path, sql: str, form: Format, out: TextIO) -> int:
    """Prints what the statement finds in the archive; how many rows. QueryError when it cannot be run."""
    with connect(folder) as connection:
        result = ask(connection, sql)
        names = [column[0] for column in result.description or []]
        if form == "table":
            return write_table(names, rows(result), out)
        return write_csv(names, rows(result), out) if form == "csv" else write_jsonl(names, rows(result), out)


def rows(result: duckdb.DuckDBPyConnection) -> Iterator[Row]:
    """The rows, some at a time; QueryError when the archive changes under the reader."""
    try:
        while some := result.fetchmany(BATCH):
            yield from some
    except (duckdb.Error, OSError) as error:
        raise QueryError(f"{error} (small files are merged now and then: try again)") from None


def write_table(names: Sequence[str], found: Iterator[Row], out: TextIO) -> int:
    """Columns under each other, long cells cut, the first 1,000 rows; how many rows there are."""
    shown: list[list[str]] = []
    count = 0
    for row in found:
        count += 1
        if count <= TABLE_ROWS:
            shown.append([short(text(value)) for value in row])
    widths = [max(map(len, column)) for column in zip(names, *shown, strict=True)]
    for line in ([*names], ["-" * width for width in widths], *shown):
        out.write("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() + "\n")
    if count > TABLE_ROWS:
        out.write(f"… and {count - TABLE_ROWS} more rows; --format csv prints all\n")
    return count


def write_csv(names: Sequence[str], found: Iterator[Row], out: TextIO) -> int:
    """A header and the rows; lists as JSON, nothing for null. How many rows."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names)
    count = 0
    for row in found:
        writer.writerow([text(value) for value in row])
        count += 1
    return count


def write_jsonl(names: Sequence[str], found: Iterator[Row], out: TextIO) -> int:
    """A JSON object per row; QueryError when two columns have one name. How many rows."""
    if twice := {name for name in names if names.count(name) > 1}:
        raise QueryError(f"two columns are named {', '.join(sorted(twice))}: name one anew with AS")
    count = 0
    for row in found:
        out.write(json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False, default=plain) + "\n")
        count += 1
    return count


def text(value: Any) -> str:
    """A cell's words: nothing for null, JSON for lists and structs, ISO for times."""
    if value is None:
        return ""
    if isinstance(value, list | tuple | dict):
        return json.dumps(value, ensure_ascii=False, default=plain)
    return str(plain(value)) if isinstance(value, date) else str(value)


def plain(value: Any) -> Any:
    """What JSON has no form for, as a string."""
    return value.isoformat() if isinstance(value, date | datetime) else str(value)


def short(words: str) -> str:
    """Cut to a cell, on one line."""
    words = " ".join(words.split())
    return words if len(words) <= CELL else words[: CELL - 1] + "…"
