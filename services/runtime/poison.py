"""Finds a record that kills the process, by notes in the metadata of the committed offsets.

A record that killed a process is among the next `max_poll_records` of its partition, so for that many records a new
process notes each window before it tries it; a window that is committed wipes the note, and so does every end of the
process but a sudden death or a lack of memory. The next process that finds the note does as many records one by one and
notes each before it tries it. A record that killed the process twice while it was alone is not tried again.

So a record kills at most four processes: in a later window, where no note is made, in a noted window, and twice alone;
each further one of the same window kills two. Halving the window instead would take more: five halvings of 32 records.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

DEATHS = 2
NOTE = re.compile(r"demarche:(window|alone):(\d{1,3})")


@dataclass(frozen=True)
class Note:
    """How often a process died right behind the committed offset: in a window, or with one record alone."""

    alone: bool
    deaths: int

    def __str__(self) -> str:
        return f"demarche:{'alone' if self.alone else 'window'}:{self.deaths}"


@dataclass
class Watch:
    """A partition's next `left` records are noted before they are tried, one by one when a process died among them."""

    left: int
    alone: bool


def read_note(metadata: str | None) -> Note | None:
    """The note in an offset's metadata; None for other people's metadata."""
    match = NOTE.fullmatch(metadata or "")
    return Note(match[1] == "alone", int(match[2])) if match else None


def window_note(former: Note | None) -> Note:
    """To be committed before the first window; a note of a lone record is kept."""
    return former or Note(alone=False, deaths=1)


def alone_note(former: Note | None) -> Note:
    """To be committed before a record is tried alone."""
    return Note(alone=True, deaths=former.deaths + 1 if former and former.alone else 1)


def is_poison(former: Note | None) -> bool:
    """Whether the record at the note's offset killed the process often enough."""
    return former is not None and former.alone and former.deaths >= DEATHS
