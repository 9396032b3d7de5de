"""The tables of the desk, alike in SQLite and PostgreSQL. Times are milliseconds since 1970, records are JSON text."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, ForeignKey, Index, Integer, MetaData, String, Table, Text


class Tables:
    """All tables under one MetaData."""

    def __init__(self) -> None:
        self.metadata = MetaData()
        # What else is here is as STEPS in migrations.py leave it: a change here needs a step there.
        self.schema_version = Table(
            "schema_version",
            self.metadata,
            Column("id", Integer, primary_key=True),
            Column("version", Integer, nullable=False),
        )
        # Writers add to `value` first of all: its row lock puts their commits in the order of their numbers, so that
        # a reader who has seen number n can never miss a smaller one.
        self.counter = Table("counter", self.metadata, Column("id", Integer, primary_key=True), _ms("value"))
        self.stories = Table(
            "stories",
            self.metadata,
            Column("story_id", String(64), primary_key=True),
            Column("seq", BigInteger, nullable=False, unique=True),
            Column("dyad", String(200), nullable=False, index=True),
            *(Column(name, String(16), nullable=False) for name in ("type", "claim", "tone", "peace", "timing")),
            Column("status", String(16), nullable=False),
            Column("families", Integer, nullable=False),
            Column("shifted", Boolean, nullable=False),
            Column("words", Text, nullable=False),
            Column("day", String(10)),
            Column("goldstein", Float, nullable=False),
            Column("events", Integer, nullable=False),
            _ms("first_seen"),
            Column("last_seen", BigInteger, nullable=False, index=True),
            Column("lead", Text, nullable=False),
        )
        self.sides = Table(
            "story_sides",
            self.metadata,
            _story(primary_key=True),
            Column("side", String(16), primary_key=True),
            Index("story_sides_side", "side", "story_id"),
        )
        self.events = Table(
            "story_events",
            self.metadata,
            _story(primary_key=True),
            Column("event_id", String(128), primary_key=True),
            Column("position", Integer, nullable=False),
            _ms("seen_at"),
            Column("record", Text, nullable=False),
            Index("story_events_event", "event_id"),
        )
        # Of no story by foreign key: a correction is kept when its story is dropped.
        self.feedback = Table(
            "feedback",
            self.metadata,
            Column("feedback_id", String(64), primary_key=True),
            Column("seq", BigInteger, nullable=False, unique=True),
            Column("event_id", String(128), nullable=False, index=True),
            Column("story_id", String(64), nullable=False, index=True),
            Column("kinds", String(80), nullable=False),
            Column("state", String(16), nullable=False),
            Column("record", Text, nullable=False),
            Index("feedback_to_send", "state", "seq"),
        )
        self.subscriptions = Table(
            "subscriptions",
            self.metadata,
            Column("id", String(80), primary_key=True),
            Column("body", Text, nullable=False),
            Column("secret", String(200), nullable=False),
            _ms("created_at"),
            _ms("updated_at"),
        )
        self.alerts = Table(
            "alerts",
            self.metadata,
            Column("alert_id", String(64), primary_key=True),
            Column("subscription", String(80), nullable=False),
            _story(index=True),
            Column("seq", BigInteger, nullable=False),
            _ms("raised_at"),
            _ms("updated_at"),
            Column("record", Text, nullable=False),
            Column("causes", Text, nullable=False),
            Index("alerts_of_subscription", "subscription", "seq"),
        )
        self.deliveries = Table(
            "deliveries",
            self.metadata,
            Column("delivery_id", String(64), primary_key=True),
            Column("subscription", String(80), nullable=False, index=True),
            Column("url", Text, nullable=False),
            Column("form", String(16), nullable=False),
            Column("record", Text, nullable=False),
            Column("state", String(16), nullable=False),
            Column("tries", Integer, nullable=False),
            Column("due", BigInteger, nullable=False),
            _ms("created_at"),
            Column("error", Text),
            Index("deliveries_due", "state", "due"),
        )
        self.tokens = Table(
            "tokens",
            self.metadata,
            Column("name", String(80), primary_key=True),
            Column("hash", String(64), nullable=False, unique=True),
            _ms("created_at"),
        )


def _ms(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


def _story(*, primary_key: bool = False, index: bool = False) -> Column[str]:
    there = ForeignKey("stories.story_id", ondelete="CASCADE")
    return Column("story_id", String(64), there, primary_key=primary_key, nullable=False, index=index)
