"""When an article was published, or why that is not known."""

from __future__ import annotations

from datetime import date, datetime, timedelta

EARLIEST = date(1945, 1, 1)
AHEAD = timedelta(days=2)
"""Sources lie in all time zones and clocks are off; a later date than that is a mistake."""


def published_at(given: str | None, now: datetime) -> tuple[date | None, str | None]:
    """The day that an ISO 8601 date or time names, as the source's own clock had it, or null and the reason."""
    words = (given or "").strip()
    if not words:
        return None, "the source gave none"
    try:
        day = datetime.fromisoformat(words).date()
    except ValueError:
        return None, f"not an ISO 8601 date: {words[:40]!r}"
    if day < EARLIEST:
        return None, f"before {EARLIEST.year}: {day}"
    if day > now.date() + AHEAD:
        return None, f"more than {AHEAD.days} days ahead: {day}"
    return day, None
