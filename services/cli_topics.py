"""The verbs that talk to a broker besides `up` and `ingest`: tail, replay, topics."""

from __future__ import annotations

import sys
from typing import TextIO

from schemas.topics import topics
from services.runtime.settings import ConnectionSettings
from services.runtime.streams import replay_dead_letters, tail
from services.runtime.topics import ensure_topics

HOURS = 24


def follow(settings: ConnectionSettings, topic: str, *, on: bool, new: bool) -> int:
    """Print a topic's committed records, a JSON line each; `on`: wait for more; `new`: only what comes from now on."""
    for record in tail(settings, topic, from_beginning=not new, follow=on or new):
        sys.stdout.buffer.write((record.value or b"null") + b"\n")
        sys.stdout.buffer.flush()
    return 0


def replay(settings: ConnectionSettings, topic: str, reason: str | None, *, again: bool, out: TextIO) -> int:
    """Put the records behind dead letters back where they came from."""
    done = replay_dead_letters(settings, topic, reason=reason, from_beginning=again)
    for name, count in done.replayed.items():
        out.write(f"{count} put back on {name}\n")
    for why, count in done.left.items():
        out.write(f"{count} left: {why}\n")
    if not done.replayed and not done.left:
        out.write(f"nothing to replay in {topic}\n")
    return 0


def show_topics(settings: ConnectionSettings | None, out: TextIO) -> int:
    """Print the topic table; with settings, the topics that the broker lacks are made first."""
    made = ensure_topics(settings) if settings is not None else []
    rows = [("topic", "record", "key", "partitions", "kept", "written by → read by")]
    for name, topic in topics().items():
        kept = f"{topic.retention_hours // HOURS} d" if topic.retention_hours else "for ever"
        flow = f"{', '.join(topic.producers)} → {', '.join(topic.consumers) or 'people'}"
        rows.append((name, topic.model, topic.key or "-", str(topic.partitions), kept, flow))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        out.write("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n")
    if settings is not None:
        out.write(f"\nmade on {settings.bootstrap}: {', '.join(made) or 'nothing, all were there'}\n")
    return 0
