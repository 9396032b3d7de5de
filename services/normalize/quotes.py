"""Quotation marks: the doubled and mismatched ones of a wire text mended, and where quotations run."""

from __future__ import annotations

import re
from dataclasses import dataclass

from services.normalize.rawmap import Traced

_DOUBLE = re.compile(r"``|''|’’|‘‘|\"{2,}|“[“\"]+|\"“|”[”\"]+|\"”")
_STRAY = re.compile(r"(?<=\s)\"(?='[^'\"\n]{2,160}'(?!\w))")
_BOTH = {"``": '"', "''": '"', "’’": "”", "‘‘": "“"}


def mend_quotes(paragraph: Traced) -> Traced:
    """One mark where a paragraph has two in a row, and no stray double one before a quotation in single marks."""
    mended = paragraph.sub(_DOUBLE, _one_mark)
    if mended.text.count('"') % 2:
        mended = mended.sub(_STRAY, "")
    return mended


def _one_mark(match: re.Match[str]) -> str:
    marks = match.group()
    return _BOTH.get(marks) or next((curly for curly in "“”" if curly in marks), '"')


@dataclass(frozen=True)
class Quotation:
    """A stretch of quoted words within one paragraph, marks included; equal `group`: one quotation over paragraphs."""

    start: int
    end: int
    group: int


_OPEN_SINGLE = re.compile(r"(?<![\w.,!?])['‘](?=\w)")
_CLOSE_SINGLE = re.compile(r"[.,!?]['’](?!\w)")


def quotations(text: str, paragraphs: list[tuple[int, int]]) -> list[Quotation]:
    """Quotations of a text in order. A mark left open ends with its paragraph, unless the next opens with one."""
    found: list[Quotation] = []
    group, running = 0, False
    for number, (start, end) in enumerate(paragraphs):
        opened: int | None = None
        if running and text[start] not in '"“„':
            running = False
        if not running:
            group += 1
        for at, opens in _marks(text, start, end):
            if opens and opened is None:
                if not running:
                    group += 1
                opened, running = at, False
            elif not opens and opened is not None:
                found.append(Quotation(opened, at + 1, group))
                opened = None
        if opened is not None:
            follows = paragraphs[number + 1][0] if number + 1 < len(paragraphs) else None
            running = follows is not None and text[follows] in '"“„'
            if running or opened == start:
                found.append(Quotation(opened, end, group))
    return found


def _marks(text: str, start: int, end: int) -> list[tuple[int, bool]]:
    """Offsets of quotation marks and whether each opens; single ones only where the paragraph has no double ones."""
    marks: list[tuple[int, bool]] = []
    inside = False
    for match in re.compile(r'["“”„]').finditer(text, start, end):
        at, mark = match.start(), match.group()
        if mark == '"':
            before = text[at - 1] if at > start else " "
            after = text[at + 1] if at + 1 < end else " "
            can_open = not before.isalnum() and not after.isspace() and before not in ".,!?"
            can_close = not before.isspace() and not after.isalnum()
            opens = can_open if can_open != can_close else not inside
        else:
            opens = mark in "“„" and not (mark == "“" and inside and text[at - 1 : at] in (".", ",", "!", "?"))
        inside = opens
        marks.append((at, opens))
    if marks:
        return marks
    at = start
    while (opening := _OPEN_SINGLE.search(text, at, end)) and (
        closing := _CLOSE_SINGLE.search(text, opening.end(), end)
    ):
        marks += [(opening.start(), True), (closing.end() - 1, False)]
        at = closing.end()
    return marks
