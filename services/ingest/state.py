"""The small SQLite database in which ingest remembers."""

from __future__ import annotations

import sqlite3
from pathlib import Path

BUSY_SECONDS = 20.0
TABLES = """
CREATE TABLE IF NOT EXISTS feeds (
  url TEXT PRIMARY KEY, etag TEXT, modified TEXT, due REAL NOT NULL, failures INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS seen (id TEXT PRIMARY KEY, content TEXT NOT NULL, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS contents (content TEXT PRIMARY KEY, id TEXT NOT NULL, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS tokens (name TEXT PRIMARY KEY, hash TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS progress (run TEXT, name TEXT, mark TEXT, place INTEGER, PRIMARY KEY (run, name));
"""


def opened_state(path: str) -> sqlite3.Connection:
    """The database with all tables made. OSError, with the setting's name, when it cannot be had."""
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        # Shared between threads under a lock of their own, see FeedMemory and Tokens.
        database = sqlite3.connect(path, timeout=BUSY_SECONDS, check_same_thread=False)
        database.execute("PRAGMA journal_mode=WAL")
        database.executescript(TABLES)
        return database
    except (sqlite3.Error, OSError) as error:
        raise OSError(f"cannot remember in {path} ({error}); see DEMARCHE_INGEST_STATE") from error
