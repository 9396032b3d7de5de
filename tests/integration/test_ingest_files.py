"""`demarche ingest` of files onto a real broker: whole, refused, interrupted."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from schemas.records import RawArticle
from services import cli
from services.runtime.settings import ConnectionSettings
from services.runtime.streams import tail
from services.runtime.writer import ArticleWriter

COUNT = 1200
SUMMARY = "{} articles written to articles.raw, {} lines refused\n"


@pytest.fixture
def address(connection: ConnectionSettings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    monkeypatch.setenv("DEMARCHE_TOPIC_PREFIX", connection.topic_prefix)
    monkeypatch.setenv("DEMARCHE_GROUP_PREFIX", connection.group_prefix)
    monkeypatch.setenv("DEMARCHE_INGEST_STATE", str(tmp_path / "state" / "ingest.sqlite"))
    return ["--bootstrap", connection.bootstrap]


def ids(connection: ConnectionSettings) -> list[str]:
    return sorted(json.loads(r.value or b"")["article_id"] for r in tail(connection, "articles.raw"))


def test_an_interrupted_folder_goes_on_where_it_was(
    address: list[str],
    connection: ConnectionSettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "articles"
    folder.mkdir()
    names = [f"a{n:04}" for n in range(COUNT)]
    (folder / "1.csv").write_text("article_id,text\n" + "".join(f"{n},Words.\n" for n in names[:700]))
    lines = [json.dumps({"article_id": n, "text": "Words."}) for n in names[700:]]
    (folder / "2.jsonl").write_text("\n".join(["nonsense", *lines]))
    write = ArticleWriter.write
    chunks = 0

    def twice(writer: ArticleWriter, articles: Iterable[RawArticle]) -> list[str]:
        nonlocal chunks
        chunks += 1
        if chunks == 3:
            raise KeyboardInterrupt
        return write(writer, articles)

    with monkeypatch.context() as patch:
        patch.setattr(ArticleWriter, "write", twice)
        assert cli.main(["ingest", str(folder), *address]) == 130
    assert len(ids(connection)) == 1000
    assert "line 1: invalid JSON" in capsys.readouterr().err
    assert cli.main(["ingest", str(folder), *address]) == 0
    told = capsys.readouterr().err
    assert "going on where an earlier call was interrupted" in told
    assert "200 articles written" in told
    assert ids(connection) == names
    # A run that came to its end leaves nothing: the same call is a new one.
    assert cli.main(["ingest", str(folder), *address]) == 1
    assert f"{COUNT} articles written to articles.raw, 1 lines refused" in capsys.readouterr().err


def test_an_article_too_large_for_the_topic_holds_up_no_other(
    address: list[str], connection: ConnectionSettings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    huge = json.dumps({"article_id": "huge", "text": "x" * 10_400_000})
    (tmp_path / "a.jsonl").write_text(f'{huge}\n{{"article_id": "small", "text": "x"}}\n')
    assert cli.main(["ingest", str(tmp_path / "a.jsonl"), *address]) == 1
    assert "bytes, the most is" in capsys.readouterr().err
    assert ids(connection) == ["small"]


def test_a_call_without_a_source_says_so(address: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["ingest", *address]) == 2
    assert "name either files" in capsys.readouterr().err


def test_standard_input_beside_a_file(address: list[str], connection: ConnectionSettings, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("article_id,text\nfile,Words.\n")
    lines = b'{"article_id": "one", "text": "x"}\nnonsense\n{"article_id": "two", "text": "x"}'

    def call(*arguments: str, given: bytes) -> tuple[int, str]:
        command = [sys.executable, "-m", "services.cli", "ingest", *arguments, *address]
        done = subprocess.run(command, input=given, capture_output=True, timeout=120)
        return done.returncode, done.stderr.decode()

    code, told = call("-", str(tmp_path / "a.csv"), given=lines)
    assert (code, told) == (1, f"- line 2: invalid JSON: Expecting value at character 1\n{SUMMARY.format(3, 1)}")
    assert ids(connection) == ["file", "one", "two"]
    assert call("-", given=b'{"article_id": "three", "text": "x"}\n') == (0, SUMMARY.format(1, 0))
    assert call("--csv", "-", given=b"article_id,text\nfour,x\n") == (0, SUMMARY.format(1, 0))
    assert call("-", given=b"") == (0, SUMMARY.format(0, 0))
    assert ids(connection) == ["file", "four", "one", "three", "two"]
