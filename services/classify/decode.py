"""From the network's numbers to mentions, attributions and events of a sentence: pure numpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from schemas.codebook import CLAIMS, EVENT_TYPES, MUTUAL_TYPES, PEACES, TIMINGS, TONES, EventType
from services.classify.features import TAG_LAYERS, Encoded, Span, spans_of_tags
from services.classify.model import Floats, Ints

MAX_MENTIONS = 14
NEVER = -1e4
MAX_QUOTE_TOKENS = 80
JOIN_SHARE = 0.95
"""A further side joins an event from this share of its score on (held-out passages); weaker ones are echoes."""
ATTRIBUTES = (("claim", CLAIMS), ("timing", TIMINGS), ("tone", TONES), ("peace", PEACES))


@dataclass(frozen=True)
class TokenMention:
    """A mention as a token span [first, last]."""

    first: int
    last: int
    score: float


@dataclass(frozen=True)
class Candidate:
    """A scored (actor, recipient, type); -1 stands for the unknown actor and for no recipient."""

    type: EventType
    score: float
    actors: tuple[int, ...]
    recipients: tuple[int, ...]
    quote: Span
    labels: dict[str, tuple[Any, float]]


def softmax(x: Floats) -> Floats:
    """Softmax over the last axis."""
    e = np.exp(x - x.max(-1, keepdims=True))
    result: Floats = e / e.sum(-1, keepdims=True)
    return result


def _whole_words(encoded: Encoded, first: int, last: int, text: str) -> tuple[int, int]:
    """Widen a token span so that it does not cut a word."""
    part = encoded.is_sentence
    while (
        first > 0 and part[first - 1] and encoded.offsets[first - 1][1] == encoded.offsets[first][0]
        and text[encoded.offsets[first][0]].isalnum() and text[encoded.offsets[first - 1][1] - 1].isalnum()
    ):  # fmt: skip
        first -= 1
    while (
        last + 1 < len(part) and part[last + 1] and encoded.offsets[last][1] == encoded.offsets[last + 1][0]
        and text[encoded.offsets[last][1] - 1].isalnum() and text[encoded.offsets[last + 1][0]].isalnum()
    ):  # fmt: skip
        last += 1
    return first, last


def best_tags(tags: Floats, sentence_mask: Ints) -> Ints:
    """The most probable lawful BIO row of every layer: [B, T, layers] of 0, 1, 2 from logits [B, T, 3 × layers].

    Viterbi, with one rule: an I follows a B or an I. A long span whose inner tokens waver stays whole. Tokens outside
    the sentence are O.
    """
    rows, size, _ = tags.shape
    layers = len(TAG_LAYERS)
    scores = np.log(softmax(tags.reshape(rows, size, layers, 3)) + 1e-9)
    scores[sentence_mask == 0, :, 1:] = NEVER
    step = np.zeros((3, 3), dtype=np.float32)  # [from, to]
    step[0, 2] = NEVER
    best = scores[:, 0] + step[0]
    came = np.zeros((size, rows, layers, 3), dtype=np.int64)
    for t in range(1, size):
        ways = best[..., None] + step
        came[t] = ways.argmax(-2)
        best = ways.max(-2) + scores[:, t]
    out = np.zeros((rows, size, layers), dtype=np.int64)
    out[:, -1] = best.argmax(-1)
    for t in range(size - 1, 0, -1):
        out[:, t - 1] = np.take_along_axis(came[t], out[:, t, :, None], -1)[..., 0]
    return out


def tag_spans(encoded: Encoded, tags: Floats, layer: str, text: str, best: Ints) -> list[TokenMention]:
    """Spans of one tag layer in the sentence, widened to whole words; tags [T, 12], `best` [T, 4] their `best_tags`."""
    number = TAG_LAYERS.index(layer)
    found: list[TokenMention] = []
    for first, last in spans_of_tags(best[: len(encoded.ids), number].tolist()):
        first, last = _whole_words(encoded, first, last, text)
        if found and first <= found[-1].last:
            continue
        outside = softmax(tags[first : last + 1, 3 * number : 3 * number + 3])[:, 0]
        found.append(TokenMention(first, last, round(float(1 - outside.max()), 4)))
    return found


def best_spans(start: Floats, end: Floats) -> list[Span]:
    """Of K rows [K, T], the token span [first, last] with the highest start + end score.

    first ≤ last, at most MAX_QUOTE_TOKENS long.
    """
    size = start.shape[1]
    at = np.arange(size)
    lawful = (at[:, None] <= at) & (at < at[:, None] + MAX_QUOTE_TOKENS)
    total = np.where(lawful, start[:, :, None] + end[:, None, :], -np.inf)
    return [divmod(best, size) for best in total.reshape(len(start), size * size).argmax(-1).tolist()]


def overlap(a: Span, b: Span) -> float:
    """Shared tokens of two spans [first, last], as a part of the shorter."""
    shared = min(a[1], b[1]) - max(a[0], b[0]) + 1
    return max(0, shared) / min(a[1] - a[0] + 1, b[1] - b[0] + 1)


def _iou(a: Span, b: Span) -> float:
    shared = max(0, min(a[1], b[1]) - max(a[0], b[0]) + 1)
    return shared / (max(a[1], b[1]) - min(a[0], b[0]) + 1)


@dataclass(frozen=True)
class Reading:
    """A pair of one sentence that says an event: row of the pair, actor and recipient (-1 absent), type index."""

    pair: int
    actor: int
    recipient: int
    type: int
    score: float


def readings(pairs: Sequence[tuple[int, int]], event: Floats, thresholds: Floats) -> list[Reading]:
    """The (pair, type)s of one sentence at or above their type's threshold; event [P, 18], pairs (actor, recipient)."""
    probability = 1 / (1 + np.exp(-event[:, : len(EVENT_TYPES)]))
    return [
        Reading(int(p), pairs[p][0], pairs[p][1], int(t), float(probability[p, t]))
        for p, t in zip(*np.where(probability >= thresholds), strict=True)
    ]


def candidates(found: Sequence[Reading], attributes: Floats, start: Floats, end: Floats) -> list[Candidate]:
    """The readings of one sentence with their details (attributes [K, 15], quote start and end [K, T]), best first."""
    labels: list[dict[str, tuple[Any, float]]] = [{} for _ in found]
    at = 0
    for name, values in ATTRIBUTES if found else ():
        scores = softmax(attributes[:, at : at + len(values)])
        for row, best, score in zip(labels, scores.argmax(-1).tolist(), scores.max(-1).tolist(), strict=True):
            row[name] = (values[best], round(score, 4))
        at += len(values)
    out = [
        Candidate(
            EVENT_TYPES[reading.type],
            reading.score,
            (reading.actor,) if reading.actor >= 0 else (),
            (reading.recipient,) if reading.recipient >= 0 else (),
            quote,
            own,
        )
        for reading, quote, own in zip(found, best_spans(start, end), labels, strict=True)
    ]
    return sorted(out, key=lambda c: -c.score)


def merge(found: Sequence[Candidate]) -> list[Candidate]:
    """Join what is one event: several recipients or actors of one type and clause; drop weaker readings of it.

    Candidates come best first. A reading without actor or recipient yields to one that names them; of the two orders
    of one pair, and of two types on the same clause by the same actor, the stronger stays.
    """
    kept: list[Candidate] = []
    for new in sorted(found, key=lambda c: (not c.actors, not c.recipients, -c.score)):
        for i, old in enumerate(kept):
            near = overlap(old.quote, new.quote) >= 0.5
            same_actor = not new.actors or bool(set(old.actors) & set(new.actors))
            same_recipient = not new.recipients or bool(set(old.recipients) & set(new.recipients))
            turned = set(new.actors) <= set(old.recipients) and set(new.recipients) <= set(old.actors)
            if new.type == old.type and near and (same_actor or same_recipient):
                if new.score < JOIN_SHARE * old.score:
                    break
                actors = old.actors + tuple(a for a in new.actors if a not in old.actors + old.recipients)
                if same_actor and not (set(new.recipients) & set(old.actors)):
                    recipients = old.recipients + tuple(r for r in new.recipients if r not in old.recipients)
                    kept[i] = Candidate(old.type, old.score, old.actors, recipients, old.quote, old.labels)
                elif same_recipient:
                    kept[i] = Candidate(old.type, old.score, actors, old.recipients, old.quote, old.labels)
                break
            if new.type == old.type and turned and (near or new.type in MUTUAL_TYPES):
                break
            if new.type != old.type and _iou(old.quote, new.quote) > 0.6 and (same_actor or turned):
                if new.score > old.score and new.actors and bool(new.recipients) >= bool(old.recipients):
                    kept[i] = new
                break
        else:
            kept.append(new)
    return sorted(kept, key=lambda c: (c.quote, c.type))
