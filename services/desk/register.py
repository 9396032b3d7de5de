"""Subscriptions and tokens in the database."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from services.desk.store import Store, now_ms, reserve
from services.desk.subscriptions import Subscription, presets, slug
from services.desk.tables import Tables
from services.desk.views import SubscriptionIn, SubscriptionMade, SubscriptionOut, moment
from services.web import tokens

MOST_SUBSCRIPTIONS = 200


class Taken(ValueError):
    """There is a subscription of this name already, or there are too many."""


def begin(store: Store) -> None:
    """Gives a new desk the presets; a desk on which somebody has already worked stays as it is."""
    with store.transaction() as connection:
        if reserve(connection, store.tables, 1) == 1 and not _count(connection, store.tables):
            for preset in presets():
                _insert(connection, store.tables, preset, tokens.made())


def subscriptions(store: Store) -> list[SubscriptionOut]:
    """All of them by name."""
    table = store.tables.subscriptions
    with store.transaction() as connection:
        return [_out(row) for row in connection.execute(select(table).order_by(table.c.id))]


def subscription(store: Store, name: str) -> SubscriptionOut | None:
    """The one with this id."""
    table = store.tables.subscriptions
    with store.transaction() as connection:
        row = connection.execute(select(table).where(table.c.id == name)).first()
    return _out(row) if row is not None else None


def secret_of(store: Store, name: str) -> str | None:
    """What signs the subscription's webhooks."""
    table = store.tables.subscriptions
    with store.transaction() as connection:
        return connection.scalar(select(table.c.secret).where(table.c.id == name))


def add(store: Store, given: SubscriptionIn) -> SubscriptionMade:
    """Makes it. Taken when its name gives the id of another one."""
    secret = given.secret or tokens.made()
    try:
        with store.transaction() as connection:
            if _count(connection, store.tables) >= MOST_SUBSCRIPTIONS:
                raise Taken(f"there are {MOST_SUBSCRIPTIONS} subscriptions, which is the most")
            name = _insert(connection, store.tables, given, secret)
    except IntegrityError as error:
        raise Taken(f"there is a subscription {slug(given.name)}") from error
    made = subscription(store, name)
    if made is None:
        raise Taken(f"{name} was taken away at once")
    return SubscriptionMade(**made.model_dump(), secret=secret)


def change(store: Store, name: str, given: SubscriptionIn) -> SubscriptionOut | None:
    """Replaces all but the id; None when there is none."""
    table = store.tables.subscriptions
    values: dict[str, object] = {"body": _body(given), "updated_at": now_ms()}
    if given.secret is not None:
        values["secret"] = given.secret
    with store.transaction() as connection:
        connection.execute(update(table).where(table.c.id == name).values(values))
        row = connection.execute(select(table).where(table.c.id == name)).first()
    return _out(row) if row is not None else None


def remove(store: Store, name: str) -> bool:
    """Takes it away with its alerts and deliveries; whether it was there."""
    t = store.tables
    with store.transaction() as connection:
        reserve(connection, t, 0)  # A window under way must not write alerts of it afterwards.
        there = connection.execute(delete(t.subscriptions).where(t.subscriptions.c.id == name)).rowcount > 0
        connection.execute(delete(t.alerts).where(t.alerts.c.subscription == name))
        connection.execute(delete(t.deliveries).where(t.deliveries.c.subscription == name))
    return there


def new_token(store: Store, name: str) -> str:
    """A token for this name, shown only now; it replaces the name's former one."""
    token = tokens.made()
    table = store.tables.tokens
    with store.transaction() as connection:
        connection.execute(delete(table).where(table.c.name == name))
        connection.execute(insert(table).values(name=name, hash=tokens.hashed(token), created_at=now_ms()))
    return token


def token_name(store: Store, token: str) -> str | None:
    """Who was given this token; None when nobody was."""
    # The hash is looked up, not the token, so the look-up tells no prefix of it.
    table = store.tables.tokens
    with store.transaction() as connection:
        return connection.scalar(select(table.c.name).where(table.c.hash == tokens.hashed(token)))


def token_is_known(store: Store, token: str) -> bool:
    """Whether somebody was given this token."""
    return token_name(store, token) is not None


def _count(connection: Connection, tables: Tables) -> int:
    return int(connection.scalar(select(func.count()).select_from(tables.subscriptions)) or 0)


def _body(given: Subscription) -> str:
    return Subscription.model_validate(given.model_dump(include=set(Subscription.model_fields))).model_dump_json()


def _insert(connection: Connection, tables: Tables, given: Subscription, secret: str) -> str:
    name, now = slug(given.name), now_ms()
    values = {"id": name, "body": _body(given), "secret": secret, "created_at": now, "updated_at": now}
    connection.execute(insert(tables.subscriptions).values(values))
    return name


def _out(row: Row[Any]) -> SubscriptionOut:
    body = Subscription.model_validate_json(row.body)
    made, changed = moment(row.created_at), moment(row.updated_at)
    return SubscriptionOut(**body.model_dump(), id=row.id, created_at=made, updated_at=changed)
