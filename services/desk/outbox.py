"""Webhook calls in the database: what is due, what failed, what was given up; and the end of old stories."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import delete, func, select, update

from schemas.records import Alert
from services.desk.intake import PENDING
from services.desk.store import Store, now_ms, reserve
from services.desk.views import DeadDelivery

SENT, DEAD = "sent", "dead"
GIVEN_UP = "given-up"
"""Dead too, but its dead letter is not on the topic yet."""
MOST_SHOWN = 200
MOST_LETTERS = 100
LONGEST_ERROR = 500


@dataclass(frozen=True)
class Job:
    """A call to make. `tries` counts this one."""

    delivery_id: str
    subscription: str
    secret: str
    url: str
    form: str
    alert: Alert
    tries: int


@dataclass(frozen=True)
class GivenUp:
    """A call given up whose dead letter is to be written. `cause` is the place of the alert's event on the topic as
    partition:offset, None when the story is not kept any more."""

    delivery_id: str
    subscription: str
    url: str
    tries: int
    error: str
    alert: Alert
    cause: str | None


def claim(store: Store, lease_ms: int, held: Collection[str] = ()) -> Job | None:
    """The call that is due for longest; nobody else gets it until `lease_ms` are over. None when none is due.

    Calls to the addresses in `held` are left waiting.
    """
    d, s = store.tables.deliveries, store.tables.subscriptions
    now = now_ms()
    query = select(d, s.c.secret).join(s, s.c.id == d.c.subscription)
    due = query.where(d.c.state == PENDING, d.c.due <= now, d.c.url.not_in(held)).order_by(d.c.due).limit(1)
    with store.transaction() as connection:
        row = connection.execute(due).first()
        if row is None:
            return None
        mine = (d.c.delivery_id == row.delivery_id) & (d.c.due == row.due) & (d.c.state == PENDING)
        taken = connection.execute(update(d).where(mine).values(due=now + lease_ms, tries=d.c.tries + 1))
    if taken.rowcount != 1:
        return None  # Another one was faster.
    alert = Alert.model_validate_json(row.record)
    return Job(row.delivery_id, row.subscription, row.secret, row.url, row.form, alert, row.tries + 1)


def sent(store: Store, job: Job) -> None:
    """Notes that the call was taken."""
    _note(store, job, {"state": SENT, "error": None})


def failed(store: Store, job: Job, why: str, again_in_ms: int | None) -> None:
    """Notes that it was not; None: it is given up."""
    state = {"state": GIVEN_UP} if again_in_ms is None else {"due": now_ms() + again_in_ms}
    _note(store, job, {"error": why[:LONGEST_ERROR].replace("\x00", ""), **state})


def dead(store: Store, subscription: str) -> list[DeadDelivery]:
    """Calls given up, newest first."""
    d = store.tables.deliveries
    mine = select(d).where(d.c.subscription == subscription, d.c.state.in_((DEAD, GIVEN_UP)))
    with store.transaction() as connection:
        rows = connection.execute(mine.order_by(d.c.created_at.desc(), d.c.delivery_id).limit(MOST_SHOWN)).all()
    return [
        DeadDelivery(
            delivery_id=row.delivery_id,
            url=row.url,
            tries=row.tries,
            error=row.error,
            alert=Alert.model_validate_json(row.record),
        )
        for row in rows
    ]


def waiting(store: Store) -> int:
    """Calls neither taken nor given up."""
    d = store.tables.deliveries
    with store.transaction() as connection:
        return int(connection.execute(select(func.count()).where(d.c.state == PENDING)).scalar_one())


def given_up(store: Store) -> list[GivenUp]:
    """Some calls whose dead letters are to be written, the eldest first."""
    t = store.tables
    waiting = select(t.deliveries).where(t.deliveries.c.state == GIVEN_UP).order_by(t.deliveries.c.created_at)
    with store.transaction() as connection:
        rows = connection.execute(waiting.limit(MOST_LETTERS)).all()
        alerts = [Alert.model_validate_json(row.record) for row in rows]
        ids = t.alerts.c.alert_id.in_({alert.alert_id for alert in alerts})
        found = connection.execute(select(t.alerts.c.alert_id, t.alerts.c.causes).where(ids))
        causes = {row.alert_id: json.loads(row.causes) for row in found}
    return [
        GivenUp(
            delivery_id=row.delivery_id,
            subscription=row.subscription,
            url=row.url,
            tries=row.tries,
            error=row.error or "",
            alert=alert,
            cause=next(iter(causes.get(alert.alert_id, [])[alert.revision - 1 : alert.revision]), None),
        )
        for row, alert in zip(rows, alerts, strict=True)
    ]


def letters_written(store: Store, delivery_ids: Collection[str]) -> None:
    """Notes that the dead letters of these calls are on the topic. One that was made due again in between stays due."""
    d = store.tables.deliveries
    mine = d.c.delivery_id.in_(delivery_ids) & (d.c.state == GIVEN_UP)
    with store.transaction() as connection:
        connection.execute(update(d).where(mine).values(state=DEAD))


def revive(store: Store, subscription: str) -> int:
    """Makes calls given up due again; how many."""
    d = store.tables.deliveries
    mine = (d.c.subscription == subscription) & d.c.state.in_((DEAD, GIVEN_UP))
    with store.transaction() as connection:
        return connection.execute(update(d).where(mine).values(state=PENDING, tries=0, due=now_ms())).rowcount


def prune(store: Store, before_ms: int) -> int:
    """Drops stories not heard of since, with all that hangs on them, and calls made before; how many stories.

    A call that still waits from before is given up, and dropped the next time.
    """
    t = store.tables
    with store.transaction() as connection:
        reserve(connection, t, 0)  # A window under way may be adding to one of them.
        d = t.deliveries
        connection.execute(delete(d).where(d.c.created_at < before_ms, d.c.state != PENDING))
        late = (d.c.created_at < before_ms) & (d.c.state == PENDING)
        connection.execute(update(d).where(late).values(state=DEAD, error="waited too long"))
        return connection.execute(delete(t.stories).where(t.stories.c.last_seen < before_ms)).rowcount


def _note(store: Store, job: Job, values: dict[str, object]) -> None:
    d = store.tables.deliveries
    with store.transaction() as connection:
        connection.execute(update(d).where(d.c.delivery_id == job.delivery_id).values(values))
