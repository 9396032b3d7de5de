"""The pairs of sides of a batch, as the network takes them, and the steps that score them: gate, head, details."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.classify.features import Span
from services.classify.model import Backend, Floats, Ints


@dataclass(frozen=True)
class Pairs:
    """N mentions and P pairs of them in B sentences.

    `mention_sentence` [N] and `mention_span` [N, 2] place the mentions; `sentence` [P], `actor` [P] and `recipient` [P]
    make the pairs: row, and numbers of mentions, -1 for an unknown actor or no recipient. `first` [B] is the number of
    each sentence's first mention.
    """

    mention_sentence: Ints
    mention_span: Ints
    sentence: Ints
    actor: Ints
    recipient: Ints
    first: Ints

    def spans(self, side: Ints) -> Ints:
        """Token spans [P, 2] of one side, -1, -1 where it is absent."""
        return np.concatenate([np.full((1, 2), -1, dtype=np.int64), self.mention_span])[side + 1]

    def own(self, at: Ints) -> list[tuple[int, int]]:
        """(actor, recipient) of the pairs `at`, numbered within their sentence, -1 for absent."""
        first = self.first[self.sentence[at]]
        actor, recipient = self.actor[at], self.recipient[at]
        within = (np.where(side >= 0, side - first, -1).tolist() for side in (actor, recipient))
        return list(zip(*within, strict=True))

    def take(self, kept: Ints) -> Pairs:
        """These pairs alone, in this order."""
        return Pairs(
            self.mention_sentence, self.mention_span, self.sentence[kept], self.actor[kept], self.recipient[kept],
            self.first,
        )  # fmt: skip


def all_pairs(rows: Sequence[Sequence[Span]]) -> Pairs:
    """Every ordered pair of each row's mentions (token spans), with the unknown actor and no recipient."""
    sentence, actor, recipient = [], [], []
    counts = [len(spans) for spans in rows]
    first = np.cumsum([0, *counts])[:-1].astype(np.int64)
    for row, size in enumerate(counts):
        a, r = (side.ravel() for side in np.meshgrid(np.arange(-1, size), np.arange(-1, size), indexing="ij"))
        lawful = (a != r) | (a == -1)
        a, r = a[lawful], r[lawful]
        sentence.append(np.full(len(a), row))
        actor.append(np.where(a >= 0, a + first[row], -1))
        recipient.append(np.where(r >= 0, r + first[row], -1))
    sides = [np.concatenate(part or [np.zeros(0)]).astype(np.int64) for part in (sentence, actor, recipient)]
    return Pairs(
        mention_sentence=np.repeat(np.arange(len(rows)), counts).astype(np.int64),
        mention_span=np.array([span for spans in rows for span in spans], dtype=np.int64).reshape(-1, 2),
        sentence=sides[0],
        actor=sides[1],
        recipient=sides[2],
        first=first,
    )


def score_pairs(
    backend: Backend, states: Floats, sentence_mask: Ints, pairs: Pairs, gate: float
) -> tuple[Pairs, Floats, Floats, Floats]:
    """The pairs whose gate logit is at least `gate`, with their gate logits, event logits [P, 18], findings [P, 18, W].

    The rest holds no event, as far as the gate can tell: most pairs of a sentence's names have nothing between them.
    """
    vectors, logits = backend.pair_vectors(
        states, pairs.mention_sentence, pairs.mention_span, pairs.actor, pairs.recipient
    )
    kept = np.flatnonzero(logits >= gate)
    few = pairs.take(kept)
    event, mixed = backend.score_pairs(
        states, sentence_mask, vectors[kept], few.sentence, few.spans(few.actor), few.spans(few.recipient)
    )
    return few, logits[kept], event, mixed


def score_details(
    backend: Backend,
    states: Floats,
    sentence_mask: Ints,
    pairs: Pairs,
    mixed: Floats,
    chosen: Sequence[tuple[int, int]],
) -> tuple[Floats, Floats, Floats]:
    """The detail head on chosen (pair, query) rows of a batch: attributes [K, 15], quote start and end [K, T]."""
    pair = np.array([p for p, _ in chosen], dtype=np.int64)
    query = np.array([q for _, q in chosen], dtype=np.int64)
    return backend.details(states, sentence_mask, pairs.sentence[pair], mixed[pair, query])
