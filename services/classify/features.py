"""What goes into the network and the label lists it was trained with; changing either needs a new FEATURE_VERSION."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

FEATURE_VERSION = 1
MAX_TOKENS = 384
CONTEXT_TOKENS = 48
TAG_LAYERS = ("side", "source", "cue", "content")
"""Token tagging layers, each BIO: 0 outside, 1 begin, 2 inside; the network's tag axis is layer × 3."""

Span = tuple[int, int]


@dataclass(frozen=True)
class Encoded:
    """One sentence as token ids, with the way back to characters.

    `offsets[i]` are the character offsets of token i in its own text (context or sentence); `is_sentence[i]` tells
    which; special tokens have the empty span (0, 0) and belong to neither.
    """

    ids: list[int]
    types: list[int]
    offsets: list[Span]
    is_sentence: list[bool]
    is_context: list[bool]

    def token_span(self, start: int, end: int, in_context: bool = False) -> Span | None:
        """Token span [first, last] that covers characters start..end of the sentence (or context), or None."""
        part = self.is_context if in_context else self.is_sentence
        inside = [i for i, (a, b) in enumerate(self.offsets) if part[i] and a < end and b > start]
        return (inside[0], inside[-1]) if inside else None

    def char_span(self, first: int, last: int) -> Span:
        """Character offsets in the sentence (or the context) of the token span [first, last]."""
        return self.offsets[first][0], self.offsets[last][1]


def load_tokenizer(path: str) -> Tokenizer:
    """The tokenizer of a model folder, without padding or truncation of its own."""
    tokenizer = Tokenizer.from_file(path)
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def _special(tokenizer: Tokenizer, token: str) -> int:
    number = tokenizer.token_to_id(token)
    if number is None:
        raise ValueError(f"the tokenizer has no {token}; it is not this model's")
    return number


def encode(tokenizer: Tokenizer, sentences: Sequence[tuple[str, str]]) -> list[Encoded]:
    """Encode (context, sentence) texts; the context is cut from its left to CONTEXT_TOKENS, the sentence is whole.

    A sentence longer than MAX_TOKENS must have been cut before (transform.py does); ValueError otherwise.
    """
    out = []
    contexts = tokenizer.encode_batch([c for c, _ in sentences], add_special_tokens=False)
    bodies = tokenizer.encode_batch([s for _, s in sentences], add_special_tokens=False)
    cls, sep = (_special(tokenizer, token) for token in ("[CLS]", "[SEP]"))
    for context, body in zip(contexts, bodies, strict=True):
        c_ids, c_offsets = context.ids[-CONTEXT_TOKENS:], context.offsets[-CONTEXT_TOKENS:]
        head = [cls, *c_ids, sep] if c_ids else [cls]
        n, m = len(c_ids), len(body.ids)
        if len(head) + m + 1 > MAX_TOKENS + CONTEXT_TOKENS:
            raise ValueError(f"a sentence of {m} tokens; cut it to {MAX_TOKENS} before")
        extra = len(head) - 1 - n
        out.append(
            Encoded(
                ids=[*head, *body.ids, sep],
                types=[0, *[1] * n, *[1] * extra, *[0] * m, 0],
                offsets=[(0, 0), *c_offsets, *[(0, 0)] * extra, *body.offsets, (0, 0)],
                is_sentence=[False] * len(head) + [True] * m + [False],
                is_context=[False] + [True] * n + [False] * (extra + m + 1),
            )
        )
    return out


def pad(batch: Sequence[Encoded]) -> dict[str, npt.NDArray[np.int64]]:
    """Arrays [batch, longest] for the encoder: input_ids, attention_mask, token_type_ids, sentence_mask."""
    longest = max(len(e.ids) for e in batch)
    names = ("input_ids", "attention_mask", "token_type_ids", "sentence_mask")
    out = {name: np.zeros((len(batch), longest), dtype=np.int64) for name in names}
    for row, e in enumerate(batch):
        size = len(e.ids)
        out["input_ids"][row, :size] = e.ids
        out["attention_mask"][row, :size] = 1
        out["token_type_ids"][row, :size] = e.types
        out["sentence_mask"][row, :size] = e.is_sentence
    return out


def spans_of_tags(tags: Sequence[int]) -> list[Span]:
    """Token spans [first, last] of a BIO row; an I that follows an O opens a span."""
    spans: list[list[int]] = []
    previous = 0
    for i, tag in enumerate(tags):
        if tag == 1 or (tag == 2 and previous == 0):
            spans.append([i, i])
        elif tag == 2:
            spans[-1][1] = i
        previous = tag
    return [(a, b) for a, b in spans]
