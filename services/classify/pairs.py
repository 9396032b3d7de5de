"""Classify a sentence whose two sides are given: the best type between them, tone, peace stance and claim."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from pydantic import BaseModel

from schemas.codebook import CLAIMS, EVENT_TYPES, PEACES, TIMINGS, TONES
from services.classify.batching import plan_batches
from services.classify.decode import softmax
from services.classify.features import MAX_TOKENS, Encoded, Span, encode, pad
from services.classify.model import EventModel, Floats
from services.classify.pairing import Pairs, all_pairs, score_details, score_pairs

BATCH_TOKENS = 1024
TONE_AT = len(CLAIMS) + len(TIMINGS)
PEACE_AT = TONE_AT + len(TONES)


class PairQuestion(BaseModel):
    """A text and the words of its two sides; brackets around them are allowed in the text. `id` comes back."""

    id: str | int
    text: str
    source: str = ""
    target: str = ""


class PairAnswer(BaseModel):
    """Probabilities between the types (they sum to 1), the best type, and what else the pair shows."""

    id: str | int
    type: str
    scores: dict[str, float]
    event_score: float
    tone: str
    tone_scores: dict[str, float]
    peace: str
    claim: str


def find_words(text: str, words: str, taken: Span | None = None) -> Span | None:
    """Where the words stand in the text: exactly, else ignoring case and a leading article, else by their last words.

    `taken` is the other side's span: words outside it come first, words inside it only when they stand nowhere else.
    None when not even one word is there.
    """
    words = words.strip()
    tries = [words, words.removeprefix("the ").removeprefix("The ")]
    parts = words.split()
    tries += [" ".join(parts[i:]) for i in range(1, len(parts))]
    lower = text.lower()
    inside: Span | None = None
    for attempt in tries:
        start = lower.find(attempt.lower()) if attempt else -1
        while start >= 0:
            span = (start, start + len(attempt))
            if taken is None or span[1] <= taken[0] or span[0] >= taken[1]:
                return span
            inside = inside or (span if attempt == words else None)
            start = lower.find(attempt.lower(), start + 1)
    return inside


def _unbracket(question: PairQuestion) -> tuple[str, Span | None, Span | None]:
    text = question.text
    if text.count("[") == text.count("]") == 2:
        spans, plain = [], ""
        for part in text.split("["):
            inner, closed, rest = part.partition("]")
            if closed:
                spans.append((len(plain), len(plain) + len(inner)))
            plain += inner + rest
        first, second = spans
        # Brackets come in text order; the side named first may stand second.
        if question.source.strip() == plain[slice(*second)].strip() and question.source != question.target:
            first, second = second, first
        return plain, first, second
    source = find_words(text, question.source)
    return text, source, find_words(text, question.target, source)


def classify_pairs(model: EventModel, questions: Sequence[PairQuestion]) -> list[PairAnswer]:
    """One answer per question, in order. A side whose words are not in the text counts as unknown (or no recipient)."""
    parsed = [_unbracket(q) for q in questions]
    encoded = encode(model.tokenizer, [("", _fit(model, *p)) for p in parsed])
    answers: dict[int, PairAnswer] = {}
    for rows in plan_batches([len(e.ids) for e in encoded], BATCH_TOKENS):
        batch = [encoded[i] for i in rows]
        arrays = pad(batch)
        states, _ = model.backend.encode(arrays)
        spans = [(_tokens(encoded[i], parsed[i][1]), _tokens(encoded[i], parsed[i][2])) for i in rows]
        pairs = _given_pairs(spans)
        _, _, event, mixed = score_pairs(model.backend, states, arrays["sentence_mask"], pairs, -math.inf)
        best = event[:, : len(EVENT_TYPES)].argmax(-1)
        asked = [(row, query) for row in range(len(rows)) for query in (best[row], len(EVENT_TYPES))]
        attributes = score_details(model.backend, states, arrays["sentence_mask"], pairs, mixed, asked)[0]
        for row, number in enumerate(rows):
            stance = attributes[2 * row + 1, TONE_AT:PEACE_AT] + np.array(model.config.stance_bias, dtype=np.float32)
            answers[number] = _answer(questions[number].id, event[row], attributes[2 * row], softmax(stance))
    return [answers[i] for i in range(len(questions))]


def _fit(model: EventModel, text: str, _source: Span | None, _target: Span | None) -> str:
    offsets = model.tokenizer.encode(text, add_special_tokens=False).offsets
    return text if len(offsets) <= MAX_TOKENS - 4 else text[: offsets[MAX_TOKENS - 5][1]]


def _tokens(encoded: Encoded, span: Span | None) -> Span | None:
    return encoded.token_span(*span) if span else None


def _given_pairs(spans: Sequence[tuple[Span | None, Span | None]]) -> Pairs:
    """One pair a row, of the given actor and recipient."""
    known = [[span for span in both if span] for both in spans]
    rows = all_pairs(known)
    first = rows.first.tolist()
    actor = [first[i] if a else -1 for i, (a, _) in enumerate(spans)]
    recipient = [first[i] + (a is not None) if r else -1 for i, (a, r) in enumerate(spans)]
    return replace(
        rows,
        sentence=np.arange(len(spans), dtype=np.int64),
        actor=np.array(actor, dtype=np.int64),
        recipient=np.array(recipient, dtype=np.int64),
    )


def _answer(number: str | int, event: Floats, own: Floats, tone: Floats) -> PairAnswer:
    """`own` are the attributes of the best type, `tone` the probabilities of the stance query."""
    count = len(EVENT_TYPES)
    scores = softmax(event[:count])
    best = int(scores.argmax())
    return PairAnswer(
        id=number,
        type=EVENT_TYPES[best],
        scores={t: round(float(s), 5) for t, s in zip(EVENT_TYPES, scores, strict=True)},
        event_score=round(float(1 / (1 + np.exp(-event[best]))), 5),
        tone=TONES[int(tone.argmax())],
        tone_scores={t: round(float(s), 5) for t, s in zip(TONES, tone, strict=True)},
        peace=PEACES[int(own[PEACE_AT:].argmax())],
        claim=CLAIMS[int(own[: len(CLAIMS)].argmax())],
    )
