"""Ends the process when a step that has no timeout of its own, or a requested stop, takes too long."""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from types import FrameType

EXIT_STUCK = 70
TICK_SECONDS = 0.25
GRACE_SECONDS = 2.0
STDERR = 2


class Watchdog:
    """A thread with two deadlines: one for the running step, one from the first SIGTERM or SIGINT on.

    Leaving by `os._exit` is safe at any time: an open transaction is aborted when the next process of the same
    transactional id starts.
    """

    def __init__(self, stop_seconds: float) -> None:
        self._stop_seconds = stop_seconds
        self._stop_at: float | None = None
        self._step: tuple[str, float] | None = None
        Thread(target=self._run, name="watchdog", daemon=True).start()

    def listen(self) -> None:
        """Takes SIGTERM and SIGINT; the handler only sets a flag. Main thread only."""
        signal.signal(signal.SIGTERM, self._request_stop)
        signal.signal(signal.SIGINT, self._request_stop)

    @property
    def stopping(self) -> bool:
        """Whether a stop was asked for."""
        return self._stop_at is not None

    def _request_stop(self, _number: int, _frame: FrameType | None) -> None:
        if self._stop_at is None:
            self._stop_at = time.monotonic() + self._stop_seconds

    @contextmanager
    def limit(self, step: str, seconds: float) -> Iterator[None]:
        """Ends the process when the body takes longer, also when it lets no other thread run. Not to be nested."""
        self._step = (step, time.monotonic() + seconds)
        # A loop in C, such as that of a regular expression, keeps the interpreter to itself; this timer does without.
        faulthandler.dump_traceback_later(seconds + GRACE_SECONDS, exit=True, file=STDERR)
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()
            self._step = None

    def _run(self) -> None:
        while True:
            time.sleep(TICK_SECONDS)
            now = time.monotonic()
            step, stop_at = self._step, self._stop_at
            if step is not None and now > step[1]:
                _leave(f"{step[0]} is stuck")
            if stop_at is not None and now > stop_at:
                _leave("the stop took too long")


def _leave(why: str) -> None:
    sys.stderr.write(f'{{"event": "watchdog ends the process", "level": "critical", "why": "{why}"}}\n')
    sys.stderr.flush()
    os._exit(EXIT_STUCK)
