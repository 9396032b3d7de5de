"""Finds a record that kills the process, by notes in the metadata of the committed offsets.

A process notes at its first window of a partition that it tries; a window that is committed wipes the note, and so does
every end of the process but a sudden death. The next process that finds the note does that window record by record and
notes each before it tries it. A record that killed the process twice while it was alone is not tried again.
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
