"""Turn examples into the tensors of one training batch."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from schemas.codebook import EVENT_TYPES, TONES
from services.classify.features import TAG_LAYERS, Encoded, encode, pad
from training.examples import Example, PairExample, Place

IGNORE = -100
MAX_PAIRS = 14
SOFT_WIDTH = len(EVENT_TYPES) + len(TONES)
"""A teacher's soft label of a pair: event logits of the types, then the stance query's tone logits."""
UNASKED = np.full(SOFT_WIDTH, np.nan, dtype=np.float32)


@dataclass
class Batch:
    """Everything a step needs; P pairs over B sentences of T tokens."""

    inputs: dict[str, Tensor]
    tags: Tensor  # [B, T, layers], IGNORE where unknown
    mention_sentence: Tensor  # [N]
    mention_span: Tensor  # [N, 2]
    pair_sentence: Tensor  # [P]
    actor: Tensor  # [P] number of the mention, -1 for the unknown actor
    recipient: Tensor  # [P] likewise, -1 for no recipient
    events: Tensor  # [P, 17] 0/1
    event_mask: Tensor  # [P, 17]
    single: Tensor  # [P] type index or IGNORE
    stance: Tensor  # [P]
    soft: Tensor  # [P, 20] a teacher's logits (training/distill.py), NaN where it was not asked
    labels: Tensor  # [L, 6]: pair, type, claim, timing, tone, peace
    quotes: Tensor  # [L, 2] token start and end, IGNORE where unknown


class Mentions:
    """Numbers the mentions of a batch as its pairs name them."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[int, tuple[int, int]], int] = {}

    def number(self, row: int, span: tuple[int, int]) -> int:
        """The number of the mention at a token span of a sentence, -1 for the absent side (-1, -1)."""
        return -1 if span[0] < 0 else self._numbers.setdefault((row, span), len(self._numbers))

    def sentence(self) -> Tensor:
        """Rows [N] of the mentions."""
        return torch.tensor([row for row, _ in self._numbers], dtype=torch.long)

    def span(self) -> Tensor:
        """Token spans [N, 2] of the mentions."""
        return torch.tensor([span for _, span in self._numbers], dtype=torch.long).reshape(-1, 2)


def _tokens(encoded: Encoded, place: Place | None) -> tuple[int, int] | None:
    if place is None:
        return (-1, -1)
    return encoded.token_span(place[1], place[2], place[0])


def _tag_row(encoded: Encoded, example: Example, width: int) -> Tensor:
    row = torch.full((width, len(TAG_LAYERS)), IGNORE)
    for layer, name in enumerate(TAG_LAYERS):
        if name not in example.tags:
            continue
        for i in range(len(encoded.ids)):
            if encoded.is_sentence[i] or encoded.is_context[i]:
                row[i, layer] = 0
        for place in sorted(example.tags[name], key=lambda p: p[1] - p[2]):
            span = _tokens(encoded, place)
            if span:
                row[span[0] + 1 : span[1] + 1, layer] = 2
                row[span[0], layer] = 1
    return row


def _choose(pairs: Sequence[PairExample], rng: random.Random) -> list[PairExample]:
    """At most MAX_PAIRS pairs: all with an event, the rest drawn."""
    full = [p for p in pairs if p.events or p.guessed or p.stance is not None]
    rest = [p for p in pairs if not (p.events or p.guessed or p.stance is not None)]
    rng.shuffle(rest)
    return full + rest[: max(0, MAX_PAIRS - len(full))]


def make_batch(tokenizer: Tokenizer, examples: Sequence[Example], rng: random.Random) -> Batch:
    """Encode examples; pairs whose words fall outside the encoded text are left out."""
    encoded = encode(tokenizer, [(e.context, e.sentence) for e in examples])
    inputs = {name: torch.from_numpy(a) for name, a in pad(encoded).items()}
    width = inputs["input_ids"].shape[1]
    rows: list[int] = []
    sides: list[tuple[int, int]] = []
    mentions = Mentions()
    events, mask, single, stance, soft = [], [], [], [], []
    labels: list[list[int]] = []
    quotes: list[tuple[int, int]] = []
    for row, (example, tokens) in enumerate(zip(examples, encoded, strict=True)):
        for pair in _choose(example.pairs, rng):
            a, r = _tokens(tokens, pair.actor), _tokens(tokens, pair.recipient)
            if a is None or r is None:
                continue
            number = len(rows)
            rows.append(row)
            sides.append((mentions.number(row, a), mentions.number(row, r)))
            events.append([float(t in pair.events) for t in range(len(EVENT_TYPES))])
            mask.append(
                [float((pair.known or t in pair.events) and t not in pair.ignore) for t in range(len(EVENT_TYPES))]
            )
            single.append(next(iter(pair.events)) if pair.single else IGNORE)
            stance.append(IGNORE if pair.stance is None else pair.stance)
            soft.append(UNASKED if pair.soft is None else pair.soft.astype(np.float32))
            for kind, values in (pair.events | pair.guessed).items():
                if not values:
                    continue
                labels.append([number, kind, *(values[n] for n in ("claim", "timing", "tone", "peace"))])
                quotes.append(tokens.token_span(*values["quote"]) or (IGNORE, IGNORE))
    return Batch(
        inputs=inputs,
        tags=torch.stack([_tag_row(t, e, width) for t, e in zip(encoded, examples, strict=True)]),
        pair_sentence=torch.tensor(rows, dtype=torch.long),
        mention_sentence=mentions.sentence(),
        mention_span=mentions.span(),
        actor=torch.tensor([s[0] for s in sides], dtype=torch.long),
        recipient=torch.tensor([s[1] for s in sides], dtype=torch.long),
        events=torch.tensor(events).reshape(-1, len(EVENT_TYPES)),
        event_mask=torch.tensor(mask).reshape(-1, len(EVENT_TYPES)),
        single=torch.tensor(single, dtype=torch.long),
        stance=torch.tensor(stance, dtype=torch.long),
        soft=torch.from_numpy(np.array(soft, dtype=np.float32).reshape(-1, SOFT_WIDTH)),
        labels=torch.tensor(labels, dtype=torch.long).reshape(-1, 6),
        quotes=torch.tensor(quotes, dtype=torch.long).reshape(-1, 2),
    )
