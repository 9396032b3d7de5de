"""Parquet files of a window, named so that a redo of the window overwrites them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import pyarrow.parquet as pq

from schemas.records import DiplomaticEvent
from services.archive.transform import by_partition, table
from services.stage import Input

OFFSET_DIGITS = 20


def sink(folder: Path) -> Callable[[Sequence[Input[DiplomaticEvent]]], None]:
    """Writes a window into `folder`: one file per partition, named by topic, partition and first offset.

    Each is written under a temporary name, synced and renamed. After a crash the window begins at the same offset, so
    the redo overwrites the file, and no event is in the archive twice. OSError when the disk says no.
    """

    def write(inputs: Sequence[Input[DiplomaticEvent]]) -> None:
        for (topic, partition), part in by_partition(inputs).items():
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / f"{topic}-{partition:05d}-{part[0].origin.offset:0{OFFSET_DIGITS}d}.parquet"
            temporary = path.with_suffix(".part")
            try:
                with temporary.open("wb") as file:
                    pq.write_table(table(part), file, compression="zstd")
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(temporary, path)
            except OSError:
                with suppress(OSError):
                    temporary.unlink()  # A half-written file would fill a full disk further.
                raise

    return write
