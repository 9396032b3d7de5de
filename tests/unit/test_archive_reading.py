from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import duckdb
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest

from services import cli
from services.archive.files import COMMON, Archive
from services.archive.query import query
from services.archive.reading import QueryError
from services.archive.report import page, picture, read, sides_of
from tests.unit.test_archive import files, window
from tests.unit.test_desk import diplomatic
from tests.unit.test_track import given

SVG = "{http://www.w3.org/2000/svg}"


def ask(folder: Path, sql: str) -> list[dict[str, Any]]:
    out = StringIO()
    query(folder, sql, "jsonl", out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


@pytest.fixture
def old_and_new(tmp_path: Path) -> Path:
    """An archive of ten events, whose first files were written before there was a column `dyad`."""
    Archive(tmp_path).write(window(range(5)))
    for name in files(tmp_path):
        pq.write_table(pq.ParquetFile(tmp_path / name).read().drop_columns(["dyad"]), tmp_path / name)
    Archive(tmp_path).write(window(range(5, 10)))
    return tmp_path


def test_older_and_newer_files_are_read_alike(old_and_new: Path) -> None:
    pattern = f"{old_and_new}/*/*.parquet"
    schema = pq.read_schema(old_and_new / COMMON)
    by_duckdb = duckdb.read_parquet(pattern, hive_partitioning=True, union_by_name=True).project(
        'event_id, dyad, event_month, "offset"'
    )
    by_pandas = pd.read_parquet(old_and_new, schema=schema)
    by_polars = pl.scan_parquet(
        pattern, schema=pl.Schema(pl.DataFrame(schema.empty_table()).schema), hive_partitioning=True,
        missing_columns="insert",
    ).collect()  # fmt: skip
    columns = ["event_id", "dyad", "event_month", "offset"]

    def plain(found: list[tuple[Any, ...]]) -> set[tuple[Any, ...]]:
        return {(i, d if isinstance(d, str) else None, m, int(o)) for i, d, m, o in found}

    ours = [tuple(row.values()) for row in ask(old_and_new, 'SELECT event_id, dyad, event_month, "offset" FROM events')]
    assert len(by_pandas) == len(by_polars) == len(ours) == 10
    assert plain(by_duckdb.fetchall()) == plain(ours)
    assert plain(list(by_pandas[columns].itertuples(index=False, name=None))) == plain(ours)
    assert plain(by_polars.select(columns).rows()) == plain(ours)
    assert sum(d is None for _, d, _, _ in plain(ours)) == 5


def test_pandas_needs_no_help_when_all_files_are_new(tmp_path: Path) -> None:
    Archive(tmp_path).write(window(range(5)))
    assert sorted(pd.read_parquet(tmp_path)["event_id"]) == [f"e{n}" for n in range(5)]


def test_events_are_the_last_word_and_not_taken_back(tmp_path: Path) -> None:
    first, second = diplomatic(event_id="e0"), diplomatic(event_id="e1")
    records = [
        first,
        second,
        second.model_copy(update={"tone": "neutral"}),
        first.model_copy(update={"status": "withdrawn"}),
    ]
    Archive(tmp_path).write([given(event, offset=n) for n, event in enumerate(records)])
    assert ask(tmp_path, "SELECT event_id, tone FROM events") == [{"event_id": "e1", "tone": "neutral"}]
    assert ask(tmp_path, "SELECT count(*) AS n FROM records") == [{"n": 4}]


def test_day_and_month_are_as_exact_as_the_text(tmp_path: Path) -> None:
    told = [("2024-05-03", "new"), ("2024-04", "new"), ("2023", "new"), (None, "new"), (None, "background")]
    events = [
        diplomatic(event_id=f"e{n}", timing=timing, when={"date": d, "granularity": None})
        for n, (d, timing) in enumerate(told)
    ]
    Archive(tmp_path).write([given(event, offset=n) for n, event in enumerate(events)])
    assert [tuple(r.values()) for r in ask(tmp_path, "SELECT day, month FROM events ORDER BY event_id")] == [
        ("2024-05-03", "2024-05-01"), (None, "2024-04-01"), (None, None), ("2024-05-04", "2024-05-01"), (None, None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "sql",
    [
        "COPY events TO 'stolen.csv'",
        "SELECT * FROM read_text('/etc/hostname')",
        "SELECT * FROM '/etc/hostname'",
        "CREATE TABLE t AS SELECT 1",
        "ATTACH 'other.db'",
        "SET enable_external_access = true",
        "SELECT 1; DROP VIEW events",
        "SELECT * FROM files",
        "no such thing",
        "",
    ],
)
def test_a_query_only_reads_and_only_the_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sql: str) -> None:
    monkeypatch.chdir(tmp_path)
    Archive(tmp_path / "archive").write(window([0]))
    with pytest.raises(QueryError):
        query(tmp_path / "archive", sql, "csv", StringIO())
    assert [p.name for p in tmp_path.iterdir()] == ["archive"]


def test_forms_of_output(tmp_path: Path) -> None:
    Archive(tmp_path).write(window([0, 1]))
    sql = "SELECT event_id, actor_codes, event_date FROM events WHERE event_id = 'e1'"
    out = StringIO()
    query(tmp_path, sql, "csv", out)
    assert out.getvalue() == 'event_id,actor_codes,event_date\ne1,"[""FRA""]",2024-05\n'
    out = StringIO()
    query(tmp_path, sql, "table", out)
    assert out.getvalue().splitlines()[2].split() == ["e1", '["FRA"]', "2024-05"]
    with pytest.raises(QueryError, match="AS"):
        query(tmp_path, "SELECT event_id, event_id FROM events", "jsonl", StringIO())


def test_the_verbs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("DEMARCHE_ARCHIVE_DIR", str(tmp_path / "archive"))
    assert cli.main(["query", "SELECT 1"]) == 1
    assert "no archive" in capsys.readouterr().err
    Archive(tmp_path / "archive").write(window([0, 1]))
    assert cli.main(["query", "SELECT count(*) AS n FROM events", "--format", "csv"]) == 0
    assert capsys.readouterr().out == "n\n2\n"
    assert cli.main(["export", "--format", "polecat", "--out", str(tmp_path / "events.txt")]) == 0
    assert len((tmp_path / "events.txt").read_text().splitlines()) == 3
    assert cli.main(["report", "ITA-FRA", "--out", str(tmp_path / "page.html")]) == 0
    assert (tmp_path / "page.html").read_text().startswith("<!doctype html>")
    assert cli.main(["report", "ITA-USA", "--out", str(tmp_path / "none.html")]) == 1
    assert not list(tmp_path.glob("*none*"))


def test_the_page_counts_stories_and_quotes_safely(tmp_path: Path) -> None:
    evil = {
        "quote": "<script>x</script>", "start": 0, "end": 18, "sentence": "<script>x</script>", "sentence_start": 0,
        "part": "body",
    }  # fmt: skip
    events = [
        diplomatic(event_id="e0", story_id="s0"),
        diplomatic(event_id="e1", story_id="s0", url="javascript:alert(1)"),
        diplomatic(event_id="e2", story_id="s1", type="CONSULT", quad=1, peace="support", evidence=evil),
        diplomatic(event_id="e3", story_id="s2", claim="denied"),
        diplomatic(event_id="e4", story_id="s3", dyad="FRA|USA"),
    ]
    Archive(tmp_path).write([given(event, offset=n) for n, event in enumerate(events)])
    report = read(tmp_path, "ita|fra", None, None)
    assert report.stories == 3
    assert sorted((quad, n) for (_, quad), n in report.timeline.counts.items()) == [(1, 1), (3, 1)]
    assert {(s.side, s.peace) for s in report.timeline.stances} == {("FRA", "oppose"), ("FRA", "support")}
    made = page(report)
    assert "<script>" not in made
    assert "javascript:" not in made
    assert "&lt;script&gt;x" in made
    assert "src=" not in made
    assert "url(" not in made


def test_the_picture(tmp_path: Path) -> None:
    Archive(tmp_path).write([given(diplomatic(), offset=0)])
    tree = ElementTree.fromstring(picture(read(tmp_path, "FRA-ITA", None, None)))
    bars = [r.find(f"{SVG}title") for r in tree.iter(f"{SVG}rect")]
    assert [b.text for b in bars if b is not None] == ["2024-05: 1 verbal conflict"]
    marks = [t.text for t in tree.iter(f"{SVG}title") if t.text and "oppose" in t.text]
    assert marks == ["2024-05-03: FRA oppose"]


@pytest.mark.parametrize("words", ["RUS-UKR", "ukr|rus", "UKR, RUS", "RUS/UKR"])
def test_a_dyad_may_be_written_in_several_ways(words: str) -> None:
    assert sides_of(words) == ["RUS", "UKR"]


@pytest.mark.parametrize("words", ["", "R", "A-B-C", "RUS' OR 1=1", "RUS-UKR-USA"])
def test_what_is_no_dyad(words: str) -> None:
    with pytest.raises(QueryError):
        sides_of(words)
