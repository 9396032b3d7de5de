"""Find, with a half-trained network, which pair of sides a generated story's own label is about.

The stories of ngec_synthetic_silver carry only the PLOVER type that their prompt asked for. The network tags the sides
of the first sentences and the pair that fits that type best is taken as its bearer, if the type is among the network's
three best for that pair: the label corrects the network, the network finds the place.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from schemas.codebook import EVENT_TYPES
from services.classify.decode import MAX_MENTIONS, pair_arrays, tag_spans
from services.classify.features import MAX_TOKENS, encode, pad
from services.classify.model import EventModel
from services.normalize.sentences import split
from training.examples import Example, PairExample, Place

SENTENCES = 2
BEST_OF = 3
LEAST = 0.02


def read_silver(path: Path) -> list[tuple[str, str, list[str]]]:
    """(id, type, first sentences) of each story."""
    out = []
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        text = " ".join(row["text"][:900].split())
        sentences = [text[a:b] for a, b in split(text)][:SENTENCES]
        out.append((row["id"], row["root"], [s for s in sentences if 20 < len(s) < 420]))
    return out


def label_silver(model: EventModel, rows: Sequence[tuple[str, str, list[str]]], batch: int = 64) -> list[Example]:
    """One example per story whose label fits a pair; stories that fit none are left out."""
    texts = [(i, s) for i, (_, _, sentences) in enumerate(rows) for s in sentences]
    texts.sort(key=lambda t: len(t[1]))
    best: dict[int, tuple[float, Example]] = {}
    for at in range(0, len(texts), batch):
        part = texts[at : at + batch]
        encoded = encode(model.tokenizer, [("", s) for _, s in part])
        if max(len(e.ids) for e in encoded) > MAX_TOKENS:
            continue
        arrays = pad(encoded)
        states, tags = model.backend.encode(arrays)
        mentions = [
            tag_spans(e, tags[i], "side", s)[:MAX_MENTIONS]
            for i, (e, (_, s)) in enumerate(zip(encoded, part, strict=True))
        ]
        row, actor, recipient, index = pair_arrays(mentions)
        event = model.backend.score_pairs(states, arrays["sentence_mask"], row, actor, recipient)[0]
        probability = 1 / (1 + np.exp(-event[:, : len(EVENT_TYPES)]))
        rank = (-probability).argsort(-1)[:, :BEST_OF]
        for p, (r, a, b) in enumerate(index):
            number, sentence = part[r]
            kind = EVENT_TYPES.index(rows[number][1])  # type: ignore[arg-type]
            score = float(probability[p, kind])
            if a < 0 or score < LEAST or kind not in rank[p] or score <= best.get(number, (0.0,))[0]:
                continue
            places: list[Place | None] = [
                (False, *encoded[r].char_span(mentions[r][k].first, mentions[r][k].last)) if k >= 0 else None
                for k in (a, b)
            ]
            pair = PairExample(places[0], places[1], events={kind: {}}, single=True)
            best[number] = (score, Example("silver", rows[number][0], "", sentence, {}, [pair]))
    return [example for _, example in best.values()]
