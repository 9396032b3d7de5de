"""Text that knows where in the raw article each of its characters stood."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from schemas.records import RawSegment

Field = Literal["title", "text"]
Origins = npt.NDArray[np.int32]
NOWHERE = -1
"""Origin of a character that the raw text does not hold at this place: it was repaired or put in."""


@dataclass(frozen=True)
class Traced:
    """`text` and, for each of its characters, the raw offset where the same character stands (or NOWHERE)."""

    text: str
    origin: Origins
    field: Field

    @classmethod
    def whole(cls, raw: str, field: Field) -> Traced:
        """All of a raw field, each character at its own place."""
        return cls(raw, np.arange(len(raw), dtype=np.int32), field)

    def cut(self, start: int, end: int) -> Traced:
        """Characters start..end."""
        return Traced(self.text[start:end], self.origin[start:end], self.field)

    def strip(self) -> Traced:
        """Without white space at either end."""
        start = len(self.text) - len(self.text.lstrip())
        return self.cut(start, max(start, len(self.text.rstrip())))

    def sub(self, pattern: re.Pattern[str], replacement: str | Callable[[re.Match[str]], str]) -> Traced:
        """Like `pattern.sub`; replaced characters have no origin, except a common prefix with what they replace."""
        texts, origins, at = [], [], 0
        for match in pattern.finditer(self.text):
            old = match.group()
            new = replacement if isinstance(replacement, str) else replacement(match)
            if new == old:
                continue
            same = 0
            while same < min(len(new), len(old)) and new[same] == old[same]:
                same += 1
            texts += [self.text[at : match.start() + same], new[same:]]
            origins += [self.origin[at : match.start() + same], nowhere(len(new) - same)]
            at = match.end()
        if not texts:
            return self
        texts.append(self.text[at:])
        origins.append(self.origin[at:])
        return Traced("".join(texts), np.concatenate(origins), self.field)

    def segments(self, clean_start: int) -> list[RawSegment]:
        """Longest runs that stand unbroken in the raw field; the text begins at `clean_start` of the clean text."""
        if not self.text:
            return []
        breaks = np.flatnonzero(np.diff(self.origin) != 1) + 1
        starts = np.concatenate(([0], breaks))
        ends = np.concatenate((breaks, [len(self.text)]))
        return [
            RawSegment(
                clean_start=clean_start + start,
                raw_field=self.field,
                raw_start=int(self.origin[start]),
                length=end - start,
            )
            for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
            if self.origin[start] != NOWHERE
        ]


def nowhere(count: int) -> Origins:
    """Origins of `count` characters that stand nowhere in the raw text."""
    return np.full(count, NOWHERE, dtype=np.int32)


def join(pieces: Iterable[Traced | str], field: Field) -> Traced:
    """Pieces of one raw field in a row; a plain string is new text."""
    texts, origins = [], []
    for piece in pieces:
        if isinstance(piece, str):
            texts.append(piece)
            origins.append(nowhere(len(piece)))
        else:
            texts.append(piece.text)
            origins.append(piece.origin)
    return Traced("".join(texts), np.concatenate([nowhere(0), *origins]), field)
