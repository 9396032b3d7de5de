"""One look at a news sitemap: the pages of its new and changed articles, each written when it is there."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from schemas.records import RawArticle
from services.ids import canonical_url, derive
from services.ingest.feeds import Feed, NoFeed
from services.ingest.fetch import GZIP_MAGIC, Answer, unpacked
from services.ingest.looks import Looked, Write, stamped
from services.ingest.memory import FeedMemory
from services.ingest.pages import Busy, NoPage, Pages
from services.ingest.politeness import Politeness, Stopping
from services.ingest.settings import IngestSettings
from services.ingest.sitemaps import Child, Entry, read_sitemap
from services.ingest.visits import Visits
from services.normalize.html import read_html
from services.normalize.transform import MOST_RAW, MOST_TAGS, MOST_TEXT, SUPPORTED

MOST_CHILDREN = 100
MOST_PAGES = 1000
"""Of one look; the rest comes with the next ones, the newest first."""
READ = SUPPORTED | {"eng"}
"""Languages as sitemaps spell them."""
TODAY = "9999"


class SitemapLooker:
    """Looks at sitemaps and indexes of them; safe to share between threads."""

    def __init__(
        self,
        settings: IngestSettings,
        memory: FeedMemory,
        write: Write,
        politeness: Politeness,
        pages: Pages,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`write` returns once the articles are safe."""
        self._settings, self._memory, self._write, self._clock = settings, memory, write, clock
        self._visits, self._pages = Visits(settings, memory, politeness, clock), pages

    def look(self, sitemap: Feed) -> Looked:
        """Looks once. What `write` raises goes through: then what was not written counts as not seen."""
        looked = Looked(sitemap)
        try:
            self._visit(sitemap.url, sitemap, looked)
        except Stopping:
            pass
        except (OSError, NoFeed) as error:
            looked.trouble = str(error) or type(error).__name__
        return looked

    def _visit(self, url: str, sitemap: Feed, looked: Looked) -> bool:
        """Takes what is listed at `url`; whether all of it was taken or never will be. A failure is noted and raised.

        What was not taken wholly is asked for anew next time, changed or not.
        """
        try:
            answer = self._visits.ask(url)
            looked.unchanged = answer is None
            wholly = answer is None or self._take(answer, url, sitemap, looked)
        except Stopping:
            raise
        except (OSError, NoFeed) as error:
            self._visits.failed(url, error)
            raise
        self._visits.done(url, answer, wholly=wholly)
        return wholly

    def _take(self, answer: Answer, url: str, sitemap: Feed, looked: Looked) -> bool:
        content = answer.content
        if content.startswith(GZIP_MAGIC):
            content = unpacked(content, self._settings.bounds)
        listed = read_sitemap(content)
        if url == sitemap.url and listed.other and not listed.entries:
            raise NoFeed("no news:news in it; name the site's news sitemap, or an index that lists it")
        if listed.children and url != sitemap.url:
            raise NoFeed("an index in an index")
        return self._children(listed.children, sitemap, looked) and self._entries(listed.entries, sitemap, looked)

    def _children(self, children: Sequence[Child], sitemap: Feed, looked: Looked) -> bool:
        """The sitemaps of an index, one after the other; one that fails does not hold up the rest."""
        wholly = True
        # Of one without a day nobody knows that it has not changed today.
        for child in sorted(children, key=lambda child: child.changed or TODAY, reverse=True)[:MOST_CHILDREN]:
            name = f"sitemap {child.url}"
            if child.changed and self._memory.told(name, child.changed):
                continue
            taken = False
            if self._visits.is_due(child.url) or not self._memory.feed(child.url).failures:
                try:
                    taken = self._visit(child.url, sitemap, looked)
                except (Stopping, Busy):
                    raise
                except (OSError, NoFeed) as error:
                    looked.refused.append(f"{child.url}: {error}")
            if taken and child.changed:
                self._memory.note(name, child.changed)
            wholly = wholly and taken and bool(child.changed)
        return wholly

    def _entries(self, entries: Sequence[Entry], sitemap: Feed, looked: Looked) -> bool:
        wholly = True
        for entry in sorted(entries, key=lambda entry: entry.changed or entry.published, reverse=True):
            name = f"entry {entry.url}"
            if self._memory.told(name, entry.mark):
                looked.known += 1
            elif entry.language and entry.language.partition("-")[0] not in READ:
                looked.foreign += 1
                self._memory.note(name, entry.mark)
            elif looked.pages < MOST_PAGES and self._visits.is_due(f"page {entry.url}"):
                looked.pages += 1
                taken = self._article(entry, sitemap, looked)
                if taken:
                    self._memory.note(name, entry.mark)
                wholly = wholly and taken
            else:
                wholly = False
        return wholly

    def _article(self, entry: Entry, sitemap: Feed, looked: Looked) -> bool:
        """Writes the page behind an entry if its words are new; whether the entry is done with."""
        try:
            page = self._pages.page(entry.url)
        except (Stopping, Busy):
            raise
        except OSError as error:
            looked.refused.append(f"{entry.url}: {error}")
            if isinstance(error, NoPage):
                return True
            self._visits.failed(f"page {entry.url}", error)
            return False
        outlet = sitemap.outlet or entry.outlet or str(urlsplit(entry.url).hostname)
        article = RawArticle(
            title=entry.title,
            text=page,
            published_at=entry.published or None,
            source=outlet,
            url=entry.url,
            content_type="html",
        )
        # An id apart: the outlet's feed, if it is read too, has other words for the same address.
        shown = article.model_copy(
            update={"article_id": derive("page", canonical_url(entry.url)), "text": words_of(page)}
        )
        if not self._memory.new([shown]):
            looked.known += 1
            return True
        made = stamped(article, self._clock(), self._settings, looked)
        if made is not None:
            self._write([made])
            self._memory.wrote([shown])
            looked.written += 1
        return True


def words_of(page: str) -> str:
    """The article in a page's source, without what changes around it; the source where that is too much to read."""
    if len(page) > MOST_RAW or page.count("<") > MOST_TAGS:
        return page
    return read_html(page, most=2 * MOST_TEXT)[0].text
