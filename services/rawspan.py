"""From the clean text back to the raw article."""

from __future__ import annotations

from bisect import bisect_right
from typing import Literal

from schemas.records import CleanArticle

REPAIRED = 4
"""A repaired quotation mark or line end is at most this many raw characters; more between two segments was removed."""


def raw_span(article: CleanArticle, start: int, end: int) -> tuple[Literal["title", "text"], int, int] | None:
    """The raw field and character offsets that enclose clean text start:end.

    Characters that were repaired at the span's edges (a quotation mark) are taken along where the segments before and
    after tell where they stood. None when no character of the span is mapped, or its ends lie in different fields.
    """
    segments = article.raw_map
    first = bisect_right(segments, start, key=lambda s: s.clean_start + s.length)
    last = bisect_right(segments, end - 1, key=lambda s: s.clean_start) - 1
    if first >= len(segments) or last < first:
        return None
    head, tail = segments[first], segments[last]
    if head.raw_field != tail.raw_field:
        return None
    raw_start = head.raw_start + max(0, start - head.clean_start)
    raw_end = tail.raw_start + min(end - tail.clean_start, tail.length)
    if start < head.clean_start and first > 0:
        before = segments[first - 1]
        edge = before.raw_start + before.length
        if before.raw_field == head.raw_field and before.clean_start + before.length == start:
            raw_start = edge if 0 < raw_start - edge <= REPAIRED else raw_start
    if end > tail.clean_start + tail.length and last + 1 < len(segments):
        after = segments[last + 1]
        if after.raw_field == tail.raw_field and after.clean_start == end:
            raw_end = after.raw_start if 0 < after.raw_start - raw_end <= REPAIRED else raw_end
    return (head.raw_field, raw_start, raw_end) if raw_start < raw_end else None
