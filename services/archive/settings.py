"""Settings of archive."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.runtime.settings import Positive, Seconds, ServiceSettings


class ReadingSettings(BaseSettings):
    """Where the archive is, for the verbs that read it."""

    model_config = SettingsConfigDict(env_prefix="DEMARCHE_", frozen=True, extra="ignore")

    archive_dir: Path = Path(".demarche/archive")


class ArchiveSettings(ServiceSettings):
    """`archive_dir` is where the Parquet files go; it is made when it is missing."""

    archive_dir: Path = Path(".demarche/archive")
    archive_brokers: Annotated[
        str, Field(pattern=r"^[A-Za-z0-9_]*$", description="Whose offsets; a new name where the topic was made anew")
    ] = ""
    archive_small_files: Annotated[int, Field(ge=2, description="So many small files become one")] = 8
    archive_small_bytes: Positive = 16 * 1024 * 1024
    max_poll_records: Positive = 2000
    worst_seconds_per_record: Seconds = 0.02
