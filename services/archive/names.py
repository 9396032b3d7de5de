"""What the names in the archive tell: the month, the offsets a file holds, and which files belong together. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MONTH = "event_month"
NO_MONTH = "unknown"
"""The folder of acts without a known month. A word, since pandas cannot read a folder that stands for null."""
OFFSET_DIGITS = 20
_NAME = re.compile(r"(?P<stream>.+)-(?P<partition>\d{5})-(?P<first>\d{20})-(?P<last>\d{20})\.parquet")


@dataclass(frozen=True, order=True)
class Held:
    """A file of the archive: rows of one partition of a stream whose offsets lie from `first` to `last`."""

    folder: str
    first: int
    last: int
    stream: str
    partition: int

    @property
    def name(self) -> str:
        """Its file name."""
        ends = f"{self.first:0{OFFSET_DIGITS}d}-{self.last:0{OFFSET_DIGITS}d}"
        return f"{self.stream}-{self.partition:05d}-{ends}.parquet"

    @property
    def temporary(self) -> str:
        """Its name while it is written: hidden, so that no reader takes it."""
        return f".{self.name}.part"


def held(folder: str, name: str) -> Held | None:
    """What a file's name tells; None for names that are not the archive's."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    return Held(folder, int(match["first"]), int(match["last"]), match["stream"], int(match["partition"]))


def month_folder(event_date: str | None) -> str:
    """The folder of an act's date: its month, where the date tells one."""
    month = event_date[:7] if event_date and len(event_date) >= len("2024-05") else NO_MONTH
    return f"{MONTH}={month}"


def overlapping(files: Iterable[Held]) -> list[list[Held]]:
    """Files of one folder that share offsets, in groups: left by a process that was killed while it merged files, or
    written by one that had lost the partition. A row may be in several files of a group."""
    groups: list[list[Held]] = []
    end = -1
    for file in sorted(files):
        if groups and groups[-1][0].folder == file.folder and file.first <= end:
            groups[-1].append(file)
            end = max(end, file.last)
        else:
            groups.append([file])
            end = file.last
    return [group for group in groups if len(group) > 1]


def mergeable(sizes: Sequence[tuple[Held, int]], enough: int, small: int) -> list[list[Held]]:
    """Runs of neighbours in one folder, each below `small` bytes, together not above twice that, at least `enough`."""
    runs: list[list[Held]] = []
    total = 0
    former: Held | None = None
    for file, size in sorted(sizes):
        if size >= small:
            former = None
            continue
        if former is None or former.folder != file.folder or total + size > 2 * small:
            runs.append([])
            total = 0
        runs[-1].append(file)
        total += size
        former = file
    return [run for run in runs if len(run) >= enough]


def span(files: Sequence[Held]) -> Held:
    """The file that holds what these hold."""
    one = files[0]
    return Held(one.folder, min(f.first for f in files), max(f.last for f in files), one.stream, one.partition)
