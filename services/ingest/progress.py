"""How far an ingestion of files came, so that the same call goes on there after an interruption."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Self

from services.ids import derive
from services.ingest.state import opened_state


class Progress:
    """The place in each file of one run: the same files, to the same topic, of the same brokers."""

    def __init__(self, database: str, bootstrap: str, topic: str, files: Sequence[str]) -> None:
        """Opens the database at this path. OSError when it cannot be had."""
        self._run = derive(bootstrap, topic, *(os.path.abspath(name) for name in files))
        self._database = opened_state(database)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    @property
    def began(self) -> bool:
        """Whether an earlier run was interrupted."""
        found = self._database.execute("SELECT 1 FROM progress WHERE run = ?", (self._run,))
        return found.fetchone() is not None

    def place(self, name: str) -> int:
        """The number of the last line that was written; 0 for a file not begun or changed since."""
        query = "SELECT place FROM progress WHERE run = ? AND name = ? AND mark = ?"
        row = self._database.execute(query, (self._run, os.path.abspath(name), _mark(name))).fetchone()
        return int(row[0]) if row else 0

    def keep(self, places: dict[str, int]) -> None:
        """Notes the place in each of these files."""
        rows = [(self._run, os.path.abspath(name), _mark(name), place) for name, place in places.items()]
        with self._database:
            self._database.executemany("INSERT OR REPLACE INTO progress VALUES (?, ?, ?, ?)", rows)

    def forget(self) -> None:
        """At the end of a run: the next one begins anew."""
        with self._database:
            self._database.execute("DELETE FROM progress WHERE run = ?", (self._run,))


def _mark(name: str) -> str:
    """Differs once the file was written to."""
    found = os.stat(name)
    return f"{found.st_size} {found.st_mtime_ns}"
