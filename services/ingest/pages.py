"""The page behind an address, where its site's robots.txt lets us."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from urllib.parse import urlsplit
from urllib.robotparser import RobotFileParser

from trafilatura.utils import decode_file

from services.ingest.fetch import GOOD, FetchFailed, fetch
from services.ingest.politeness import Politeness
from services.web.outgoing import Bounds

AGENT = "demarche"
READABLE = ("text/html", "application/xhtml+xml", "text/plain")
ROBOTS_SECONDS = 86_400.0
TROUBLE_SECONDS = 600.0
LONGEST_DELAY = 60.0
SERVER_TROUBLE = 500


class Stopping(OSError):
    """A stop was asked for while we waited for our turn."""


@dataclass(frozen=True)
class _Rules:
    robots: RobotFileParser
    until: float


class Pages:
    """Fetches pages, each host's one after the other; safe to share between threads."""

    def __init__(self, bounds: Bounds, politeness: Politeness, clock: Callable[[], float] = time.monotonic) -> None:
        self._bounds, self._politeness, self._clock = bounds, politeness, clock
        self._rules: dict[str, _Rules] = {}
        self._lock = Lock()

    def page(self, url: str) -> str:
        """The page's source. OSError when it is not to be had, FetchFailed when robots.txt forbids it."""
        robots = self._robots(url)
        if not robots.can_fetch(AGENT, url):
            raise FetchFailed("robots.txt forbids it")
        delay = robots.crawl_delay(AGENT)
        if not self._politeness.turn(url, min(LONGEST_DELAY, float(delay or 0))):
            raise Stopping("stopping")
        answer = fetch(url, self._bounds)
        kind = answer.headers.get("content-type", "text/html")
        if answer.status != GOOD:
            raise FetchFailed(f"the answer was {answer.status}")
        if kind.split(";")[0].strip().lower() not in READABLE:
            raise FetchFailed(f"no page but {kind}")
        return _text(answer.content, kind)

    def _robots(self, url: str) -> RobotFileParser:
        parts = urlsplit(url)
        site = f"{parts.scheme}://{parts.netloc}"
        with self._lock:
            known = self._rules.get(site)
        if known is not None and known.until > self._clock():
            return known.robots
        robots, seconds = self._ask(f"{site}/robots.txt")
        with self._lock:
            self._rules[site] = _Rules(robots, self._clock() + seconds)
        return robots

    def _ask(self, url: str) -> tuple[RobotFileParser, float]:
        """The site's rules, and how long they hold. None there: all is allowed; the site in trouble: nothing is."""
        robots = RobotFileParser()
        if not self._politeness.turn(url):
            raise Stopping("stopping")
        answer = fetch(url, self._bounds)
        if answer.status >= SERVER_TROUBLE:
            robots.parse(["User-agent: *", "Disallow: /"])
            return robots, TROUBLE_SECONDS
        robots.parse(answer.content.decode("utf-8", "replace").splitlines() if answer.status == GOOD else [])
        return robots, ROBOTS_SECONDS


def _text(content: bytes, kind: str) -> str:
    charset = kind.lower().partition("charset=")[2].split(";")[0].strip(" \"'")
    if charset:
        try:
            return content.decode(charset)
        except (LookupError, UnicodeDecodeError):
            pass
    return str(decode_file(content))
