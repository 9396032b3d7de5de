"""From the topic into the database: stories, their tellings, alerts and what is to be delivered.

Written before the loop commits its offsets. After a crash the same records come again and leave the same rows and the
same alerts, so nothing is lost and nothing is told twice.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, Table, delete, insert, select, update

from schemas.records import Alert, DiplomaticEvent
from services.desk.store import Store, now_ms, reserve
from services.desk.story import Facts, facts_of, families, lead_of, moves
from services.desk.subscriptions import Subscription
from services.desk.tables import Tables
from services.desk.transform import Decision, Raised, decide
from services.ids import derive
from services.stage import Input, Outcome, Transform

PENDING = "pending"
DATE_CHARACTERS = len("2024-05-03")
UNTOLD = {"processed_at", "ingested_at"}
"""Fields in which a record that comes again may differ without telling anything new."""


@dataclass
class _Story:
    """A story while a window is worked on."""

    story_id: str
    known: bool
    first_seen: int
    events: dict[str, DiplomaticEvent] = field(default_factory=dict)
    stored: set[str] = field(default_factory=set)
    lead: DiplomaticEvent | None = None
    alerts: dict[str, Raised] = field(default_factory=dict)
    written: set[str] = field(default_factory=set)
    touched: set[str] = field(default_factory=set)
    changed: dict[str, int] = field(default_factory=dict)
    seq: int = 0


@dataclass(frozen=True)
class _Post:
    """A delivery to make."""

    subscription: str
    url: str
    form: str
    alert: Alert


def intake(store: Store) -> Transform[DiplomaticEvent, Alert]:
    """The stage's transform: keeps what comes and gives the alerts for the topic."""

    def take(inputs: Sequence[Input[DiplomaticEvent]]) -> list[Outcome[Alert]]:
        with store.transaction() as connection:
            return _Window(connection, store.tables, now_ms(), len(inputs)).take(inputs)

    return take


class _Window:
    """Some records in one transaction of the database."""

    def __init__(self, connection: Connection, tables: Tables, now: int, size: int) -> None:
        self._connection, self._tables, self._now = connection, tables, now
        # First of all: what is read from here on cannot change under us.
        self._seq = reserve(connection, tables, max(size, 1))
        rows = connection.execute(select(tables.subscriptions.c.id, tables.subscriptions.c.body))
        self._subscriptions = [(row.id, Subscription.model_validate_json(row.body)) for row in rows]
        self._stories: dict[str, _Story] = {}
        self._posts: dict[str, _Post] = {}

    def take(self, inputs: Sequence[Input[DiplomaticEvent]]) -> list[Outcome[Alert]]:
        self._load({i.value.story_id for i in inputs})
        outcomes: list[Outcome[Alert]] = [self._one(i) for i in inputs]
        for story in self._stories.values():
            if story.seq:
                self._write(story)
        self._write_posts()
        return outcomes

    def _load(self, ids: set[str]) -> None:
        t = self._tables
        for row in self._connection.execute(select(t.stories).where(t.stories.c.story_id.in_(ids))):
            lead = DiplomaticEvent.model_validate_json(row.lead)
            self._stories[row.story_id] = _Story(row.story_id, True, row.first_seen, lead=lead)
        found = select(t.events).where(t.events.c.story_id.in_(ids)).order_by(t.events.c.position)
        for row in self._connection.execute(found):
            story = self._stories[row.story_id]
            story.events[row.event_id] = DiplomaticEvent.model_validate_json(row.record)
            story.stored.add(row.event_id)
        for row in self._connection.execute(select(t.alerts).where(t.alerts.c.story_id.in_(ids))):
            alert = Alert.model_validate_json(row.record)
            story = self._stories[row.story_id]
            story.alerts[row.subscription] = Raised(alert, tuple(json.loads(row.causes)))
            story.written.add(row.subscription)

    def _one(self, given: Input[DiplomaticEvent]) -> list[Alert]:
        event, origin = given.value, given.origin
        story = self._stories.setdefault(event.story_id, _Story(event.story_id, False, self._now))
        former = story.events.get(event.event_id)
        fresh = former is None or not _same(former, event)
        if fresh:
            story.events[event.event_id] = event
            story.changed.setdefault(event.event_id, len(story.events))
            story.lead = lead_of(event, story.lead, [*story.events.values()])
            self._touch(story)
        facts = facts_of(event, families([*story.events.values()]))
        cause = f"{origin.partition}:{origin.offset}"
        moved = fresh and story.lead is not None and moves(event, story.lead)
        made = decide(event, cause, facts, self._subscriptions, story.alerts, moved=moved)
        for decision in made:
            self._keep(story, decision)
        open_ones = {name for name, s in self._subscriptions if s.channels.topic}
        return [d.record for d in made if d.record.subscription in open_ones]

    def _touch(self, story: _Story) -> None:
        story.seq, self._seq = self._seq, self._seq + 1

    def _keep(self, story: _Story, decision: Decision) -> None:
        name = decision.record.subscription
        if story.alerts.get(name) == decision.state:
            return  # A redo: all of it is there already.
        story.alerts[name] = decision.state
        story.touched.add(name)
        if not story.seq:
            self._touch(story)
        for hook in dict(self._subscriptions)[name].channels.webhooks:
            key = derive("delivery", decision.record.alert_id, str(decision.record.revision), hook.form, hook.url)
            self._posts[key] = _Post(name, hook.url, hook.form, decision.record)

    def _write(self, story: _Story) -> None:
        t, lead = self._tables, story.lead
        if lead is None:
            raise ValueError(f"story {story.story_id} has no event")
        facts = facts_of(lead, families([*story.events.values()]))
        row = _story_row(story, lead, facts, self._now)
        mine = t.stories.c.story_id == story.story_id
        if story.known:
            self._connection.execute(update(t.stories).where(mine).values(row))
            self._connection.execute(delete(t.sides).where(t.sides.c.story_id == story.story_id))
        else:
            self._connection.execute(insert(t.stories).values(row | {"story_id": story.story_id}))
        self._insert(t.sides, ({"story_id": story.story_id, "side": side} for side in sorted(facts.sides)))
        for event_id, position in story.changed.items():
            record = story.events[event_id].model_dump_json()
            key = {"story_id": story.story_id, "event_id": event_id}
            if event_id in story.stored:
                there = (t.events.c.story_id == story.story_id) & (t.events.c.event_id == event_id)
                self._connection.execute(update(t.events).where(there).values(record=record))
            else:
                values = key | {"position": position, "seen_at": self._now, "record": record}
                self._connection.execute(insert(t.events).values(values))
        for name in sorted(story.touched):
            self._write_alert(story, name)

    def _write_alert(self, story: _Story, name: str) -> None:
        t, raised = self._tables, story.alerts[name]
        values = {
            "seq": story.seq,
            "updated_at": self._now,
            "record": raised.alert.model_dump_json(),
            "causes": json.dumps(raised.causes),
        }
        if name in story.written:
            mine = t.alerts.c.alert_id == raised.alert.alert_id
            self._connection.execute(update(t.alerts).where(mine).values(values))
        else:
            key = {"alert_id": raised.alert.alert_id, "subscription": name, "story_id": story.story_id}
            self._connection.execute(insert(t.alerts).values(values | key | {"raised_at": self._now}))

    def _write_posts(self) -> None:
        column = self._tables.deliveries.c.delivery_id
        there = set(self._connection.scalars(select(column).where(column.in_(self._posts))))
        self._insert(
            self._tables.deliveries,
            (
                {
                    "delivery_id": key,
                    "subscription": post.subscription,
                    "url": post.url,
                    "form": post.form,
                    "record": post.alert.model_dump_json(),
                    "state": PENDING,
                    "tries": 0,
                    "due": self._now,
                    "created_at": self._now,
                }
                for key, post in self._posts.items()
                if key not in there
            ),
        )

    def _insert(self, table: Table, rows: Iterable[dict[str, object]]) -> None:
        values = [*rows]
        if values:
            self._connection.execute(insert(table), values)


def _same(one: DiplomaticEvent, other: DiplomaticEvent) -> bool:
    return one.model_dump(exclude=UNTOLD) == other.model_dump(exclude=UNTOLD)


def _story_row(story: _Story, lead: DiplomaticEvent, facts: Facts, now: int) -> dict[str, object]:
    return {
        "seq": story.seq,
        "dyad": facts.dyad,
        "type": facts.type,
        "claim": facts.claim,
        "tone": facts.tone,
        "peace": facts.peace,
        "timing": facts.timing,
        "status": facts.status,
        "families": facts.families,
        "shifted": facts.shifted,
        "words": facts.words,
        "day": day_of(lead),
        "goldstein": lead.goldstein,
        "events": len(story.events),
        "first_seen": story.first_seen,
        "last_seen": now,
        "lead": lead.model_dump_json(),
    }


def day_of(event: DiplomaticEvent) -> str | None:
    """The day of the act, else the day on which it was published; None where neither is known."""
    told = event.when.date
    if told is not None and len(told) == DATE_CHARACTERS:
        return told
    return event.published_at.isoformat() if event.published_at else None
