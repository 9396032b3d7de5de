"""archive, killed by SIGKILL at a place that DEMARCHE_TEST_KILL names, as often as files in DEMARCHE_TEST_LIVES allow.

"write": a file is written and not renamed yet. "rename": some of the window's files have their names, others do not.
"commit": all have, and the offsets are not committed. "merge": the merged file is there beside the small ones.
"""

from __future__ import annotations

import os
import signal
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

PLACE, LIVES = os.environ["DEMARCHE_TEST_KILL"], Path(os.environ["DEMARCHE_TEST_LIVES"])
windows = renamed = 0
replace, unlink = os.replace, os.unlink


def die(place: str) -> None:
    """Ends the process if that is where it is to be killed and a life is left; never in its first window, or a record
    would be thought to have killed it."""
    lives = sorted(LIVES.iterdir())
    if place == PLACE and windows > 1 and lives:
        unlink(lives[0])
        os.kill(os.getpid(), signal.SIGKILL)


def replacing(source: Path, target: Path) -> None:
    global renamed
    if target.suffix == ".parquet":
        renamed += 1
        die("write")
        if renamed > 1:
            die("rename")
    replace(source, target)


def unlinking(path: Path) -> None:
    die("merge")
    unlink(path)


def write(inputs: Sequence[Input[DiplomaticEvent]]) -> None:
    global windows, renamed
    windows, renamed = windows + 1, 0
    archive.write(inputs)
    die("commit")


if __name__ == "__main__":
    settings = load_settings(ArchiveSettings)
    archive = Archive(settings.archive_dir, small_files=settings.archive_small_files)
    os.replace, os.unlink = replacing, unlinking  # type: ignore[assignment]
    sys.exit(run_service(Stage("archive", sink=write), settings))
