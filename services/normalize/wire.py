"""Dirty wire text to paragraphs: page lines out, hard wraps and torn sentences mended."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise

from services.normalize import furniture
from services.normalize.captions import is_caption, is_photo_credit
from services.normalize.rawmap import Traced, join

ENDS = re.compile(r"[.!?…:;][\"'”’»)\]]*$")
TORN = re.compile(
    r"(?:,|\b(?:of|in|on|at|by|to|and|or|the|a|an|for|from|with|that|than|as|its|his|her|their|our|into|over|under"
    r"|between|"
    r"against|about|after|before|while|who|which|is|are|was|were|be|been|has|have|had|will|would|could|should|may|not|"
    r"Mr|Mrs|Ms|Dr|President|Minister|Secretary))$"
)
LOWER = re.compile(r"[\"'“‘(\[]*[a-zß-öø-ÿ]")
BULLET = re.compile(r"(?:[•▪■●‣►▶·*–—-]|\(?\d{1,2}[.)]|\(?[a-z]\))\s")
HYPHEN = re.compile(r"[A-Za-z]{2}-$")
KEEPS_HYPHEN = frozenset(
    {
        "long", "short", "high", "low", "well", "anti", "pro", "non", "ex", "self", "co", "vice", "cross", "half",
        "mid", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "multi", "inter", "counter",
        "so", "all", "no", "on", "pre", "post", "re", "semi", "under", "over",
    }
)  # fmt: skip
_TAIL = 60

FULL = 0.72
"""A line of at least this share of the longest line's width is taken to be broken by the width, not on purpose."""
WIDEST_WRAP = 160
LONGEST_HEADLINE = 400


def ends(text: str) -> bool:
    """Whether a line closes a sentence, a list item or a lead-in."""
    return bool(ENDS.search(text[-_TAIL:]))


def is_torn(text: str) -> bool:
    """Whether a line cannot be the end of anything: it stops at a comma or at a word that needs another."""
    return bool(TORN.search(text[-_TAIL:]))


@dataclass(frozen=True)
class Line:
    """A line that belongs to the story; `gap` tells that a blank line stands before it."""

    body: Traced
    gap: bool
    cut: bool = False
    """A page line was taken out before it."""

    @property
    def text(self) -> str:
        """The line's characters."""
        return self.body.text


@dataclass(frozen=True)
class Wire:
    """Paragraphs of a story, its headline when the text opens with one, and the date line of the page."""

    headline: Traced | None
    paragraphs: list[Traced]
    date: str | None


def read_wire(body: Traced, title: str) -> Wire:
    """Paragraphs of a wire text of plain characters; `title` is the clean title, "" when none is given."""
    lines = _split(body)
    width = _wrap_width(lines)
    lines = _without_title(lines, title)
    kept, date = _without_furniture(lines, width)
    blocks = _blocks(kept, width)
    paragraphs = _mend([_paragraph(block) for block in _without_captions(blocks)])
    headline = None
    if not title and _opens_with_headline([p.text for p in paragraphs]):
        headline, *paragraphs = paragraphs
    return Wire(headline, paragraphs, date)


def _split(body: Traced) -> list[Line]:
    lines: list[Line] = []
    gap, at = False, 0
    for line in body.text.split("\n"):
        piece = body.cut(at, at + len(line)).strip()
        at += len(line) + 1
        if piece.text:
            lines.append(Line(piece, gap))
        gap = not piece.text
    return lines


def _wrap_width(lines: list[Line]) -> int:
    """Width at which the text is hard-wrapped; 0 when its lines are paragraphs."""
    longest = max((len(line.text) for line in lines), default=0)
    breaks = [(a.text, b.text) for a, b in pairwise(lines) if not b.gap]
    open_breaks = sum(not ends(a) and len(a) > 30 for a, _ in breaks)
    return longest if 40 <= longest <= WIDEST_WRAP and open_breaks >= 2 and open_breaks >= 0.3 * len(breaks) else 0


def fold(text: str) -> str:
    """Letters and digits only, lower case: what two spellings of a headline share."""
    return "".join(c for c in text.lower() if c.isalnum())


def _without_title(lines: list[Line], title: str) -> list[Line]:
    """Without the lines near the top that repeat the title, whole or broken over up to five lines."""
    wanted = fold(title)
    if len(wanted) < 8:
        return lines
    for first in range(min(8, len(lines))):
        joined = ""
        for last in range(first, min(first + 5, len(lines))):
            joined += fold(lines[last].text)
            if len(joined) > 1.3 * len(wanted) + 8:
                break
            if len(joined) >= 0.8 * len(wanted) and _alike(joined, wanted):
                return lines[:first] + lines[last + 1 :]
    return lines


def _alike(a: str, b: str) -> bool:
    if len(b) > LONGEST_HEADLINE:
        return a == b
    return SequenceMatcher(None, a, b, False).ratio() >= 0.93


def _without_furniture(lines: list[Line], width: int) -> tuple[list[Line], str | None]:
    kept: list[Line] = []
    date = None
    cut, links, gap = False, False, False
    tail_of_link = False
    for line in lines:
        text, gap = line.text, gap or line.gap
        before = "" if gap or not kept else kept[-1].text
        torn = bool(before) and not cut and is_torn(before)
        fresh = not before or cut or ends(before)
        link = None if torn else furniture.related(text)
        if tail_of_link and not line.gap and not ends(text):
            drop, tail_of_link = True, False
        elif link is not None and (fresh or link == ""):
            drop, links = True, not link
            if links and kept and _is_teaser(kept[-1]):
                kept.pop()
            tail_of_link = bool(width) and len(text) >= FULL * width and not ends(text)
        elif links and not ends(text) and len(text) <= 160 and (not line.gap or BULLET.match(text)):
            drop = True
        else:
            links = tail_of_link = False
            whole = not width or len(text) < FULL * width or ends(text)
            drop = not torn and _is_page_line(text, fresh and whole, top=len(kept) < 4)
            if not torn and len(text) <= 120 and furniture.DATE_LINE.fullmatch(text):
                drop, date = True, date or furniture.day_of(text)
        if drop:
            cut = True
            continue
        kept.append(Line(line.body, gap, cut))
        cut, gap = False, False
    return kept, date


def _is_teaser(line: Line) -> bool:
    """Whether the line over a "Read more" button is another story's headline, put in after a page line."""
    return line.cut and len(line.text) <= 150 and not ends(line.text)


def _is_page_line(text: str, fresh: bool, top: bool) -> bool:
    """`fresh`: it stands alone, no sentence runs into it or out of it; `top`: among the first lines."""
    if furniture.is_byline(text) or (len(text) > 3 and furniture.is_page(text)):
        return True
    if (fresh or top) and furniture.is_agency(text):
        return True
    return fresh and (furniture.is_page(text) or furniture.is_credit(text) or furniture.is_notice(text))


def _blocks(lines: list[Line], width: int) -> list[list[Line]]:
    """Lines that make one paragraph."""
    blocks: list[list[Line]] = []
    top = 0
    while top < len(lines) and (top == 0 or not lines[top].gap):
        top += 1
    headline = _is_broken_headline([line.text for line in lines[:top]])
    for i, line in enumerate(lines):
        if i == 0:
            blocks.append([line])
        elif (headline and i < top) or _continues(lines[i - 1].text, line, width):
            blocks[-1].append(line)
        else:
            blocks.append([line])
    return blocks


def _is_broken_headline(texts: list[str]) -> bool:
    """The first lines of a text are a headline that was broken to fit a column."""
    return 2 <= len(texts) <= 4 and sum(map(len, texts)) <= 220 and not any(ends(t) for t in texts)


def _continues(before: str, line: Line, width: int) -> bool:
    """Whether a line goes on with the paragraph of the line before it."""
    after = line.text
    if BULLET.match(after):
        return False
    closed = ends(before)
    if line.gap or line.cut:
        return False
    if not closed and (LOWER.match(after) or is_torn(before) or HYPHEN.search(before[-_TAIL:])):
        return True
    if not width:
        return False
    return len(before) + 1 + len(after.split(None, 1)[0]) > FULL * width


def _paragraph(lines: list[Line]) -> Traced:
    pieces: list[Traced | str] = [lines[0].body]
    for before, line in pairwise(lines):
        _append(pieces, before.text, line.body)
    return join(pieces, lines[0].body.field)


def _append(pieces: list[Traced | str], before: str, after: Traced) -> None:
    """Add what follows a line break: a space between, or nothing where a word was broken at a hyphen."""
    if HYPHEN.search(before[-_TAIL:]):
        stem = re.split(r"[\s-]", before[-_TAIL:-1])[-1]
        last = pieces[-1]
        if LOWER.match(after.text) and stem.lower() not in KEEPS_HYPHEN and isinstance(last, Traced):
            pieces[-1] = last.cut(0, len(last.text) - 1)
    else:
        pieces.append(" ")
    pieces.append(after)


def _without_captions(blocks: list[list[Line]]) -> list[list[Line]]:
    kept: list[list[Line]] = []
    for block in blocks:
        text = " ".join(line.text for line in block)
        if is_caption(text):
            credit_alone = is_photo_credit(text)
            if credit_alone and kept and not block[0].gap and _may_be_caption(kept[-1]):
                kept.pop()
            continue
        if furniture.is_credit(text) or furniture.is_notice(text):
            continue
        kept.append(block)
    return kept


def _may_be_caption(block: list[Line]) -> bool:
    """Whether lines right above a photo credit are its caption: a few, and no whole sentence."""
    return sum(len(line.text) for line in block) <= 250 and len(block) <= 3 and not ends(block[-1].text)


def _mend(paragraphs: list[Traced]) -> list[Traced]:
    """Join a sentence that blank lines or a page line tore in two."""
    mended: list[list[Traced | str]] = []
    before = ""
    for paragraph in paragraphs:
        text = paragraph.text
        lower = bool(LOWER.match(text)) and not BULLET.match(text)
        torn = is_torn(before) and (lower or len(before) > 60)
        if before and not ends(before) and len(before) >= 20 and (lower or torn):
            _append(mended[-1], before, paragraph)
        else:
            mended.append([paragraph])
        before = text
    return [join(pieces, paragraphs[0].field) for pieces in mended]


def _opens_with_headline(texts: list[str]) -> bool:
    """A first line of a few words without a full stop, and a paragraph under it that has one."""
    if len(texts) < 2 or not 8 <= len(texts[0]) <= 200 or ends(texts[0]) or len(texts[0].split()) < 3:
        return False
    return len(texts[1]) >= 60 and (ends(texts[1]) or len(texts[1]) > 200)
