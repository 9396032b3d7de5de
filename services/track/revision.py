"""What becomes of an article's events when the article is edited: taken over by the new ones, or withdrawn.

The events of a version come in order on their partitions, and behind them, on every partition, the end of the version:
what is then still told by an older one has vanished. No partition need know what the others have.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from schemas.records import ResolvedEvent
from schemas.resolved import ArticleEnd
from services.track.identity import NEAR_TEXT, Told, compatible, same_sides
from services.track.meaning import nearness, unpacked
from services.track.story import Member, Story, unkept

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
    event, current = this.event, {listed.event_id for listed in this.event.article_events}
    scored = [
        (-nearness(this.features, unpacked(member.features)), story.story_id, member.event_id)
        for story, member in reports
        if same_sides(this, story)
        and compatible(event.type, story.type, event.claim == "denied")
        and _is_older(member, event, current or None)
    ]
    near = min(scored, default=None)
    if near is None or -near[0] < NEAR_TEXT:
        return None
    return Former(near[1], near[2], edited=True)


def vanished(end: ArticleEnd, reports: Reports) -> dict[str, list[tuple[Member, ResolvedEvent]]]:
    """By story, the reports of older versions of the article that the version which ends here no longer holds.

    `reports` are all kept reports of the article's address. A version that comes late, fetched before what is kept,
    takes nothing back.
    """
    gone: dict[str, list[tuple[Member, ResolvedEvent]]] = defaultdict(list)
    listed = set(end.event_ids)
    for story, member in reports:
        if _is_older(member, end, listed):
            event = unkept(member.event)
            if not (event.ingested_at and end.ingested_at and event.ingested_at > end.ingested_at):
                gone[story.story_id].append((member, event))
    return gone


def _is_older(member: Member, version: ResolvedEvent | ArticleEnd, listed: set[str] | None) -> bool:
    """Whether a report is of another version of its article; `listed`: the version's own events, None if not told."""
    if listed is not None and member.event_id in listed:
        return False
    if member.fingerprint != version.fingerprint:
        return True
    # A word more or less can leave the fingerprint as it is. Then the ids tell: of one text one model makes the same.
    return (
        listed is not None
        and member.article_id == version.article_id
        and unkept(member.event).model.version == version.model.version
    )
