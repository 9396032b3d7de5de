"""The event stream: one look at the database for all readers, and each reader's own place in it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass

import structlog

from services.desk import reading
from services.desk.reading import Change
from services.desk.store import Store, StoreTrouble
from services.desk.subscriptions import Filter, matches

LOOK_SECONDS = 0.2
TROUBLE_SECONDS = 1.0
BEAT_SECONDS = 10.0
RETRY_MS = 1000
KEPT = 2000
READ = 500
SENT = 100
"""Changes told at once: what a reader that takes nothing holds in memory is at most that."""


@dataclass(frozen=True)
class Entry:
    """A change and how it is told: to those whose filter takes it, and to those whose filter took it before."""

    change: Change
    told: bytes
    gone: bytes | None

    @property
    def seq(self) -> int:
        """Its number."""
        return self.change.item.seq


@dataclass(eq=False)
class Reader:
    """An open event stream, and the number of the last change that it took."""

    seq: int


class Bulletin:
    """The latest changes in memory. `run` fills it; all in the thread of one event loop, except `stop`."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.stopped = False
        self._readers: set[Reader] = set()
        self._kept: deque[Entry] = deque()
        self._floor: int | None = None
        self._last = 0
        self._news = asyncio.Event()

    @property
    def readers(self) -> int:
        """Event streams open."""
        return len(self._readers)

    @property
    def behind(self) -> int:
        """Changes that the slowest reader has yet to take; may be asked for by any thread."""
        return max((self._last - reader.seq for reader in list(self._readers)), default=0)

    def open(self, after: int | None) -> Reader:
        """Counts a reader that goes on behind a number, or begins now."""
        reader = Reader(self._last if after is None else after)
        self._readers.add(reader)
        return reader

    def close(self, reader: Reader) -> None:
        """Counts it no more; one that leaves without having taken what there was is told of."""
        self._readers.discard(reader)
        if not self.stopped and self._last > reader.seq:
            structlog.get_logger("demarche").warning("a reader left behind", changes=self._last - reader.seq)

    def stop(self) -> None:
        """Ends every stream at the next look."""
        self.stopped = True

    async def run(self) -> None:
        """Looks for changes until stopped."""
        while not self.stopped:
            try:
                await self._look()
            except Exception as error:
                # Ending here would leave every reader with nothing but beats.
                if not isinstance(error, StoreTrouble):
                    structlog.get_logger("demarche").error("event stream", why=str(error), exc_info=True)
                await asyncio.sleep(TROUBLE_SECONDS)
            await asyncio.sleep(LOOK_SECONDS)
        self._ring()

    async def _look(self) -> None:
        if self._floor is None:
            self._last = self._floor = await asyncio.to_thread(reading.newest, self.store)
        found = await asyncio.to_thread(reading.since, self.store, self._last, READ)
        if not found:
            return
        self._kept.extend(entry(change) for change in found)
        self._last = self._kept[-1].seq
        while len(self._kept) > KEPT:
            self._floor = self._kept.popleft().seq
        self._ring()

    def _ring(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()

    async def after(self, seq: int) -> list[Entry]:
        """The next SENT changes behind `seq`, oldest first: from memory, or for a reader far behind the database."""
        if self._floor is not None and seq >= self._floor:
            newer = []
            for kept in reversed(self._kept):
                if kept.seq <= seq:
                    break
                newer.append(kept)
            return newer[: -SENT - 1 : -1]
        return [entry(change) for change in await asyncio.to_thread(reading.since, self.store, seq, SENT)]

    async def wait(self, seq: int, seconds: float) -> bool:
        """Whether something newer came within `seconds`."""
        if self._last > seq:
            return True
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return False
        return True


async def stream(
    bulletin: Bulletin, wanted: Filter, after: int | None, beat_seconds: float = BEAT_SECONDS
) -> AsyncIterator[bytes]:
    """Server-sent events from behind `after` on, or from now on. Every event bears the number to go on from.

    `story`: a new or changed story. `gone`: a story changed so that the filter no longer takes it. `beat`: nothing
    new, still here. `reset`: the number is none of this database; ask for the list again.
    """
    reader = bulletin.open(after)
    try:
        newest = await asyncio.to_thread(reading.newest, bulletin.store)
        seq = newest if after is None else after
        hello = f"retry: {RETRY_MS}\n\n".encode()
        if seq > newest:
            seq = newest
            hello += _event("reset", seq, "{}")
        reader.seq = seq
        yield hello + _event("beat", seq, "{}")
        while not bulletin.stopped:
            entries = await bulletin.after(seq)
            told = [part for e in entries if (part := e.told if matches(wanted, e.change.facts) else e.gone)]
            if entries:
                seq = entries[-1].seq
            if told:
                yield b"".join(told)
            reader.seq = seq
            if not entries and not await bulletin.wait(seq, beat_seconds):
                yield _event("beat", seq, "{}")
    except StoreTrouble:
        return  # The reader comes again with its number.
    finally:
        bulletin.close(reader)


def entry(change: Change) -> Entry:
    """A change as it is told."""
    item = change.item
    gone = _event("gone", item.seq, f'{{"story_id":"{item.story_id}"}}') if item.events > 1 else None
    return Entry(change, _event("story", item.seq, item.model_dump_json()), gone)


def _event(kind: str, seq: int, data: str) -> bytes:
    return f"event: {kind}\nid: {seq}\ndata: {data}\n\n".encode()
