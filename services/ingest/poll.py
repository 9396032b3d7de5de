"""Looks at many feeds, several hosts at once, one feed of a host at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from threading import Event

from services.ingest.feeds import Feed
from services.ingest.looks import Looked
from services.ingest.memory import FeedMemory
from services.ingest.politeness import host_of

WORKERS = 8
TICK_SECONDS = 0.5


def poll(
    feeds: Sequence[Feed],
    look: Callable[[Feed], Looked],
    memory: FeedMemory,
    told: Callable[[Looked], None],
    stop: Event,
    *,
    once: bool,
    clock: Callable[[], float] = time.time,
) -> None:
    """Looks at each feed when it is due, until a stop; `once`: at each a single time, those that failed when due.

    `told` hears of every look, in the caller's thread. What a look raises is raised here.
    """
    left = {feed.url: feed for feed in feeds}
    under_way: dict[Future[Looked], Feed] = {}
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="feeds") as pool:
        try:
            while not stop.is_set():
                busy = {host_of(feed.url) for feed in under_way.values()}
                for feed in _due(list(left.values()) if once else feeds, memory, clock(), once=once):
                    if host_of(feed.url) not in busy:
                        busy.add(host_of(feed.url))
                        left.pop(feed.url, None)
                        under_way[pool.submit(look, feed)] = feed
                if once and not under_way:
                    for feed in left.values():
                        told(Looked(feed, trouble="failed before and is not due yet"))
                    return
                done = wait(under_way, TICK_SECONDS, FIRST_COMPLETED).done if under_way else set()
                if not under_way:
                    stop.wait(TICK_SECONDS)
                for future in done:
                    del under_way[future]
                    told(future.result())
        finally:
            stop.set()  # So that looks under way do not wait for their turn.


def _due(feeds: Sequence[Feed], memory: FeedMemory, now: float, *, once: bool) -> list[Feed]:
    """Those to be looked at now; when it is done `once`, a feed that did not fail need not be due."""
    states = [(feed, memory.feed(feed.url)) for feed in feeds]
    return [feed for feed, state in states if state.due <= now or (once and not state.failures)]
