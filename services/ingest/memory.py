"""What feeds have shown before: which articles are new, and when each feed is to be looked at again."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock

from schemas.records import RawArticle
from services.ids import article_id, derive
from services.ingest.state import opened_state

DAY_SECONDS = 86_400.0


@dataclass(frozen=True)
class FeedState:
    """What a server wants to hear again, when the next look is due (Unix time), failures in a row."""

    etag: str | None = None
    modified: str | None = None
    due: float = 0.0
    failures: int = 0


class FeedMemory:
    """On disk; safe to share between threads. `line` names brokers and topic: another one has seen nothing yet."""

    def __init__(self, database: str, line: str, keep_days: int, clock: Callable[[], float] = time.time) -> None:
        """Opens the database at this path. OSError when it cannot be had."""
        self._database = opened_state(database)
        self._line = line
        self._lock, self._clock = Lock(), clock
        before = clock() - keep_days * DAY_SECONDS
        with self._database:
            for table, column in (("seen", "at"), ("contents", "at"), ("feeds", "due")):
                self._database.execute(f"DELETE FROM {table} WHERE {column} < ?", (before,))  # noqa: S608

    def close(self) -> None:
        """Closes the database."""
        self._database.close()

    def feed(self, url: str) -> FeedState:
        """What is known of a feed."""
        with self._lock:
            query = "SELECT etag, modified, due, failures FROM feeds WHERE url = ?"
            row = self._database.execute(query, (self._key(url),)).fetchone()
        return FeedState(*row) if row else FeedState()

    def keep(self, url: str, state: FeedState) -> None:
        """Notes what is known of a feed from now on."""
        with self._lock, self._database:
            row = (self._key(url), state.etag, state.modified, state.due, state.failures)
            self._database.execute("INSERT OR REPLACE INTO feeds VALUES (?, ?, ?, ?, ?)", row)

    def told(self, name: str, mark: str) -> bool:
        """Whether this name was noted last with this mark."""
        with self._lock:
            same = self._one("SELECT content FROM seen WHERE id = ?", self._key(name)) == self._key(mark)
            if same:
                with self._database:
                    self._database.execute("UPDATE seen SET at = ? WHERE id = ?", (self._clock(), self._key(name)))
        return same

    def note(self, name: str, mark: str) -> None:
        """Notes the mark of a name from now on."""
        with self._lock, self._database:
            row = (self._key(name), self._key(mark), self._clock())
            self._database.execute("INSERT OR REPLACE INTO seen VALUES (?, ?, ?)", row)

    def new(self, articles: Sequence[RawArticle]) -> list[RawArticle]:
        """Those to be written, in order, each once: not seen, or changed since.

        An article is left out when it is as it was seen last under its URL (or id), or when its source has the same
        content under another one. What other outlets copied stays: how many tell a story is counted later on.
        """
        found: list[RawArticle] = []
        known: list[tuple[str, str]] = []
        ids: dict[str, str] = {}
        contents: dict[str, str] = {}
        with self._lock:
            for article in articles:
                key, content = self._keys(article)
                told = contents.get(content) or self._one("SELECT id FROM contents WHERE content = ?", content)
                last = ids.get(key) or self._one("SELECT content FROM seen WHERE id = ?", key)
                if last == content or (told is not None and told != key):
                    known.append((key, content))
                else:
                    found.append(article)
                    ids[key], contents[content] = content, key
            self._touch(known)
        return found

    def wrote(self, articles: Sequence[RawArticle]) -> None:
        """Notes articles as seen; to be called when they are written, with what the feed told of them."""
        now = self._clock()
        pairs = [self._keys(a) for a in articles]
        with self._lock, self._database:
            self._database.executemany("INSERT OR REPLACE INTO seen VALUES (?, ?, ?)", [(k, c, now) for k, c in pairs])
            self._database.executemany(
                "INSERT OR REPLACE INTO contents VALUES (?, ?, ?)", [(c, k, now) for k, c in pairs]
            )

    def _key(self, name: str) -> str:
        return derive(self._line, name)

    def _keys(self, article: RawArticle) -> tuple[str, str]:
        return self._key(article_id(article)), self._key(content_of(article))

    def _one(self, query: str, value: str) -> str | None:
        row = self._database.execute(query, (value,)).fetchone()
        return str(row[0]) if row else None

    def _touch(self, pairs: Sequence[tuple[str, str]]) -> None:
        """What a feed still shows is not forgotten."""
        now = self._clock()
        with self._database:
            self._database.executemany("UPDATE seen SET at = ? WHERE id = ?", [(now, key) for key, _ in pairs])
            self._database.executemany("UPDATE contents SET at = ? WHERE content = ?", [(now, c) for _, c in pairs])


def content_of(article: RawArticle) -> str:
    """The same for the same words of one source, however they are spaced; a title alone tells no two pages apart."""
    title, text = " ".join(article.title.split()), " ".join(article.text.split())
    own = article_id(article) if text in ("", title) else ""
    return "\x1f".join((article.source, title, text, own))
