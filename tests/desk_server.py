"""A desk at work for tests: the app on a port of its own, with a database of its own, fed by hand."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from schemas.records import Alert, DiplomaticEvent, Origin
from services.desk import register
from services.desk.bulletin import Bulletin
from services.desk.intake import intake
from services.desk.server import DeskServer
from services.desk.settings import DeskSettings
from services.desk.store import Store
from services.stage import Input, Outcome
from tests.unit.test_track import READ_AT


class Desk:
    """A running desk."""

    def __init__(self, store: Store, port: int, bulletin: Bulletin) -> None:
        self.store, self.port, self.bulletin = store, port, bulletin
        self.url = f"http://127.0.0.1:{port}"
        self.token = register.new_token(store, "tests")
        self.bearer = {"Authorization": f"Bearer {self.token}"}
        self.http = httpx.Client(base_url=self.url, timeout=10)
        self._offsets = itertools.count()

    def feed(self, *events: DiplomaticEvent) -> list[Outcome[Alert]]:
        """Events as from the topic."""
        places = [Origin(topic="t", partition=0, offset=next(self._offsets)) for _ in events]
        return intake(self.store)([Input(e, place, READ_AT) for e, place in zip(events, places, strict=True)])


@contextmanager
def running(folder: Path, **fields: Any) -> Iterator[Desk]:
    """A desk on the loopback; `fields` are settings."""
    settings = DeskSettings(desk_database=f"sqlite:///{folder}/desk.sqlite", **{"desk_port": 0, **fields})
    store = Store(settings.desk_database)
    register.begin(store)
    server = DeskServer(settings, store)
    with server:
        desk = Desk(store, server.port, server.bulletin)
        with desk.http:
            yield desk
    store.close()
