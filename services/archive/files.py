"""The archive's Parquet files: each event in exactly one, whatever is killed when.

The only commit is Kafka's. A window is written before its offsets are committed, and after a kill the next window of
the partition begins at the same offset; so before a window is written, every row from its first offset on is taken out:
it was written by a process that did not live to commit it. Each file appears whole, by a rename, and its name tells its
offsets. Small files are merged into one whose offsets cover theirs; the small ones go after it is there, and if that is
cut short, files that overlap are merged anew, each offset once.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from schemas.records import DiplomaticEvent
from services.archive.names import Held, held, mergeable, month_folder, overlapping, span
from services.archive.transform import by_partition, dataset_schema, once_each, table, united
from services.stage import Input

COMMON = "_common_metadata"
SMALL_FILES = 8
SMALL_BYTES = 16 * 1024 * 1024


class ArchiveError(OSError):
    """The archive does not fit the topic, or a file in it cannot be read; the message names the cure."""


class Archive:
    """Writes windows of events.diplomatic into a folder; as the sink of a stage it is called by one thread.

    `brokers` names the brokers whose offsets are meant. Of `small_files` files below `small_bytes` one is made.
    Nothing outside the folder is touched. Raises ArchiveError, and OSError when the disk says no.
    """

    def __init__(
        self, folder: Path, brokers: str = "", small_files: int = SMALL_FILES, small_bytes: int = SMALL_BYTES
    ) -> None:
        self._folder, self._brokers = folder, brokers
        self._small_files, self._small_bytes = small_files, small_bytes
        self._told_schema = False

    def write(self, inputs: Sequence[Input[DiplomaticEvent]]) -> None:
        """Writes a window; once more with the same records, or with others from the same offset, it ends the same."""
        if inputs and not self._told_schema:
            self._tell_schema()
        for (topic, partition), part in by_partition(inputs).items():
            stream = f"{topic}@{self._brokers}" if self._brokers else topic
            self._mend(stream, partition)
            self._take_out(stream, partition, part)
            self._compact(stream, partition)
            months: dict[str, list[Input[DiplomaticEvent]]] = defaultdict(list)
            for i in part:
                months[month_folder(i.value.when.date)].append(i)
            for folder, some in months.items():
                file = Held(folder, some[0].origin.offset, some[-1].origin.offset, stream, partition)
                self._put(file, table(some, self._brokers))

    def _files(self, stream: str, partition: int) -> Iterator[Held]:
        """The partition's files; what it left half written is removed."""
        for folder in self._folder.glob("*=*/"):
            for entry in os.scandir(folder):
                if entry.name.startswith(f".{stream}-{partition:05d}-"):
                    os.unlink(entry)
                file = held(folder.name, entry.name)
                if file is not None and (file.stream, file.partition) == (stream, partition):
                    yield file

    def _mend(self, stream: str, partition: int) -> None:
        for group in overlapping(self._files(stream, partition)):
            self._merge(group)

    def _take_out(self, stream: str, partition: int, window: Sequence[Input[DiplomaticEvent]]) -> None:
        """Removes the rows from the window's first offset on."""
        start = window[0].origin.offset
        ids = {i.origin.offset: i.value.event_id for i in window}
        for file in [f for f in self._files(stream, partition) if f.last >= start]:
            rows = self._read(file)
            for offset, event_id in zip(rows["offset"].to_pylist(), rows["event_id"].to_pylist(), strict=True):
                if ids.get(offset, event_id) != event_id:
                    raise ArchiveError(
                        f"{self._path(file)}: offset {offset} is another event there than on the topic, so the topic "
                        "was made anew: set DEMARCHE_ARCHIVE_BROKERS to a new name, or DEMARCHE_ARCHIVE_DIR to another "
                        "folder"
                    )
            if file.first < start:
                self._put(Held(file.folder, file.first, start - 1, stream, partition), before(rows, start))
            self._path(file).unlink()

    def _compact(self, stream: str, partition: int) -> None:
        sizes = [(file, self._path(file).stat().st_size) for file in self._files(stream, partition)]
        for run in mergeable(sizes, self._small_files, self._small_bytes):
            self._merge(run)

    def _merge(self, files: Sequence[Held]) -> None:
        whole = span(files)
        try:
            rows = once_each(united([self._read(file) for file in files]))
        except ValueError as error:
            raise ArchiveError(f"{self._path(whole)}: {error}") from None
        self._put(whole, rows)
        for file in files:
            if file != whole:
                self._path(file).unlink()

    def _path(self, file: Held) -> Path:
        return self._folder / file.folder / file.name

    def _read(self, file: Held) -> pa.Table:
        path = self._path(file)
        try:
            with pq.ParquetFile(path) as opened:
                return opened.read()
        except pa.ArrowException as error:
            raise ArchiveError(f"{path} cannot be read ({error}): take it out of the archive") from None

    def _put(self, file: Held, rows: pa.Table) -> None:
        """The file whole and safe on the disk, or not at all."""
        path = self._path(file)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(file.temporary)
        with temporary.open("wb") as out:
            pq.write_table(rows, out, compression="zstd")
            out.flush()
            os.fsync(out.fileno())
        os.replace(temporary, path)
        _sync(path.parent)

    def _tell_schema(self) -> None:
        """Writes the columns of the newest files where readers that must be told them can look."""
        self._folder.mkdir(parents=True, exist_ok=True)
        temporary = self._folder / f".{COMMON}.{os.getpid()}.part"
        pq.write_metadata(dataset_schema(), temporary)
        os.replace(temporary, self._folder / COMMON)
        self._told_schema = True


def before(rows: pa.Table, offset: int) -> pa.Table:
    """The rows that come before an offset."""
    return rows.filter(pc.less(rows["offset"], offset))


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
