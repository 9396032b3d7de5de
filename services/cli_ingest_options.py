"""The options of `demarche ingest`; apart from the verb, which takes the Kafka client half a second to import."""

from __future__ import annotations

import argparse

FIELDS = ("article_id", "title", "text", "published_at", "source", "url")


def add_options(verb: argparse.ArgumentParser) -> None:
    """The options of `demarche ingest` but the broker's."""
    verb.add_argument("files", metavar="FILE", nargs="*", help="files or folders, or - for standard input")
    verb.add_argument("--feeds", metavar="LIST.opml", help="RSS and Atom feeds of an OPML list, looked at for ever")
    verb.add_argument("--sitemaps", metavar="LIST.txt", help="news sitemaps, one address a line, looked at for ever")
    verb.add_argument("--once", action="store_true", help="look at each feed or sitemap a single time")
    verb.add_argument("--pages", action="store_true", help="take the page behind a feed's entry, not its own text")
    form = verb.add_mutually_exclusive_group()
    form.add_argument(
        "--csv", dest="form", action="store_const", const="csv", help="they are CSV, whatever their names"
    )
    form.add_argument("--warc", dest="form", action="store_const", const="warc", help="they are WARC")
    verb.add_argument(
        "--column", metavar="FIELD=NAME", action="append", default=[], type=_column,
        help=f"the CSV column of a field ({', '.join(FIELDS)})",
    )  # fmt: skip
    verb.add_argument("--again", action="store_true", help="from the beginning, also what an interrupted run has done")


def _column(words: str) -> tuple[str, str]:
    field, _, name = words.partition("=")
    if field not in FIELDS or not name:
        raise argparse.ArgumentTypeError(f"must be FIELD=NAME, FIELD one of {', '.join(FIELDS)}")
    return field, name
