"""The articles of several files, one after the other, from where an earlier run was interrupted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import BinaryIO

from schemas.records import RawArticle
from services.ingest.check import refusal
from services.ingest.files import STANDARD_INPUT, form_of, opened, read
from services.ingest.jsonl import MOST_BYTES, Line

Refused = Callable[[str, Line[RawArticle]], None]


class Files:
    """Reads files in order and knows the place of the article given last."""

    def __init__(
        self,
        names: Sequence[str],
        refused: Refused,
        *,
        form: str | None = None,
        columns: Mapping[str, str] | None = None,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        """`refused` hears of every line that is no article or makes a record of more than `most_bytes`.

        `form` holds for all files; without it each one's name tells.
        """
        self.names = list(names)
        self._refused, self._form, self._columns, self._most_bytes = refused, form, columns or {}, most_bytes
        self.places: dict[str, int] = {}
        """Number of the last line given or refused, by file; files not begun are absent."""

    def articles(
        self, now: Callable[[], datetime], begin: Callable[[str], int] | None = None, watch: Watch | None = None
    ) -> Iterator[RawArticle]:
        """The articles, stamped with the time they were read. `begin` tells the place behind which a file goes on.

        `watch` is given each file as it is opened. Raises OSError.
        """
        for name in self.names:
            done = begin(name) if begin is not None and name != STANDARD_INPUT else 0
            self.places[name] = done
            with opened(name) as stream:
                if watch is not None:
                    watch(name, stream)
                for line in read(name, stream, self._form or form_of(name), self._columns):
                    if line.number <= done:
                        continue
                    self.places[name] = line.number
                    article = self._taken(name, line)
                    if article is not None:
                        yield article.model_copy(update={"ingested_at": article.ingested_at or now()})

    def _taken(self, name: str, line: Line[RawArticle]) -> RawArticle | None:
        if line.record is not None and (why := refusal(line.record, self._most_bytes)):
            line = Line(line.number, None, why)
        if line.record is None:
            self._refused(name, line)
        return line.record


Watch = Callable[[str, BinaryIO], None]


def read_articles(names: Sequence[str], now: Callable[[], datetime], refused: Refused) -> Iterator[RawArticle]:
    """The articles of all sources in order; `refused` hears of every bad line."""
    return Files(names, refused).articles(now)
