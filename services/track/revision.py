"""What becomes of an article's events when the article is edited: taken over by the new ones, or withdrawn.

A partition hears of a new version only by the version's events on it. One that gets none keeps the former reports:
to tell it, events.resolved would need a record of a second kind, sent to every partition behind an article's events.
On a topic of its own that record could overtake events of the former version, which then nobody would withdraw, and
resolve, which knows no former version, cannot tell where to send it alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from schemas.records import ResolvedEvent
from services.track.identity import NEAR_TEXT, Told, compatible, same_sides
from services.track.meaning import nearness, unpacked
from services.track.story import Member, Story

Reports = Sequence[tuple[Story, Member]]


@dataclass(frozen=True, slots=True)
class Former:
    """The report that an event takes the place of. `edited`: by another version of the article."""

    story_id: str
    event_id: str
    edited: bool


def former_report(this: Told, reports: Reports) -> Former | None:
    """The report of the same article that an event repeats or, in another version of it, takes the place of.

    `reports` are all kept reports of the article. Of several the nearest in meaning is taken; one that this version's
    own events took over already is not there any more.
    """
    for story, member in reports:
        if member.event_id == this.event.event_id:
            return Former(story.story_id, member.event_id, member.fingerprint != this.event.fingerprint)
    current = {listed.event_id for listed in this.event.article_events}
    scored = [
        (-nearness(this.features, unpacked(member.features)), story.story_id, member.event_id)
        for story, member in reports
        if member.fingerprint != this.event.fingerprint
        and member.event_id not in current
        and same_sides(this, story)
        and compatible(this.event.type, story.type, this.event.claim == "denied")
    ]
    near = min(scored, default=None)
    if near is None or -near[0] < NEAR_TEXT:
        return None
    return Former(near[1], near[2], edited=True)


def vanished(event: ResolvedEvent, reports: Reports) -> dict[str, list[Member]]:
    """By story, the reports of older versions of the article that its newest version, the event's, no longer holds.

    A dyad is settled when all of its events in the new version were seen: they come in order, on one partition.
    Nothing is known to have vanished when the event does not list its article's events.
    """
    gone: dict[str, list[Member]] = defaultdict(list)
    if not event.article_events:
        return gone
    seen = {member.event_id for _, member in reports if member.fingerprint == event.fingerprint}
    waiting = {listed.dyad for listed in event.article_events if listed.event_id not in seen}
    for story, member in reports:
        if member.fingerprint != event.fingerprint and story.dyad not in waiting:
            gone[story.story_id].append(member)
    return gone
