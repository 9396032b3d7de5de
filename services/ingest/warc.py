"""Pages of a WARC file as articles."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import BinaryIO
from urllib.parse import urlsplit

from pydantic import ValidationError
from warcio.archiveiterator import WARCIterator
from warcio.recordloader import ArcWarcRecord

from schemas.records import RawArticle
from services.ingest.charset import decoded
from services.ingest.feeds import is_web
from services.ingest.jsonl import MOST_BYTES, Line, summary

HTML = ("text/html", "application/xhtml+xml")
UNPACKED = ("", "identity", "gzip", "deflate")


def read_warc(stream: BinaryIO) -> Iterator[Line[RawArticle]]:
    """The HTML pages that servers gave with status 200, each with its record's number in the file.

    Other records are passed over. The time of the fetch is `ingested_at`; when a page was published WARC does not tell.
    """
    number = 0
    try:
        for record in WARCIterator(stream):
            number += 1
            if _is_page(record):
                yield _line(number, record)
    except OSError:
        raise
    except Exception as error:  # What hostile content makes a parser raise. Where the next record begins nobody knows.
        yield Line(number + 1, None, f"no WARC, nothing more is read: {' '.join(str(error).split())[:200]}")


def _is_page(record: ArcWarcRecord) -> bool:
    http = record.http_headers
    if record.rec_type != "response" or http is None or http.get_statuscode() != "200":
        return False
    return (http.get_header("Content-Type") or "").split(";")[0].strip().lower() in HTML


def _line(number: int, record: ArcWarcRecord) -> Line[RawArticle]:
    url = record.rec_headers.get_header("WARC-Target-URI") or ""
    if not is_web(url):
        return Line(number, None, f"no web address: {url[:200]!r}")
    if cut := record.rec_headers.get_header("WARC-Truncated"):
        return Line(number, None, f"{url}: cut off when it was fetched ({cut})")
    packed = (record.http_headers.get_header("Content-Encoding") or "").strip().lower()
    if packed not in UNPACKED:
        return Line(number, None, f"{url}: packed by {packed[:40]!r}, which is not read")
    if record.length is None or record.length > MOST_BYTES:
        return Line(number, None, f"{url}: longer than {MOST_BYTES} bytes")
    content = record.content_stream().read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        return Line(number, None, f"{url}: longer than {MOST_BYTES} bytes")
    if not record.raw_stream.read(1) and record.raw_stream.limit:
        return Line(number, None, f"{url}: the file ends within it")
    try:
        article = RawArticle(
            text=decoded(content, record.http_headers.get_header("Content-Type")),
            url=url,
            source=str(urlsplit(url).hostname),
            content_type="html",
            ingested_at=_moment(record.rec_headers.get_header("WARC-Date")),
        )
    except ValidationError as error:
        return Line(number, None, f"{url}: {summary(error)}")
    return Line(number, article)


def _moment(date: str | None) -> datetime | None:
    """A WARC-Date, which is in UTC."""
    try:
        when = datetime.fromisoformat(date or "")
    except ValueError:
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)
