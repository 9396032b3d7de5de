"""The verbs that read the archive: query, export, report."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TextIO

EXIT_TROUBLE = 1
VERBS = ("query", "export", "report")


def add_verbs(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The verbs and their options."""
    verb = verbs.add_parser("query", help="SQL over the archived events")
    verb.add_argument("sql", metavar="SQL", help="one SELECT from the views events and records (DuckDB)")
    verb.add_argument("--format", choices=("table", "csv", "jsonl"), default="table")

    verb = verbs.add_parser("export", help="the archived events in the columns of POLECAT or GDELT, or as they are")
    verb.add_argument("--format", choices=("polecat", "gdelt", "csv", "jsonl"), required=True)
    _days(verb)
    verb.add_argument("--out", type=Path, metavar="FILE", help="instead of standard output")

    verb = verbs.add_parser("report", help="a page on two sides: cooperation and conflict, stance on peace, quotes")
    verb.add_argument("dyad", metavar="DYAD", help="two side codes such as RUS-UKR, or one")
    _days(verb)
    verb.add_argument("--out", type=Path, metavar="FILE", help="FILE.html, or FILE.svg for the picture alone")


def _days(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--from", dest="since", type=_day, metavar="DAY", help="first day, such as 2024-05-03")
    verb.add_argument("--to", dest="until", type=_day, metavar="DAY", help="last day")


def _day(words: str) -> date:
    try:
        return date.fromisoformat(words)
    except ValueError:
        raise argparse.ArgumentTypeError("must be a date such as 2024-05-03") from None


def run(args: argparse.Namespace) -> int:
    """Runs one of the verbs; its exit code."""
    # DuckDB and Arrow take half a second to import; the other verbs do without.
    from services.archive.reading import QueryError
    from services.archive.settings import ReadingSettings
    from services.runtime.settings import load_settings

    folder = load_settings(ReadingSettings).archive_dir
    try:
        if args.verb == "query":
            return _query(folder, args)
        return _export(folder, args) if args.verb == "export" else _report(folder, args)
    except QueryError as error:
        sys.stderr.write(f"demarche: {error}\n")
        return EXIT_TROUBLE


def _query(folder: Path, args: argparse.Namespace) -> int:
    from services.archive.query import query

    query(folder, args.sql, args.format, sys.stdout)
    return 0


def _export(folder: Path, args: argparse.Namespace) -> int:
    from services.archive.export import export

    with written(args.out) as out:
        done = export(folder, args.format, args.since, args.until, out)
    left = f", {done.left_out} left out: denied, conditional or planned" if done.left_out else ""
    sys.stderr.write(f"{done.rows} rows{left}\n")
    return 0


def _report(folder: Path, args: argparse.Namespace) -> int:
    from services.archive.report import page, picture, read

    found = read(folder, args.dyad, args.since, args.until)
    made = picture(found) if args.out and args.out.suffix == ".svg" else page(found)
    with written(args.out) as out:
        out.write(made)
    return 0


@contextmanager
def written(path: Path | None) -> Iterator[TextIO]:
    """Standard output, or a file that appears whole when all is written."""
    if path is None:
        yield sys.stdout
        return
    temporary = path.with_name(f".{path.name}.part")
    try:
        with temporary.open("w", encoding="utf-8", newline="") as out:
            yield out
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
