"""Puts each resolved event into its story: identity across articles, what is new in it, and what was taken back.

The stage keeps state, one `Memory` for each partition of its input, and is pure otherwise: it reads no clock and no
network. The same records in the same order give the same stories, whether the state was built by working through them
or restored from its changelog.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from schemas.records import (
    EDITED,
    Contradiction,
    DiplomaticEvent,
    EarlierStance,
    ResolvedEvent,
    StanceShift,
    StoryChange,
)
from schemas.resolved import ArticleEnd, Resolved
from schemas.state import TrackState
from services.stage import Input, Outcome, StateChange
from services.track.facts import changes, days, facts, merged
from services.track.identity import Told, best, told
from services.track.memory import Memory
from services.track.revision import former_report, vanished
from services.track.stance import shift, stance_of
from services.track.story import (
    Member,
    Story,
    codes,
    day,
    member_of,
    opened,
    sources,
    voices,
    with_report,
    without,
)  # fmt: skip

WINDOW_DAYS = 30
STANCE_DAYS = 365
DENIALS = 32
"""Contradictions listed with a story."""


class Tracker:
    """The stateful transform. A record is worked on whole or, when it raises, not at all."""

    def __init__(self, window_days: int = WINDOW_DAYS, stance_days: int = STANCE_DAYS) -> None:
        self._window, self._stance_window = window_days, stance_days
        self._memories: dict[int, Memory] = {}

    def track(self, inputs: Sequence[Input[Resolved]]) -> list[Outcome[DiplomaticEvent]]:
        """For each resolved event itself in its story; for each end of an article what the article took back."""
        return [
            _withdrawn(i.value, self._memory(i.origin.partition), i.read_at)
            if isinstance(i.value, ArticleEnd)
            else self._one(i.value, self._memory(i.origin.partition), i.read_at)
            for i in inputs
        ]

    def restore(self, partition: int, key: str, value: TrackState | None) -> None:
        """Takes a record of track.state."""
        self._memory(partition).restore(key, value)

    def forget(self, partition: int) -> None:
        """Drops a partition's state."""
        self._memories.pop(partition, None)

    def take_changes(self) -> list[StateChange]:
        """What to write to track.state for the records since the last call."""
        return [
            StateChange(partition, key, value)
            for partition, memory in sorted(self._memories.items())
            for key, value in memory.take_changes().items()
        ]

    def open_stories(self) -> int:
        """How many stories are open."""
        return sum(map(len, self._memories.values()))

    def _memory(self, partition: int) -> Memory:
        return self._memories.setdefault(partition, Memory())

    def _one(self, event: ResolvedEvent, memory: Memory, read_at: datetime) -> list[DiplomaticEvent]:
        # Everything that can raise on a strange record comes before the first change of the memory.
        member = member_of(event)
        this = told(event, member)
        stance = stance_of(event)
        memory.tick(event.published_at, self._window, self._stance_window)
        former = former_report(this, memory.of_article(event.article_id, event.url))
        story = memory.story(former.story_id) if former else best(this, memory.of_dyad(event.dyad))
        if story is None:
            status, reason = self._first_status(event, memory.clock)
            made = opened(event, member, this.span, memory.clock, announced=status == "new")
            found: list[StoryChange] = []
        else:
            made, status, found = _retold(story, this, memory.clock, former.event_id if former else None)
            reason = EDITED if former and former.edited else None
            # Told so far only as context or without dates: the first report that makes news of it is the new one.
            if status == "restated" and not story.announced and self._first_status(event, memory.clock)[0] == "new":
                status, made = "new", replace(made, announced=True)
        shifts = _shifts(this, stance, story, memory) if stance else []
        memory.put(made)
        return [published(event, made, status, reason, read_at, found, shifts)]

    def _first_status(self, event: ResolvedEvent, clock: int | None) -> tuple[str, str | None]:
        """`new` for a first report of an act that is known to be of late; else `restated`, with why it is not new."""
        if event.timing == "background":
            return "restated", "told as background"
        span = days(event)
        if span is None:
            return "restated", "neither the act nor the article has a date"
        if clock is not None and span[1] < clock - self._window:
            return "restated", f"first seen late: the act is older than {self._window} days"
        return "new", None


def _withdrawn(end: ArticleEnd, memory: Memory, read_at: datetime) -> list[DiplomaticEvent]:
    out = []
    for story_id, gone in vanished(end, memory.at_address(end.url)).items():
        # A story without reports stays known, so that nothing else is opened under its id, until it leaves the window.
        left = without(memory.story(story_id), {member.event_id for member, _ in gone})
        memory.put(left)
        why = "a later version of the article no longer says it"
        out += [published(event, left, "withdrawn", why, read_at, [], []) for _, event in gone]
    return out


def _shifts(this: Told, stance: EarlierStance, story: Story | None, memory: Memory) -> list[StanceShift]:
    """What the event's stance shifts for each of its actors; it is kept as their last one.

    One more report of a story that showed the stance before tells of that stance again, not of a later one.
    """
    shifts = []
    for actor in this.actors:
        if actor == "UNK" or (story is not None and story.facts.stances.get(actor) == stance.peace):
            continue
        moved = shift(actor, this.event.dyad, memory.stance(this.event.dyad, actor), stance)
        shifts += [moved] if moved else []
        memory.put_stance(this.event.dyad, actor, stance)
    return shifts


def _retold(
    story: Story, this: Told, clock: int | None, former_event: str | None
) -> tuple[Story, str, list[StoryChange]]:
    """The story with one more report, the report's status and what it changes."""
    event, member = this.event, this.member
    edit = former_event is not None
    known = any(m.event_id == member.event_id and m.fingerprint == member.fingerprint for m in story.members)
    before = without(story, {former_event}) if former_event and former_event != member.event_id else story
    against = None if known or event.timing == "background" else _contradiction(before, this)
    # A copy or a report from before the last one tells nothing later.
    later = not known and (edit or not _older(member, story))
    found = changes(story.facts, facts(event), exact=edit) if later and against is None else []
    made = replace(
        with_report(before, member),
        facts=merged(story.facts, facts(event)) if later else story.facts,
        span=this.span if any(c.field == "date" for c in found) or story.span is None else _narrower(story, this),
        first_seen=_least(story.first_seen, member.published),
        last_seen=_most(story.last_seen, member.published),
        touched=clock,
        contradicted_by=(*story.contradicted_by, *([against] if against else []))[:DENIALS],
    )
    return made, "contradicted" if against else "changed" if found else "restated", found


def _contradiction(story: Story, this: Told) -> Contradiction | None:
    """This event as a contradiction, when all told before is denied by it or it asserts what was only denied."""
    event = this.event
    denies = event.claim == "denied"
    if not story.members or not any((m.claim == "denied") != denies for m in story.members):
        return None
    if not denies and any(m.claim != "denied" for m in story.members):
        return None  # It was asserted before: one assertion more contradicts nobody anew.
    by = [link.code for link in event.attribution if link.code] or list(codes(event.actors))
    if denies and any(set(by) & set(c.by) for c in story.contradicted_by):
        return None  # The same side's denial, told again.
    return Contradiction(
        event_id=event.event_id,
        by=[code for code in by if code != "UNK"],
        claim=event.claim,
        quote=event.evidence.quote,
        source=event.source,
        url=event.url,
        published_at=event.published_at,
    )


def published(
    event: ResolvedEvent,
    story: Story,
    status: str,
    reason: str | None,
    read_at: datetime,
    found: Sequence[StoryChange],
    shifts: Sequence[StanceShift],
) -> DiplomaticEvent:
    """The record for events.diplomatic."""
    return DiplomaticEvent.model_validate(
        {
            **event.model_dump(),
            "article_events": [],  # Told to track, not by it.
            "story_id": story.story_id,
            "status": status,
            "status_reason": reason,
            "changes": found,
            "contradicted_by": story.contradicted_by,
            "sources": sources(story),
            "independent_families": voices(story),
            "first_seen": day(story.first_seen),
            "last_seen": day(story.last_seen),
            "stance_shifts": shifts,
            "processed_at": read_at,
        }
    )


def _older(member: Member, story: Story) -> bool:
    return member.published is not None and story.last_seen is not None and member.published < story.last_seen


def _narrower(story: Story, this: Told) -> tuple[int, int] | None:
    """The days that both allow, so that an exact date bounds a story that began without one."""
    if story.span is None or this.span is None:
        return story.span
    low, high = max(story.span[0], this.span[0]), min(story.span[1], this.span[1])
    return (low, high) if low <= high else story.span


def _least(one: int | None, other: int | None) -> int | None:
    return min((n for n in (one, other) if n is not None), default=None)


def _most(one: int | None, other: int | None) -> int | None:
    return max((n for n in (one, other) if n is not None), default=None)
