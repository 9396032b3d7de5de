"""Runs archive: events.diplomatic → Parquet files."""

import sys

from services.archive.files import Archive, ArchiveError
from services.archive.settings import ArchiveSettings
from services.runtime.service import run_service
from services.runtime.settings import load_settings
from services.runtime.window import Stage

if __name__ == "__main__":
    settings = load_settings(ArchiveSettings)
    archive = Archive(
        settings.archive_dir, settings.archive_brokers, settings.archive_small_files, settings.archive_small_bytes
    )
    try:
        sys.exit(run_service(Stage("archive", sink=archive.write), settings))
    except ArchiveError as error:
        sys.exit(f"archive: {error}")
