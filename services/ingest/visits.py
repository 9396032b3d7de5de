"""Conditional GET of what is looked at again and again, and when each address is due."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from email.utils import parsedate_to_datetime
from random import SystemRandom

from services.ingest.fetch import GOOD, Answer, FetchFailed, fetch
from services.ingest.memory import FeedMemory, FeedState
from services.ingest.politeness import Politeness, Stopping
from services.ingest.settings import IngestSettings
from services.web.backoff import wait_seconds

UNCHANGED = 304


class Unwilling(FetchFailed):
    """The server gave nothing; `seconds`: when it said to come again, else 0."""

    def __init__(self, why: str, seconds: float) -> None:
        super().__init__(why)
        self.seconds = seconds


class Visits:
    """Asks servers and remembers what they want to hear again; safe to share between threads."""

    def __init__(
        self,
        settings: IngestSettings,
        memory: FeedMemory,
        politeness: Politeness,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings, self._memory, self._politeness, self._clock = settings, memory, politeness, clock
        self._random = SystemRandom()

    def is_due(self, url: str) -> bool:
        """Whether an address may be asked now: one that failed is left alone for a while."""
        return self._memory.feed(url).due <= self._clock()

    def ask(self, url: str) -> Answer | None:
        """The answer, None when nothing has changed. OSError when there is none, Stopping when a stop is asked for."""
        state = self._memory.feed(url)
        asked = {"If-None-Match": state.etag, "If-Modified-Since": state.modified}
        if not self._politeness.turn(url):
            raise Stopping("stopping")
        answer = fetch(url, self._settings.bounds, {name: value for name, value in asked.items() if value})
        if answer.status == UNCHANGED:
            return None
        if answer.status != GOOD:
            raise refused(answer, self._clock())
        return answer

    def done(self, url: str, answer: Answer | None, *, wholly: bool = True) -> None:
        """Notes a visit that went well; one not `wholly` taken is asked for anew, changed or not."""
        state = self._memory.feed(url)
        if answer is not None:
            state = FeedState(answer.headers.get("etag"), answer.headers.get("last-modified"))
        if not wholly:
            state = FeedState()
        self._memory.keep(url, replace(state, due=self._clock() + self._settings.ingest_feed_seconds, failures=0))

    def failed(self, url: str, error: Exception) -> None:
        """Notes a failure: the address is left alone for longer each time, and for as long as its server asked."""
        s, state = self._settings, self._memory.feed(url)
        failures, asked = state.failures + 1, float(getattr(error, "seconds", 0.0))
        wait = wait_seconds(failures, s.ingest_feed_seconds, s.ingest_longest_wait, self._random)
        wait = max(wait, min(asked, s.ingest_longest_wait))
        self._memory.keep(url, replace(state, due=self._clock() + wait, failures=failures))


def refused(answer: Answer, now: float) -> Unwilling:
    """What an answer without content says."""
    return Unwilling(f"the answer was {answer.status}", retry_after(answer.headers.get("retry-after", ""), now))


def retry_after(words: str, now: float) -> float:
    """The seconds that a Retry-After header asks for: a number, or a date; 0 for anything else."""
    if words.isascii() and words.isdigit():
        return float(words)
    try:
        return max(0.0, parsedate_to_datetime(words).timestamp() - now)
    except ValueError:
        return 0.0
