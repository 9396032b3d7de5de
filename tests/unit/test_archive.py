from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from hypothesis import given as property_of
from hypothesis import settings
from hypothesis import strategies as st

from schemas.records import DiplomaticEvent
from services.archive.files import Archive, ArchiveError
from services.archive.names import Held, held, mergeable, month_folder, overlapping
from services.archive.transform import schema, table
from services.stage import Input
from tests.unit.test_desk import diplomatic
from tests.unit.test_track import READ_AT, given

DATES = ("2024-05-03", "2024-05", "2024-04-30", "2023", None)
NONE = "event_month=unknown"
EVENT = diplomatic()


class Killed(BaseException):
    """Stands for the end of the process: nothing catches it."""


def window(offsets: Sequence[int], partition: int = 0, name: str = "e") -> list[Input[DiplomaticEvent]]:
    """Events e0, e1 … at their offsets; the month of each follows from its offset."""
    return [
        given(
            EVENT.model_copy(
                update={
                    "event_id": f"{name}{n}",
                    "when": EVENT.when.model_copy(update={"date": DATES[n % len(DATES)]}),
                }
            ),
            offset=n,
            partition=partition,
        )
        for n in offsets
    ]


def files(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*.parquet"))


def offsets(folder: Path) -> list[int]:
    """As any reader finds them that knows only Parquet and folders."""
    found: list[int] = ds.dataset(folder, partitioning="hive").to_table(columns=["offset"])["offset"].to_pylist()
    return sorted(found)


@contextmanager
def killed_at(step: int | None) -> Iterator[None]:
    """Ends the work before its step-th change of a name in the folder."""
    left = step

    def counted(act: Callable[..., None]) -> Callable[..., None]:
        def acts(*args: Any, **named: Any) -> None:
            nonlocal left
            if left is not None:
                left -= 1
                if left < 0:
                    raise Killed
            act(*args, **named)

        return acts

    with patch("os.replace", counted(os.replace)), patch("os.unlink", counted(os.unlink)):
        yield


def test_a_window_becomes_a_file_per_partition_and_month(tmp_path: Path) -> None:
    Archive(tmp_path / "new").write(window([3, 4, 5, 9]) + window([6], partition=1))
    assert files(tmp_path / "new") == [
        "event_month=2024-05/t-00000-00000000000000000005-00000000000000000005.parquet",
        "event_month=2024-05/t-00001-00000000000000000006-00000000000000000006.parquet",
        f"{NONE}/t-00000-00000000000000000003-00000000000000000009.parquet",
    ]
    found = ds.dataset(tmp_path / "new", partitioning="hive").to_table(columns=["event_id", "event_month"]).to_pylist()
    assert {(r["event_id"], r["event_month"]) for r in found} == {
        ("e3", "unknown"), ("e4", "unknown"), ("e5", "2024-05"), ("e6", "2024-05"), ("e9", "unknown"),
    }  # fmt: skip


def test_a_redo_leaves_what_it_wrote_whatever_the_windows_size(tmp_path: Path) -> None:
    Archive(tmp_path).write(window(range(8)))  # The process dies before the commit, and the redo gets more, then less.
    for upto in (12, 2):
        Archive(tmp_path).write(window(range(upto)))
        assert offsets(tmp_path) == list(range(upto))
    Archive(tmp_path).write(window(range(2, 12)))
    assert offsets(tmp_path) == list(range(12))


def test_an_empty_window_writes_nothing(tmp_path: Path) -> None:
    Archive(tmp_path / "none").write([])
    assert not (tmp_path / "none").exists()


def test_small_files_are_merged_and_large_ones_left(tmp_path: Path) -> None:
    for start in range(0, 40, 5):
        Archive(tmp_path, small_files=4).write(window(range(start, start + 5)))
    assert offsets(tmp_path) == list(range(40))
    assert max(len(list(folder.iterdir())) for folder in tmp_path.glob("event_month=*")) <= 4
    kept = files(tmp_path)
    Archive(tmp_path, small_files=2, small_bytes=1).write(window(range(40, 45)))
    assert set(kept) < set(files(tmp_path))


@settings(max_examples=40, deadline=None)
@property_of(st.lists(st.tuples(st.integers(1, 9), st.none() | st.integers(0, 14), st.booleans()), max_size=8))
def test_killed_anywhere_each_event_is_there_once(turns: list[tuple[int, int | None, bool]]) -> None:
    """Each turn: how long the window is, the change of a name before which the process ends, whether it commits."""
    with tempfile.TemporaryDirectory() as name:
        folder, committed = Path(name), 0
        for size, kill, commits in [*turns, (3, None, True)]:
            work = window(range(committed, committed + size))
            try:
                with killed_at(kill):
                    Archive(folder, small_files=2).write(work)
            except Killed:
                continue
            committed += size if commits else 0
        assert offsets(folder) == list(range(committed))
        assert not [p for p in folder.rglob(".*.part") if p.parent != folder]


def test_one_that_lost_the_partition_doubles_nothing(tmp_path: Path) -> None:
    Archive(tmp_path).write(window(range(10)))
    Archive(tmp_path).write(window(range(10, 25)))  # Not committed: another process has the partition now,
    late = files(tmp_path)
    saved = {path: (tmp_path / path).read_bytes() for path in late}
    Archive(tmp_path).write(window(range(10, 20)))
    for path, content in saved.items():  # but its files come after the other's.
        (tmp_path / path).write_bytes(content)
    Archive(tmp_path).write(window(range(20, 30)))
    assert offsets(tmp_path) == list(range(30))


def test_a_topic_made_anew_is_refused_until_it_gets_a_name(tmp_path: Path) -> None:
    Archive(tmp_path).write(window(range(4)))
    with pytest.raises(ArchiveError, match="DEMARCHE_ARCHIVE_BROKERS"):
        Archive(tmp_path).write(window(range(4), name="other"))
    assert offsets(tmp_path) == list(range(4))
    Archive(tmp_path, brokers="second").write(window(range(4), name="other"))
    assert offsets(tmp_path) == sorted([*range(4)] * 2)


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    Archive(tmp_path).write(window([0]))
    (tmp_path / files(tmp_path)[0]).write_bytes(b"PAR1 not so")
    with pytest.raises(ArchiveError, match="take it out"):
        Archive(tmp_path).write(window([0]))


def test_columns_are_flat_and_the_record_is_whole() -> None:
    event = diplomatic(when={"date": None, "granularity": None, "reason": "not told"})
    made = table([given(event, offset=3, partition=1)], "north")
    assert made.schema == schema()
    (row,) = made.to_pylist()
    assert row["dyad"] == "FRA|ITA"
    assert row["actor_codes"] == ["FRA"]
    assert row["actor_names"] == ["Jeanne Roc"]
    assert row["recipient_texts"] == ["Rome"]
    assert row["actor_sectors"] == [None]
    assert row["event_date"] is None
    assert row["latitude"] == 46.2
    assert row["attribution"] == ["a diplomat"]
    assert row["processed_at"] == READ_AT
    assert str(row["published_at"]) == "2024-05-04"
    assert (row["brokers"], row["topic"], row["partition"], row["offset"]) == ("north", "t", 1, 3)
    assert DiplomaticEvent.model_validate_json(row["record_json"]) == event


def test_older_files_are_merged_under_the_newest_columns(tmp_path: Path) -> None:
    Archive(tmp_path).write(window([0, 5]))
    path = tmp_path / files(tmp_path)[0]
    pq.write_table(pq.ParquetFile(path).read().drop_columns(["dyad", "agency"]), path)
    Archive(tmp_path, small_files=2).write(window([10]))
    Archive(tmp_path, small_files=2).write(window([15]))
    assert len(files(tmp_path)) == 2
    merged = pq.ParquetFile(tmp_path / files(tmp_path)[0]).read()
    assert merged.schema.names == schema().names
    assert merged["dyad"].to_pylist() == [None, None, "FRA|ITA"]


@pytest.mark.parametrize(
    ("told", "month"),
    [("2024-05-03", "2024-05"), ("2024-05", "2024-05"), ("2024", None), (None, None)],
)
def test_months(told: str | None, month: str | None) -> None:
    assert month_folder(told) == (f"event_month={month}" if month else NONE)


def test_names_tell_the_offsets() -> None:
    file = Held("event_month=2024-05", 7, 9, "pre-fix.events.diplomatic@two", 12)
    assert held(file.folder, file.name) == file
    assert held(file.folder, file.temporary) is None
    assert held(file.folder, "notes.parquet") is None


def test_which_files_belong_together() -> None:
    def file(first: int, last: int, folder: str = "a") -> Held:
        return Held(folder, first, last, "t", 0)

    ranges = [file(0, 4), file(5, 9), file(8, 8), file(9, 12), file(5, 9, "b"), file(13, 14)]
    assert overlapping(ranges) == [[file(5, 9), file(8, 8), file(9, 12)]]
    sizes = [(file(0, 0), 4), (file(1, 1), 4), (file(2, 2), 99), (file(3, 3), 4), (file(4, 4, "b"), 4)]
    assert mergeable(sizes, 2, 10) == [[file(0, 0), file(1, 1)]]
    many = [(file(n, n), 9) for n in range(6)]
    assert mergeable(many, 2, 10) == [[file(0, 0), file(1, 1)], [file(2, 2), file(3, 3)], [file(4, 4), file(5, 5)]]
