"""One raw record through the whole line, as the services would take it, with every promise looked at on the way.

Between the stages each record is written and read again as on its topic. The model's place is taken by `invented`,
which finds sides and events everywhere, or by a real one.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from types import FrameType
from typing import TypeVar
from zlib import crc32

from pydantic import BaseModel

from schemas.codebook import CLAIMS, EVENT_TYPES, PEACES, TIMINGS, TONES
from schemas.records import (
    CleanArticle,
    DiplomaticEvent,
    Evidence,
    ExtractedAttribution,
    ExtractedEvent,
    ExtractedEvents,
    Mention,
    ModelInfo,
    Origin,
    RawArticle,
    ResolvedEvent,
    SentenceExtraction,
)
from schemas.resolved import ArticleEnd, Resolved
from schemas.state import TrackState
from services.cli_flat import flat_event, with_raw_quotes
from services.normalize.transform import normalize
from services.resolve.transform import resolve
from services.runtime.codec import dead_letter, decode, encode
from services.runtime.settings import ServiceSettings
from services.stage import Input, Outcome, Reject
from services.track.transform import Tracker

NOW = datetime(2024, 5, 4, 12, tzinfo=UTC)
LIMIT_SECONDS = 2.0
"""Of processor time for one record in one stage: what other processes do to the machine does not count."""
LOAD_SECONDS = 120.0
WORDS = "The envoy of Norway met President Jane Doe of Kenya in Nairobi on Monday. Jordan's king spoke of a truce. "
ORDINARY = (
    RawArticle(text=WORDS * 20, source="UK Government", published_at="2024-05-03").model_dump_json().encode(),
    RawArticle(text=f"<html><body><p>{WORDS}</p></body></html>").model_dump_json().encode(),
    RawArticle(text="Delegaciones de ambos gobiernos hablaron ayer de paz en Ginebra. ").model_dump_json().encode(),
)
MODEL = ModelInfo(name="invented", version="0", sha256="0" * 64)
MENTIONS, EVENTS = 5, 3
M = TypeVar("M", bound=BaseModel)
Classify = Callable[[Sequence[Input[CleanArticle]]], Sequence[Outcome[ExtractedEvents]]]


class TooSlowError(AssertionError):
    """A stage took longer than LIMIT_SECONDS over one record."""


class OversizeError(Exception):
    """A record that no topic takes."""


@contextmanager
def limited(stage: str, seconds: float = LIMIT_SECONDS) -> Iterator[None]:
    """Raises TooSlowError when the body takes more processor time than that, even where it would hang for ever."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise TooSlowError(f"{stage} took more than {seconds:g} s")

    former = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, former)


def invented(inputs: Sequence[Input[CleanArticle]]) -> list[Outcome[ExtractedEvents]]:
    """Findings that hang on the sentence's words alone: spans of words, long ones too, in events of every kind."""
    return [[_found(i.value)] for i in inputs]


def _found(article: CleanArticle) -> ExtractedEvents:
    sentences = [_sentence(article, number) for number in range(len(article.sentences))]
    return ExtractedEvents(article_id=article.article_id, article=article, sentences=sentences, model=MODEL)


def _sentence(article: CleanArticle, number: int) -> SentenceExtraction:
    place = article.sentences[number]
    chance = Random(crc32(article.text[place.start : place.end].encode()))

    def span() -> tuple[int, int]:
        start = chance.randrange(place.start, place.end)
        return start, min(place.end, start + chance.choice((1, 5, 20, 80, 1000)))

    mentions = [
        Mention(start=a, end=b, score=0.5) for a, b in sorted(span() for _ in range(chance.randint(0, MENTIONS)))
    ]
    if place.speaker_start is not None and place.speaker_end is not None:
        mentions.insert(0, Mention(start=place.speaker_start, end=place.speaker_end, score=1.0))
    sides = range(len(mentions))
    events = []
    for _ in range(chance.randint(0, EVENTS)):
        start, end = span()
        actors = chance.sample(sides, min(len(mentions), chance.randint(0, 2)))
        events.append(
            ExtractedEvent(
                type=chance.choice(EVENT_TYPES),
                score=0.5,
                actors=actors,
                recipients=[side for side in sides if side not in actors][:2],
                quote_start=start,
                quote_end=end,
                claim=chance.choice(CLAIMS),
                timing=chance.choice(TIMINGS),
                tone=chance.choice(TONES),
                peace=chance.choice(PEACES),
            )
        )
    said = [ExtractedAttribution(source=span(), cue=span(), content=chance.choice((span(), None))) for _ in events[:1]]
    return SentenceExtraction(sentence=number, mentions=mentions, events=events, attributions=said)


@dataclass
class Walk:
    """What became of one record: stages passed, why it ended, events made, seconds of processor time by stage."""

    ended: str = "events"
    events: int = 0
    seconds: dict[str, float] = field(default_factory=dict)


class Line:
    """The services in a row, in one process; stories are kept from record to record, as in track, until `forget`."""

    def __init__(self, classify: Classify = invented) -> None:
        self._classify = classify
        self._tracker = Tracker()
        self._settings = ServiceSettings()
        # The first records pay for the tables.
        self._limit = LOAD_SECONDS
        for ordinary in ORDINARY:
            self.walk(ordinary)
        self._limit = LIMIT_SECONDS
        self.forget()

    def walk(self, value: bytes) -> Walk:
        """Takes one record of articles.raw through; AssertionError where a promise is broken."""
        walk = Walk()
        try:
            return self._through(walk, value)
        except OversizeError:
            walk.ended = "output_oversize"  # The loop makes a dead letter of it.
            return walk

    def _through(self, walk: Walk, value: bytes) -> Walk:
        raw = decode(RawArticle, value, self._settings.max_record_bytes)
        if isinstance(raw, Reject):
            return self._rejected(walk, raw, value)
        with self._timed(walk, "normalize"):
            (outcome,) = normalize([given(raw)])
        if isinstance(outcome, Reject):
            return self._rejected(walk, outcome, value)
        (clean,) = [self._again(CleanArticle, record) for record in outcome]
        check_clean(clean, raw)
        # The model is no pure function of a few microseconds: its time has no limit here.
        began = time.process_time()
        (found,) = self._classify([given(clean)])
        walk.seconds["classify"] = time.process_time() - began
        assert not isinstance(found, Reject)
        (extracted,) = [self._again(ExtractedEvents, record) for record in found]
        with self._timed(walk, "resolve"):
            (resolved,) = resolve([given(extracted)])
        if isinstance(resolved, Reject):
            return self._rejected(walk, resolved, value)
        events = [self._again(ResolvedEvent, record) for record in resolved if isinstance(record, ResolvedEvent)]
        assert len({event.event_id for event in events}) == len(events)
        for event in events:
            check_event(event, clean, raw)
            self._track(walk, event)
        for end in [self._again(ArticleEnd, record) for record in resolved if isinstance(record, ArticleEnd)]:
            assert end.event_ids == [event.event_id for event in events]
            self._track(walk, end)
        walk.events = len(events)
        return walk

    def extracted(self, value: bytes) -> ExtractedEvents:
        """What is found in an article that normalize takes."""
        raw = decode(RawArticle, value, self._settings.max_record_bytes)
        assert not isinstance(raw, Reject)
        (outcome,) = normalize([given(raw)])
        assert not isinstance(outcome, Reject)
        (found,) = self._classify([given(outcome[0])])
        assert not isinstance(found, Reject)
        return found[0]

    def forget(self) -> None:
        """Drops all stories: that they grow with what is read is no leak."""
        self._tracker = Tracker()

    def _track(self, walk: Walk, record: Resolved) -> None:
        with self._timed(walk, "track"):
            (told,) = self._tracker.track([given(record)])
        assert not isinstance(told, Reject)
        events = [self._again(DiplomaticEvent, made) for made in told]
        if isinstance(record, ArticleEnd):
            assert all(event.status == "withdrawn" for event in events)
        else:
            assert [event.event_id for event in events] == [record.event_id]
        for change in self._tracker.take_changes():
            if change.value is not None:
                self._again(TrackState, change.value)

    def _again(self, model: type[M], record: BaseModel) -> M:
        """The record as the next stage reads it from the topic."""
        data = encode(record)
        if len(data) > self._settings.max_produce_bytes:
            raise OversizeError
        read = decode(model, data, self._settings.max_produce_bytes)
        assert not isinstance(read, Reject), read
        return read

    def _rejected(self, walk: Walk, reject: Reject, value: bytes) -> Walk:
        assert reject.detail
        origin = Origin(topic="articles.raw", partition=0, offset=0)
        encode(dead_letter("normalize", reject, origin, None, value, self._settings.max_produce_bytes))
        walk.ended = reject.reason
        return walk

    @contextmanager
    def _timed(self, walk: Walk, stage: str) -> Iterator[None]:
        began = time.process_time()
        try:
            with limited(stage, self._limit):
                yield
        finally:
            walk.seconds[stage] = max(walk.seconds.get(stage, 0.0), time.process_time() - began)


def given(record: M) -> Input[M]:
    """The record as the loop hands it to a stage."""
    return Input(record, Origin(topic="t", partition=0, offset=0), NOW)


def check_clean(clean: CleanArticle, raw: RawArticle) -> None:
    """Sentences stand in order inside the text, and every mapped character is the raw article's own."""
    text, at = clean.text, 0
    for s in clean.sentences:
        assert at <= s.start < s.end <= len(text)
        assert text[s.start : s.end].strip() == text[s.start : s.end]
        at = s.end
        if s.speaker_start is not None or s.speaker_end is not None:
            assert s.speaker_start is not None
            assert s.speaker_end is not None
            assert 0 <= s.speaker_start < s.speaker_end <= len(text)
    at = 0
    for m in clean.raw_map:
        assert at <= m.clean_start
        at = m.clean_start + m.length
        assert at <= len(text)
        field = raw.title if m.raw_field == "title" else raw.text
        assert text[m.clean_start : at] == field[m.raw_start : m.raw_start + m.length]


def check_event(event: ResolvedEvent, clean: CleanArticle, raw: RawArticle) -> None:
    """Every span of an event lies inside its article and equals its text."""
    for evidence in (event.evidence, *event.other_mentions):
        _check_evidence(evidence, clean, raw)
    for side in (*event.actors, *event.recipients):
        if side.start is not None and side.end is not None:
            assert 0 <= side.start < side.end <= len(clean.text)
            assert clean.text[side.start : side.end] == side.text
    for link in event.attribution:
        if link.start is not None and link.end is not None:
            assert clean.text[link.start : link.end] == link.text
    row = flat_event(event, raw)
    assert row["quote"]
    encode(event.model_copy(update=with_raw_quotes(event, raw)))


def _check_evidence(evidence: Evidence, clean: CleanArticle, raw: RawArticle) -> None:
    assert evidence.start < evidence.end <= len(clean.text)
    assert clean.text[evidence.start : evidence.end] == evidence.quote
    end = evidence.sentence_start + len(evidence.sentence)
    assert clean.text[evidence.sentence_start : end] == evidence.sentence
    if evidence.raw_field is None:
        assert evidence.raw_reason
    else:
        field = raw.title if evidence.raw_field == "title" else raw.text
        assert evidence.raw_start is not None
        assert evidence.raw_end is not None
        assert 0 <= evidence.raw_start < evidence.raw_end <= len(field)
