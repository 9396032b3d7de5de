"""Training examples from every source in one form: text, token tags where known, pairs with what is known of them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from schemas.codebook import CLAIMS, EVENT_TYPES, PEACES, TIMINGS, TONES
from training.labels import UNKNOWN_ACTOR, Passage

Span = tuple[int, int]
Place = tuple[bool, int, int]
"""A span in the context (True) or in the sentence (False), characters of that text."""

REVERSIBLE = {"CONSULT", "AGREE", "COOPERATE"}
STANCE_QUERY = len(EVENT_TYPES)
NEUTRAL = TONES.index("neutral")


@dataclass
class PairExample:
    """One (actor, recipient) pair: None is the unknown actor or no recipient.

    `events` are the types that hold; `known` says that all other types are known not to hold; `single` that exactly one
    type holds (trains the choice between types); `ignore` are types left out of the loss. `stance` is the tone index.
    `soft` and `guessed` come from a teacher (training/distill.py): logits, and events with their attributes and words.
    """

    actor: Place | None
    recipient: Place | None
    events: dict[int, dict[str, Any]] = field(default_factory=dict)
    known: bool = False
    single: bool = False
    ignore: set[int] = field(default_factory=set)
    stance: int | None = None
    soft: npt.NDArray[np.float16] | None = None
    guessed: dict[int, dict[str, Any]] = field(default_factory=dict)


@dataclass
class Example:
    """A text with labels; `tags` holds, per known layer, the spans in the sentence (and for sides in the context)."""

    source: str
    group: str
    context: str
    sentence: str
    tags: dict[str, list[Place]]
    pairs: list[PairExample]


def from_passage(passage: Passage) -> Example:
    """A hand-written passage: everything is known, so every pair of its mentions becomes an example."""
    cut = passage.sentence_start
    context, sentence = passage.text[:cut].rstrip(), passage.text[cut:]

    def place(start: int, end: int) -> Place:
        return (True, start, end) if start < cut else (False, start - cut, end - cut)

    places: dict[str, Place | None] = {m.key: place(m.start, m.end) for m in passage.mentions}
    places[UNKNOWN_ACTOR] = None
    pairs: dict[tuple[str, str | None], PairExample] = {}
    for actor in places:
        for recipient in [*(k for k in places if k != UNKNOWN_ACTOR), None]:
            if actor != recipient:
                pairs[actor, recipient] = PairExample(
                    places[actor], places[recipient] if recipient else None, known=True
                )
    for event in passage.events:
        kind = EVENT_TYPES.index(event.type)
        for actor in event.actors:
            # "The two sides agreed" is written a>a: between the members of one mention, so toward no other mention.
            for recipient in tuple(r for r in event.recipients if r != actor) or (None,):
                pair = pairs[actor, recipient]
                pair.events.setdefault(
                    kind,
                    {
                        "claim": CLAIMS.index(event.claim),
                        "timing": TIMINGS.index(event.timing),
                        "tone": TONES.index(event.tone),
                        "peace": PEACES.index(event.peace),
                        "quote": (event.quote[0] - cut, event.quote[1] - cut),
                    },
                )
                pair.stance = TONES.index(event.tone) if pair.stance in (None, TONES.index(event.tone)) else None
                if recipient is not None:
                    # An event toward somebody is neither right nor wrong as "toward nobody": leave that pair out.
                    pairs[actor, None].ignore.add(kind)
                    if event.type in REVERSIBLE and actor != UNKNOWN_ACTOR:
                        pairs[recipient, actor].ignore.add(kind)
    for (actor, recipient), pair in pairs.items():
        pair.single = len(pair.events) == 1
        back = pairs.get((recipient, actor)) if recipient else None
        if back and pair.stance not in (None, NEUTRAL) and back.stance is None and not back.events:
            back.stance = NEUTRAL
    tags: dict[str, list[Place]] = {"side": [p for p in places.values() if p], "source": [], "cue": [], "content": []}
    for link in passage.attributions:
        for layer, span in (("source", link.source), ("cue", link.cue), ("content", link.content)):
            if span:
                tags[layer].append(place(*span))
    return Example("hand", passage.group, context, sentence, tags, list(pairs.values()))


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def read_plover_gsr(path: Path) -> Iterator[Example]:
    """PLOVER gold standard records: one pair (several if a side is compound) with its type."""
    for row in _rows(path):
        text, kind = row["text"], EVENT_TYPES.index(row["root"])

        def places(words: str | None, text: str = text) -> list[Place | None]:
            found = [
                (False, text.find(w), text.find(w) + len(w))
                for w in (words or "").split("; ")
                if w and text.find(w) >= 0
            ]
            return list(found)

        sources = places(row.get("source"))
        targets = places(row.get("target"))
        if row.get("reciprocal") and len(sources) > 1 and not targets:
            sources, targets = sources[:1], sources[1:]
        pairs = [
            PairExample(a, r, events={kind: {}}, known=True, single=True)
            for a in sources or [None]
            for r in targets or [None]
            if a != r
        ]
        if pairs:
            yield Example("plover_gsr", row["id"], "", text, {}, pairs)


STANCES = {
    "NEUTRAL": ("neutral", "neutral"),
    "POS_P2Q": ("positive", "neutral"),
    "NEG_P2Q": ("negative", "neutral"),
    "POS_Q2P": ("neutral", "positive"),
    "NEG_Q2P": ("neutral", "negative"),
}


def unbracket(text: str) -> tuple[str, list[Span]]:
    """Text without its square brackets, and the spans that stood in them."""
    plain, spans, last = "", [], 0
    for match in re.finditer(r"\[([^\[\]]*)\]", text):
        plain += text[last : match.start()]
        spans.append((len(plain), len(plain) + len(match[1])))
        plain += match[1]
        last = match.end()
    return plain + text[last:], spans


def read_directed_sentiment(path: Path) -> Iterator[Example]:
    """Stance between two bracketed entities, both ways."""
    for row in _rows(path):
        text, spans = unbracket(row["text"])
        if len(spans) != 2 or len(text) > 600:
            continue
        p, q = ((False, *span) for span in spans)
        there, back = STANCES[row["label"]]
        pairs = [PairExample(p, q, stance=TONES.index(there)), PairExample(q, p, stance=TONES.index(back))]  # type: ignore[arg-type]
        yield Example("directed_sentiment", row["id"], "", text, {}, pairs)


def read_newsmtsc(path: Path) -> Iterator[Example]:
    """How a news sentence stands toward a target: an unknown actor's stance."""
    for row in _rows(path):
        if len(row["text"]) <= 600:
            pair = PairExample(None, (False, row["start"], row["end"]), stance=TONES.index(row["label"]))
            yield Example("newsmtsc", row["id"], "", row["text"], {}, [pair])


Grouped = TypeVar("Grouped", Passage, Example)


def _held(group: str, share: float, seed: int) -> bool:
    """A group's side hangs on its name alone, so that it stays where it is when others are added."""
    return int(hashlib.sha256(f"{seed} {group}".encode()).hexdigest()[:8], 16) < share * 2**32


def split_groups(items: list[Grouped], share: float, seed: int) -> tuple[list[Grouped], list[Grouped]]:
    """Split by group, so that one story's passages stand on one side; returns (training, held out)."""
    train = [i for i in items if not _held(i.group, share, seed)]
    return train, [i for i in items if _held(i.group, share, seed)]
