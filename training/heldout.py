"""Score a model on held-out labelled passages and choose its thresholds there."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from schemas.codebook import EVENT_TYPES, MUTUAL_TYPES
from services.classify.batching import plan_batches
from services.classify.decode import (
    MAX_MENTIONS,
    Candidate,
    TokenMention,
    best_tags,
    candidates,
    merge,
    overlap,
    readings,
    tag_spans,
)
from services.classify.features import MAX_TOKENS, Encoded, Span, encode, pad
from services.classify.model import EventModel, Floats
from services.classify.pairing import all_pairs, score_details, score_pairs
from training.export import NO_GATE
from training.labels import LabelledEvent, Passage

STEPS = (0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7)
SLACK = 0.02
BUDGET = 1024
GATE_KEEPS = 0.995
LEAST_LOGIT = -1.4
"""Below every step: what lies under it is never asked for."""


@dataclass
class Read:
    """What the network said of one passage, before thresholds: `rows` tells where a (pair, type)'s details stand."""

    passage: Passage
    encoded: Encoded
    mentions: list[Span]
    pairs: list[tuple[int, int]]
    gate: Floats
    event: Floats
    rows: dict[tuple[int, int], int]
    details: tuple[Floats, Floats, Floats]


def read(model: EventModel, passages: Sequence[Passage]) -> list[Read]:
    """Run the network on passages; mentions are the model's own, with the labelled ones of the context."""
    cuts = [(p.text[: p.sentence_start].rstrip(), p.text[p.sentence_start :]) for p in passages]
    encoded = encode(model.tokenizer, cuts)
    out: dict[int, Read] = {}
    for rows in plan_batches([min(len(e.ids), MAX_TOKENS) for e in encoded], BUDGET):
        arrays = pad([encoded[i] for i in rows])
        states, tags = model.backend.encode(arrays)
        best = best_tags(tags, arrays["sentence_mask"])
        found = []
        for row, i in enumerate(rows):
            heads = [m for m in passages[i].mentions if m.end <= len(cuts[i][0])]
            spans = [encoded[i].token_span(m.start, m.end, in_context=True) for m in heads]
            mentions = [TokenMention(*s, 1.0) for s in spans if s]
            mentions += tag_spans(encoded[i], tags[row], "side", cuts[i][1], best[row])
            found.append(mentions[:MAX_MENTIONS])
        mask = arrays["sentence_mask"]
        spans = [[(m.first, m.last) for m in row] for row in found]
        pairs, gate, event, mixed = score_pairs(model.backend, states, mask, all_pairs(spans), -math.inf)
        for row, i in enumerate(rows):
            at = np.flatnonzero(pairs.sentence == row)
            likely = np.argwhere(event[at, : len(EVENT_TYPES)] > LEAST_LOGIT)
            chosen = [(int(at[p]), int(t)) for p, t in likely]
            details = score_details(model.backend, states, mask, pairs, mixed, chosen)
            numbers = {(int(p), int(t)): k for k, (p, t) in enumerate(likely)}
            out[i] = Read(passages[i], encoded[i], spans[row], pairs.own(at), gate[at], event[at], numbers, details)
    return [out[i] for i in range(len(passages))]


def _gold_span(reading: Read, start: int, end: int) -> Span:
    cut = reading.passage.sentence_start
    inside = start < cut
    shift = 0 if inside else cut
    return reading.encoded.token_span(start - shift, end - shift, inside) or (-1, -1)


def _sides_agree(reading: Read, gold: LabelledEvent, found: Candidate) -> bool:
    spans = {m.key: _gold_span(reading, m.start, m.end) for m in reading.passage.mentions}

    def same(keys: Sequence[str], numbers: Sequence[int]) -> bool:
        known = [spans[k] for k in keys if k in spans]
        if not known or not numbers:
            return not known and not numbers
        return any(overlap(k, reading.mentions[n]) >= 0.5 for k in known for n in numbers)

    straight = same(gold.actors, found.actors) and same(gold.recipients, found.recipients)
    turned = gold.type in MUTUAL_TYPES and same(gold.actors, found.recipients) and same(gold.recipients, found.actors)
    return straight or turned


def tally(passages: Sequence[Read], thresholds: Floats) -> dict[str, Counter[str]]:
    """Per type and for ALL: counts of gold, found, hit (type and words), dyad (sides too), and equal attributes."""
    out: dict[str, Counter[str]] = {name: Counter() for name in (*EVENT_TYPES, "ALL")}
    for reading in passages:
        said = readings(reading.pairs, reading.event, thresholds)
        rows = [reading.rows[r.pair, r.type] for r in said]
        found = merge(candidates(said, *(d[rows] for d in reading.details)))
        gold = reading.passage.events
        for event in gold:
            out[event.type]["gold"] += 1
        for one in found:
            out[one.type]["found"] += 1
        quotes = [_gold_span(reading, *g.quote) for g in gold]
        options = sorted(
            (
                (-_sides_agree(reading, g, f), -overlap(quotes[i], f.quote), i, j)
                for i, g in enumerate(gold)
                for j, f in enumerate(found)
                if g.type == f.type and overlap(quotes[i], f.quote) >= 0.5
            ),
        )
        used_gold: set[int] = set()
        used_found: set[int] = set()
        for agree, _, i, j in options:
            if i in used_gold or j in used_found:
                continue
            used_gold.add(i)
            used_found.add(j)
            row = out[gold[i].type]
            row["hit"] += 1
            row["dyad"] += -agree
            for name in ("claim", "timing", "tone", "peace"):
                row[name] += getattr(gold[i], name) == found[j].labels[name][0]
    for name in EVENT_TYPES:
        out["ALL"] += out[name]
    return out


def f1(row: Counter[str], hit: str = "hit") -> float:
    """F1 of a row of `tally`."""
    return 2 * row[hit] / max(1, row["gold"] + row["found"])


def choose_threshold(passages: Sequence[Read]) -> float:
    """One threshold for all types: the highest whose F1 with and without sides together lie within SLACK of the best.

    The highest, since an event that is none costs a desk more trust than one missed. One threshold per type fits the
    few hundred held-out events better and everything else worse (models/CARD.md).
    """

    def value(step: float) -> float:
        row = tally(passages, same_threshold(step))["ALL"]
        return f1(row) + f1(row, "dyad")

    values = {step: value(step) for step in STEPS}
    return max(step for step, found in values.items() if found >= max(values.values()) - SLACK)


def choose_gate(passages: Sequence[Read], threshold: float) -> float:
    """The highest gate logit that lets through GATE_KEEPS of the pairs in which the head sees an event."""
    least = math.log(threshold / (1 - threshold))
    said = [r.gate[r.event[:, : len(EVENT_TYPES)].max(-1) >= least] for r in passages]
    logits = np.concatenate(said)
    return float(np.quantile(logits, 1 - GATE_KEEPS)) if len(logits) else NO_GATE


def same_threshold(value: float) -> Floats:
    """One threshold for every type, as decoding takes it."""
    return np.full(len(EVENT_TYPES), value, dtype=np.float32)


def report(passages: Sequence[Read], thresholds: Floats) -> str:
    """Lines of figures, per type and for all."""
    lines = []
    for name, row in tally(passages, thresholds).items():
        hit = max(1, row["hit"])
        parts = " ".join(f"{k} {row[k] / hit:.2f}" for k in ("claim", "timing", "tone", "peace"))
        lines.append(
            f"  {name:10} gold {row['gold']:5} found {row['found']:5} F1 {f1(row):.3f} with sides {f1(row, 'dyad'):.3f}"
            f"  {parts}"
        )
    return "\n".join(lines)
