"""A story as track holds it in memory, and as the record of it on track.state."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from sys import intern

from schemas.codebook import Claim, EventType
from schemas.records import Contradiction, ResolvedEvent, Side, StorySource
from schemas.state import OpenStory, StoryFacts, StoryMember, StoryVoice
from services.ids import derive
from services.track.facts import Days, Facts, facts
from services.track.families import Told, agency, family, independent
from services.track.meaning import meaning, packed

MEMBERS = 64
"""Reports of one story that are kept; later ones still move its facts, its last day and the count of its families."""
FURTHER = 448
"""Pairs of family and agency of reports beyond those that are kept."""
COMMON_WORDS = (
    b'{"schema_version":1,"event_id":"","article_id":"","dyad":"RUS|UKR","type":"CONSULT","actors":[{"code":"RUS",'
    b'"text":"","start":0,"end":0,"country":"RUS","sector":"GOV","name":null,"office":null,"resolved_by":"country"}],'
    b'"recipients":[{"code":"USA","text":"","start":0,"end":0,"country":"USA","sector":null,"name":null,"office":null,'
    b'"resolved_by":"demonym"}],"claim":"asserted","timing":"new","tone":"neutral","peace":"support","when":{"date":'
    b'"2025-","granularity":"day","text":"on Tuesday","reason":null},"where":{"name":null,"country":null,"latitude":'
    b'null,"longitude":null,"geonames_id":null,"reason":"the event\'s words name no known place"},"attribution":[],'
    b'"evidence":{"quote":"","start":0,"end":0,"sentence":"","sentence_start":0,"part":"body","raw_field":"text",'
    b'"raw_start":0,"raw_end":0,"raw_quote":"","raw_reason":null},"other_mentions":[],"cameo":"04","quad":1,'
    b'"goldstein":1.0,"plover_intensity":2.5,"score":0.9,"scores":{"claim":0.9,"timing":0.9,"tone":0.9,"peace":0.9},'
    b'"model":{"name":"events-minilm","version":"","sha256":""},"pipeline_version":"0.1.0","source":"","url":"https://'
    b'","title":"","language":"en","fingerprint":"","published_at":"2025-","published_at_reason":null,"ingested_at":'
    b'"2025-01-01T00:00:00Z","agency":null,"article_events":[]}'
)
"""What all events look like: told to zlib once, so that a kept event takes a few hundred bytes. Part of the state's
format: state written with other words cannot be read."""


@dataclass(frozen=True, slots=True)
class Member:
    """One report: an event of one article. `features` and `event` are packed."""

    event_id: str
    article_id: str
    outlet: str | None
    family: str | None
    agency: str | None
    url: str | None
    fingerprint: str
    published: int | None
    claim: Claim
    title: bool
    features: bytes
    event: bytes


@dataclass(frozen=True, slots=True)
class Story:
    """An open story. Days are proleptic ordinals; `touched` is the publication clock when it was last told."""

    story_id: str
    dyad: str
    type: EventType
    actors: tuple[str, ...]
    recipients: tuple[str, ...]
    span: Days | None
    first_seen: int | None
    last_seen: int | None
    touched: int | None
    facts: Facts
    members: tuple[Member, ...]
    announced: bool
    """Whether a report of it was `new`."""
    contradicted_by: tuple[Contradiction, ...] = field(default=())
    further: tuple[Told, ...] = field(default=())
    """Who told it beyond the members: one entry for each family under each agency, with its first text."""


def member_of(event: ResolvedEvent) -> Member:
    """The report that an event is."""
    names = [name for side in event.actors + event.recipients for name in (side.text, side.name or "")]
    return Member(
        event_id=event.event_id,
        article_id=event.article_id,
        outlet=_shared(event.source or None),
        family=_shared(family(event.source, event.url)),
        agency=_shared(agency(event.agency, [link.text for link in event.attribution])),
        url=event.url,
        fingerprint=event.fingerprint,
        published=event.published_at.toordinal() if event.published_at else None,
        claim=event.claim,
        title=event.evidence.part == "title",
        features=packed(meaning(event.evidence.sentence, names, event.evidence.quote)),
        event=kept(event),
    )


def opened(event: ResolvedEvent, member: Member, span: Days | None, clock: int | None, announced: bool) -> Story:
    """The story that an event opens, under an id that the event's own gives."""
    return Story(
        story_id=derive("story", event.event_id),
        dyad=_shared(event.dyad) or "",
        type=event.type,
        actors=codes(event.actors),
        recipients=codes(event.recipients),
        span=span,
        first_seen=member.published,
        last_seen=member.published,
        touched=clock,
        facts=facts(event),
        members=(member,),
        announced=announced,
    )


def codes(sides: Sequence[Side]) -> tuple[str, ...]:
    """The sides' codes, each once, in order of the alphabet."""
    return tuple(sorted({intern(side.code) for side in sides}))


def sources(story: Story) -> list[StorySource]:
    """The articles that tell it, each once, in the order they came."""
    found = {m.article_id: m for m in reversed(story.members)}
    return [
        StorySource(outlet=m.outlet, family=m.family, url=m.url, article_id=m.article_id, published_at=day(m.published))
        for m in reversed(found.values())
    ]


def voices(story: Story) -> int:
    """How many families tell it in their own words."""
    told = dict.fromkeys([*((m.family, m.agency, m.fingerprint) for m in story.members), *story.further])
    return independent(list(told))


def kept(event: ResolvedEvent) -> bytes:
    """An event packed small, without what a withdrawal need not say again: further mentions and the article's list."""
    fields = set(ResolvedEvent.model_fields) - {"other_mentions", "article_events", "scores"}
    packer = zlib.compressobj(level=6, zdict=COMMON_WORDS)
    return packer.compress(event.model_dump_json(include=fields).encode()) + packer.flush()


def unkept(data: bytes) -> ResolvedEvent:
    """What `kept` packed."""
    unpacker = zlib.decompressobj(zdict=COMMON_WORDS)
    return ResolvedEvent.model_validate_json(unpacker.decompress(data) + unpacker.flush())


def to_record(story: Story) -> OpenStory:
    """The story as it stands on track.state."""
    return OpenStory(
        story_id=story.story_id,
        type=story.type,
        actors=list(story.actors),
        recipients=list(story.recipients),
        earliest=day(story.span[0]) if story.span else None,
        latest=day(story.span[1]) if story.span else None,
        first_seen=day(story.first_seen),
        last_seen=day(story.last_seen),
        touched=day(story.touched),
        facts=StoryFacts.model_validate(asdict(story.facts)),
        members=[_member_record(m) for m in story.members],
        announced=story.announced,
        contradicted_by=list(story.contradicted_by),
        further=[StoryVoice(family=f, agency=a, fingerprint=text) for f, a, text in story.further],
    )


def from_record(dyad: str, record: OpenStory) -> Story:
    """The story that a record on track.state tells of."""
    spanned = record.earliest is not None and record.latest is not None
    return Story(
        story_id=record.story_id,
        dyad=_shared(dyad) or "",
        type=record.type,
        actors=tuple(intern(code) for code in record.actors),
        recipients=tuple(intern(code) for code in record.recipients),
        span=(ordinal(record.earliest) or 0, ordinal(record.latest) or 0) if spanned else None,
        first_seen=ordinal(record.first_seen),
        last_seen=ordinal(record.last_seen),
        touched=ordinal(record.touched),
        facts=Facts(**record.facts.model_dump()),
        members=tuple(_member(m) for m in record.members),
        announced=record.announced,
        contradicted_by=tuple(record.contradicted_by),
        further=tuple((_shared(v.family), _shared(v.agency), v.fingerprint) for v in record.further),
    )


def with_report(story: Story, member: Member) -> Story:
    """The story with this report: in the place of its event's former one, else at the end, and where it is full only
    with who tells it."""
    if any(m.event_id == member.event_id for m in story.members):
        members = tuple(member if m.event_id == member.event_id else m for m in story.members)
        return replace(story, members=members)
    if len(story.members) < MEMBERS:
        return replace(story, members=(*story.members, member))
    if len(story.further) == FURTHER or (member.family, member.agency) in {told[:2] for told in story.further}:
        return story
    return replace(story, further=(*story.further, (member.family, member.agency, member.fingerprint)))


def without(story: Story, event_ids: set[str]) -> Story:
    """The story less some of its reports."""
    return replace(story, members=tuple(m for m in story.members if m.event_id not in event_ids))


def day(number: int | None) -> date | None:
    """The date of a proleptic ordinal."""
    return None if number is None else date.fromordinal(number)


def ordinal(when: date | None) -> int | None:
    """The proleptic ordinal of a date."""
    return None if when is None else when.toordinal()


def _shared(words: str | None) -> str | None:
    """One copy in memory of what many stories hold."""
    return None if words is None else intern(words)


def _member_record(m: Member) -> StoryMember:
    return StoryMember(
        event_id=m.event_id,
        article_id=m.article_id,
        outlet=m.outlet,
        family=m.family,
        agency=m.agency,
        url=m.url,
        fingerprint=m.fingerprint,
        published_at=day(m.published),
        claim=m.claim,
        title=m.title,
        features_base64=base64.b64encode(m.features).decode(),
        event_base64=base64.b64encode(m.event).decode(),
    )


def _member(record: StoryMember) -> Member:
    return Member(
        event_id=record.event_id,
        article_id=record.article_id,
        outlet=_shared(record.outlet),
        family=_shared(record.family),
        agency=_shared(record.agency),
        url=record.url,
        fingerprint=record.fingerprint,
        published=ordinal(record.published_at),
        claim=record.claim,
        title=record.title,
        features=base64.b64decode(record.features_base64),
        event=base64.b64decode(record.event_base64),
    )
