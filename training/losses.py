"""What one batch costs: the weighted parts of the loss."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from services.classify.network import ATTRIBUTES, EventNetwork
from training.examples import STANCE_QUERY
from training.network_data import IGNORE, Batch

RARE = {
    "claim": (1.0, 2.0, 2.0, 2.5, 3.0),  # asserted, reported, planned, conditional, denied
    "timing": (1.0, 1.5),
    "peace": (1.0, 1.2, 2.0, 2.0, 2.0),  # none, support, oppose, conditional, neutral
}
"""Weights of attribute values, in their order in schemas/codebook.py: the rare ones are those that people act on."""
TONE_AT = ATTRIBUTES["claim"] + ATTRIBUTES["timing"]


@dataclass(frozen=True)
class Weights:
    """How much each part of the loss counts."""

    tag: float = 3.0
    event: float = 4.0
    single: float = 0.7
    label: float = 0.5
    quote: float = 0.25
    stance: float = 0.8
    gate: float = 0.5
    soft_event: float = 1.0
    soft_choice: float = 0.7
    soft_stance: float = 0.6


def losses(network: EventNetwork, batch: Batch, weights: Weights) -> dict[str, Tensor]:
    """The weighted parts of one batch's loss; parts without labels in the batch are left out."""
    x = batch.inputs
    states, tags = network.tagger(x["input_ids"], x["attention_mask"], x["token_type_ids"])
    parts: dict[str, Tensor] = {}
    if (batch.tags != IGNORE).any():
        weight = torch.tensor([1.0, 2.0, 1.5])
        parts["tags"] = weights.tag * functional.cross_entropy(
            tags.float().reshape(-1, 3), batch.tags.reshape(-1), weight=weight, ignore_index=IGNORE
        )
    if not len(batch.pair_sentence):
        return parts
    mentions = batch.mention_sentence, batch.mention_span
    gate, event, mixed = network.score(
        states, x["sentence_mask"], *mentions, batch.pair_sentence, batch.actor, batch.recipient
    )
    event = event.float()
    parts |= _gate_loss(gate.float(), batch, weights)
    stance = network.details.attributes(mixed[:, STANCE_QUERY])[:, TONE_AT : TONE_AT + 3].float()
    types = event[:, :STANCE_QUERY]
    if batch.event_mask.any():
        every = functional.binary_cross_entropy_with_logits(types, batch.events, reduction="none")
        focus = torch.where(batch.events > 0, 1.0, torch.sigmoid(types.detach()).clamp(0.02, 1.0) ** 0.5)
        count = batch.events.sum().clamp(min=8)
        parts["event"] = weights.event * (every * batch.event_mask * focus).sum() / count / 4
    if (batch.single != IGNORE).any():
        parts["single"] = weights.single * functional.cross_entropy(types, batch.single, ignore_index=IGNORE)
    if (batch.stance != IGNORE).any():
        parts["stance"] = weights.stance * functional.cross_entropy(stance, batch.stance, ignore_index=IGNORE)
    asked = ~batch.soft[:, 0].isnan()
    if asked.any():
        parts |= _soft_losses(types[asked], stance[asked], batch.soft[asked], weights)
    if len(batch.labels):
        pair, kind = batch.labels[:, 0], batch.labels[:, 1]
        rows, start, end = (
            t.float() for t in network.details(states, x["sentence_mask"], batch.pair_sentence[pair], mixed[pair, kind])
        )
        at = 0
        for number, (name, size) in enumerate(ATTRIBUTES.items()):
            weight = torch.tensor(RARE[name]) if name in RARE else None
            smooth = functional.cross_entropy(
                rows[:, at : at + size], batch.labels[:, 2 + number], weight=weight, label_smoothing=0.02
            )
            parts[name] = weights.label * smooth
            at += size
        for name, logits, column in (("start", start, 0), ("end", end, 1)):
            parts[name] = weights.quote * functional.cross_entropy(logits, batch.quotes[:, column], ignore_index=IGNORE)
    return parts


def _gate_loss(gate: Tensor, batch: Batch, weights: Weights) -> dict[str, Tensor]:
    """Whether any event holds: by the labels where all types are known, else by a teacher's surest type."""
    labelled = (batch.event_mask.sum(-1) > 0) & ((batch.events.sum(-1) > 0) | (batch.event_mask.min(-1).values > 0))
    asked = ~batch.soft[:, 0].isnan()
    if not (labelled | asked).any():
        return {}
    wanted = torch.where(asked, torch.sigmoid(batch.soft[:, :STANCE_QUERY]).max(-1).values.nan_to_num(), 0.0)
    wanted = torch.where(labelled, batch.events.max(-1).values, wanted)
    every = functional.binary_cross_entropy_with_logits(gate, wanted, reduction="none")
    known = (labelled | asked).float()
    return {"gate": weights.gate * (every * known).sum() / known.sum()}


def _soft_losses(types: Tensor, tone: Tensor, soft: Tensor, weights: Weights) -> dict[str, Tensor]:
    """How far the network is from the teacher: each type for itself, the choice between types, the stance."""
    wanted = torch.sigmoid(soft[:, :STANCE_QUERY])
    every = functional.binary_cross_entropy_with_logits(types, wanted, reduction="none")
    focus = torch.maximum(wanted, torch.sigmoid(types.detach()).clamp(0.02, 1.0) ** 0.5)
    eventful = wanted.max(-1).values
    choice = functional.cross_entropy(types, soft[:, :STANCE_QUERY].softmax(-1), reduction="none")
    return {
        "soft event": weights.soft_event * (every * focus).sum() / wanted.sum().clamp(min=8),
        "soft choice": weights.soft_choice * (choice * eventful).sum() / eventful.sum().clamp(min=4),
        "soft stance": weights.soft_stance * functional.cross_entropy(tone, soft[:, STANCE_QUERY:].softmax(-1)),
    }
