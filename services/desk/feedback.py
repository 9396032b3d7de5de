"""Analysts' corrections in the database: stored first, then sent to the topic, then marked as sent.

A desk that is killed in between sends again under the same feedback id.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection, func, insert, select, update

from schemas.records import DiplomaticEvent, Feedback, FeedbackKind, Labels
from services.desk.store import Store, now_ms, reserve
from services.desk.tables import Tables
from services.feedback.labels import kinds_of, labels_of
from services.ids import derive
from services.runtime.codec import encode

TOPIC = "feedback"
UNSENT, SENT = "unsent", "sent"
MOST_OF_ONE_EVENT = 50
MOST_BESIDE = 20
MOST_AT_ONCE = 50
MOST_BYTES = 1024 * 1024


class NoEvent(LookupError):
    """The desk has no event of this id."""


class NotTaken(ValueError):
    """The correction says nothing new, or there are too many."""


def give(store: Store, event_id: str, correct: Callable[[Labels], Labels | None], note: str, by: str) -> Feedback:
    """Stores a correction. `correct` gets the labels as they stand and gives them as they should be, None for no event.

    The same again by the same person is the same correction. NoEvent, NotTaken.
    """
    with store.transaction() as connection:
        # First of all: two corrections of one event see each other, and their numbers are in the order of commits.
        seq = reserve(connection, store.tables, 1)
        event = _event(connection, store.tables, event_id)
        if event is None:
            raise NoEvent(f"no event {event_id} here; stories not heard of for long are dropped")
        former = _of_event(connection, store.tables, event_id)
        present = former[-1].corrected if former else labels_of(event)
        corrected = correct(present or labels_of(event))
        if former and (former[-1].by, former[-1].corrected, former[-1].note) == (by, corrected, note):
            return former[-1]
        if not former and corrected == present:
            raise NotTaken("nothing is corrected: the event says so already")
        if len(former) >= MOST_OF_ONE_EVENT:
            raise NotTaken(f"the event has {MOST_OF_ONE_EVENT} corrections, which is the most")
        made = Feedback(
            feedback_id=derive("feedback", event_id, by, str(now_ms()), str(seq)),
            event_id=event_id,
            kinds=kinds_of(labels_of(event), corrected),
            corrected=corrected,
            note=note,
            by=by,
            given_at=datetime.now(UTC),
            event=event.model_copy(update={"article_events": []}),
            beside=_beside(connection, store.tables, event),
        )
        made = _of_a_size(made)
        values = {"feedback_id": made.feedback_id, "seq": seq, "event_id": event_id, "story_id": event.story_id}
        values |= {"kinds": ",".join(made.kinds), "state": UNSENT, "record": made.model_dump_json()}
        connection.execute(insert(store.tables.feedback).values(values))
    return made


def by_event(connection: Connection, tables: Tables, event_ids: Collection[str]) -> dict[str, list[Feedback]]:
    """The corrections of these events by event, the newest first."""
    column = tables.feedback.c
    query = select(column.record).where(column.event_id.in_(event_ids)).order_by(column.seq.desc())
    found: dict[str, list[Feedback]] = {}
    for record in connection.scalars(query):
        given = Feedback.model_validate_json(record)
        found.setdefault(given.event_id, []).append(given)
    return found


def numbers(connection: Connection, tables: Tables, story_ids: Collection[str]) -> dict[str, int]:
    """How many events of each story are corrected; stories without any are left out."""
    column = tables.feedback.c
    query = select(column.story_id, func.count(column.event_id.distinct())).where(column.story_id.in_(story_ids))
    return {row[0]: row[1] for row in connection.execute(query.group_by(column.story_id))}


def latest(store: Store, before: int | None, limit: int) -> tuple[list[Feedback], int | None]:
    """Corrections, the newest first, before a number; and the number of the last one when there are more."""
    column = store.tables.feedback.c
    query = select(column.seq, column.record).order_by(column.seq.desc()).limit(limit + 1)
    if before is not None:
        query = query.where(column.seq < before)
    with store.transaction() as connection:
        rows = connection.execute(query).all()
    shown = rows[:limit]
    return [Feedback.model_validate_json(row.record) for row in shown], shown[-1].seq if len(rows) > limit else None


def counts(store: Store) -> tuple[int, int, Counter[FeedbackKind]]:
    """All corrections, the events they are of, and how many correct what; one of several labels counts for each."""
    column = store.tables.feedback.c
    kinds: Counter[FeedbackKind] = Counter()
    with store.transaction() as connection:
        total, events = connection.execute(select(func.count(), func.count(column.event_id.distinct()))).one()
        for told, count in connection.execute(select(column.kinds, func.count()).group_by(column.kinds)):
            kinds.update({kind: count for kind in told.split(",") if kind})
    return total, events, kinds


def waiting(store: Store) -> int:
    """Corrections that are not on the topic yet."""
    with store.transaction() as connection:
        mine = select(func.count()).where(store.tables.feedback.c.state == UNSENT)
        return int(connection.execute(mine).scalar_one())


def send(store: Store, write: Callable[[Sequence[Feedback]], None], told: Callable[[Sequence[str]], None]) -> bool:
    """Sends some corrections, the eldest first, and marks them; whether there were any.

    `write` returns when they are safe, or raises; `told` gets the kinds of each that was sent.
    """
    column = store.tables.feedback.c
    eldest = select(column.record).where(column.state == UNSENT).order_by(column.seq).limit(MOST_AT_ONCE)
    with store.transaction() as connection:
        ready = [Feedback.model_validate_json(record) for record in connection.scalars(eldest)]
    if not ready:
        return False
    write(ready)
    ids = [one.feedback_id for one in ready]
    with store.transaction() as connection:
        connection.execute(update(store.tables.feedback).where(column.feedback_id.in_(ids)).values(state=SENT))
    for one in ready:
        told(one.kinds)
    return True


def _event(connection: Connection, tables: Tables, event_id: str) -> DiplomaticEvent | None:
    """The event as it was told last."""
    column = tables.events.c
    query = select(column.record).where(column.event_id == event_id).order_by(column.seen_at.desc()).limit(1)
    record = connection.scalar(query)
    return DiplomaticEvent.model_validate_json(record) if record is not None else None


def _of_event(connection: Connection, tables: Tables, event_id: str) -> list[Feedback]:
    column = tables.feedback.c
    query = select(column.record).where(column.event_id == event_id).order_by(column.seq)
    return [Feedback.model_validate_json(record) for record in connection.scalars(query)]


def _beside(connection: Connection, tables: Tables, event: DiplomaticEvent) -> list[DiplomaticEvent]:
    """Other events of the event's sentence, as far as the desk has them: a passage of training tells them all."""
    ids = [one.event_id for one in event.article_events if one.event_id != event.event_id]
    column = tables.events.c
    found: dict[str, DiplomaticEvent] = {}
    for record in connection.scalars(select(column.record).where(column.event_id.in_(ids)).order_by(column.seen_at)):
        other = DiplomaticEvent.model_validate_json(record)
        there = (other.evidence.part, other.evidence.sentence_start, other.evidence.sentence)
        if there == (event.evidence.part, event.evidence.sentence_start, event.evidence.sentence):
            found[other.event_id] = other.model_copy(update={"article_events": []})
    return [*found.values()][:MOST_BESIDE]


def _of_a_size(made: Feedback) -> Feedback:
    """One that a broker takes; without the other events where it would be too large. NotTaken when it still is."""
    if len(encode(made)) > MOST_BYTES:
        made = made.model_copy(update={"beside": []})
    if len(encode(made)) > MOST_BYTES:
        raise NotTaken("the event's record is too large to be kept with a correction")
    return made
