"""Articles out of JSON lines, CSV and folders of both."""

from __future__ import annotations

import gzip
import io
from datetime import UTC, datetime
from pathlib import Path

import pytest

from schemas.records import RawArticle
from services.ingest.articles import Files
from services.ingest.files import expand
from services.ingest.jsonl import Line
from services.ingest.progress import Progress
from services.ingest.rows import read_rows

NOW = datetime(2025, 5, 1, 12, 0, tzinfo=UTC)


def rows(content: bytes, **columns: str) -> list[Line[RawArticle]]:
    return list(read_rows(io.BytesIO(content), columns))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_csv_rows_with_the_header_s_delimiter(delimiter: str) -> None:
    table = '\ufefftitle,text,notes\nA,"Two\nlines",x\n\n,One,\n'.replace(",", delimiter)
    first, second = rows(table.encode())
    assert first.record == RawArticle(title="A", text="Two\nlines")
    assert second.record == RawArticle(text="One")
    assert (first.number, second.number) == (3, 5)


def test_csv_columns_of_other_names() -> None:
    (line,) = rows(b"headline,body,link\nA,B,https://a.example/1\n", title="headline", text="body", url="link")
    assert line.record == RawArticle(title="A", text="B", url="https://a.example/1")
    (line,) = rows(b"headline,body\nA,B\n", text="content")
    assert line.record is None
    assert line.reason == "no column content; there are: headline, body"
    (line,) = rows(b"", text="content")
    assert line.reason == "no column content; there are: none"


def test_a_bad_csv_row_spoils_no_other(tmp_path: Path) -> None:
    table = b"title,text\na,good\nb,\nc,\xff\xfe\nd,one,too many\ne,good\n"
    (tmp_path / "a.csv").write_bytes(table)
    found: list[Line[RawArticle]] = []
    files = Files([str(tmp_path / "a.csv")], lambda _name, line: found.append(line))
    assert [a.title for a in files.articles(lambda: NOW)] == ["a", "e"]
    assert [(line.number, line.reason) for line in found] == [
        (3, "text: Field required"), (4, "holds characters that are no Unicode"), (5, "3 cells under 2 columns")
    ]  # fmt: skip


def test_half_a_character_spoils_no_other_line(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "\\ud83d"}\n{"text": "\\ud83d\\ude00"}\n')
    told: list[int] = []
    files = Files([str(tmp_path / "a.jsonl")], lambda _name, line: told.append(line.number))
    assert [a.text for a in files.articles(lambda: NOW)] == ["\U0001f600"]
    assert told == [1]


def test_a_folder_stands_for_its_files(tmp_path: Path) -> None:
    for name in ("b.csv", "a.jsonl", "sub/c.JSONL.gz", "notes.txt", "empty/x.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    assert expand([str(tmp_path), "-"]) == [
        str(tmp_path / "a.jsonl"), str(tmp_path / "b.csv"), str(tmp_path / "sub/c.JSONL.gz"), "-"
    ]  # fmt: skip
    with pytest.raises(OSError, match="has no files that end in"):
        expand([str(tmp_path / "empty")])
    with pytest.raises(OSError, match="no file or folder"):
        expand([str(tmp_path / "nowhere")])


def test_files_of_several_forms_are_read_in_order(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(b'{"text": "one"}\nnonsense\n{"text": "two"}\n'))
    (tmp_path / "b.csv").write_text("text,article_id\nthree,t\n")
    (tmp_path / "c.dat").write_text("text\nfour\n")
    told: list[tuple[str, int]] = []

    def refused(name: str, line: Line[RawArticle]) -> None:
        told.append((Path(name).name, line.number))

    files = Files([str(tmp_path / n) for n in ("a.jsonl.gz", "b.csv")], refused, most_bytes=400)
    found = list(files.articles(lambda: NOW))
    assert [a.text for a in found] == ["one", "two", "three"]
    assert {a.ingested_at for a in found} == {NOW}
    assert told == [("a.jsonl.gz", 2)]
    forced = Files([str(tmp_path / "c.dat")], refused, form="csv", most_bytes=3)
    assert list(forced.articles(lambda: NOW)) == []
    assert told[1:] == [("c.dat", 2)]


def test_a_file_goes_on_behind_its_place(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("".join(f'{{"text": "{n}"}}\n' for n in range(5)))
    database = str(tmp_path / "state.sqlite")

    def left(topic: str = "articles.raw") -> list[str]:
        with Progress(database, "host:1", topic, [str(path)]) as progress:
            files = Files([str(path)], lambda *_: None)
            return [a.text for a in files.articles(lambda: NOW, progress.place)]

    assert len(left()) == 5
    with Progress(database, "host:1", "articles.raw", [str(path)]) as progress:
        assert not progress.began
        progress.keep({str(path): 3})
        assert progress.began
    assert left() == ["3", "4"]
    assert len(left("another")) == 5
    path.write_text(path.read_text() + '{"text": "5"}\n')
    assert len(left()) == 6, "a changed file begins anew"


def test_a_state_that_cannot_be_had_names_the_setting(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("no database, and longer than nothing at all")
    with pytest.raises(OSError, match="DEMARCHE_INGEST_STATE"):
        Progress(str(tmp_path / "taken"), "host:1", "t", [])
