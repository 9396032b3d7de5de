"""The verbs that talk to a broker besides `up` and `ingest`: tail, replay, topics."""

from __future__ import annotations

import sys
from typing import TextIO

from schemas.topics import topics
from services.replay.selection import Return, Selection, written_at
from services.runtime.replay import look
from services.runtime.replay import replay as put_back
from services.runtime.settings import ConnectionSettings
from services.runtime.streams import tail
from services.runtime.topics import ensure_topics

HOURS = 24
SHOWN_CHARACTERS = 120


def follow(settings: ConnectionSettings, topic: str, *, on: bool, new: bool) -> int:
    """Print a topic's committed records, a JSON line each; `on`: wait for more; `new`: only what comes from now on."""
    for record in tail(settings, topic, from_beginning=not new, follow=on or new):
        sys.stdout.buffer.write((record.value or b"null") + b"\n")
        sys.stdout.buffer.flush()
    return 0


def replay(settings: ConnectionSettings, topic: str, selection: Selection, *, dry_run: bool, out: TextIO) -> int:
    """Put the records behind dead letters back where they came from; `dry_run`: only show which."""
    if dry_run:
        done = look(settings, topic, selection, lambda item: out.write(f"{letter_row(item)}\n"))
    else:
        done = put_back(settings, topic, selection)
    for name, count in done.replayed.items():
        out.write(f"{count} {'would be ' if dry_run else ''}put back on {name}\n")
    for why, count in done.left.items():
        out.write(f"{count} left: {why}\n")
    if not done.replayed:
        out.write(f"nothing to replay in {topic}\n")
    return 0


def letter_row(item: Return) -> str:
    """A dead letter on one line: its place, when, by which stage and why, where the record stood and its size."""
    letter, origin = item.letter, item.letter.origin
    written = written_at(item.place)
    row = (
        f"{item.place.partition}:{item.place.offset}",
        written.isoformat(timespec="seconds") if written else "-",
        letter.stage,
        letter.reason,
        f"{origin.topic} {origin.partition}:{origin.offset}",
        f"{letter.value_bytes} bytes",
        letter.detail[:SHOWN_CHARACTERS],
    )
    # What a record says must not steer the terminal.
    return "  ".join("".join(c if c.isprintable() else "\ufffd" for c in cell) for cell in row)


def show_topics(settings: ConnectionSettings | None, out: TextIO) -> int:
    """Print the topic table; with settings, the topics that the broker lacks are made first."""
    made = ensure_topics(settings) if settings is not None else []
    rows = [("topic", "record", "key", "partitions", "kept", "written by → read by")]
    for name, topic in topics().items():
        kept = f"{topic.retention_hours // HOURS} d" if topic.retention_hours else "for ever"
        flow = f"{', '.join(topic.producers)} → {', '.join(topic.consumers) or 'people'}"
        record = ", ".join(kind.__name__ for kind in topic.kinds)
        rows.append((name, record, topic.key or "-", str(topic.partitions), kept, flow))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        out.write("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n")
    if settings is not None:
        out.write(f"\nmade on {settings.bootstrap}: {', '.join(made) or 'nothing, all were there'}\n")
    return 0
