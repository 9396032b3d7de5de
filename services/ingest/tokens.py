"""Who may push articles."""

from __future__ import annotations

from threading import Lock

from services.ingest.state import opened_state
from services.web import tokens


class Tokens:
    """The tokens given out, by name, as hashes on disk; safe to share between threads."""

    def __init__(self, database: str) -> None:
        """Opens the database at this path. OSError when it cannot be had."""
        self._database, self._lock = opened_state(database), Lock()

    def close(self) -> None:
        """Closes the database."""
        self._database.close()

    def new(self, name: str) -> str:
        """A token for this name, shown only now; it replaces the name's former one."""
        token = tokens.made()
        with self._lock, self._database:
            row = (name, tokens.hashed(token))
            self._database.execute("INSERT OR REPLACE INTO tokens VALUES (?, ?)", row)
        return token

    def known(self, token: str) -> bool:
        """Whether somebody was given this token."""
        with self._lock:
            query = "SELECT 1 FROM tokens WHERE hash = ?"
            return self._database.execute(query, (tokens.hashed(token),)).fetchone() is not None
