"""The schema of the desk's database: made new, or brought from the version that it has to the one that this desk knows.

A change of tables.py comes with a step here that does the same to a database that is already there. Steps are never
changed or taken out once they were in a release.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import Connection, Engine, insert, inspect, select, text, update

from services.desk.tables import Tables

Step = Callable[[Connection], None]
FIRST = 1
"""The schema of databases that do not tell it."""
LOCK = 0x64656D61
"""Any number that nobody else in the database takes."""


class NewerSchema(OSError):
    """The database was written by a newer desk."""


def dead_letters_to_the_topic(connection: Connection) -> None:
    """2: calls given up before dead letters went to the topic go there too."""
    connection.execute(text("UPDATE deliveries SET state = 'given-up' WHERE state = 'dead'"))


def feedback_of_analysts(connection: Connection) -> None:
    """3: a table for corrections, and events found by their id alone."""
    for statement in (
        """CREATE TABLE feedback (
          feedback_id VARCHAR(64) NOT NULL,
          seq BIGINT NOT NULL,
          event_id VARCHAR(128) NOT NULL,
          story_id VARCHAR(64) NOT NULL,
          kinds VARCHAR(80) NOT NULL,
          state VARCHAR(16) NOT NULL,
          record TEXT NOT NULL,
          PRIMARY KEY (feedback_id),
          UNIQUE (seq)
        )""",
        "CREATE INDEX ix_feedback_event_id ON feedback (event_id)",
        "CREATE INDEX ix_feedback_story_id ON feedback (story_id)",
        "CREATE INDEX feedback_to_send ON feedback (state, seq)",
        "CREATE INDEX story_events_event ON story_events (event_id)",
    ):
        connection.execute(text(statement))


STEPS: tuple[Step, ...] = (dead_letters_to_the_topic, feedback_of_analysts)
"""From FIRST on, each to the next version; SQL that SQLite and PostgreSQL both take."""


def bring_up(engine: Engine, tables: Tables, steps: Sequence[Step] = STEPS) -> None:
    """Makes the tables or takes the steps that are missing, all or nothing, one desk at a time.

    NewerSchema when the database is ahead of the steps.
    """
    known = FIRST + len(steps)
    with engine.begin() as connection:
        _lock(connection)
        version = _version(connection, tables, known)
        if version > known:
            raise NewerSchema(
                f"the database has schema {version}, this desk knows {known}: "
                "use the newer demarche that wrote it, or another DEMARCHE_DESK_DATABASE"
            )
        for step in steps[version - FIRST :]:
            step(connection)
        connection.execute(update(tables.schema_version).values(version=known))


def _lock(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        # Python's driver would begin a transaction only before the first row is written, not before a table is made.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")


def _version(connection: Connection, tables: Tables, known: int) -> int:
    """What the database tells; one that is empty is made as it is known, an old one is FIRST."""
    there = set(inspect(connection).get_table_names())
    if tables.schema_version.name in there:
        return int(connection.execute(select(tables.schema_version.c.version)).scalar_one())
    if tables.stories.name in there:
        version = FIRST
        tables.schema_version.create(connection)
    else:
        version = known
        tables.metadata.create_all(connection)
        connection.execute(insert(tables.counter).values(id=1, value=0))
    connection.execute(insert(tables.schema_version).values(id=1, version=version))
    return version
