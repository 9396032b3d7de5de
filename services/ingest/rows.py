"""Rows of a CSV file as articles; the first row names the columns."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import BinaryIO

from pydantic import ValidationError

from schemas.records import RawArticle
from services.ingest.jsonl import MOST_BYTES, Line, summary

DELIMITERS = ",;\t|"
FIELDS = frozenset(RawArticle.model_fields) - {"schema_version"}


def read_rows(stream: BinaryIO, columns: Mapping[str, str]) -> Iterator[Line[RawArticle]]:
    """The rows in order with the number of the line that each ends on; other columns than RawArticle's fields are left.

    `columns` names the column of a field that is called otherwise. Comma, semicolon, tab or bar, as the header has it.
    """
    # A byte that is no UTF-8 spoils its row alone: it comes as a lone surrogate, which the record refuses.
    text = io.TextIOWrapper(stream, "utf-8-sig", errors="surrogateescape", newline="")
    csv.field_size_limit(MOST_BYTES)
    head = text.readline(MOST_BYTES)
    delimiter = max(DELIMITERS, key=head.count)
    names = [name.strip() for name in next(csv.reader([head], delimiter=delimiter), [])]
    places, missing = _places(names, columns)
    if missing:
        yield Line(1, None, f"no column {' or '.join(missing)}; there are: {', '.join(names) or 'none'}")
        return
    rows = csv.reader(text, delimiter=delimiter)
    while True:
        try:
            cells = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield Line(rows.line_num + 1, None, f"no CSV: {error}")
            continue
        if any(cells):
            yield _line(rows.line_num + 1, cells, places, len(names))


def _places(names: Sequence[str], columns: Mapping[str, str]) -> tuple[dict[str, int], list[str]]:
    """Where each field stands, and the columns that are needed but not there."""
    wanted = {field: columns.get(field, field) for field in FIELDS}
    missing = [wanted[field] for field in ("text", *columns) if wanted[field] not in names]
    return {field: names.index(name) for field, name in wanted.items() if name in names}, sorted(set(missing))


def _line(number: int, cells: Sequence[str], places: Mapping[str, int], width: int) -> Line[RawArticle]:
    if len(cells) != width:
        return Line(number, None, f"{len(cells)} cells under {width} columns")
    try:
        return Line(number, RawArticle.model_validate({f: cells[p] for f, p in places.items() if cells[p]}))
    except ValidationError as error:
        return Line(number, None, summary(error))
