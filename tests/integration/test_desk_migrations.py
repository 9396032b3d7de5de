"""An older desk's database opens in this one, a newer one's does not; SQLite and PostgreSQL alike."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, create_engine, inspect, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from services.desk import outbox, reading, register
from services.desk.migrations import FIRST, STEPS, NewerSchema, bring_up
from services.desk.store import Store
from services.desk.subscriptions import Filter, Subscription
from services.desk.tables import Tables
from services.runtime.settings import ConnectionSettings
from tests.desk_store import new_database, postgres
from tests.integration.helpers import service
from tests.integration.test_desk_store import feed
from tests.unit.test_desk import diplomatic

KNOWN = FIRST + len(STEPS)
OLD_SCHEMA = Path(__file__).parents[1] / "desk_schema_1.sql"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres() as folder:
        yield folder


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/desk.sqlite"
    return new_database(request.getfixturevalue("server"))


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    made = create_engine(url)
    yield made
    made.dispose()


def old_database(engine: Engine) -> None:
    """As a desk left it that did not tell its schema yet: with a subscription, a token and a call given up."""
    statements = [s for s in OLD_SCHEMA.read_text(encoding="utf-8").split(";") if s.strip()]
    alert = {"alert_id": "a", "subscription": "old", "revision": 1, "summary": "s"}
    record = json.dumps({**alert, "event": json.loads(diplomatic().model_dump_json())})
    body = Subscription(name="Old").model_dump_json()
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
        for statement, values in [
            ("INSERT INTO counter VALUES (1, 41)", {}),
            ("INSERT INTO subscriptions VALUES ('old', :body, 'secret', 1, 1)", {"body": body}),
            ("INSERT INTO tokens VALUES ('me', :hash, 1)", {"hash": "0" * 64}),
            (
                "INSERT INTO deliveries VALUES ('d', 'old', 'https://h.example', 'json', :record, 'dead', 8, 1, 1, '')",
                {"record": record},
            ),
        ]:
            connection.execute(text(statement), values)


def shape(engine: Engine) -> dict[str, Any]:
    """Tables, columns and indexes as the database has them."""
    found = inspect(engine)
    return {
        table: (
            [(c["name"], str(c["type"]), c["nullable"]) for c in found.get_columns(table)],
            sorted((str(i["name"]), i["column_names"]) for i in found.get_indexes(table)),
            found.get_pk_constraint(table)["constrained_columns"],
            [(k["constrained_columns"], k["options"]) for k in found.get_foreign_keys(table)],
        )
        for table in found.get_table_names()
    }


def version(engine: Engine) -> int:
    with engine.begin() as connection:
        return int(connection.execute(text("SELECT version FROM schema_version")).scalar_one())


def test_an_old_database_opens_with_all_that_is_in_it(url: str, engine: Engine) -> None:
    old_database(engine)
    store = Store(url)
    register.begin(store)
    assert version(engine) == KNOWN
    assert [s.name for s in register.subscriptions(store)] == ["Old"], "no presets: somebody has worked on it"
    (waiting,) = outbox.given_up(store)
    assert (waiting.delivery_id, waiting.cause) == ("d", None)
    feed(store, diplomatic())
    (story,) = reading.page(store, Filter(), None, 10).items
    assert story.seq > 41
    store.close()


def test_an_old_database_brought_up_is_like_a_new_one(url: str, engine: Engine, tmp_path: Path) -> None:
    old_database(engine)
    Store(url).close()
    migrated = shape(engine)
    with engine.begin() as connection:
        for table in reversed(Tables().metadata.sorted_tables):
            connection.execute(text(f"DROP TABLE {table.name}"))
    Store(url).close()
    assert shape(engine) == migrated, "a change of tables.py needs a step in migrations.py"


def test_opened_again_nothing_is_done(url: str, engine: Engine) -> None:
    old_database(engine)
    Store(url).close()
    with engine.begin() as connection:
        connection.execute(text("UPDATE deliveries SET state = 'dead'"))
    store = Store(url)
    assert outbox.given_up(store) == []
    store.close()


def test_a_newer_database_is_refused_and_left_as_it_is(url: str, engine: Engine) -> None:
    Store(url).close()
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE schema_version SET version = {KNOWN + 1}"))
    with pytest.raises(NewerSchema, match=f"schema {KNOWN + 1}, this desk knows {KNOWN}: use the newer demarche"):
        Store(url)
    assert version(engine) == KNOWN + 1


def test_the_service_stops_at_a_newer_database_with_one_line(connection: ConnectionSettings, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/desk.sqlite"
    store = Store(url)
    with store.transaction() as open_one:
        open_one.execute(text("UPDATE schema_version SET version = 99"))
    store.close()
    with service(connection, tmp_path, "services.desk", desk_port=0, desk_database=url) as desk:
        assert desk.ends(120) == 2, "nothing is gained by starting it again"
        assert desk.log.strip().startswith("demarche: desk cannot start: the database has schema 99")
        assert len(desk.log.strip().splitlines()) == 1


def adds_a_column(connection: Connection) -> None:
    connection.execute(text("ALTER TABLE tokens ADD COLUMN note VARCHAR(16)"))


def fails(connection: Connection) -> None:
    connection.execute(text("INSERT INTO nowhere VALUES (1)"))


def test_steps_are_taken_in_order_all_or_none(url: str, engine: Engine) -> None:
    old_database(engine)

    def fills_it(connection: Connection) -> None:
        connection.execute(text("UPDATE tokens SET note = 'filled'"))

    with pytest.raises((OperationalError, ProgrammingError)):
        bring_up(engine, Tables(), [adds_a_column, fails])
    assert "note" not in {c["name"] for c in inspect(engine).get_columns("tokens")}
    assert not inspect(engine).has_table("schema_version")
    bring_up(engine, Tables(), [adds_a_column])
    assert version(engine) == FIRST + 1
    bring_up(engine, Tables(), [adds_a_column, fills_it])
    assert version(engine) == FIRST + 2
    with engine.begin() as connection:
        assert connection.execute(text("SELECT note FROM tokens")).scalar_one() == "filled"


@pytest.mark.parametrize("old", [False, True])
def test_desks_that_open_it_at_once_do_each_step_once(url: str, engine: Engine, old: bool) -> None:
    if old:
        old_database(engine)
    wrong: list[Exception] = []

    def opens() -> None:
        mine = create_engine(url, connect_args={"timeout": 20} if url.startswith("sqlite") else {})
        try:
            bring_up(mine, Tables(), [adds_a_column] if old else [])
        except Exception as error:
            wrong.append(error)
        finally:
            mine.dispose()

    threads = [Thread(target=opens) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert wrong == []
    assert version(engine) == FIRST + old
