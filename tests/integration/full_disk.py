"""The archive for the tests, on a disk that is full as long as the file DEMARCHE_TEST_FULL is there."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from schemas.records import DiplomaticEvent
from services.archive.files import Archive
from services.archive.settings import ArchiveSettings
from services.runtime.service import run_service
from services.runtime.settings import load_settings
from services.runtime.window import Stage
from services.stage import Input

if __name__ == "__main__":
    settings = load_settings(ArchiveSettings)
    full, write = Path(os.environ["DEMARCHE_TEST_FULL"]), Archive(settings.archive_dir, settings.archive_brokers).write

    def write_or_fail(inputs: Sequence[Input[DiplomaticEvent]]) -> None:
        if full.exists():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(inputs)

    sys.exit(run_service(Stage("archive", sink=write_or_fail), settings))
