"""Questions to the desk's database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, select

from schemas.records import Alert, DiplomaticEvent
from services.desk import feedback, views
from services.desk.store import Store
from services.desk.story import Facts, fold
from services.desk.subscriptions import Filter
from services.desk.tables import Tables
from services.desk.transform import summary
from services.desk.words import dyad_name

MOST_POINTS = 2000
MOST_DYADS = 500
MOST_ALERTS = 200
MOST_TELLINGS = 200


@dataclass(frozen=True)
class Change:
    """A story after a change, with what filters ask of it."""

    item: views.StoryItem
    facts: Facts


def conditions(tables: Tables, wanted: Filter) -> list[ColumnElement[bool]]:
    """The filter as SQL; says the same as `subscriptions.matches`."""
    column = tables.stories.c
    chosen: tuple[tuple[Any, Sequence[str]], ...] = (
        (column.dyad, wanted.dyads),
        (column.type, wanted.types),
        (column.claim, wanted.claim),
        (column.tone, wanted.tone),
        (column.peace, wanted.peace),
        (column.timing, wanted.timing),
        (column.status, wanted.status),
    )
    found: list[ColumnElement[bool]] = [name.in_(values) for name, values in chosen if values]
    if wanted.sides:
        sides = tables.sides.c
        found.append(column.story_id.in_(select(sides.story_id).where(sides.side.in_(wanted.sides))))
    if wanted.min_families > 1:
        found.append(column.families >= wanted.min_families)
    if wanted.shifted:
        found.append(column.shifted.is_(True))
    found += [column.words.contains(word, autoescape=True) for word in fold(wanted.text).split()]
    return found


def page(store: Store, wanted: Filter, cursor: int | None, limit: int) -> views.StoryPage:
    """Stories that match, the one changed last first, before `cursor`."""
    t = store.tables
    query = select(t.stories).where(*conditions(t, wanted)).order_by(t.stories.c.seq.desc()).limit(limit + 1)
    if cursor is not None:
        query = query.where(t.stories.c.seq < cursor)
    with store.transaction() as connection:
        # Before the stories: what comes in between is then shown twice, never missed.
        last = last_seq(connection, t)
        rows = connection.execute(query).all()
        items = [change.item for change in _changes(connection, t, rows[:limit])]
    return views.StoryPage(items=items, next_cursor=items[-1].seq if len(rows) > limit else None, last_seq=last)


def since(store: Store, seq: int, limit: int) -> list[Change]:
    """Stories changed after `seq`, in the order of their changes."""
    t = store.tables
    query = select(t.stories).where(t.stories.c.seq > seq).order_by(t.stories.c.seq).limit(limit)
    with store.transaction() as connection:
        return _changes(connection, t, connection.execute(query).all())


def newest(store: Store) -> int:
    """The number of the last change."""
    with store.transaction() as connection:
        return last_seq(connection, store.tables)


def last_seq(connection: Connection, tables: Tables) -> int:
    """The number of the last change that is committed."""
    return int(connection.scalar(select(tables.counter.c.value)) or 0)


def story(store: Store, story_id: str) -> views.StoryDetail | None:
    """A story with its tellings, newest first."""
    t = store.tables
    told = select(t.events).where(t.events.c.story_id == story_id).order_by(t.events.c.position.desc())
    with store.transaction() as connection:
        rows = connection.execute(select(t.stories).where(t.stories.c.story_id == story_id)).all()
        if not rows:
            return None
        (change,) = _changes(connection, t, rows)
        events = connection.execute(told.limit(MOST_TELLINGS)).all()
        corrections = feedback.by_event(connection, t, [row.event_id for row in events])
    tellings = [
        views.telling(DiplomaticEvent.model_validate_json(row.record), row.seen_at, corrections.get(row.event_id, ()))
        for row in events
    ]
    return views.StoryDetail(story=change.item, tellings=tellings)


def dyads(store: Store) -> list[views.DyadRow]:
    """Dyads with the number of their stories, those with most first."""
    column = store.tables.stories.c
    count = func.count()
    query = select(column.dyad, count).group_by(column.dyad).order_by(count.desc(), column.dyad).limit(MOST_DYADS)
    with store.transaction() as connection:
        rows = connection.execute(query).all()
    return [views.DyadRow(dyad=dyad, name=dyad_name(dyad), stories=stories) for dyad, stories in rows]


def dyad(store: Store, name: str) -> views.DyadView:
    """A dyad's newest stories by day."""
    column = store.tables.stories.c
    mine = column.dyad == name
    query = select(column.day, column.lead).where(mine, column.day.is_not(None))
    with store.transaction() as connection:
        rows = connection.execute(query.order_by(column.day.desc(), column.seq.desc()).limit(MOST_POINTS)).all()
        undated = connection.scalar(select(func.count()).where(mine, column.day.is_(None))) or 0
    points = []
    for row in reversed(rows):
        event = DiplomaticEvent.model_validate_json(row.lead)
        points.append(
            views.DyadPoint(
                story_id=event.story_id,
                day=row.day,
                type=event.type,
                goldstein=event.goldstein,
                peace=event.peace,
                claim=event.claim,
                summary=summary(event),
            )
        )
    return views.DyadView(dyad=name, name=dyad_name(name), points=points, undated=undated)


def alerts(store: Store, subscription: str) -> list[tuple[Alert, int, int]]:
    """A subscription's alerts with when each was raised and last updated, the one changed last first."""
    column = store.tables.alerts.c
    query = select(column.record, column.raised_at, column.updated_at).where(column.subscription == subscription)
    with store.transaction() as connection:
        rows = connection.execute(query.order_by(column.seq.desc()).limit(MOST_ALERTS)).all()
    return [(Alert.model_validate_json(row.record), row.raised_at, row.updated_at) for row in rows]


def _changes(connection: Connection, tables: Tables, rows: Sequence[Row[Any]]) -> list[Change]:
    ids = [row.story_id for row in rows]
    marks, corrected = _marks(connection, tables, ids), feedback.numbers(connection, tables, ids)
    return [_change(row, marks.get(row.story_id, []), corrected.get(row.story_id, 0)) for row in rows]


def _marks(connection: Connection, tables: Tables, ids: Iterable[str]) -> dict[str, list[views.AlertMark]]:
    column = tables.alerts.c
    query = select(column.story_id, column.subscription, column.record).where(column.story_id.in_([*ids]))
    marks: dict[str, list[views.AlertMark]] = {}
    for row in connection.execute(query.order_by(column.subscription)):
        revision = Alert.model_validate_json(row.record).revision
        mark = views.AlertMark(subscription=row.subscription, revision=revision)
        marks.setdefault(row.story_id, []).append(mark)
    return marks


def _change(row: Row[Any], marks: list[views.AlertMark], corrected: int) -> Change:
    lead = DiplomaticEvent.model_validate_json(row.lead)
    facts = Facts(
        dyad=row.dyad,
        sides=frozenset(side.code for side in (*lead.actors, *lead.recipients)),
        type=row.type,
        claim=row.claim,
        tone=row.tone,
        peace=row.peace,
        timing=row.timing,
        status=row.status,
        families=row.families,
        shifted=row.shifted,
        words=row.words,
    )
    item = views.StoryItem(
        seq=row.seq,
        story_id=row.story_id,
        dyad=lead.dyad,
        dyad_name=dyad_name(lead.dyad),
        actors=views.sides_of(lead.actors),
        recipients=views.sides_of(lead.recipients),
        type=lead.type,
        claim=lead.claim,
        tone=lead.tone,
        peace=lead.peace,
        timing=lead.timing,
        status=lead.status,
        words=views.words_of(lead),
        quad=lead.quad,
        goldstein=lead.goldstein,
        quote=lead.evidence.quote,
        title=lead.title,
        source=lead.source,
        day=row.day,
        place=lead.where.name,
        families=row.families,
        events=row.events,
        first_seen=views.moment(row.first_seen),
        last_seen=views.moment(row.last_seen),
        alerts=marks,
        corrected=corrected,
    )
    return Change(item, facts)
