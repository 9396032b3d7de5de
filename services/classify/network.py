"""The network in torch: one encoder pass a sentence, token tags on it, and a head that scores every pair of sides.

Read-out of a pair (actor, recipient): each event type asks the sentence its own question (a query made of the pair and
the type), attends over the sentence's tokens, and from what it finds says whether that event is there, with which
claim, timing, tone and peace stance, and where its words start and end. One further query ("stance") reads the
general stance of actor toward recipient, event or not.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from schemas.codebook import CLAIMS, EVENT_TYPES, PEACES, TIMINGS, TONES
from services.classify.features import TAG_LAYERS

QUERIES = len(EVENT_TYPES) + 1
ATTRIBUTES = {"claim": len(CLAIMS), "timing": len(TIMINGS), "tone": len(TONES), "peace": len(PEACES)}
ATTRIBUTE_WIDTH = sum(ATTRIBUTES.values())


MIXED_LAYERS = 4


class Tagger(nn.Module):
    """Encoder and token tags: (input_ids, attention_mask, token_type_ids) [B, T] → states [B, T, H], tags [B, T, 12].

    The states are a learned mix of the last layers: the base encoder's top layer was trained for a whole-sentence mean,
    and what a single token is stands in the layers below.
    """

    def __init__(self, encoder: nn.Module, hidden: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.layer_weights = nn.Parameter(torch.zeros(MIXED_LAYERS))
        self.tags = nn.Sequential(
            nn.Dropout(0.1), nn.Linear(hidden, hidden), nn.GELU(), nn.Linear(hidden, 3 * len(TAG_LAYERS))
        )

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> tuple[Tensor, Tensor]:
        """One pass; padding positions hold values of no meaning."""
        layers = self.encoder(
            input_ids=input_ids,
            attention_mask=attention_mask,
            token_type_ids=token_type_ids,
            output_hidden_states=True,
        ).hidden_states[-MIXED_LAYERS:]
        weights = self.layer_weights.softmax(0)
        states = sum(weights[i] * layer for i, layer in enumerate(layers))
        return states, self.tags(states)


class PairHead(nn.Module):
    """Scores P pairs on the states of B sentences.

    Inputs: states [B, T, H]; sentence_mask [B, T]; pair_sentence [P] (row of each pair); actor and recipient [P, 2]
    (token span [first, last], or -1, -1 for an unknown actor or no recipient).
    Outputs: event logits [P, 18] (17 types and the stance query, whose event logit is not trained), and what each query
    found, [P, 18, W], from which DetailHead reads the rest where there is an event.
    """

    def __init__(self, hidden: int, width: int = 192) -> None:
        super().__init__()
        self.mention = nn.Linear(3 * hidden, width)
        self.unknown_actor = nn.Parameter(torch.randn(width) * 0.1)
        self.no_recipient = nn.Parameter(torch.randn(width) * 0.1)
        self.pair = nn.Sequential(nn.Linear(3 * width, width), nn.GELU(), nn.LayerNorm(width))
        self.role = nn.Embedding(3, width)
        self.keys = nn.Linear(hidden, width)
        self.values = nn.Linear(hidden, width)
        self.query = nn.Linear(width, width)
        self.types = nn.Parameter(torch.randn(QUERIES, width) * 0.5)
        # One layer over what was found, the pair and the type, kept in three parts: the pair's part is computed once
        # for all types and the type's once for all pairs.
        self.mix_found = nn.Linear(width, width, bias=False)
        self.mix_pair = nn.Linear(width, width, bias=False)
        self.mix_type = nn.Linear(width, width)
        self.mix = nn.Sequential(nn.GELU(), nn.LayerNorm(width), nn.Dropout(0.1))
        self.event = nn.Linear(width, QUERIES)
        self.width = width

    def _mention(self, states: Tensor, sums: Tensor, row: Tensor, span: Tensor, absent: Tensor) -> Tensor:
        first, last = span[:, 0].clamp(min=0), span[:, 1].clamp(min=0)
        mean = (sums[row, last + 1] - sums[row, first]) / (last - first + 1).unsqueeze(-1)
        vector = self.mention(torch.cat([states[row, first], states[row, last], mean], dim=-1))
        return torch.where((span[:, :1] >= 0), vector, absent.unsqueeze(0))

    def forward(
        self, states: Tensor, sentence_mask: Tensor, pair_sentence: Tensor, actor: Tensor, recipient: Tensor
    ) -> tuple[Tensor, Tensor]:
        """See the class."""
        sums = torch.cat([torch.zeros_like(states[:, :1]), states.cumsum(1)], dim=1)
        a = self._mention(states, sums, pair_sentence, actor, self.unknown_actor)
        r = self._mention(states, sums, pair_sentence, recipient, self.no_recipient)
        pair = self.pair(torch.cat([a, r, a * r], dim=-1))
        position = torch.arange(states.shape[1], device=states.device).unsqueeze(0)
        in_actor = (position >= actor[:, :1]) & (position <= actor[:, 1:])
        in_recipient = (position >= recipient[:, :1]) & (position <= recipient[:, 1:])
        roles = self.role(in_actor.long() + 2 * (in_recipient & ~in_actor).long())
        keys = self.keys(states)[pair_sentence] + roles
        values = self.values(states)[pair_sentence] + roles
        blocked = (sentence_mask[pair_sentence] == 0).unsqueeze(1)
        queries = self.query(pair).unsqueeze(1) + self.types.unsqueeze(0)
        attention = torch.matmul(queries, keys.transpose(1, 2)) / math.sqrt(self.width)
        attention = attention.masked_fill(blocked, -1e4).softmax(-1)
        found = torch.matmul(attention, values)
        mixed = self.mix(
            self.mix_found(found) + self.mix_pair(pair).unsqueeze(1) + self.mix_type(self.types).unsqueeze(0)
        )
        event = (self.event.weight.unsqueeze(0) * mixed).sum(-1) + self.event.bias
        return event, mixed


class DetailHead(nn.Module):
    """Claim, timing, tone, peace and words of K events.

    Inputs: states [B, T, H]; sentence_mask [B, T]; sentence [K] (row of each event); mixed [K, W] (PairHead's finding
    for the event's pair and type). Outputs: attributes [K, 15] (claim, timing, tone, peace side by side), quote start
    and end logits [K, T].
    """

    def __init__(self, hidden: int, width: int = 192) -> None:
        super().__init__()
        self.attributes = nn.Linear(width, ATTRIBUTE_WIDTH)
        self.ends = nn.Linear(width, 2 * width)
        self.end_keys = nn.Linear(hidden, 2 * width)
        self.width = width

    def forward(
        self, states: Tensor, sentence_mask: Tensor, sentence: Tensor, mixed: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """See the class."""
        queries, w = self.ends(mixed).unsqueeze(1), self.width
        keys = self.end_keys(states)[sentence]
        blocked = sentence_mask[sentence] == 0
        start, end = (
            ((queries[..., part] * keys[..., part]).sum(-1) / math.sqrt(w)).masked_fill(blocked, -1e4)
            for part in (slice(None, w), slice(w, None))
        )
        return self.attributes(mixed), start, end


class EventNetwork(nn.Module):
    """Tagger and heads together; what training trains and what a checkpoint holds."""

    def __init__(self, encoder: nn.Module, hidden: int) -> None:
        super().__init__()
        self.tagger = Tagger(encoder, hidden)
        self.pairs = PairHead(hidden)
        self.details = DetailHead(hidden)


def build_network(encoder_config: dict[str, Any]) -> EventNetwork:
    """An untrained network around a Hugging Face encoder of that configuration (config.json as a dict)."""
    from transformers import AutoConfig, AutoModel

    values = dict(encoder_config)
    config = AutoConfig.for_model(values.pop("model_type"), **values)
    encoder = AutoModel.from_config(config, add_pooling_layer=False)  # type: ignore[no-untyped-call]
    return EventNetwork(encoder, config.hidden_size)
