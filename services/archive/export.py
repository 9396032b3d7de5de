"""The archive's events in other data sets' columns, as CSV, or as the records they were."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal, TextIO

import duckdb

from schemas.records import DiplomaticEvent
from services.archive import gdelt, polecat
from services.archive.query import rows, write_csv
from services.archive.reading import ask, connect

Format = Literal["polecat", "gdelt", "csv", "jsonl"]
HAPPENED = "(claim IN ('asserted', 'reported') OR (claim = 'planned' AND type = 'AGREE'))"
"""POLECAT and GDELT have no claim status, so that a denied or conditional act would stand there as a fact. A planned
meeting is an AGREE by the codebook, and has happened as such."""


@dataclass(frozen=True)
class Exported:
    """How many rows were written, and how many events were left out since they are not said to have happened."""

    rows: int
    left_out: int = 0


def export(folder: Path, form: Format, since: date | None, until: date | None, out: TextIO) -> Exported:
    """Writes the events of the days given, both included; without days also those whose day is not known.

    `polecat` and `gdelt` are parted by tabs under a header. QueryError when the archive cannot be read.
    """
    where = within(since, until)
    with connect(folder) as connection:
        if form == "csv":
            columns = "* EXCLUDE (record_json, day, month), day, month"
            found = ask(connection, f"SELECT {columns} FROM events WHERE {where}")  # noqa: S608
            return Exported(write_csv([column[0] for column in found.description or []], rows(found), out))
        if form == "jsonl":
            count = 0
            for (record,) in rows(ask(connection, f"SELECT record_json FROM events WHERE {where}")):  # noqa: S608
                out.write(record + "\n")
                count += 1
            return Exported(count)
        left = ask(connection, f"SELECT count(*) FROM events WHERE {where} AND NOT {HAPPENED}").fetchone()  # noqa: S608
        columns_of, row_of, found = _polecat(connection, where) if form == "polecat" else _gdelt(connection, where)
        writer = csv.DictWriter(out, columns_of, delimiter="\t", lineterminator="\n")
        writer.writeheader()
        count = 0
        for row in rows(found):
            writer.writerow(row_of(DiplomaticEvent.model_validate_json(row[0]), *row[1:]))
            count += 1
        return Exported(count, left[0] if left else 0)


Plan = tuple[tuple[str, ...], Callable[..., dict[str, str]], duckdb.DuckDBPyConnection]


def _polecat(connection: duckdb.DuckDBPyConnection, where: str) -> Plan:
    """One row for each event of each article."""
    sql = f"SELECT record_json FROM events WHERE {where} AND {HAPPENED}"  # noqa: S608
    return polecat.COLUMNS, polecat.row, ask(connection, sql)


def _gdelt(connection: duckdb.DuckDBPyConnection, where: str) -> Plan:
    """One row for each story: its first report, and how many tell it."""
    sql = f"""
    WITH stories AS (
        SELECT arg_min(event_id, (coalesce(processed_at, TIMESTAMPTZ '1970-01-01'), "partition", "offset")) AS event_id,
            max(greatest(len(outlets), 1)) AS articles, max(greatest(len(list_distinct(outlets)), 1)) AS sources
        FROM events WHERE {where} AND {HAPPENED} GROUP BY story_id
    )
    SELECT record_json, articles, sources FROM events JOIN stories USING (event_id)
    """  # noqa: S608
    return gdelt.COLUMNS, gdelt.row, ask(connection, sql)


def within(since: date | None, until: date | None) -> str:
    """The condition that an event's day, or where only that is known its month's first day, lies in between."""
    bounds: list[tuple[str, Any]] = [(">=", since), ("<=", until)]
    return " AND ".join(f"coalesce(day, month) {sign} DATE '{day}'" for sign, day in bounds if day) or "true"
