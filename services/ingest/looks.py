"""One look at a feed: fetched only when changed, its new articles written, the next look set."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from schemas.records import RawArticle
from services.ingest.check import refusal
from services.ingest.feeds import Feed, NoFeed, read_feed
from services.ingest.memory import FeedMemory
from services.ingest.pages import Pages
from services.ingest.politeness import Politeness, Stopping
from services.ingest.settings import IngestSettings
from services.ingest.visits import Visits

Write = Callable[[Sequence[RawArticle]], object]


@dataclass
class Looked:
    """What a look at a feed or sitemap brought; `trouble`: why it failed, `refused`: what in it could not be taken."""

    feed: Feed
    written: int = 0
    known: int = 0
    unchanged: bool = False
    trouble: str = ""
    refused: list[str] = field(default_factory=list)
    pages: int = 0
    """Pages asked for."""
    foreign: int = 0
    """Articles told to be in a language that is not read."""


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
        self._visits, self._pages, self._clock = Visits(settings, memory, politeness, clock), pages, clock

    def look(self, feed: Feed) -> Looked:
        """Looks once. What `write` raises goes through: then the feed counts as not looked at."""
        looked = Looked(feed)
        try:
            answer = self._visits.ask(feed.url)
            looked.unchanged = answer is None
            if answer is not None:
                self._take(read_feed(answer.content, answer.headers, feed, answer.url), looked)
        except Stopping:
            return looked
        except (OSError, NoFeed) as error:
            looked.trouble = str(error) or type(error).__name__
            self._visits.failed(feed.url, error)
            return looked
        self._visits.done(feed.url, answer)
        return looked

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
        good = []
        for shown, article in pairs:
            made = stamped(article, self._clock(), self._settings, looked)
            if made is not None:
                good.append((shown, made))
        if good:
            self._write([made for _, made in good])
            self._memory.wrote([shown for shown, _ in good])
            looked.written += len(good)


def stamped(article: RawArticle, now: float, settings: IngestSettings, looked: Looked) -> RawArticle | None:
    """The article as taken in at `now` (Unix time); None, and told to `looked`, when it cannot be written."""
    made = article.model_copy(update={"ingested_at": datetime.fromtimestamp(now, UTC)})
    # The client refuses a record that passes the limit with its framing.
    if why := refusal(made, settings.max_produce_bytes * 99 // 100):
        looked.refused.append(f"{article.url or article.title}: {why}")
        return None
    return made
