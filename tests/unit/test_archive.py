from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq

from schemas.records import DiplomaticEvent
from services.archive.files import sink
from services.archive.transform import schema, table
from tests.unit.test_desk import diplomatic
from tests.unit.test_track import READ_AT, given


def test_a_window_becomes_one_file_per_partition(tmp_path: Path) -> None:
    write = sink(tmp_path / "new")
    write([given(diplomatic(event_id=f"e{n}"), offset=10 + n, partition=n % 2) for n in range(5)])
    files = sorted((tmp_path / "new").iterdir())
    assert [f.name for f in files] == ["t-00000-00000000000000000010.parquet", "t-00001-00000000000000000011.parquet"]
    assert pq.read_table(files[0])["event_id"].to_pylist() == ["e0", "e2", "e4"]


def test_a_redo_overwrites_whatever_the_window_s_size(tmp_path: Path) -> None:
    write = sink(tmp_path)
    events = [given(diplomatic(event_id=f"e{n}"), offset=n) for n in range(6)]
    write(events[:4])  # The process dies before the commit, and the redo gets more, then less.
    for cut in (6, 2):
        write(events[:cut])
        assert len(list(tmp_path.iterdir())) == 1
    write(events[2:])
    names = sorted(n for f in tmp_path.glob("*.parquet") for n in pq.read_table(f)["event_id"].to_pylist())
    assert names == [f"e{n}" for n in range(6)]


def test_an_empty_window_writes_nothing(tmp_path: Path) -> None:
    sink(tmp_path / "none")([])
    assert not (tmp_path / "none").exists()


def test_columns_are_flat_and_the_record_is_whole() -> None:
    event = diplomatic(when={"date": None, "granularity": None, "reason": "not told"})
    made = table([given(event, offset=3, partition=1)])
    assert made.schema == schema()
    (row,) = made.to_pylist()
    assert row["actor_codes"] == ["FRA"]
    assert row["recipient_texts"] == ["Rome"]
    assert row["actor_sectors"] == [None]
    assert row["event_date"] is None
    assert row["latitude"] == 46.2
    assert row["attribution"] == ["a diplomat"]
    assert row["processed_at"] == READ_AT
    assert str(row["published_at"]) == "2024-05-04"
    assert (row["topic"], row["partition"], row["offset"]) == ("t", 1, 3)
    assert DiplomaticEvent.model_validate_json(row["record_json"]) == event
