"""What a trained teacher says of sentences: soft labels for the small network."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer

from services.classify.decode import best_spans, best_tags
from services.classify.features import TAG_LAYERS, Encoded, encode, pad, spans_of_tags
from services.classify.network import ATTRIBUTES, EventNetwork
from training.examples import STANCE_QUERY, Example, PairExample, Place
from training.losses import TONE_AT
from training.network_data import Mentions

MOST_MENTIONS = 7


def _batches(examples: Sequence[Example], size: int) -> Iterator[list[Example]]:
    order = sorted(examples, key=lambda e: len(e.context) + len(e.sentence))
    for at in range(0, len(order), size):
        yield order[at : at + size]


def _places(encoded: Encoded, spans: Sequence[tuple[int, int]]) -> list[Place]:
    return [(False, *encoded.char_span(*span)) for span in spans]


def _token_span(encoded: Encoded, place: Place | None) -> tuple[int, int]:
    return (-1, -1) if place is None else encoded.token_span(place[1], place[2], place[0]) or (-1, -1)


def _own_pairs(example: Example) -> list[PairExample]:
    """Every pair of the sides tagged in a sentence."""
    places: list[Place | None] = [None, *example.tags["side"][:MOST_MENTIONS]]
    return [PairExample(a, r) for a in places for r in places if a is None or a != r]


def soft_label(network: EventNetwork, tokenizer: Tokenizer, examples: Sequence[Example], size: int = 32) -> None:
    """Set `soft` of every pair, in place.

    An example without known tags gets the teacher's tags, and, besides its own pairs, those of the sides found; a pair
    for which the teacher sees an event gets that event with the teacher's attributes and words. Prints progress.
    """
    began, done = time.monotonic(), 0
    network.eval()
    for number, chunk in enumerate(_batches(examples, size)):
        encoded = encode(tokenizer, [(e.context, e.sentence) for e in chunk])
        inputs = {name: torch.from_numpy(a) for name, a in pad(encoded).items()}
        with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
            states, tags = network.tagger(inputs["input_ids"], inputs["attention_mask"], inputs["token_type_ids"])
            tagged = best_tags(tags.float().numpy(), inputs["sentence_mask"].numpy())
            rows: list[tuple[int, PairExample]] = []
            for row, example in enumerate(chunk):
                if not example.tags:
                    best = tagged[row, : len(encoded[row].ids)]
                    for layer, name in enumerate(TAG_LAYERS):
                        example.tags[name] = _places(encoded[row], spans_of_tags(best[:, layer].tolist()))
                    example.pairs += _own_pairs(example)
                rows += [(row, pair) for pair in example.pairs]
            mentions = Mentions()
            actor, recipient = (
                torch.tensor([mentions.number(r, _token_span(encoded[r], getattr(p, side))) for r, p in rows])
                for side in ("actor", "recipient")
            )
            sentence = torch.tensor([r for r, _ in rows])
            _, event, mixed = network.score(
                states, inputs["sentence_mask"], mentions.sentence(), mentions.span(), sentence, actor, recipient
            )
            tone = network.details.attributes(mixed[:, STANCE_QUERY])[:, TONE_AT : TONE_AT + 3]
            soft = torch.cat([event[:, :STANCE_QUERY], tone], -1).float().numpy().astype(np.float16)
            own = [i for i, (row, pair) in enumerate(rows) if chunk[row].source != "hand" and not pair.events]
            guesses = torch.nonzero(event[own, :STANCE_QUERY] > 0)
            at, kind = torch.tensor(own, dtype=torch.long)[guesses[:, 0]], guesses[:, 1]
            details = network.details(states, inputs["sentence_mask"], sentence[at], mixed[at, kind])
            attributes, start, end = (d.float().numpy() for d in details)
        quotes = best_spans(start, end)
        for (_, pair), values in zip(rows, soft, strict=True):
            pair.soft = values
        for k, (i, t) in enumerate(zip(at.tolist(), kind.tolist(), strict=True)):
            row, pair = rows[i]
            pair.guessed[t] = _attributes(attributes[k]) | {"quote": encoded[row].char_span(*quotes[k])}
        done += len(chunk)
        if number % 50 == 0:
            left = (time.monotonic() - began) / done * (len(examples) - done)
            print(f"soft labels {done}/{len(examples)} {left:.0f} s left", flush=True)


def _attributes(values: npt.NDArray[np.float32]) -> dict[str, Any]:
    found, at = {}, 0
    for name, width in ATTRIBUTES.items():
        found[name] = int(values[at : at + width].argmax())
        at += width
    return found


def unlabelled(texts: Sequence[str], count: int, seed: int) -> list[Example]:
    """Sentences to be labelled by the teacher alone, drawn without order."""
    drawn = random.Random(seed).sample(sorted(set(texts)), min(count, len(set(texts))))
    return [Example("soft", text[:40], "", text, {}, []) for text in drawn]
