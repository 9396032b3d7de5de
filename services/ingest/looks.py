"""One look at a feed: fetched only when changed, its new articles written, the next look set."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from random import SystemRandom

from schemas.records import RawArticle
from services.ingest.check import refusal
from services.ingest.feeds import Feed, NoFeed, read_feed
from services.ingest.fetch import GOOD, Answer, FetchFailed, fetch
from services.ingest.memory import FeedMemory, FeedState
from services.ingest.pages import Pages, Stopping
from services.ingest.politeness import Politeness
from services.ingest.settings import IngestSettings
from services.web.backoff import wait_seconds

UNCHANGED = 304

Write = Callable[[Sequence[RawArticle]], object]


class Unwilling(FetchFailed):
    """The server gave no feed; it may have said when to come again."""

    def __init__(self, why: str, seconds: float) -> None:
        super().__init__(why)
        self.seconds = seconds


@dataclass
class Looked:
    """What a look at a feed brought; `trouble` says why it failed, `refused` which articles could not be taken."""

    feed: Feed
    written: int = 0
    known: int = 0
    unchanged: bool = False
    trouble: str = ""
    refused: list[str] = field(default_factory=list)


class Looker:
    """Looks at feeds; safe to share between threads."""

    def __init__(
        self,
        settings: IngestSettings,
        memory: FeedMemory,
        write: Write,
        politeness: Politeness,
        pages: Pages | None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`write` returns once the articles are safe. With `pages` the text is the page behind each article's URL."""
        self._settings, self._memory, self._write = settings, memory, write
        self._politeness, self._pages, self._clock = politeness, pages, clock
        self._random = SystemRandom()

    def look(self, feed: Feed) -> Looked:
        """Looks once. What `write` raises goes through: then the feed counts as not looked at."""
        looked = Looked(feed)
        state = self._memory.feed(feed.url)
        try:
            answer = self._fetch(feed, state)
            if answer.status == UNCHANGED:
                looked.unchanged = True
            else:
                self._take(read_feed(answer.content, answer.headers, feed, answer.url), looked)
                state = FeedState(answer.headers.get("etag"), answer.headers.get("last-modified"))
        except Stopping:
            return looked
        except (OSError, NoFeed) as error:
            looked.trouble = str(error) or type(error).__name__
            self._memory.keep(feed.url, self._after_failure(state, getattr(error, "seconds", 0.0)))
            return looked
        due = self._clock() + self._settings.ingest_feed_seconds
        self._memory.keep(feed.url, replace(state, due=due, failures=0))
        return looked

    def _fetch(self, feed: Feed, state: FeedState) -> Answer:
        asked = {"If-None-Match": state.etag, "If-Modified-Since": state.modified}
        if not self._politeness.turn(feed.url):
            raise Stopping("stopping")
        answer = fetch(feed.url, self._settings.bounds, {name: value for name, value in asked.items() if value})
        if answer.status not in (GOOD, UNCHANGED):
            seconds = retry_after(answer.headers.get("retry-after", ""), self._clock())
            raise Unwilling(f"the answer was {answer.status}", seconds)
        return answer

    def _take(self, articles: Sequence[RawArticle], looked: Looked) -> None:
        new = self._memory.new(articles)
        looked.known = len(articles) - len(new)
        if self._pages is None:
            self._put([(article, article) for article in new], looked)
            return
        for article in new:  # Each is written when it is there: pages of one host come seconds apart.
            page = self._paged(article, self._pages, looked)
            if page is not None:
                self._put([(article, page)], looked)

    def _paged(self, article: RawArticle, pages: Pages, looked: Looked) -> RawArticle | None:
        """The article with the text of its page, or where that is not to be had with the feed's."""
        if article.url is None:
            return article
        try:
            return article.model_copy(update={"text": pages.page(article.url), "content_type": "html"})
        except Stopping:
            raise
        except OSError as error:
            looked.refused.append(f"{article.url}: {error}; the feed's own text is taken")
            return article

    def _put(self, pairs: Sequence[tuple[RawArticle, RawArticle]], looked: Looked) -> None:
        """Writes the second of each pair, and remembers the first, which is what the feed will show again."""
        now = datetime.fromtimestamp(self._clock(), UTC)
        most = self._settings.max_produce_bytes * 99 // 100
        good = []
        for shown, article in pairs:
            made = article.model_copy(update={"ingested_at": now})
            if why := refusal(made, most):
                looked.refused.append(f"{article.url or article.title}: {why}")
            else:
                good.append((shown, made))
        if good:
            self._write([made for _, made in good])
            self._memory.wrote([shown for shown, _ in good])
            looked.written += len(good)

    def _after_failure(self, state: FeedState, asked: float) -> FeedState:
        s, failures = self._settings, state.failures + 1
        wait = wait_seconds(failures, s.ingest_feed_seconds, s.ingest_longest_wait, self._random)
        wait = max(wait, min(asked, s.ingest_longest_wait))
        return replace(state, due=self._clock() + wait, failures=failures)


def retry_after(words: str, now: float) -> float:
    """The seconds that a Retry-After header asks for: a number, or a date; 0 for anything else."""
    if words.isascii() and words.isdigit():
        return float(words)
    try:
        return max(0.0, parsedate_to_datetime(words).timestamp() - now)
    except ValueError:
        return 0.0
