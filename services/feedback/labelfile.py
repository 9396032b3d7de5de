"""Corrections as a label file for training, in the format of training/README.md. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from string import ascii_lowercase

from schemas.records import Labels, Side
from services.feedback.passages import Judged, Passage

UNKNOWN_ACTOR = "?"
HEAD = "# Corrections of analysts, by demarche feedback export; events marked unchecked are as the model gave them.\n"
Span = tuple[int, int]


class NotWritable(ValueError):
    """The format cannot tell the passage."""


def label_file(found: Iterable[Passage]) -> tuple[str, int, Counter[str]]:
    """The file's text, its passages, and how many were left out by why."""
    blocks: list[str] = []
    left: Counter[str] = Counter()
    for passage in found:
        try:
            blocks.append(block(passage))
        except NotWritable as error:
            left[str(error)] += 1
    return "\n".join([HEAD, *blocks]), len(blocks), left


def block(passage: Passage) -> str:
    """The lines of one passage. NotWritable: a side has no words in its sentence, or they do not fit the format."""
    sentence = _line(passage.sentence)
    if "[" in sentence or "]" in sentence:
        raise NotWritable("square brackets in the sentence")
    mentions = _mentions(passage, sentence)
    lines = [f"@ feedback-{_line(passage.article_id)}"]
    for one in passage.events:
        lines += _remarks(one)
    lines.append(f"S: {_marked(sentence, mentions)}")
    lines += [_event(one.labels, one, passage, mentions, sentence) for one in passage.events if one.labels is not None]
    return "\n".join(lines) + "\n"


def _line(text: str) -> str:
    """The text without line breaks, as long as before."""
    return re.sub(r"\s", " ", text)


def _span(side: Side, passage: Passage, sentence: str) -> Span | None:
    """Where the side's words stand in the sentence: where they were found, or, named elsewhere, the same words here."""
    words = _line(side.text)
    if not words:
        return None
    at = -1 if side.start is None else side.start - passage.start
    if at >= 0 and sentence[at : at + len(words)] == words:
        return at, at + len(words)
    same = re.search(rf"(?<!\w){re.escape(words)}(?!\w)", sentence)
    return same.span() if same else None


def _mentions(passage: Passage, sentence: str) -> dict[Span, str]:
    """A letter for each place at which a side is named, in their order."""
    sides = [side for one in passage.events for side in (*one.event.actors, *one.event.recipients)]
    spans = sorted({span for side in sides if (span := _span(side, passage, sentence)) is not None})
    if any(before[1] > after[0] for before, after in pairwise(spans)):
        raise NotWritable("one side's words stand within another's")
    if len(spans) > len(ascii_lowercase):
        raise NotWritable("more sides than letters")
    return dict(zip(spans, ascii_lowercase, strict=False))


def _marked(sentence: str, mentions: dict[Span, str]) -> str:
    told, last = "", 0
    for (start, end), key in mentions.items():
        told += f"{sentence[last:start]}[{key}:{sentence[start:end]}]"
        last = end
    return told + sentence[last:]


def _event(labels: Labels, one: Judged, passage: Passage, mentions: dict[Span, str], sentence: str) -> str:
    quote = _line(one.event.evidence.quote).strip()
    if quote not in sentence:
        raise NotWritable("the quote is longer than the sentence")
    event = one.event
    others = [side for other in passage.events for side in (*other.event.actors, *other.event.recipients)]

    def keys(codes: Sequence[str], first: Sequence[Side], second: Sequence[Side]) -> list[str]:
        """Letters of the sides of these codes: in the role they have, else in the other one, else of other events."""
        found: list[str] = []
        for code in codes:
            for sides in (first, second, others):
                spans = [_span(side, passage, sentence) for side in sides if side.code == code]
                letters = [mentions[span] for span in spans if span is not None]
                if letters:
                    found += letters
                    break
            else:
                if code != "UNK":
                    raise NotWritable("a side has no words in the sentence")
        return list(dict.fromkeys(found))

    actors = keys(labels.actors, event.actors, event.recipients) or [UNKNOWN_ACTOR]
    recipients = keys(labels.recipients, event.recipients, event.actors) or ["-"]
    usual = ("asserted", "new", "neutral")
    told: list[str] = [value for value in (labels.claim, labels.timing, labels.tone) if value not in usual]
    told += [] if labels.peace == "none" else [f"peace:{labels.peace}"]
    return f"E: {' '.join([labels.type, '>'.join(map('+'.join, (actors, recipients))), *told])} | {quote}"


def _remarks(one: Judged) -> list[str]:
    """Who says so, and why, as comments."""
    if one.given is None:
        return [f"# unchecked: {_line(one.event.evidence.quote)}"]
    told = f"# {', '.join(one.given.kinds) or 'confirmed'} by {one.given.by}, {one.given.given_at:%Y-%m-%d}"
    return [f"{told}: {_line(one.given.note)}" if one.given.note else told]
