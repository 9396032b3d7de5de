"""Epochs of training: which examples each shows, and the steps over them."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from tokenizers import Tokenizer
from torch import nn

from services.classify.network import EventNetwork
from training.examples import Example
from training.losses import Weights, losses
from training.network_data import make_batch


@dataclass(frozen=True)
class Course:
    """One course of training. Rates are the highest learning rates; shares are parts of a set shown in an epoch."""

    epochs: int
    encoder_rate: float
    head_rate: float
    stance_share: float
    target_share: float = 0.05
    soft_share: float = 0.0
    batch: int = 24
    warmup: float = 0.08
    seed: int = 7


def epoch_examples(sources: dict[str, list[Example]], course: Course, rng: random.Random) -> list[Example]:
    """One epoch: all sentences with types, and a share of the stance sets and of the soft labels drawn anew.

    The stance sets are drawn as they are: the rare directions are rare in the news too, and a network that sees them
    oftener finds them where they are not.
    """
    out = sources["hand"] + sources["plover_gsr"] * 2
    for name, share in (("directed_sentiment", course.stance_share), ("newsmtsc", course.target_share)):
        out += rng.sample(sources[name], int(len(sources[name]) * share))
    soft = sources.get("soft", [])
    return out + rng.sample(soft, int(len(soft) * course.soft_share))


def batches(examples: Sequence[Example], size: int, rng: random.Random) -> Iterator[list[Example]]:
    """Shuffled batches of like length."""
    order = sorted(examples, key=lambda e: len(e.context) + len(e.sentence) + rng.random() * 40)
    cut = [order[i : i + size] for i in range(0, len(order), size)]
    rng.shuffle(cut)
    yield from cut


def run_epochs(
    network: EventNetwork, sources: dict[str, list[Example]], tokenizer: Tokenizer, course: Course, weights: Weights
) -> None:
    """Train the network in place; prints progress every hundred steps."""
    rng = random.Random(course.seed)
    encoder = network.tagger.encoder
    # The word vectors stay as they are: rows of words that the training never shows would drift from the others.
    encoder.embeddings.word_embeddings.weight.requires_grad_(False)
    head = [p for n, p in network.named_parameters() if not n.startswith("tagger.encoder")]
    optimizer = torch.optim.AdamW(
        [
            {"params": [p for p in encoder.parameters() if p.requires_grad], "lr": course.encoder_rate},
            {"params": head, "lr": course.head_rate},
        ],
        weight_decay=0.01,
        fused=True,
    )
    total = course.epochs * math.ceil(len(epoch_examples(sources, course, random.Random(0))) / course.batch)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda s: min((s + 1) / (course.warmup * total), max(0.02, (total - s) / (total * (1 - course.warmup)))),
    )
    step, began = 0, time.monotonic()
    sums: dict[str, float] = {}
    for epoch in range(course.epochs):
        network.train()
        for chunk in batches(epoch_examples(sources, course, rng), course.batch, rng):
            batch = make_batch(tokenizer, chunk, rng)
            with torch.autocast("cpu", dtype=torch.bfloat16):
                parts = losses(network, batch, weights)
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
                print(f"epoch {epoch + 1}/{course.epochs} step {step}/{total} {left:.0f} s left {shown}", flush=True)
    network.eval()
