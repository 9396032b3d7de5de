"""Pydantic models of the state that services keep in compacted topics."""

from __future__ import annotations

from datetime import date

from pydantic import Field

from schemas.codebook import Claim, EventType, Granularity, Peace
from schemas.records import Contradiction, EarlierStance, Record, Versioned


class StoryMember(Record):
    """One report of a story, as track keeps it."""

    event_id: str
    article_id: str
    outlet: str | None
    family: str | None
    agency: str | None
    url: str | None
    fingerprint: str
    published_at: date | None
    claim: Claim
    title: bool = Field(description="Whether the headline tells it")
    features_base64: str = Field(description="Hashed words of the evidence, little-endian uint32")
    event_base64: str = Field(description="The event, compressed: what a withdrawal says again")


class StoryFacts(Record):
    """What a story's latest report tells; null where none told it."""

    date: str | None = None
    granularity: Granularity | None = None
    place: str | None = None
    country: str | None = None
    level: str | None = None
    numbers: dict[str, str] = Field(default={}, description="What is counted to how many")
    stances: dict[str, Peace] = Field(default={}, description="Actor to stance")
    claim: Claim | None = None


class StoryVoice(Record):
    """Who told a story beyond the reports that are kept."""

    family: str | None
    agency: str | None
    fingerprint: str


class OpenStory(Record):
    """A story within the window. `earliest` and `latest` bound the act's day; `touched` is the window's clock."""

    story_id: str
    type: EventType
    actors: list[str]
    recipients: list[str]
    earliest: date | None
    latest: date | None
    first_seen: date | None
    last_seen: date | None
    touched: date | None
    facts: StoryFacts
    members: list[StoryMember]
    announced: bool = Field(default=True, description="Whether a report of it was new; older state does not tell")
    contradicted_by: list[Contradiction]
    further: list[StoryVoice] = Field(default=[], description="Families of reports beyond the members")


class TrackState(Versioned):
    """A change of track's state (topic track.state): the story or the last stance under this key."""

    key: str
    dyad: str
    story: OpenStory | None = None
    actor: str | None = None
    stance: EarlierStance | None = None
