"""An HTML page to the article's plain text, with the way back into the page's source."""

from __future__ import annotations

import html
import re

import numpy as np
import trafilatura
from trafilatura.settings import Document

from services.normalize.rawmap import NOWHERE, Traced, join, nowhere

_LOOKS_LIKE = re.compile(
    r"<!doctype\s+html|<(?:html|head|body|div|p|article|section|span|br|h[1-6]|script|style|table|ul|li|a|strong|em"
    r"|b|i)(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)
_TAG = re.compile(r"<!--|<(/?)([a-zA-Z][a-zA-Z0-9]*)(?:[^<>\"']|\"[^\"<>]*\"|'[^'<>]*')*>|<[!?/][^<>]*>")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
_UNSEEN = frozenset({"script", "style", "noscript", "template", "svg", "iframe", "textarea"})
_INLINE = frozenset(
    {
        "a", "abbr", "b", "bdi", "bdo", "cite", "code", "em", "font", "i", "ins", "kbd", "mark", "q", "s", "small",
        "span", "strong", "sub", "sup", "time", "tt", "u", "var", "wbr",
    }
)  # fmt: skip


def looks_like_html(text: str) -> bool:
    """Whether a text of unknown kind is HTML: it opens like a page, or has two tags or more."""
    head = text[:20_000]
    first = _LOOKS_LIKE.search(head)
    if first is None:
        return False
    return first.group().lower().startswith(("<!doctype", "<html")) or _LOOKS_LIKE.search(head, first.end()) is not None


def visible(raw: str) -> Traced:
    """What a reader sees of a page's source: no tags, comments or scripts; block tags break lines; entities decoded."""
    source = Traced.whole(raw, "text")
    pieces: list[Traced | str] = []
    at = 0
    while (tag := _TAG.search(raw, at)) is not None:
        pieces.append(source.cut(at, tag.start()))
        name = (tag.group(2) or "").lower()
        at = tag.end()
        if tag.group() == "<!--":
            close = raw.find("-->", at)
            at = len(raw) if close < 0 else close + 3
        elif name in _UNSEEN and not tag.group(1) and not tag.group().endswith("/>"):
            ended = re.compile(rf"</{name}\s*>", re.IGNORECASE).search(raw, at)
            at = ended.end() if ended else len(raw)
        elif name and name not in _INLINE:
            pieces.append("\n")
    pieces.append(source.cut(at, len(raw)))
    return decode_entities(join(pieces, "text"))


def decode_entities(text: Traced) -> Traced:
    """Character references as characters; unknown ones stay."""
    return text.sub(_ENTITY, lambda m: html.unescape(m.group())) if "&" in text.text else text


def read_html(raw: str, most: int) -> tuple[Traced, Traced | None]:
    """The main text of a page, one line a paragraph, and its title (None when it has none), both traced into `raw`.

    Where trafilatura finds no main text (a fragment of a page) all visible text is taken, and also, without asking it,
    where that is more than `most` characters.
    """
    page = visible(raw)
    if len(page.text) > most:
        return page, None
    document = trafilatura.bare_extraction(raw, include_comments=False, include_tables=False, with_metadata=True)
    if not isinstance(document, Document) or not (document.text or "").strip():
        return page, None
    title = (document.title or "").strip()
    index = _Index(raw, page)
    return index.trace(document.text or ""), index.trace(title) if title else None


class _Index:
    """The page's visible characters without white space, to find text whose spacing and tags differ."""

    def __init__(self, raw: str, page: Traced) -> None:
        keep = np.fromiter((not c.isspace() for c in page.text), dtype=bool, count=len(page.text))
        self._text = "".join(page.text.split())
        self._origin = page.origin[keep]
        self._raw = raw
        self._at = 0

    def trace(self, text: str) -> Traced:
        """`text` with the places where its lines, or else their sentences, stand in the page."""
        pieces: list[Traced | str] = []
        for line in text.splitlines(keepends=True):
            whole = self._find(line)
            if whole is not None:
                pieces.append(whole)
                continue
            for part in re.split(r"(?<=[.!?]) ", line):
                pieces.append(self._find(part) or part)
                pieces.append(" ")
            pieces.append("\n")
        return join(pieces, "text")

    def _find(self, line: str) -> Traced | None:
        words = "".join(line.split())
        if not words:
            return Traced(line, nowhere(len(line)), "text")
        at = self._text.find(words, self._at)
        at = at if at >= 0 else self._text.find(words)
        if at < 0:
            return None
        self._at = at + len(words)
        origin = nowhere(len(line))
        seen = np.fromiter((not c.isspace() for c in line), dtype=bool, count=len(line))
        origin[seen] = self._origin[at : at + len(words)]
        gaps = np.flatnonzero(~seen[1:-1]) + 1
        single = gaps[(origin[gaps - 1] != NOWHERE) & (origin[gaps + 1] == origin[gaps - 1] + 2)]
        for gap in single.tolist():
            place = int(origin[gap - 1]) + 1
            if self._raw[place] == line[gap]:
                origin[gap] = place
        return Traced(line, origin, "text")
