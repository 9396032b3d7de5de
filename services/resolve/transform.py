"""Extracted mentions to resolved events: codes, dates, places, attribution, one event per act. Pure."""

from __future__ import annotations

import re
import uuid
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from schemas.codebook import CAMEO, MUTUAL_TYPES, PLOVER_INTENSITY, QUAD
from schemas.records import (
    ArticleEvent,
    CleanArticle,
    Evidence,
    ExtractedEvent,
    ExtractedEvents,
    ResolvedEvent,
    SentenceExtraction,
    Side,
)
from schemas.resolved import ArticleEnd, Resolved
from services import PIPELINE_VERSION
from services.rawspan import raw_span
from services.resolve.actors import ActorCode, code_actor
from services.resolve.attribution import attributions, is_hearsay
from services.resolve.continuation import Course
from services.resolve.coreference import NOBODY, Article, publisher, resolve_mention
from services.resolve.dates import date_event, is_past
from services.resolve.places import local_country, place_event
from services.stage import Input, Outcome, Reject

NAMESPACE = uuid.UUID("9b1c3c1e-55c7-5f0e-9d8c-0c1f7a0f2d11")
FRESH = timedelta(days=7)
JOINT = frozenset({"CONSULT", "AGREE", "COOPERATE"})
MOST_EVENTS = 1_500
"""Of one article, before mentions are merged. The samples have one for every 110 characters: 1,800 in the longest text
that normalize takes, were it as dense."""
MOST_LISTED = 200
"""With more events than that none lists the article's others: the lists would grow with the square of their number."""
VERBAL = frozenset({"STATEMENT", "ACCUSE", "SUPPORT", "REQUEST", "AGREE", "REJECT", "THREATEN"})


def resolve(inputs: Sequence[Input[ExtractedEvents]]) -> list[Outcome[Resolved]]:
    """The events of each article, in order of their words, and behind them their end, if the article has an address.

    Rejects: `too_many_events`.
    """
    return [_outcome(i.value) for i in inputs]


def _outcome(extracted: ExtractedEvents) -> Outcome[Resolved]:
    count = sum(len(found.events) for found in extracted.sentences)
    if count > MOST_EVENTS:
        return Reject("too_many_events", f"{count} events; at most {MOST_EVENTS} are taken of one article")
    events = resolve_article(extracted)
    return [*events, *_end(extracted, events)]


def _end(extracted: ExtractedEvents, events: Sequence[ResolvedEvent]) -> list[ArticleEnd]:
    """What tells each partition that the article has no further events; without an address nobody could say whose."""
    article = extracted.article
    if article.url is None or not article.url.strip():
        return []
    return [
        ArticleEnd(
            kind="article_end",
            article_id=article.article_id,
            url=article.url,
            fingerprint=article.fingerprint,
            model=extracted.model,
            event_ids=[event.event_id for event in events],
            ingested_at=article.ingested_at,
        )
    ]


def resolve_article(extracted: ExtractedEvents) -> list[ResolvedEvent]:
    """All events of an article, mentions of one act merged."""
    article = extracted.article
    state = Article(article.published_at, publisher(article.source))
    speakers: dict[tuple[int, int], ActorCode] = {}
    course = Course()
    events = []
    for found in extracted.sentences:
        sides = _sides(found, article, state, speakers)
        sentence = article.sentences[found.sentence]
        # Where no side is named as actor, the one whose words these are acts by saying them.
        implied = speakers.get((sentence.speaker_start or 0, sentence.speaker_end or 0), state.publisher)
        told = [_event(event, found, sides, extracted, implied) for event in found.events]
        state.together = _together(told, state.together)
        events += course.follow(told, sentence, article.text[sentence.start : sentence.end])
    merged = _told_apart(_merge(events))
    # With every event goes the list of all: track sees by it which earlier reports an edit may have changed into it.
    all_events = [ArticleEvent(event_id=event.event_id, dyad=event.dyad) for event in merged]
    if len(merged) > MOST_LISTED:
        all_events = []
    return [event.model_copy(update={"article_events": all_events}) for event in merged]


def _together(events: Sequence[ResolvedEvent], before: tuple[str, ...]) -> tuple[str, ...]:
    """The two sides of the last mutual event; nobody once another event has come between."""
    for event in reversed(events):
        codes = tuple(dict.fromkeys(s.code for s in (*event.actors, *event.recipients) if s.code != "UNK"))
        return codes if event.type in JOINT and len(codes) == 2 else ()
    return before


def _sides(
    found: SentenceExtraction, article: CleanArticle, state: Article, speakers: dict[tuple[int, int], ActorCode]
) -> list[ActorCode]:
    sentence = article.sentences[found.sentence]
    speaker = None
    if sentence.speaker_start is not None and sentence.speaker_end is not None:
        span = (sentence.speaker_start, sentence.speaker_end)
        if span not in speakers:
            speakers[span] = resolve_mention(article.text[slice(*span)], state, None, [])
        speaker = speakers[span]
    dateline = article.dateline.place if article.dateline else None
    local = local_country(article.text[sentence.start : sentence.end], dateline)
    sides: list[ActorCode] = []
    state.several = None
    for mention in found.mentions:
        if (mention.start, mention.end) in speakers:
            sides.append(speakers[mention.start, mention.end])
        else:
            sides.append(resolve_mention(article.text[mention.start : mention.end], state, speaker, sides, local))
    return sides


def _event(
    event: ExtractedEvent,
    found: SentenceExtraction,
    sides: list[ActorCode],
    extracted: ExtractedEvents,
    implied: ActorCode,
) -> ResolvedEvent:
    article = extracted.article
    sentence = article.sentences[found.sentence]
    actors = _as_sides(event.actors, found, sides, article)
    recipients = _as_sides(event.recipients, found, sides, article)
    if not actors and event.type in VERBAL and implied.codes:
        actors = [_side(implied, code, "", None) for code in implied.codes[:1]]
    if not actors:
        actors = [Side(code="UNK", text="", resolved_by="the text does not tell")]
    recipients = [r for r in recipients if r.code != "UNK" and not _is_itself(r, actors)]
    # A side is not its own recipient where the event has another one.
    others = [r for r in recipients if all(r.code != a.code for a in actors)]
    if others and len({a.code for a in actors}) == 1:
        recipients = others
    met = {r.code for r in recipients}
    if met and event.type in MUTUAL_TYPES and met < {a.code for a in actors}:
        # "Lavrov met Li": where the model gives both as actors, the one that is met is not the one that meets.
        actors = [a for a in actors if a.code not in met]
    if not recipients and len(actors) > 1 and event.type in MUTUAL_TYPES:
        # Joint actors of a mutual act do it toward each other (codebook, "Both sides expressed readiness").
        recipients = actors[::-1]
    text = article.text[sentence.start : sentence.end]
    start, end = event.quote_start - sentence.start, event.quote_end - sentence.start
    when = date_event(text, start, end, article.published_at, ahead=event.claim == "planned")
    timing = event.timing
    if article.published_at and event.claim != "planned" and is_past(when, article.published_at, FRESH):
        timing = "background"
    attribution = attributions(event, found, article, _coder(found, sides, article))
    evidence = _evidence(article, event.quote_start, event.quote_end, found.sentence)
    hearsay = "reportedly" in text[max(0, start - 25) : end].lower() or is_hearsay(
        attribution, [s.code for s in actors]
    )
    dyad = "|".join(sorted({s.code for s in actors + recipients}))
    # The sides are in the id: the same words of other sides are withdrawn on one partition and told on another.
    key = f"{article.article_id}|{event.type}|{event.quote_start}-{event.quote_end}|{extracted.model.version}|{dyad}"
    return ResolvedEvent(
        event_id=str(uuid.uuid5(NAMESPACE, key)),
        article_id=article.article_id,
        dyad=dyad,
        type=event.type,
        actors=actors,
        recipients=recipients,
        claim="reported" if hearsay and event.claim == "asserted" else event.claim,
        timing=timing,
        tone=event.tone,
        peace=event.peace,
        when=when,
        where=place_event(text),
        attribution=attribution,
        evidence=evidence,
        cameo=CAMEO[event.type][0],
        quad=QUAD[event.type],
        goldstein=CAMEO[event.type][1],
        plover_intensity=PLOVER_INTENSITY[event.type],
        score=event.score,
        scores=event.scores,
        model=extracted.model,
        pipeline_version=PIPELINE_VERSION,
        source=article.source,
        url=article.url,
        title=article.text[article.sentences[0].start : article.sentences[0].end]
        if article.sentences and article.sentences[0].part == "title"
        else "",
        language=article.language,
        fingerprint=article.fingerprint,
        published_at=article.published_at,
        published_at_reason=article.published_at_reason,
        ingested_at=article.ingested_at,
        agency=article.dateline.agency if article.dateline else None,
    )


def _is_itself(recipient: Side, actors: Sequence[Side]) -> bool:
    """Whether a recipient is the actor's own state by its bare name: "Lavrov reaffirmed Moscow's commitment"."""
    bare = recipient.resolved_by in ("country", "city") and recipient.sector in (None, "GOV")
    return bare and any(a.code == recipient.code and a.sector == "GOV" for a in actors)


def _side(found: ActorCode, code: str, text: str, span: tuple[int, int] | None) -> Side:
    return Side(
        code=code,
        text=text,
        start=span[0] if span else None,
        end=span[1] if span else None,
        country=code if found.country and len(code) == 3 else None,
        sector=found.sector,
        name=found.name,
        office=found.office,
        resolved_by=found.resolved_by,
    )


def _as_sides(
    indices: Sequence[int], found: SentenceExtraction, sides: Sequence[ActorCode], article: CleanArticle
) -> list[Side]:
    out: list[Side] = []
    for index in indices:
        mention, side = found.mentions[index], sides[index]
        words = article.text[mention.start : mention.end]
        for code in side.codes or ("UNK",):
            if all(code != other.code for other in out):
                out.append(_side(side if side.codes else NOBODY, code, words, (mention.start, mention.end)))
    known = [s for s in out if s.code != "UNK"]
    return known or out


def _coder(
    found: SentenceExtraction, sides: Sequence[ActorCode], article: CleanArticle
) -> Callable[[tuple[int, int]], str | None]:
    """The side code of a source: of the mention that stands there, else of its own words."""

    def code(span: tuple[int, int]) -> str | None:
        for mention, side in zip(found.mentions, sides, strict=True):
            if mention.start < span[1] and span[0] < mention.end and side.codes:
                return side.codes[0]
        return next(iter(code_actor(article.text[slice(*span)], article.published_at).codes), None)

    return code


def _evidence(article: CleanArticle, start: int, end: int, number: int) -> Evidence:
    sentence = article.sentences[number]
    raw = raw_span(article, start, end)
    return Evidence(
        quote=article.text[start:end],
        start=start,
        end=end,
        sentence=article.text[sentence.start : sentence.end],
        sentence_start=sentence.start,
        part=sentence.part,
        raw_field=raw[0] if raw else None,
        raw_start=raw[1] if raw else None,
        raw_end=raw[2] if raw else None,
        raw_reason=None if raw else "the words cannot be traced into the raw article",
    )


def _words(text: str) -> set[str]:
    return set(re.findall(r"[a-z]{4,}", text.lower()))


def _told_apart(events: list[ResolvedEvent]) -> list[ResolvedEvent]:
    """Events of one type and dyad in the same words ("X and Y accuse each other") have one id so far: the later ones
    get their own."""
    seen: dict[str, int] = defaultdict(int)
    out = []
    for event in events:
        nth = seen[event.event_id]
        seen[event.event_id] += 1
        own = str(uuid.uuid5(NAMESPACE, f"{event.event_id}|{nth}")) if nth else event.event_id
        out.append(event.model_copy(update={"event_id": own}) if nth else event)
    return out


@dataclass
class _Kept:
    """An event that stays, with what is asked of it again and again."""

    event: ResolvedEvent
    recipients: set[str]
    words: set[str]


def _merge(events: list[ResolvedEvent]) -> list[ResolvedEvent]:
    """One event per act: same type and sides, compatible dates, words in common (headline and lead)."""
    kept: list[_Kept] = []
    alike: dict[tuple[str, str, frozenset[str]], list[_Kept]] = defaultdict(list)
    for event in events:
        new = _Kept(event, {s.code for s in event.recipients}, _words(event.evidence.quote))
        others = alike[event.type, event.timing, frozenset(s.code for s in event.actors)]
        for old in others:
            if not _one_act(old, new):
                continue
            if event.evidence.sentence_start == old.event.evidence.sentence_start:
                if event.evidence.start < old.event.evidence.end and old.event.evidence.start < event.evidence.end:
                    break  # two readings of the same words
                continue
            old.event = _joined(old.event, event)
            old.recipients = {s.code for s in old.event.recipients}
            old.words = _words(old.event.evidence.quote)
            break
        else:
            kept.append(new)
            others.append(new)
    return [k.event for k in kept]


def _one_act(old: _Kept, new: _Kept) -> bool:
    """Whether two events of one type, timing and actors tell of one act."""
    one, other = old.event, new.event
    if new.recipients != old.recipients and other.type not in MUTUAL_TYPES:
        return False
    if one.when.date and other.when.date and one.when.date != other.when.date:
        return False
    if "title" in (one.evidence.part, other.evidence.part):
        return True
    least = min(len(old.words), len(new.words))
    return len(old.words & new.words) >= 0.5 * max(1, least)


def _joined(old: ResolvedEvent, event: ResolvedEvent) -> ResolvedEvent:
    """One event of two mentions: the fuller one, with the other listed."""
    longer = len(event.evidence.quote) > len(old.evidence.quote)
    fuller = event.evidence.part == "body" and (old.evidence.part == "title" or longer)
    full, short = (event, old) if fuller else (old, event)
    mentions = [*full.other_mentions, short.evidence, *short.other_mentions]
    when = full.when if full.when.date or not short.when.date else short.when
    peace = short.peace if full.peace == "none" else full.peace
    return full.model_copy(update={"other_mentions": mentions, "when": when, "peace": peace})
