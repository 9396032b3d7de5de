"""The desk's database: opening it, and transactions whose trouble is the machine's, not a record's."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, insert, select, update
from sqlalchemy.engine import make_url
from sqlalchemy.exc import (
    ArgumentError,
    IntegrityError,
    InterfaceError,
    NoSuchModuleError,
    OperationalError,
    ProgrammingError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

from services.desk.tables import Tables

BUSY_SECONDS = 20
POOL = 10


class StoreTrouble(OSError):
    """The database cannot be used now."""


class Store:
    """An open database with the desk's tables; safe to share between threads."""

    def __init__(self, url: str) -> None:
        """Opens it and makes what is missing. StoreTrouble when it cannot be opened."""
        self.tables = Tables()
        try:
            self._engine = _engine(url)
            self.tables.metadata.create_all(self._engine)
            self._first_number()
        except (ArgumentError, NoSuchModuleError, ImportError) as error:
            raise StoreTrouble(f"DEMARCHE_DESK_DATABASE: {error}") from error
        except (OperationalError, InterfaceError, ProgrammingError, OSError) as error:
            raise StoreTrouble(_why(error)) from error

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Commits what the body does, or nothing of it. StoreTrouble when the database is not to be had."""
        try:
            with self._engine.begin() as connection:
                yield connection
        except (OperationalError, InterfaceError, PoolTimeout) as error:
            raise StoreTrouble(_why(error)) from error

    def close(self) -> None:
        """Gives all connections back."""
        self._engine.dispose()

    def _first_number(self) -> None:
        with self._engine.begin() as connection:
            if connection.scalar(select(self.tables.counter.c.value)) is not None:
                return
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(self.tables.counter).values(id=1, value=0))
        except IntegrityError:
            pass  # Another desk was faster.


def reserve(connection: Connection, tables: Tables, count: int) -> int:
    """Takes `count` numbers and holds every other writer back until the commit; the first of them."""
    column = tables.counter.c.value
    taken = update(tables.counter).values(value=column + count).returning(column)
    return int(connection.execute(taken).scalar_one()) - count + 1


def now_ms() -> int:
    """The time as the tables hold it."""
    return time.time_ns() // 1_000_000


def _engine(url: str) -> Engine:
    address = make_url(url)
    # Errors that nobody expected end in the log; without the values of the statement, some of which are secrets.
    hidden = {"hide_parameters": True}
    if address.get_backend_name() != "sqlite":
        connect = {"connect_timeout": 5}
        return create_engine(address, pool_pre_ping=True, pool_size=POOL, connect_args=connect, **hidden)
    if address.database and address.database != ":memory:":
        Path(address.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(address, connect_args={"timeout": BUSY_SECONDS}, pool_size=POOL, **hidden)
    event.listen(engine, "connect", _prepare)
    return engine


def _prepare(connection: Any, _record: object) -> None:
    """Readers do not wait for the writer, and rows go with the story that they belong to."""
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _why(error: Exception) -> str:
    """The driver's words without the statement and its values."""
    return " ".join(str(getattr(error, "orig", None) or error).split())
