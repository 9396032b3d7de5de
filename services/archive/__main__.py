"""Runs archive: events.diplomatic → Parquet files."""

import sys

from services.archive.files import sink
from services.archive.settings import ArchiveSettings
from services.runtime.service import run_service
from services.runtime.settings import load_settings
from services.runtime.window import Stage

if __name__ == "__main__":
    settings = load_settings(ArchiveSettings)
    sys.exit(run_service(Stage("archive", sink=sink(settings.archive_dir)), settings))
