"""Settings of archive."""

from __future__ import annotations

from pathlib import Path

from services.runtime.settings import Positive, Seconds, ServiceSettings


class ArchiveSettings(ServiceSettings):
    """`archive_dir` is where the Parquet files go; it is made when it is missing."""

    archive_dir: Path = Path(".demarche/archive")
    max_poll_records: Positive = 2000
    worst_seconds_per_record: Seconds = 0.02
