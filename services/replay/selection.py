"""Which dead letters a replay takes. Pure: no Kafka."""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from schemas.records import DeadLetter, Origin
from schemas.topics import topics
from services.runtime.codec import decode, original
from services.stage import Reject

PLACE = re.compile(r"(\d{1,9}):(\d{1,18})(?:-(\d{1,18}))?")


@dataclass(frozen=True)
class Places:
    """Offsets `first` to `last`, both included, of a partition of the topic of dead letters."""

    partition: int
    first: int
    last: int


@dataclass(frozen=True)
class Selection:
    """What to put back; nothing given takes all. Times are those at which the letters were written."""

    reason: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    places: tuple[Places, ...] = ()
    again: bool = False

    def passes_over(self, letter: DeadLetter, place: Origin) -> str | None:
        """Why the letter at `place` is not asked for; None when it is."""
        if self.reason is not None and letter.reason != self.reason:
            return f"of another reason, {letter.reason}"
        if self.places and not any(
            p.partition == place.partition and p.first <= place.offset <= p.last for p in self.places
        ):
            return "at another offset"
        if self.since is not None or self.until is not None:
            written = written_at(place)
            if written is None:
                return "without a time"
            if (self.since and written < self.since) or (self.until and written >= self.until):
                return "of another time"
        return None


@dataclass(frozen=True)
class Return:
    """A record to be put back for the stage that could not handle it."""

    letter: DeadLetter
    place: Origin
    key: bytes | None
    value: bytes


def read_letter(value: bytes | None, place: Origin, source: str, max_bytes: int) -> Return | str:
    """The record behind a dead letter of the topic `source`, or why there is none to put back."""
    letter = decode(DeadLetter, value, max_bytes)
    if isinstance(letter, Reject):
        newer = letter.reason == "newer_schema_version"
        return "of a newer version, replay with newer code" if newer else f"no dead letter, {letter.reason}"
    if letter.stage not in topics()[source].consumers:
        return f"of {letter.stage}, which does not read {source}"
    try:
        key, body = original(letter)
    except (binascii.Error, ValueError):
        return "no dead letter, its base64 is broken"
    return "without value" if body is None else Return(letter, place, key, body)


def source_of(topic: str) -> str:
    """The topic whose dead letters `topic` holds; ValueError when it holds none."""
    sources = {t.dead_letters: name for name, t in topics().items() if t.dead_letters}
    if topic not in sources:
        raise ValueError(f"{topic} holds no dead letters; these do: {', '.join(sources)}")
    return sources[topic]


def written_at(place: Origin) -> datetime | None:
    """When the record at `place` was written, UTC; None when the broker does not tell."""
    return None if place.timestamp_ms is None else datetime.fromtimestamp(place.timestamp_ms / 1000, UTC)


def places(words: str) -> Places:
    """PARTITION:OFFSET or PARTITION:FIRST-LAST; ValueError for anything else."""
    match = PLACE.fullmatch(words)
    if match is None:
        raise ValueError(f"{words!r} is neither PARTITION:OFFSET nor PARTITION:FIRST-LAST")
    first = int(match[2])
    last = int(match[3]) if match[3] else first
    if last < first:
        raise ValueError(f"{words!r} ends before it begins")
    return Places(int(match[1]), first, last)


def moment(words: str) -> datetime:
    """An ISO 8601 date or time; without a zone it is UTC. ValueError for anything else."""
    try:
        found = datetime.fromisoformat(words)
    except ValueError:
        raise ValueError(f"{words!r} is no ISO 8601 time such as 2026-03-01T12:00") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
