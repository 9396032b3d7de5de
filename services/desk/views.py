"""What the API answers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from schemas.codebook import Claim, EventType, Peace, Timing, Tone
from schemas.records import Alert, DiplomaticEvent, Feedback, FeedbackKind, Labels
from schemas.records import Side as EventSide
from services.desk import words
from services.desk.story import Status, changes_of, shifts_of
from services.desk.subscriptions import Filter, Side, Subscription
from services.feedback.labels import labels_of

MOST_SIDES = 20
Secret = Annotated[str, StringConstraints(pattern=r"^[!-~]{16,200}$")]


class View(BaseModel):
    """What all answers share."""

    model_config = ConfigDict(frozen=True)


class SideView(View):
    """One side."""

    code: str
    name: str
    text: str
    office: str | None


class AlertMark(View):
    """That a story is alerted, to whom, and how often it was updated."""

    subscription: str
    revision: int


class Words(View):
    """The labels in plain words."""

    act: str
    claim: str
    timing: str
    tone: str
    peace: str | None
    status: str


class StoryItem(View):
    """A row of the stream. `seq` grows with every change; `url` is that of the telling shown."""

    seq: int
    story_id: str
    dyad: str
    dyad_name: str
    actors: list[SideView]
    recipients: list[SideView]
    type: EventType
    claim: Claim
    tone: Tone
    peace: Peace
    timing: Timing
    status: Status
    words: Words
    quad: int
    goldstein: float
    quote: str
    title: str
    source: str
    day: str | None
    place: str | None
    families: int
    events: int
    first_seen: datetime
    last_seen: datetime
    alerts: list[AlertMark]
    corrected: int = Field(description="Events of it that analysts have corrected")


class LinkView(View):
    """One link of who says so, nearest to the reader first."""

    text: str
    cue: str | None
    code: str | None


class ShiftView(View):
    """A stance that changed, and the words that show the earlier one."""

    words: str
    quote: str
    source: str
    day: str | None


class Correction(View):
    """An analyst's correction of an event; `words` tell what it changes."""

    feedback_id: str
    event_id: str
    kinds: list[FeedbackKind]
    corrected: Labels | None = Field(description="All labels as they should be; null: no event")
    words: list[str]
    note: str
    by: str
    given_at: datetime


class CorrectionPage(View):
    """Some corrections, newest first. `next_cursor` is null on the last page."""

    items: list[Correction]
    next_cursor: int | None


class CorrectionCounts(View):
    """All corrections, the events they are of, and what they correct; one of several labels counts for each."""

    corrections: int
    events: int
    kinds: dict[FeedbackKind, int]


class Telling(View):
    """One article's telling of a story; before + quote + after is the sentence. `corrections` come newest first."""

    event_id: str
    source: str
    title: str
    url: str | None
    published_at: str | None
    published_at_reason: str | None
    seen_at: datetime
    status: Status
    words: Words
    before: str
    quote: str
    after: str
    attribution: list[LinkView]
    when: str | None
    when_reason: str | None
    changes: list[str]
    shifts: list[ShiftView]
    score: float
    labels: Labels
    corrections: list[Correction]


class StoryDetail(View):
    """A story with all that tells it, newest first."""

    story: StoryItem
    tellings: list[Telling]


class StoryPage(View):
    """Some stories, newest first. `next_cursor` is null on the last page; `last_seq` is where a stream goes on."""

    items: list[StoryItem]
    next_cursor: int | None
    last_seq: int


class DyadRow(View):
    """A dyad that has stories."""

    dyad: str
    name: str
    stories: int


class DyadPoint(View):
    """One story on a dyad's timeline."""

    story_id: str
    day: str
    type: EventType
    goldstein: float
    peace: Peace
    claim: Claim
    summary: str


class DyadView(View):
    """A dyad's stories by day, oldest first; `undated` ones have no place on the line."""

    dyad: str
    name: str
    points: list[DyadPoint]
    undated: int


class Corrected(BaseModel):
    """The labels that should be others; what is left out or null stays as it is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: EventType | None = None
    actors: Annotated[list[Side], Field(min_length=1, max_length=MOST_SIDES)] | None = Field(
        default=None, description="Codes; UNK where the text does not tell who acts"
    )
    recipients: Annotated[list[Side], Field(max_length=MOST_SIDES)] | None = Field(default=None, description="Codes")
    claim: Claim | None = None
    timing: Timing | None = None
    tone: Tone | None = None
    peace: Peace | None = None

    def of(self, present: Labels) -> Labels:
        """The labels with these instead, each side once."""
        given = {name: value for name in Corrected.model_fields if (value := getattr(self, name)) is not None}
        sides = {name: list(dict.fromkeys(given[name])) for name in ("actors", "recipients") if name in given}
        return present.model_copy(update=given | sides)


class SubscriptionIn(Subscription):
    """A subscription as it is sent. Without a `secret` one is made, or the present one kept."""

    secret: Secret | None = Field(default=None, description="Signs webhooks; shown only in the answer that made it")


class SubscriptionOut(Subscription):
    """A subscription as it stands."""

    id: str
    created_at: datetime
    updated_at: datetime


class SubscriptionMade(SubscriptionOut):
    """A new subscription, with the secret that signs its webhooks."""

    secret: Secret


class FeedbackIn(BaseModel):
    """A correction as it is sent."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    event_id: Annotated[str, StringConstraints(pattern=r"^[!-~]{1,128}$")]
    correction: Corrected | Literal["not-an-event"]
    note: Annotated[str, StringConstraints(pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$", max_length=2000)] = ""


class AlertPage(View):
    """A subscription's alerts, the one changed last first."""

    items: list[Alert]


class DeadDelivery(View):
    """A webhook call that was given up."""

    delivery_id: str
    url: str
    tries: int
    error: str | None
    alert: Alert


class DeadDeliveries(View):
    """The calls given up, newest first."""

    items: list[DeadDelivery]


class Replayed(View):
    """How many calls are tried anew."""

    count: int


class Preset(View):
    """A subscription to begin with."""

    title: str
    subscription: Subscription


class Problem(View):
    """Why a request was refused."""

    detail: str


class ListQuery(Filter):
    """The query of a list: a filter and a place in it."""

    cursor: Annotated[int, Field(ge=1, le=2**62)] | None = Field(default=None, description="next_cursor of a page")
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class CorrectionQuery(BaseModel):
    """The query of the list of corrections."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cursor: Annotated[int, Field(ge=1, le=2**62)] | None = Field(default=None, description="next_cursor of a page")
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class StreamQuery(Filter):
    """The query of the event stream: a filter and where to go on."""

    after: Annotated[int, Field(ge=0, le=2**62)] | None = Field(default=None, description="A seq; else from now on")


def moment(ms: int) -> datetime:
    """Milliseconds since 1970 as a time."""
    return datetime.fromtimestamp(ms / 1000, UTC)


def words_of(event: DiplomaticEvent) -> Words:
    """An event's labels in plain words."""
    return Words(
        act=words.ACTS[event.type],
        claim=words.CLAIMS[event.claim],
        timing=words.TIMINGS[event.timing],
        tone=words.TONES[event.tone],
        peace=words.PEACES[event.peace],
        status=words.first_but_not_new(event.status, event.status_reason) or words.STATUSES[event.status],
    )


def sides_of(sides: list[EventSide]) -> list[SideView]:
    """Sides for people, each once."""
    shown = [SideView(code=s.code, name=words.side_name(s), text=s.text, office=s.office) for s in sides]
    return [*{(side.code, side.name): side for side in shown}.values()]


def telling(event: DiplomaticEvent, seen_at: int, corrections: Sequence[Feedback] = ()) -> Telling:
    """An event as one telling of its story, with its corrections, newest first."""
    before, quote, after = words.in_sentence(event.evidence)
    return Telling(
        event_id=event.event_id,
        source=event.source,
        title=event.title,
        url=event.url if event.url and event.url.startswith(("http://", "https://")) else None,
        published_at=event.published_at.isoformat() if event.published_at else None,
        published_at_reason=event.published_at_reason,
        seen_at=moment(seen_at),
        status=event.status,
        words=words_of(event),
        before=before,
        quote=quote,
        after=after,
        attribution=[LinkView(text=link.text, cue=link.cue, code=link.code) for link in event.attribution],
        when=event.when.date,
        when_reason=event.when.reason,
        changes=[f"{change.field}: {change.before} → {change.after}" for change in changes_of(event)],
        shifts=[shift_of(shift) for shift in shifts_of(event)],
        score=event.score,
        labels=labels_of(event),
        corrections=[correction(given) for given in corrections],
    )


def correction(given: Feedback) -> Correction:
    """A correction with what it changes in words: "type: REJECT → ACCUSE"."""
    shared = {name: getattr(given, name) for name in Correction.model_fields if name != "words"}
    return Correction(**shared, words=words.changed(labels_of(given.event), given.corrected))


def shift_of(shift: Any) -> ShiftView:
    """A changed stance in words, with the earlier evidence."""
    before, after = (
        words.PEACES.get(stance) or "silent on peace talks" for stance in (shift.before.peace, shift.after)
    )
    return ShiftView(
        words=f"{words.place_name(shift.actor)}: before {before}, now {after}",
        quote=shift.before.quote,
        source=shift.before.source,
        day=shift.before.date,
    )
