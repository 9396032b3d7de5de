"""Stops a service that rejects too much: then the service is broken, not the records."""

from __future__ import annotations

from collections import deque

REMEMBERED = 5


class Breaker:
    """Trips at `in_a_row` rejected records one after another, or when more than `ratio` of the last ones were.

    The ratio counts only from `minimum` records on and looks back over the last 5 × `minimum`.
    """

    def __init__(self, ratio: float, minimum: int, in_a_row: int) -> None:
        self._ratio = ratio
        self._minimum = minimum
        self._in_a_row = in_a_row
        self._row = 0
        self._seen: deque[bool] = deque(maxlen=REMEMBERED * minimum)

    def record(self, rejected: bool) -> None:
        """Notes one record's outcome."""
        self._seen.append(rejected)
        self._row = self._row + 1 if rejected else 0

    @property
    def share(self) -> float:
        """Rejected records of those looked back over, 0 to 1."""
        return sum(self._seen) / len(self._seen) if self._seen else 0.0

    @property
    def tripped(self) -> str | None:
        """Why the service should stop, or None."""
        if self._row >= self._in_a_row:
            return f"{self._row} records in a row rejected"
        count = sum(self._seen)
        if len(self._seen) >= self._minimum and count > self._ratio * len(self._seen):
            return f"{count} of the last {len(self._seen)} records rejected"
        return None
