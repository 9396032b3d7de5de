"""One bounded GET: size, time and redirects have limits, and each address on the way is judged before it is called."""

from __future__ import annotations

import http.client
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urljoin

from services import PIPELINE_VERSION
from services.web.outgoing import Bounds, connected

MOST_REDIRECTS = 5
REDIRECTS = frozenset({301, 302, 303, 307, 308})
AGENT = f"demarche/{PIPELINE_VERSION}"
GZIP_OR_ZLIB = 47
GZIP_MAGIC = b"\x1f\x8b"
GOOD = 200


class FetchFailed(OSError):
    """The page was not to be had; the message says why."""


@dataclass(frozen=True)
class Answer:
    """What came: the address that gave it in the end, headers in small letters."""

    url: str
    status: int
    headers: Mapping[str, str]
    content: bytes


def fetch(url: str, bounds: Bounds, headers: Mapping[str, str] | None = None) -> Answer:
    """The answer of any status but a redirect, its content unpacked and whole.

    Raises Refused for an address that must not be called, FetchFailed or another OSError when it was not to be had.
    """
    until = time.monotonic() + bounds.seconds
    for _ in range(MOST_REDIRECTS + 1):
        answer = _once(url, bounds, headers or {}, until)
        place = answer.headers.get("location")
        if answer.status not in REDIRECTS or not place:
            return answer
        url = urljoin(url, place)
    raise FetchFailed(f"more than {MOST_REDIRECTS} redirects, the last to {url}")


def _once(url: str, bounds: Bounds, headers: Mapping[str, str], until: float) -> Answer:
    left = max(0.01, until - time.monotonic())
    told = {"User-Agent": AGENT, "Accept-Encoding": "gzip", "Connection": "close", **headers}
    try:
        with connected(url, bounds, left) as line:
            line.client.request("GET", line.path, headers={"Host": line.host, **told})
            answer = line.client.getresponse()
            named = {name.lower(): value for name, value in answer.getheaders()}
            content = answer.read(bounds.answer_bytes + 1) if answer.status == GOOD else b""
            missing = answer.length if answer.status == GOOD else None
    except (http.client.HTTPException, UnicodeError, ValueError) as error:
        raise FetchFailed(f"{type(error).__name__}: {error}") from error
    # The end of time ends the connection, which looks like the end of an answer without a length.
    if time.monotonic() >= until:
        raise FetchFailed(f"took longer than {bounds.seconds:g} s")
    _fits(content, bounds)
    if missing:
        raise FetchFailed(f"ended {missing} bytes too early")
    if named.get("content-encoding", "").lower() in ("gzip", "x-gzip", "deflate"):
        content = unpacked(content, bounds)
    return Answer(url, answer.status, named, content)


def unpacked(content: bytes, bounds: Bounds) -> bytes:
    """What gzip or zlib packed. FetchFailed when it is broken or grows over the limit."""
    try:
        packed = zlib.decompressobj(GZIP_OR_ZLIB)
        whole = packed.decompress(content, bounds.answer_bytes + 1)
    except zlib.error as error:
        raise FetchFailed(f"broken compression: {error}") from error
    _fits(whole, bounds)
    if content and not packed.eof:
        raise FetchFailed("broken compression: it ends too early")
    return whole


def _fits(content: bytes, bounds: Bounds) -> None:
    if len(content) > bounds.answer_bytes:
        raise FetchFailed(f"more than {bounds.answer_bytes} bytes")
