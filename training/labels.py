"""Reader and checker for the hand-written label files in training/data/*.txt (format: training/README.md)."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from schemas.codebook import CLAIMS, EVENT_TYPES, PEACES, TIMINGS, TONES

UNKNOWN_ACTOR = "?"

Span = tuple[int, int]


class LabelError(ValueError):
    """A line of a label file breaks the format; the message names file and line."""


@dataclass(frozen=True)
class Mention:
    """A side's words: `key` is the letter of the file, offsets count characters of the passage's text."""

    key: str
    start: int
    end: int


@dataclass(frozen=True)
class LabelledEvent:
    """One event of a passage; actors and recipients are mention keys ("?" = unknown actor)."""

    type: str
    actors: tuple[str, ...]
    recipients: tuple[str, ...]
    claim: str
    timing: str
    tone: str
    peace: str
    quote: Span


@dataclass(frozen=True)
class LabelledAttribution:
    """Who says (source), by which words (cue), what (content); each a span of the sentence, or None."""

    source: Span | None
    cue: Span | None
    content: Span | None


@dataclass
class Passage:
    """A context hint (possibly empty) and a sentence, with everything labelled on them.

    `text` is context + sentence; the sentence starts at `sentence_start`. All offsets are into `text`.
    """

    id: str
    group: str
    text: str
    sentence_start: int
    mentions: list[Mention]
    events: list[LabelledEvent] = field(default_factory=list)
    attributions: list[LabelledAttribution] = field(default_factory=list)


BRACKET = re.compile(r"\[([a-z]):([^\[\]]+)\]")


def strip_markup(marked: str, offset: int) -> tuple[str, list[Mention]]:
    """Turn `[a:words]` markup into plain text and mentions; offsets are shifted by `offset`."""
    plain, mentions, last = "", [], 0
    for match in BRACKET.finditer(marked):
        plain += marked[last : match.start()]
        mentions.append(Mention(match[1], offset + len(plain), offset + len(plain) + len(match[2])))
        plain += match[2]
        last = match.end()
    plain += marked[last:]
    if "[" in plain or "]" in plain:
        raise LabelError("square brackets are for mentions only: [a:words]")
    return plain, mentions


def _find(text: str, words: str, start: int) -> Span:
    words = BRACKET.sub(r"\2", words).strip()
    # Whole words first: "he" must not be found inside "the".
    whole = re.search(rf"(?<!\w){re.escape(words)}(?!\w)", text[start:]) if words else None
    at = start + whole.start() if whole else text.find(words, start)
    if not words or at < 0:
        raise LabelError(f"not in the sentence: {words!r}")
    return at, at + len(words)


def _event(passage: Passage, line: str) -> LabelledEvent:
    head, bar, quote = line.partition("|")
    if not bar:
        raise LabelError("an E line needs ' | quote'")
    words = head.split()
    if len(words) < 2 or words[0] not in EVENT_TYPES or ">" not in words[1]:
        raise LabelError(f"an E line starts 'TYPE a>b': {head!r}")
    left, _, right = words[1].partition(">")
    actors = tuple(left.split("+")) if left else ()
    recipients = () if right in ("", "-") else tuple(right.split("+"))
    keys = {m.key for m in passage.mentions}
    for key in actors + recipients:
        if key not in keys and not (key == UNKNOWN_ACTOR and key in actors):
            raise LabelError(f"no mention has the key {key!r}")
    if not actors:
        raise LabelError("no actor; write ? when the text does not tell")
    values = {"claim": "asserted", "timing": "new", "tone": "neutral", "peace": "none"}
    for word in words[2:]:
        if word.startswith("peace:") and word[6:] in PEACES:
            values["peace"] = word[6:]
        elif word in CLAIMS:
            values["claim"] = word
        elif word in TIMINGS:
            values["timing"] = word
        elif word in TONES:
            values["tone"] = word
        else:
            raise LabelError(f"unknown word {word!r} in an E line")
    span = _find(passage.text, quote, passage.sentence_start)
    return LabelledEvent(words[0], actors, recipients, quote=span, **values)


def _attribution(passage: Passage, line: str) -> LabelledAttribution:
    parts = [part.strip() for part in line.split("|")]
    if len(parts) != 3:
        raise LabelError("an A line is 'source | cue | content'; write - for an absent part")
    spans = [None if p == "-" else _find(passage.text, p, passage.sentence_start) for p in parts]
    return LabelledAttribution(*spans)


def read_file(path: Path) -> Iterator[Passage]:
    """Yield the passages of one label file.

    Raises LabelError, with file and line number, at the first line that breaks the format.
    """
    passage: Passage | None = None
    group, context, count = path.stem, "", 0
    for number, raw in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        tag, _, rest = line.partition(":")
        rest = rest.strip()
        try:
            if line.startswith("@"):
                group = line[1:].strip()
            elif tag == "C":
                context = rest
            elif tag == "S":
                if passage:
                    yield passage
                count += 1
                before, first = strip_markup(context + " " if context else "", 0)
                after, second = strip_markup(rest, len(before))
                passage = Passage(f"{path.stem}-{count}", group, before + after, len(before), first + second)
                if len({m.key for m in passage.mentions}) != len(passage.mentions):
                    raise LabelError("two mentions share a letter")
                context = ""
            elif tag == "E" and passage:
                passage.events.append(_event(passage, rest))
            elif tag == "A" and passage:
                passage.attributions.append(_attribution(passage, rest))
            else:
                raise LabelError(f"a line starts with @, C:, S:, E: or A:, not {line[:20]!r}")
        except LabelError as error:
            raise LabelError(f"{path.name}:{number}: {error}") from None
    if passage:
        yield passage


def read_folder(folder: Path) -> list[Passage]:
    """All passages of the *.txt files of a folder, in the order of file names."""
    return [p for path in sorted(folder.glob("*.txt")) for p in read_file(path)]


def main() -> int:
    """`python -m training.labels FILE...`: check the files, print counts; exit 1 on the first fault of any."""
    bad = 0
    types: Counter[str] = Counter()
    other: Counter[str] = Counter()
    for name in sys.argv[1:]:
        try:
            for passage in read_file(Path(name)):
                other["passages"] += 1
                other["no event"] += not passage.events
                other["attributions"] += len(passage.attributions)
                for event in passage.events:
                    types[event.type] += 1
                    other.update((event.claim, event.timing, "tone " + event.tone, "peace " + event.peace))
        except LabelError as error:
            print(error)
            bad = 1
    print(dict(other), dict(types), sep="\n")
    return bad


if __name__ == "__main__":
    sys.exit(main())
