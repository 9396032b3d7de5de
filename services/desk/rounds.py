"""Threads that do the desk's work beside its loop, step by step, until the desk ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Event, Thread
from typing import Self

import structlog

from services.desk.store import StoreTrouble

IDLE_SECONDS = 0.5
TROUBLE_SECONDS = 5.0
Step = Callable[[], bool]
"""Does something, or finds nothing to do; whether it did."""


class Rounds:
    """A thread for each step: it is done again at once where there was something to do, else after its pause."""

    def __init__(self, name: str, steps: Sequence[tuple[Step, float]]) -> None:
        """`name` stands in the log; steps come with their pauses in seconds."""
        self._name, self._stop = name, Event()
        self._threads = [Thread(target=self._repeat, args=step, name=name, daemon=True) for step in steps]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """No step begins any more; one under way is not waited for."""
        self._stop.set()

    def _repeat(self, step: Step, idle: float) -> None:
        while not self._stop.is_set():
            try:
                if step():
                    continue
                self._stop.wait(idle)
            except Exception as error:
                # A thread that ended here would leave all later work undone, and nobody would see it.
                if not isinstance(error, StoreTrouble):
                    traced = not isinstance(error, OSError)
                    structlog.get_logger("demarche").error(self._name, why=str(error), exc_info=traced)
                self._stop.wait(TROUBLE_SECONDS)
