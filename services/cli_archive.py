"""The verbs that read the archive: query, export, report."""

from __future__ import annotations

import argparse
import sys
from datetime import date

EXIT_TROUBLE = 1
VERBS = ("query", "export", "report")


def add_verbs(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The verbs and their options."""
    verb = verbs.add_parser("query", help="SQL over the archived events")
    verb.add_argument("sql", metavar="SQL", help="one SELECT from the views events and records (DuckDB)")
    verb.add_argument("--format", choices=("table", "csv", "jsonl"), default="table")


def _day(words: str) -> date:
    try:
        return date.fromisoformat(words)
    except ValueError:
        raise argparse.ArgumentTypeError("must be a date such as 2024-05-03") from None


def run(args: argparse.Namespace) -> int:
    """Runs one of the verbs; its exit code."""
    # DuckDB and Arrow take half a second to import; the other verbs do without.
    from services.archive.query import query
    from services.archive.reading import QueryError
    from services.archive.settings import ReadingSettings
    from services.runtime.settings import load_settings

    folder = load_settings(ReadingSettings).archive_dir
    try:
        query(folder, args.sql, args.format, sys.stdout)
        return 0
    except QueryError as error:
        sys.stderr.write(f"demarche: {error}\n")
        return EXIT_TROUBLE
