"""The inference stage: clean articles in, what the model finds in each sentence out. No Kafka, no clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import numpy as np

from schemas.codebook import EVENT_TYPES
from schemas.records import (
    CleanArticle,
    ExtractedAttribution,
    ExtractedEvent,
    ExtractedEvents,
    Mention,
    Sentence,
    SentenceExtraction,
)
from services.classify.batching import plan_batches
from services.classify.decode import (
    MAX_MENTIONS,
    Candidate,
    TokenMention,
    best_tags,
    candidates,
    merge,
    readings,
    tag_spans,
)
from services.classify.features import MAX_TOKENS, Encoded, Span, encode, pad
from services.classify.model import EventModel, Floats, Ints
from services.classify.pairing import all_pairs, score_details, score_pairs
from services.stage import Input, Outcome

SAID = " said:"
MAX_CUE_DISTANCE = 400


@dataclass(frozen=True)
class Piece:
    """A sentence, or a part of one too long for the encoder, with the words of its speaker as context."""

    article: int
    sentence: int
    start: int
    text: str
    speaker: Span | None
    context: str


@dataclass(frozen=True)
class BatchSize:
    """What one pass held: rows, real tokens and padding tokens."""

    records: int
    real_tokens: int
    padding_tokens: int


def _no_timer(_stage: str) -> AbstractContextManager[object]:
    return nullcontext()


class Classifier:
    """Runs a model over windows of articles.

    `batch_tokens` bounds rows × longest row of one encoder pass. `timer(stage)` is entered around "tokenize", "infer"
    and "decode_pairs"; `on_batch` hears of every pass: both are for metrics and change nothing in the result.
    """

    def __init__(
        self,
        model: EventModel,
        batch_tokens: int = 1024,
        timer: Callable[[str], AbstractContextManager[object]] = _no_timer,
        on_batch: Callable[[BatchSize], None] = lambda _size: None,
    ) -> None:
        self._model = model
        self._budget = batch_tokens
        self._timer = timer
        self._on_batch = on_batch
        config = model.config
        self._thresholds: Floats = np.array(
            [config.type_thresholds.get(t, config.event_threshold) for t in EVENT_TYPES], dtype=np.float32
        )

    def classify(self, inputs: Sequence[Input[CleanArticle]]) -> list[Outcome[ExtractedEvents]]:
        """One ExtractedEvents per article, in order; an article without sentences yields one without findings."""
        articles = [i.value for i in inputs]
        return [[extracted] for extracted in self.extract(articles)]

    def extract(self, articles: Sequence[CleanArticle]) -> list[ExtractedEvents]:
        """What the model finds, article by article."""
        pieces = [p for number, article in enumerate(articles) for p in self._pieces(number, article)]
        found: dict[tuple[int, int], list[SentenceExtraction]] = {}
        for piece, extraction in zip(pieces, self.read(pieces), strict=True):
            found.setdefault((piece.article, piece.sentence), []).append(extraction)
        out = []
        for number, article in enumerate(articles):
            rows = [_join(found[number, s]) for s in range(len(article.sentences)) if (number, s) in found]
            rows = [r for r in rows if r.mentions or r.events or r.attributions]
            out.append(
                ExtractedEvents(article_id=article.article_id, article=article, sentences=rows, model=self._model.info)
            )
        return out

    def read(self, pieces: Sequence[Piece]) -> list[SentenceExtraction]:
        """What the model finds in each piece, in order.

        Batches cross articles, and an article gives the same events alone, in any window and after a restart: the int8
        scales are fixed (services/classify/onnxfile.py), so that nothing of a row hangs on its neighbours.
        """
        with self._timer("tokenize"):
            encoded = encode(self._model.tokenizer, [(p.context, p.text) for p in pieces])
        out: dict[int, SentenceExtraction] = {}
        for rows in plan_batches([len(e.ids) for e in encoded], self._budget):
            batch = [encoded[i] for i in rows]
            arrays = pad(batch)
            real = sum(len(e.ids) for e in batch)
            self._on_batch(BatchSize(len(batch), real, arrays["input_ids"].size - real))
            with self._timer("infer"):
                states, tags = self._model.backend.encode(arrays)
            with self._timer("decode_pairs"):
                out.update(self._decode([pieces[i] for i in rows], rows, batch, arrays["sentence_mask"], states, tags))
        return [out[i] for i in range(len(pieces))]

    def _decode(
        self,
        pieces: Sequence[Piece],
        numbers: Sequence[int],
        encoded: Sequence[Encoded],
        sentence_mask: np.ndarray[tuple[int, ...], np.dtype[np.int64]],
        states: Floats,
        tags: Floats,
    ) -> dict[int, SentenceExtraction]:
        best = best_tags(tags, sentence_mask)
        mentions = [
            _speaker_mention(p, e) + tag_spans(e, tags[row], "side", p.text, best[row])
            for row, (p, e) in enumerate(zip(pieces, encoded, strict=True))
        ]
        mentions = [m[:MAX_MENTIONS] for m in mentions]
        # A sentence in which nobody is named still gets the pair (unknown, none): "talks were called off".
        backend, pairs = self._model.backend, all_pairs([[(m.first, m.last) for m in row] for row in mentions])
        pairs, _, event, mixed = score_pairs(backend, states, sentence_mask, pairs, self._model.config.gate_logit)
        rows = [np.flatnonzero(pairs.sentence == row) for row in range(len(pieces))]
        found = [readings(pairs.own(at), event[at], self._thresholds) for at in rows]
        chosen = [(at[r.pair], r.type) for at, some in zip(rows, found, strict=True) for r in some]
        details = score_details(backend, states, sentence_mask, pairs, mixed, chosen)
        out, done = {}, 0
        for row, piece in enumerate(pieces):
            part = slice(done, done + len(found[row]))
            done = part.stop
            events = merge(candidates(found[row], *(d[part] for d in details)))
            out[numbers[row]] = _extraction(piece, encoded[row], tags[row], best[row], mentions[row], events)
        return out

    def _pieces(self, number: int, article: CleanArticle) -> list[Piece]:
        pieces = []
        for i, sentence in enumerate(article.sentences):
            speaker = _speaker(sentence)
            context = article.text[speaker[0] : speaker[1]] + SAID if speaker else ""
            for start, end in self._cut(article.text, sentence):
                pieces.append(Piece(number, i, start, article.text[start:end], speaker, context))
        return pieces

    def _cut(self, text: str, sentence: Sentence) -> list[Span]:
        """Parts of the sentence that fit the encoder, cut at word ends; one part for nearly all sentences."""
        if sentence.end - sentence.start < MAX_TOKENS // 2:
            return [(sentence.start, sentence.end)]
        offsets = self._model.tokenizer.encode(text[sentence.start : sentence.end], add_special_tokens=False).offsets
        limit = MAX_TOKENS - 4
        starts = [sentence.start + offsets[i][0] for i in range(0, len(offsets), limit)] or [sentence.start]
        starts[0] = sentence.start
        return list(zip(starts, [*starts[1:], sentence.end], strict=True))


def _speaker(sentence: Sentence) -> Span | None:
    if sentence.speaker_start is None or sentence.speaker_end is None:
        return None
    return sentence.speaker_start, sentence.speaker_end


def _speaker_mention(piece: Piece, encoded: Encoded) -> list[TokenMention]:
    if piece.speaker is None:
        return []
    span = encoded.token_span(0, piece.speaker[1] - piece.speaker[0], in_context=True)
    return [TokenMention(*span, 1.0)] if span else []


def _extraction(
    piece: Piece,
    encoded: Encoded,
    tags: Floats,
    best: Ints,
    mentions: Sequence[TokenMention],
    events: Sequence[Candidate],
) -> SentenceExtraction:
    def chars(first: int, last: int) -> Span:
        a, b = encoded.char_span(first, last)
        if encoded.is_context[first] and piece.speaker:
            return piece.speaker
        return piece.start + a, piece.start + b

    return SentenceExtraction(
        sentence=piece.sentence,
        mentions=[Mention(start=s, end=e, score=m.score) for m in mentions for s, e in [chars(m.first, m.last)]],
        events=[
            ExtractedEvent(
                type=c.type,
                score=round(c.score, 4),
                actors=list(c.actors),
                recipients=list(c.recipients),
                quote_start=chars(*c.quote)[0],
                quote_end=chars(*c.quote)[1],
                claim=c.labels["claim"][0],
                timing=c.labels["timing"][0],
                tone=c.labels["tone"][0],
                peace=c.labels["peace"][0],
                scores={name: score for name, (_, score) in c.labels.items()},
            )
            for c in events
        ],
        attributions=_attributions(
            *(
                [chars(m.first, m.last) for m in tag_spans(encoded, tags, layer, piece.text, best)]
                for layer in ("source", "cue", "content")
            )
        ),
    )


def _attributions(sources: list[Span], cues: list[Span], contents: list[Span]) -> list[ExtractedAttribution]:
    """Join the tag layers: each cue takes the nearest source and content; a lone source stands alone."""

    def nearest(span: Span, others: list[Span]) -> Span | None:
        def distance(other: Span) -> int:
            return max(other[0] - span[1], span[0] - other[1], 0)

        best = min(others, key=distance, default=None)
        return best if best and distance(best) < MAX_CUE_DISTANCE else None

    out = [ExtractedAttribution(source=nearest(c, sources), cue=c, content=nearest(c, contents)) for c in cues]
    used = {a.source for a in out}
    out += [ExtractedAttribution(source=s, cue=None, content=nearest(s, contents)) for s in sources if s not in used]
    return out


def _join(parts: Sequence[SentenceExtraction]) -> SentenceExtraction:
    """One extraction of the parts of a cut sentence."""
    if len(parts) == 1:
        return parts[0]
    mentions: list[Mention] = []
    events: list[ExtractedEvent] = []
    for part in parts:
        shift = len(mentions)
        mentions += part.mentions
        events += [
            e.model_copy(
                update={"actors": [a + shift for a in e.actors], "recipients": [r + shift for r in e.recipients]}
            )
            for e in part.events
        ]
    attributions = [a for part in parts for a in part.attributions]
    return SentenceExtraction(sentence=parts[0].sentence, mentions=mentions, events=events, attributions=attributions)
