"""Pydantic models of every record on a topic: the source of truth for schemas/v1."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.codebook import Claim, EventType, Granularity, Peace, Timing, Tone

SCHEMA_VERSION = 1
Probability = Annotated[float, Field(ge=0.0, le=1.0)]
Offset = Annotated[int, Field(ge=0)]
SideCode = Annotated[str, Field(pattern=r"^[A-Z]{2,6}$")]


class Record(BaseModel):
    """What all models share. Unknown fields are ignored, so that an older reader survives an added optional field."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Versioned(Record):
    """A record that stands alone on a topic. A version newer than the reader knows is refused, not guessed."""

    schema_version: Annotated[int, Field(ge=1, le=SCHEMA_VERSION)] = SCHEMA_VERSION


class RawArticle(Versioned):
    """An article as a source delivered it (topic articles.raw). Only `text` is needed; nothing is cleaned."""

    article_id: str = Field(default="", max_length=512, description="Given id; empty: derived from url or content")
    title: str = ""
    text: str = Field(description="Plain text or HTML")
    published_at: str | None = Field(default=None, description="ISO 8601 date or time as the source gave it")
    source: str = Field(default="", description="Outlet or agency as given")
    url: str | None = None
    content_type: Literal["text", "html"] | None = Field(default=None, description="null: found by looking")
    ingested_at: datetime | None = None


class RawSegment(Record):
    """`length` characters from `clean_start` of the clean text equal those from `raw_start` of the raw field."""

    clean_start: Offset
    raw_field: Literal["title", "text"]
    raw_start: Offset
    length: Annotated[int, Field(ge=1)]


class Sentence(Record):
    """A sentence of the clean text, with the speaker when it stands inside a longer quotation or statement.

    `speaker_start`/`speaker_end` are offsets into the clean text of the words that say who speaks
    ("Foreign Secretary Philip Hammond"), null when the article speaks in its own voice.
    """

    start: Offset
    end: Offset
    part: Literal["title", "body"]
    paragraph: Offset
    speaker_start: Offset | None = None
    speaker_end: Offset | None = None


class Dateline(Record):
    """What stands before the first sentence: "KYIV, March 3 (AFP) -". Each part is null when absent."""

    place: str | None = None
    date: str | None = None
    agency: str | None = None


class CleanArticle(Versioned):
    """An article as plain text (topic articles.clean); all offsets count characters of `text`.

    `text` is the title, a blank line and the body (a title that the body repeats stands once).
    """

    article_id: Annotated[str, Field(min_length=1)]
    text: Annotated[str, Field(min_length=1)]
    sentences: list[Sentence]
    raw_map: list[RawSegment] = Field(description="Ascending in clean_start; what no segment covers was repaired")
    language: str = Field(description="ISO 639-1 of the text")
    published_at: date | None
    published_at_reason: str | None = Field(description="Why published_at is null")
    dateline: Dateline | None = None
    source: str = ""
    url: str | None = None
    fingerprint: str = Field(description="64-bit simhash of the words, 16 hex digits: near copies differ in few bits")
    ingested_at: datetime | None = None


class Mention(Record):
    """Words that name a side, as the model found them."""

    start: Offset
    end: Offset
    score: Probability


class ExtractedEvent(Record):
    """One event of one sentence as the model gives it; `actors` and `recipients` index the sentence's mentions.

    An empty `actors` means that the text does not tell who acts.
    """

    type: EventType
    score: Probability
    actors: list[int]
    recipients: list[int]
    quote_start: Offset
    quote_end: Offset
    claim: Claim
    timing: Timing
    tone: Tone
    peace: Peace
    scores: dict[str, Probability] = Field(default_factory=dict, description="Probability of each chosen label")


class ExtractedAttribution(Record):
    """Who says so: spans of source, cue and content in the clean text; null where the sentence has none."""

    source: tuple[int, int] | None
    cue: tuple[int, int] | None
    content: tuple[int, int] | None


class SentenceExtraction(Record):
    """What the model found in one sentence (`sentence` indexes the article's sentences)."""

    sentence: Offset
    mentions: list[Mention]
    events: list[ExtractedEvent]
    attributions: list[ExtractedAttribution] = []


class ModelInfo(Record):
    """Which weights made an event."""

    name: str
    version: str
    sha256: str


class ExtractedEvents(Versioned):
    """All that classify found in an article, with the article (topic events.extracted)."""

    article_id: str
    article: CleanArticle
    sentences: list[SentenceExtraction]
    model: ModelInfo


class Side(Record):
    """One side of an event, resolved as far as the text and the tables allow.

    `code` is the codebook's side code: ISO 3166 alpha-3, an organisation's acronym, WEST or UNK.
    """

    code: SideCode
    text: str = Field(description="The words in the article; empty when the side is only implied")
    start: Offset | None = None
    end: Offset | None = None
    country: str | None = Field(default=None, description="ISO 3166 alpha-3, or null")
    sector: str | None = Field(default=None, description="PLOVER sector such as GOV, MIL, REB, or null")
    name: str | None = Field(default=None, description="Person or organisation from the tables, or null")
    office: str | None = Field(default=None, description="Office held at the date, or null")
    resolved_by: str = Field(description="How: country, demonym, city, person, organisation, pronoun, description …")


class EventDate(Record):
    """When the act happened: ISO date cut to its granularity, or null with the reason."""

    date: Annotated[str, Field(pattern=r"^\d{4}(-\d\d(-\d\d)?)?$")] | None
    granularity: Granularity | None
    text: str | None = Field(default=None, description="The words that tell it")
    reason: str | None = Field(default=None, description="Why the date is null")


class Place(Record):
    """Where the act happened (WGS 84 degrees), or nulls with the reason."""

    name: str | None
    country: str | None = None
    latitude: Annotated[float, Field(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Field(ge=-180, le=180)] | None = None
    geonames_id: int | None = None
    reason: str | None = None


class Attribution(Record):
    """One link of the chain of who says so, nearest to the reader first."""

    text: str
    start: Offset | None = None
    end: Offset | None = None
    cue: str | None = None
    code: str | None = None


class Evidence(Record):
    """The words that state the event: clean_text[start:end] == quote, raw_field[raw_start:raw_end] == raw_quote.

    The raw fields are null, with the reason, when the words cannot be traced into the raw text (HTML entities).
    """

    quote: Annotated[str, Field(min_length=1)]
    start: Offset
    end: Offset
    sentence: str
    sentence_start: Offset
    part: Literal["title", "body"]
    raw_field: Literal["title", "text"] | None = None
    raw_start: Offset | None = None
    raw_end: Offset | None = None
    raw_quote: str | None = None
    raw_reason: str | None = None


class ArticleEvent(Record):
    """One of all events that an article version holds: what of an older version is not among them has vanished."""

    event_id: str
    dyad: str


class ResolvedEvent(Versioned):
    """One event of one article with resolved sides (topic events.resolved). Fields follow the codebook."""

    event_id: str
    article_id: str
    dyad: str = Field(description="Side codes in alphabetical order, joined by |: the key of the topic")
    type: EventType
    actors: list[Side]
    recipients: list[Side]
    claim: Claim
    timing: Timing
    tone: Tone
    peace: Peace
    when: EventDate
    where: Place
    attribution: list[Attribution]
    evidence: Evidence
    other_mentions: list[Evidence] = Field(default=[], description="Further mentions of this event in the article")
    cameo: str
    quad: Annotated[int, Field(ge=1, le=4)]
    goldstein: Annotated[float, Field(ge=-10, le=10)]
    plover_intensity: Annotated[float, Field(ge=-10, le=10)]
    score: Probability
    scores: dict[str, Probability] = {}
    model: ModelInfo
    pipeline_version: str
    source: str
    url: str | None
    title: str
    language: str
    fingerprint: str
    published_at: date | None
    published_at_reason: str | None
    ingested_at: datetime | None = None
    agency: str | None = Field(default=None, description="News agency that the article's dateline credits")
    article_events: list[ArticleEvent] = Field(
        default=[], description="All events of this version of the article, this one too; empty: not told"
    )


class StoryChange(Record):
    """A fact of a story that a later report tells otherwise. Numbers carry the words they count: "12 prisoner"."""

    field: Literal["date", "place", "level", "number", "stance", "claim"]
    before: str
    after: str


class Contradiction(Record):
    """Who says otherwise: a denial of what others assert, or the assertion of what was only denied before."""

    event_id: str
    by: list[str] = Field(description="Codes of the sides that say so; empty when the text does not tell")
    claim: Claim
    quote: str
    source: str
    url: str | None = None
    published_at: date | None = None


class StorySource(Record):
    """An article that tells of the story. `family` is null when neither the outlet nor the address is known."""

    outlet: str | None
    family: str | None = Field(description="Publisher family: editions and channels of one house are one")
    url: str | None
    article_id: str
    published_at: date | None


class EarlierStance(Record):
    """The stance before a shift and the words that show it."""

    peace: Peace
    event_id: str
    article_id: str
    quote: str
    source: str
    url: str | None = None
    date: str | None = Field(description="ISO date of the act, else of its publication; null when neither is known")


class StanceShift(Record):
    """An actor's stance on peace in this dyad is another one than its last known."""

    actor: str = Field(description="Side code")
    toward: list[str] = Field(description="The dyad's other sides; empty: the stance is on the issue alone")
    before: EarlierStance
    after: Peace


EDITED = "the article was edited"
"""The reason of a status that is not about why a first report is no news."""


class DiplomaticEvent(ResolvedEvent):
    """What desks subscribe to (topic events.diplomatic): a resolved event in its story.

    `sources` lists the story's first 64 articles; `first_seen` and `last_seen` are their publication dates, null
    when no article tells one.
    """

    story_id: str
    status: Literal["new", "restated", "changed", "contradicted", "withdrawn"]
    status_reason: str | None = Field(
        default=None, description="Why a first report is not new, why withdrawn, or that the article was edited"
    )
    changes: list[StoryChange] = []
    contradicted_by: list[Contradiction] = []
    sources: list[StorySource] = []
    independent_families: Annotated[int, Field(ge=0)] = Field(
        default=0, description="Families that tell it in their own words; copies of one text or agency count once"
    )
    first_seen: date | None = None
    last_seen: date | None = None
    stance_shifts: list[StanceShift] = []
    processed_at: datetime | None = Field(description="When track handled it; null offline")


class Alert(Versioned):
    """A subscriber's alert on one story (topic alerts): one alert_id, a higher revision when the story changes."""

    alert_id: str
    subscription: str
    revision: Annotated[int, Field(ge=1, description="1 when raised; a higher one replaces a lower one")] = 1
    summary: str
    event: DiplomaticEvent


FeedbackKind = Literal["type", "sides", "claim", "timing", "tone", "peace", "not-an-event"]


class Labels(Record):
    """What an analyst may correct of an event; sides by their codes."""

    type: EventType
    actors: list[SideCode]
    recipients: list[SideCode]
    claim: Claim
    timing: Timing
    tone: Tone
    peace: Peace


class Feedback(Versioned):
    """An analyst's correction of one event (topic feedback). The last one on an `event_id` holds; the same
    `feedback_id` may come more than once and is the same correction."""

    feedback_id: str
    event_id: str
    kinds: list[FeedbackKind] = Field(description="What differs from the event; empty: it is right as it is after all")
    corrected: Labels | None = Field(description="All labels as they should be; null: the words state no event")
    note: str = ""
    by: str = Field(description="Name of the analyst's token")
    given_at: datetime
    event: DiplomaticEvent = Field(description="The event as the desk had it, without `article_events`")
    beside: list[DiplomaticEvent] = Field(
        default=[], description="Other events of the same sentence, as the desk had them; nobody has checked them"
    )


class Origin(Record):
    """Where a record came from."""

    topic: str
    partition: Offset
    offset: Offset
    timestamp_ms: int | None = None


class DeadLetter(Versioned):
    """A record that a stage could not handle (topic <topic>.dlq), with all that is needed to replay it."""

    stage: str
    reason: str = Field(description="Short code, used as metric label")
    detail: str = Field(max_length=2000)
    origin: Origin
    key_base64: str | None
    value_base64: str | None = Field(description="The record's bytes; null when larger than the broker's limit")
    value_bytes: Offset
    pipeline_version: str


class Replay(Versioned):
    """A dead letter whose record was put back (topic replays), so that it is put back once."""

    topic: str = Field(description="The topic of dead letters, as topics.yaml names it")
    letter: Origin = Field(description="Where the dead letter stands")
    replayed_at: datetime
