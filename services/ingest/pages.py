"""The page behind an address, where its site's robots.txt lets us."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from urllib.parse import urlsplit
from urllib.robotparser import RobotFileParser

from services.ingest.charset import decoded, is_readable
from services.ingest.fetch import GOOD, Answer, FetchFailed, fetch
from services.ingest.politeness import Politeness, Stopping
from services.ingest.visits import Unwilling, refused
from services.web.outgoing import Bounds

AGENT = "demarche"
ROBOTS_SECONDS = 86_400.0
TROUBLE_SECONDS = 600.0
LONGEST_DELAY = 60.0
SERVER_TROUBLE = 500
BUSY = frozenset({429, 503})
"""The server asks for fewer requests, whichever page is meant."""
PASSING = frozenset({408, 425}) | BUSY


class Busy(Unwilling):
    """The host asks to be left alone for a while."""


class NoPage(FetchFailed):
    """There is no page for us at this address, and asking again would not bring one."""


@dataclass(frozen=True)
class _Rules:
    robots: RobotFileParser
    until: float
    trouble: bool


class Pages:
    """Fetches pages, each host's one after the other; safe to share between threads."""

    def __init__(self, bounds: Bounds, politeness: Politeness, clock: Callable[[], float] = time.monotonic) -> None:
        self._bounds, self._politeness, self._clock = bounds, politeness, clock
        self._rules: dict[str, _Rules] = {}
        self._lock = Lock()

    def page(self, url: str) -> str:
        """The page's source.

        OSError when it is not to be had: NoPage when it never will be (robots.txt forbids it, none there, no text in
        it), Busy when the host asks for a rest, Stopping when a stop was asked for.
        """
        rules = self._robots(url)
        if rules.trouble:
            raise FetchFailed("its site's robots.txt is in trouble")
        if not rules.robots.can_fetch(AGENT, url):
            raise NoPage("robots.txt forbids it")
        delay = rules.robots.crawl_delay(AGENT)
        if not self._politeness.turn(url, min(LONGEST_DELAY, float(delay or 0))):
            raise Stopping("stopping")
        answer = fetch(url, self._bounds)
        if answer.status != GOOD:
            raise _unwilling(answer)
        kind = answer.headers.get("content-type", "text/html")
        if not is_readable(kind):
            raise NoPage(f"no page but {kind}")
        return decoded(answer.content, kind)

    def _robots(self, url: str) -> _Rules:
        parts = urlsplit(url)
        site = f"{parts.scheme}://{parts.netloc}"
        with self._lock:
            known = self._rules.get(site)
        if known is not None and known.until > self._clock():
            return known
        rules = self._ask(f"{site}/robots.txt")
        with self._lock:
            self._rules[site] = rules
        return rules

    def _ask(self, url: str) -> _Rules:
        """The site's rules. None there: all is allowed; the site in trouble: nothing is, for a while."""
        robots = RobotFileParser()
        if not self._politeness.turn(url):
            raise Stopping("stopping")
        answer = fetch(url, self._bounds)
        trouble = answer.status >= SERVER_TROUBLE
        robots.parse(answer.content.decode("utf-8", "replace").splitlines() if answer.status == GOOD else [])
        return _Rules(robots, self._clock() + (TROUBLE_SECONDS if trouble else ROBOTS_SECONDS), trouble)


def _unwilling(answer: Answer) -> FetchFailed:
    said = refused(answer, time.time())
    if answer.status in BUSY:
        return Busy(str(said), said.seconds)
    return said if answer.status in PASSING or answer.status >= SERVER_TROUBLE else NoPage(str(said))
