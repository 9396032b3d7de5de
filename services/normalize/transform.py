"""Raw article to clean article; pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from schemas.records import CleanArticle, Dateline, RawArticle, RawSegment
from schemas.records import Sentence as SentenceRecord
from services.ids import article_id
from services.normalize import furniture
from services.normalize.dateline import dateline
from services.normalize.fingerprint import simhash
from services.normalize.html import decode_entities, looks_like_html, read_html
from services.normalize.language import language
from services.normalize.published import published_at
from services.normalize.quotes import mend_quotes
from services.normalize.rawmap import Traced, join
from services.normalize.sentences import split
from services.normalize.speakers import with_speakers
from services.normalize.wire import read_wire
from services.stage import Input, Outcome, Reject

MOST_RAW = 2_000_000
"""Characters of title and text as delivered; a page's source is mostly markup and scripts."""
MOST_TEXT = 200_000
"""Characters to read: longer than the longest verbatim records, and all that later stages add fits into one message."""
MOST_LINES = 20_000
MOST_SOURCE, MOST_URL = 1_000, 8_000
MOST_TAGS = 50_000
SUPPORTED = frozenset({"en"})
DATELINE_AMONG = 4
"""A dateline stands before the story; above it only a subheading or a summary of a few lines."""
GAP = "\n\n"

_LINE_ENDS = re.compile(r"\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_SPACES = re.compile(r"[^\S\n ]| {2,}")
_WHITE = re.compile(r"\s+")
_UNWANTED = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\uffff\ud800-\udfff]"
)
_LETTER = re.compile(r"[^\W\d_]")
_OUTLET = re.compile(rf"\s+(?:[|•]\s*[^|•]{{2,40}}|[-–—]\s*{furniture.AGENCY})$")


def normalize(inputs: Sequence[Input[RawArticle]]) -> list[Outcome[CleanArticle]]:
    """One clean article, or one reason why there is none, per raw article."""
    outcomes: list[Outcome[CleanArticle]] = []
    for item in inputs:
        result = clean_article(item.value, item.read_at)
        outcomes.append(result if isinstance(result, Reject) else [result])
    return outcomes


def clean_article(raw: RawArticle, now: datetime) -> CleanArticle | Reject:
    """The article as plain text with sentences; `now` bounds the publication date.

    Rejects: `no_text`, `too_large`, `unsupported_language`.
    """
    # Both go along with every event of the article.
    for name, words, most in (("source", raw.source, MOST_SOURCE), ("url", raw.url or "", MOST_URL)):
        if len(words) > most:
            return _too_large(len(words), f"characters of {name}", most)
    size = len(raw.title) + len(raw.text)
    if size > MOST_RAW:
        return _too_large(size, "characters", MOST_RAW)
    html = raw.content_type == "html" or (raw.content_type is None and looks_like_html(raw.text))
    if html and (tags := raw.text.count("<")) > MOST_TAGS:
        return _too_large(tags, "tags", MOST_TAGS)
    body, title = _read(raw, html)
    if len(body.text) + len(title.text) > MOST_TEXT:
        return _too_large(len(body.text) + len(title.text), "characters to read", MOST_TEXT)
    if (lines := body.text.count("\n")) > MOST_LINES:
        return _too_large(lines, "lines", MOST_LINES)
    if not _LETTER.search(body.text):
        return Reject("no_text", "the text holds no letters" if raw.text.strip() else "the text is empty")
    story = _story(body, title)
    if story is None:
        return Reject("no_text", "nothing but page furniture")
    found = language(story.text)
    if found not in SUPPORTED:
        return Reject("unsupported_language", f"the text is in {found!r}; {', '.join(sorted(SUPPORTED))} is read")
    day, reason = published_at(raw.published_at, now)
    return CleanArticle(
        article_id=article_id(raw),
        text=story.text,
        sentences=with_speakers(story.text, story.sentences),
        raw_map=story.raw_map,
        language=found,
        published_at=day,
        published_at_reason=reason,
        dateline=story.dateline,
        source=raw.source,
        url=raw.url,
        fingerprint=simhash(story.text),
        ingested_at=raw.ingested_at,
    )


def _too_large(size: int, unit: str, most: int) -> Reject:
    return Reject("too_large", f"{size} {unit}; at most {most} are taken")


def _read(raw: RawArticle, html: bool) -> tuple[Traced, Traced]:
    """Plain characters of text and title, each traced into the raw article."""
    title = _flat(decode_entities(Traced.whole(raw.title, "title")))
    if html:
        body, page_title = read_html(raw.text, most=2 * MOST_TEXT)
        if not title.text and page_title is not None:
            title = _flat(page_title)
    else:
        body = decode_entities(Traced.whole(raw.text, "text"))
    return _plain(body), title


def _plain(text: Traced) -> Traced:
    """Without control, bidi and zero-width characters; every line end is a newline, every other white space a blank."""
    return text.sub(_LINE_ENDS, "\n").sub(_UNWANTED, "").sub(_SPACES, " ")


def _flat(title: Traced) -> Traced:
    """A title on one line, without the outlet's name at its end."""
    flat = _plain(title).sub(_WHITE, " ").strip()
    outlet = _OUTLET.search(flat.text) if len(flat.text) < 500 else None
    return flat.cut(0, outlet.start()) if outlet and outlet.start() >= 20 else flat


@dataclass(frozen=True)
class _Story:
    text: str
    sentences: list[SentenceRecord]
    raw_map: list[RawSegment]
    dateline: Dateline | None


def _story(body: Traced, title: Traced) -> _Story | None:
    """The clean text put together; None when nothing of the story is left."""
    wire = read_wire(body, title.text)
    headline = title if title.text else wire.headline
    paragraphs, head = _without_dateline(wire.paragraphs, wire.date)
    builder = _Builder()
    if headline is not None:
        mended = mend_quotes(headline)
        builder.add(mended, [(0, len(mended.text))] if len(mended.text) <= 1000 else split(mended.text), "title")
    for paragraph in paragraphs:
        for part, spans in _sentences(mend_quotes(paragraph)):
            builder.add(part, spans, "body")
    if not builder.sentences:
        return None
    return _Story("".join(builder.texts), builder.sentences, builder.raw_map, head)


class _Builder:
    """Gathers paragraphs into one text, with the offsets of sentences and raw segments."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.sentences: list[SentenceRecord] = []
        self.raw_map: list[RawSegment] = []
        self._size = 0
        self._paragraph = 0

    def add(self, paragraph: Traced, spans: list[tuple[int, int]], part: str) -> None:
        """Put a paragraph after a blank line."""
        if self.texts:
            self.texts.append(GAP)
            self._size += len(GAP)
        for start, end in spans:
            self.sentences.append(
                SentenceRecord(
                    start=self._size + start,
                    end=self._size + end,
                    part="title" if part == "title" else "body",
                    paragraph=self._paragraph,
                )
            )
        self.raw_map += paragraph.segments(self._size)
        self.texts.append(paragraph.text)
        self._size += len(paragraph.text)
        self._paragraph += 1


def _without_dateline(paragraphs: list[Traced], page_date: str | None) -> tuple[list[Traced], Dateline | None]:
    """Paragraphs without the dateline; a date line of the page stands in where the dateline tells no date."""
    for i, paragraph in enumerate(paragraphs[:DATELINE_AMONG]):
        found = dateline(paragraph.text)
        if found is not None:
            head, start = found
            rest = paragraph.cut(start, len(paragraph.text)).strip()
            kept = paragraphs[:i] + ([rest] if rest.text else []) + paragraphs[i + 1 :]
            return kept, head if head.date else head.model_copy(update={"date": page_date})
    return paragraphs, Dateline(date=page_date) if page_date else None


def _sentences(paragraph: Traced) -> list[tuple[Traced, list[tuple[int, int]]]]:
    """The paragraph with its sentence spans, without sentences that are page furniture; empty when none is left."""
    text = paragraph.text
    spans = split(text)
    kept = [(a, b) for a, b in spans if not _is_furniture(text[a:b])]
    if not kept:
        return []
    if len(kept) == len(spans):
        return [(paragraph, spans)]
    pieces: list[Traced | str] = []
    moved: list[tuple[int, int]] = []
    at = 0
    for start, end in kept:
        if pieces:
            pieces.append(" ")
            at += 1
        pieces.append(paragraph.cut(start, end))
        moved.append((at, at + end - start))
        at += end - start
    return [(join(pieces, paragraph.field), moved)]


def _is_furniture(sentence: str) -> bool:
    return furniture.is_credit(sentence) or furniture.is_notice(sentence) or furniture.is_agency(sentence)
