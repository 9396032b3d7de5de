"""Settings of ingest."""

from __future__ import annotations

from services.runtime.settings import ServiceSettings


class IngestSettings(ServiceSettings):
    """Where ingest remembers, what it fetches and how, and what is pushed to it. Times in seconds, sizes in bytes."""

    ingest_state: str = ".demarche/ingest.sqlite"
