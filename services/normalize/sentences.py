"""Sentences of a paragraph."""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise

from nupunkt import PunktSentenceTokenizer, load

LONGEST = 1_000
"""Characters; a longer sentence is cut at the last clause mark before, so that the model can read it whole."""

Span = tuple[int, int]

_TITLES = (
    r"Mr|Mrs|Ms|Messrs|Mme|Dr|Prof|Gen|Maj|Brig|Col|Lt|Capt|Cmdr|Cdr|Adm|Sgt|Cpl|Pvt|Rep|Reps|Sen|Sens|Gov|Hon|Rev|"
    r"Msgr|Amb|Pres|Sec|Min|Supt|Insp|St|Ste|Mt|Ft|vs|cf|e\.g|i\.e|approx|H\.E"
)
_AFTER_TITLE = re.compile(rf"(?:^|[\s(\"“'‘-])(?:{_TITLES}|[A-Z])\.$")
_CRY = re.compile(r"[!?][\"”'’]$")
_SPEAKER = re.compile(r"(?:[A-Z][\w.'’-]+ ){1,5}(?:said|says|asked|added|told|warned|wrote|declared|shouted|replied)\b")
_ACRONYM = re.compile(r"\b(?:[A-Z]\.){2,}$")
_STARTER = re.compile(
    r"[\"“'‘(]?(?:The|A|An|It|He|She|They|We|I|You|This|That|These|Those|There|Its|His|Her|Their|Our|But|And|In|On|At|"
    r"As|By|For|From|If|When|While|After|Before|Since|Some|Many|Most|Both|Last|No|Not|Also|However|Meanwhile)\b"
)
_NAME = re.compile(r"[A-Z][\w'’-]*")
_LOWER = re.compile(r"[\"”'’)\]]*\s*[,;]?[a-z]|[)\]”,;]")
_CLOSING = re.compile(r"[\"”’»)\]]+(?=\s|$)")
_SIGNS = re.compile(r"[\W_]+")
_GLUED = re.compile(r"(?<=[a-z]{2}[.!?])(?=[A-Z][a-z]*\s)|(?<=[a-z][.!?][\"”])(?=[A-Z][a-z]*\s)")
_CLAUSE = re.compile(r"[;:,—–][\"”’)]?\s")


def split(text: str) -> list[Span]:
    """Character spans of the sentences of one paragraph, without white space at their ends.

    nupunkt finds the boundaries; its cuts inside titles, initials and before lower case are mended, words that a lost
    space glued to a full stop are parted, and sentences over LONGEST characters are cut at clauses.
    """
    pieces: list[Span] = []
    for start, end in _tokenizer().span_tokenize(text) if text.strip() else ():
        cuts = [start, *(m.start() for m in _GLUED.finditer(text, start, end)), end]
        pieces += [_trim(text, a, b) for a, b in pairwise(cuts)]
    joined: list[Span] = []
    for start, end in pieces:
        if start == end:
            continue
        if joined and _belongs(text[max(joined[-1][0], joined[-1][1] - 40) : joined[-1][1]], text[start : start + 60]):
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return [span for start, end in joined for span in _bounded(text, start, end)]


@cache
def _tokenizer() -> PunktSentenceTokenizer:
    return load("default")


def _trim(text: str, start: int, end: int) -> Span:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


def _belongs(before: str, after: str) -> bool:
    """Whether the next piece is no sentence of its own."""
    if _SIGNS.fullmatch(after) or _LOWER.match(after):
        return True
    if _CRY.search(before) and _SPEAKER.match(after):
        return True
    abbreviated = _AFTER_TITLE.search(before) or _ACRONYM.search(before)
    return bool(abbreviated) and bool(_NAME.match(after)) and not _STARTER.match(after)


def _bounded(text: str, start: int, end: int) -> list[Span]:
    spans: list[Span] = []
    while end - start > LONGEST:
        cut = 0
        for match in _CLAUSE.finditer(text, start + LONGEST // 2, start + LONGEST):
            cut = match.end()
        if not cut:
            space = text.rfind(" ", start + LONGEST // 2, start + LONGEST)
            cut = space if space > 0 else start + LONGEST
        spans.append(_trim(text, start, cut))
        start = cut
    spans.append(_trim(text, start, end))
    return [(a, b) for a, b in spans if a < b]
