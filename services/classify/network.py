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
WIDTH = 192


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


class PairGate(nn.Module):
    """A vector for every pair of sides, and whether any event may hold between them: a cheap look before the dear one.

    Inputs: states [B, T, H]; mention_sentence [N] and mention_span [N, 2] (row and token span [first, last] of each
    side's mention); actor and recipient [P] (number of the mention; -1 for an unknown actor or no recipient).
    Outputs: pair vectors [P, W] and gate logits [P].
    """

    def __init__(self, hidden: int, width: int = WIDTH) -> None:
        super().__init__()
        self.mention = nn.Linear(3 * hidden, width)
        self.unknown_actor = nn.Parameter(torch.randn(1, width) * 0.1)
        self.no_recipient = nn.Parameter(torch.randn(1, width) * 0.1)
        # One layer over both sides and their product, kept in three parts: what hangs on one side alone is computed
        # once for each mention.
        self.as_actor = nn.Linear(width, width, bias=False)
        self.as_recipient = nn.Linear(width, width, bias=False)
        self.together = nn.Linear(width, width)
        self.pair = nn.Sequential(nn.GELU(), nn.LayerNorm(width))
        self.gate = nn.Linear(width, 1)

    def forward(
        self, states: Tensor, mention_sentence: Tensor, mention_span: Tensor, actor: Tensor, recipient: Tensor
    ) -> tuple[Tensor, Tensor]:
        """See the class."""
        sums = torch.cat([torch.zeros_like(states[:, :1]), states.cumsum(1)], dim=1)
        first, last = mention_span[:, 0], mention_span[:, 1]
        mean = (sums[mention_sentence, last + 1] - sums[mention_sentence, first]) / (last - first + 1).unsqueeze(-1)
        ends = [states[mention_sentence, first], states[mention_sentence, last]]
        mentions = self.mention(torch.cat([*ends, mean], dim=-1))
        actors = torch.cat([self.unknown_actor.to(mentions.dtype), mentions])
        recipients = torch.cat([self.no_recipient.to(mentions.dtype), mentions])
        a, r = actor + 1, recipient + 1
        pair = self.pair(
            self.as_actor(actors)[a] + self.as_recipient(recipients)[r] + self.together(actors[a] * recipients[r])
        )
        return pair, self.gate(pair).squeeze(-1)


class PairHead(nn.Module):
    """Scores P pairs on the states of B sentences.

    Inputs: states [B, T, H]; sentence_mask [B, T]; pair [P, W] (PairGate's vectors); sentence [P] (row of each pair);
    actor and recipient [P, 2] (token span [first, last], or -1, -1 for an unknown actor or no recipient).
    Outputs: event logits [P, 18] (17 types and the stance query, whose event logit is not trained), and what each query
    found, [P, 18, W], from which DetailHead reads the rest where there is an event.
    """

    def __init__(self, hidden: int, width: int = WIDTH) -> None:
        super().__init__()
        self.role = nn.Embedding(3, width)
        self.keys = nn.Linear(hidden, width)
        self.values = nn.Linear(hidden, width)
        self.query = nn.Linear(width, width)
        self.types = nn.Parameter(torch.randn(QUERIES, width) * 0.5)
        # One layer over what was found, the pair and the type, kept in three parts: the words' part is computed once
        # for each token, the pair's once for all types and the type's once for all pairs.
        self.mix_found = nn.Linear(width, width, bias=False)
        self.mix_pair = nn.Linear(width, width, bias=False)
        self.mix_type = nn.Linear(width, width)
        self.mix = nn.Sequential(nn.GELU(), nn.LayerNorm(width), nn.Dropout(0.1))
        self.event = nn.Linear(width, QUERIES)
        self.width = width

    def forward(
        self, states: Tensor, sentence_mask: Tensor, pair: Tensor, sentence: Tensor, actor: Tensor, recipient: Tensor
    ) -> tuple[Tensor, Tensor]:
        """See the class."""
        position = torch.arange(states.shape[1], device=states.device).unsqueeze(0)
        in_actor = (position >= actor[:, :1]) & (position <= actor[:, 1:])
        in_recipient = (position >= recipient[:, :1]) & (position <= recipient[:, 1:]) & ~in_actor
        roles = torch.stack([~(in_actor | in_recipient), in_actor, in_recipient], dim=1).to(pair.dtype)
        # A query is the pair's part plus the type's, a key the token's part plus its role's. The products of the parts
        # are taken apart, so that what hangs on the sentence or the type alone is computed once, not for every pair.
        keys, query, role = self.keys(states), self.query(pair), self.role.weight.to(pair.dtype)
        by_type = torch.matmul(self.types, keys.transpose(1, 2))[sentence]
        by_pair = torch.matmul(keys[sentence], query.unsqueeze(-1)).transpose(1, 2)
        by_role = torch.matmul(torch.matmul(query.unsqueeze(1) + self.types, role.t()), roles)
        blocked = (sentence_mask[sentence] == 0).unsqueeze(1)
        attention = (by_type + by_pair + by_role) / math.sqrt(self.width)
        attention = attention.masked_fill(blocked, -1e4).softmax(-1)
        values = self.mix_found(self.values(states))[sentence]
        found = torch.matmul(attention, values) + torch.matmul(
            torch.matmul(attention, roles.transpose(1, 2)), self.mix_found(role)
        )
        mixed = self.mix(found + self.mix_pair(pair).unsqueeze(1) + self.mix_type(self.types).unsqueeze(0))
        event = (self.event.weight.unsqueeze(0) * mixed).sum(-1) + self.event.bias
        return event, mixed


class DetailHead(nn.Module):
    """Claim, timing, tone, peace and words of K events.

    Inputs: states [B, T, H]; sentence_mask [B, T]; sentence [K] (row of each event); mixed [K, W] (PairHead's finding
    for the event's pair and type). Outputs: attributes [K, 15] (claim, timing, tone, peace side by side), quote start
    and end logits [K, T].
    """

    def __init__(self, hidden: int, width: int = WIDTH) -> None:
        super().__init__()
        self.attributes = nn.Linear(width, ATTRIBUTE_WIDTH)
        self.ends = nn.Linear(width, 2 * width)
        self.end_keys = nn.Linear(hidden, 2 * width)
        self.width = width

    def forward(
        self, states: Tensor, sentence_mask: Tensor, sentence: Tensor, mixed: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """See the class."""
        # The keys' layer is applied to the few queries instead of to every token: q·(Ws + b) = (qW)·s + q·b.
        queries = self.ends(mixed).reshape(-1, 2, self.width)
        layer, bias = self.end_keys.weight.reshape(2, self.width, -1), self.end_keys.bias.reshape(2, self.width)
        turned = torch.matmul(queries.transpose(0, 1), layer.to(queries.dtype)).transpose(0, 1)
        ends = torch.matmul(turned, states[sentence].transpose(1, 2).to(turned.dtype))
        ends = (ends + (queries * bias).sum(-1, keepdim=True)) / math.sqrt(self.width)
        ends = ends.masked_fill((sentence_mask[sentence] == 0).unsqueeze(1), -1e4)
        return self.attributes(mixed), ends[:, 0], ends[:, 1]


class EventNetwork(nn.Module):
    """Tagger and heads together; what training trains and what a checkpoint holds."""

    def __init__(self, encoder: nn.Module, hidden: int) -> None:
        super().__init__()
        self.tagger = Tagger(encoder, hidden)
        self.gate = PairGate(hidden)
        self.pairs = PairHead(hidden)
        self.details = DetailHead(hidden)

    def score(
        self,
        states: Tensor,
        sentence_mask: Tensor,
        mention_sentence: Tensor,
        mention_span: Tensor,
        sentence: Tensor,
        actor: Tensor,
        recipient: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Gate and head on all pairs, none left out: gate logits [P], event logits [P, 18], findings [P, 18, W]."""
        pair, gate = self.gate(states, mention_sentence, mention_span, actor, recipient)
        spans = torch.cat([mention_span.new_full((1, 2), -1), mention_span])
        event, mixed = self.pairs(states, sentence_mask, pair, sentence, spans[actor + 1], spans[recipient + 1])
        return gate, event, mixed


def build_network(encoder_config: dict[str, Any]) -> EventNetwork:
    """An untrained network around a Hugging Face encoder of that configuration (config.json as a dict)."""
    from transformers import AutoConfig, AutoModel

    values = dict(encoder_config)
    config = AutoConfig.for_model(values.pop("model_type"), **values)
    encoder = AutoModel.from_config(config, add_pooling_layer=False)  # type: ignore[no-untyped-call]
    return EventNetwork(encoder, config.hidden_size)
