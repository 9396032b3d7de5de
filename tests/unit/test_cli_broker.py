"""The verbs that talk to a broker, on a local one."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from schemas.records import DeadLetter, Origin, RawArticle
from schemas.topics import topics
from services import cli
from services.runtime.settings import ConnectionSettings
from services.runtime.streams import tail
from tests.integration.helpers import produce

MODEL = Path(__file__).parents[2] / "models" / "events-minilm"


@pytest.fixture
def address(connection: ConnectionSettings, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """--bootstrap for the test's own topics."""
    monkeypatch.setenv("DEMARCHE_TOPIC_PREFIX", connection.topic_prefix)
    monkeypatch.setenv("DEMARCHE_GROUP_PREFIX", connection.group_prefix)
    return ["--bootstrap", connection.bootstrap]


def raw(connection: ConnectionSettings) -> list[RawArticle]:
    return [RawArticle.model_validate_json(r.value or b"") for r in tail(connection, "articles.raw")]


def test_ingest_files_and_standard_input(
    address: list[str],
    connection: ConnectionSettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "a.jsonl").write_text(
        '{"article_id": "a", "text": "One."}\nnonsense\n{"article_id": "b", "text": "Two."}\n'
    )
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"article_id": "c", "text": "Three."}\n')))
    assert cli.main(["ingest", str(tmp_path / "a.jsonl"), "-", *address]) == 1
    err = capsys.readouterr().err
    assert "a.jsonl line 2: invalid JSON" in err
    assert "3 articles written to articles.raw, 1 lines refused" in err
    articles = raw(connection)
    assert sorted(a.article_id for a in articles) == ["a", "b", "c"]
    assert all(a.ingested_at is not None for a in articles)


def test_tail_prints_each_record_as_a_line(
    address: list[str], connection: ConnectionSettings, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    records = [RawArticle(article_id=f"t{n}", text="Olá – “x”").model_dump_json().encode() for n in range(4)]
    produce(connection, "articles.raw", records)
    assert cli.main(["tail", "articles.raw", *address]) == 0
    assert sorted(capfdbinary.readouterr().out.splitlines()) == sorted(records)


def test_tail_of_an_unknown_topic_is_one_line(address: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["tail", "no.such", *address]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def letter(connection: ConnectionSettings, **fields: object) -> DeadLetter:
    origin = Origin(topic=connection.topic_prefix + "articles.raw", partition=2, offset=7)
    usual: dict[str, object] = {
        "stage": "normalize", "reason": "no_text", "detail": "empty", "key_base64": "aw==", "value_base64": "e30=",
        "value_bytes": 2, "origin": origin, "pipeline_version": "0",
    }  # fmt: skip
    return DeadLetter.model_validate(usual | fields)


def test_replay_puts_dead_letters_back_once(
    address: list[str], connection: ConnectionSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    letters = [letter(connection, detail="a\x1b[2Jb"), letter(connection, reason="too_large", value_base64="W10=")]
    produce(connection, "articles.raw.dlq", [x.model_dump_json().encode() for x in letters])
    chosen = ["replay", "articles.raw.dlq", "--reason", "no_text", *address]
    assert cli.main([*chosen, "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert re.search(r"^0:0  \S+\+00:00  normalize  no_text  \S+articles.raw 2:7  2 bytes  a\ufffd\[2Jb$", out, re.M)
    assert "1 would be put back on articles.raw" in out
    assert list(tail(connection, "articles.raw")) == []
    assert cli.main(chosen) == 0
    out = capsys.readouterr().out
    assert "1 put back on articles.raw" in out
    assert "1 left: of another reason, too_large" in out
    assert [r.value for r in tail(connection, "articles.raw")] == [b"{}"]
    assert cli.main(chosen) == 0
    assert "nothing to replay" in capsys.readouterr().out
    assert cli.main(["replay", "articles.raw.dlq", "--offset", "0:1", "--since", "2020-01-01", *address]) == 0
    assert "1 put back" in capsys.readouterr().out
    assert sorted(r.value or b"" for r in tail(connection, "articles.raw")) == [b"[]", b"{}"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["articles.raw.dlq", "--offset", "7"], "neither PARTITION:OFFSET"),
        (["articles.raw.dlq", "--offset", "0:9-3"], "ends before it begins"),
        (["articles.raw.dlq", "--since", "yesterday"], "no ISO 8601 time"),
    ],
)
def test_a_wrong_choice_of_letters_is_told(arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(["replay", *arguments])
    assert end.value.code == 2
    assert told in capsys.readouterr().err


def test_replay_of_a_topic_without_dead_letters_names_those_with(
    address: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["replay", "articles.raw", *address]) == 1
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "articles.raw holds no dead letters; these do: articles.raw.dlq" in err


def test_topics(address: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["topics", *address]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in topics())
    assert "nothing, all were there" in out


def test_no_broker_is_one_line_of_error() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "services.cli", "tail", "alerts", "--bootstrap", "127.0.0.1:1"],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


def test_up_once_shows_the_events_of_all_samples_and_ends() -> None:
    if not MODEL.is_dir():
        pytest.skip("models/ is not there")
    done = subprocess.run(
        [sys.executable, "-m", "services.cli", "up", "--once"], capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    shown = done.stdout
    for words in ("summary", "18 in, 18 clean", "meridian-2025-0424-congo = courier-2025-0425-congo"):
        assert words in shown
    assert re.search(r"dead letters\s+0", shown)
    assert re.search(r"^desk +http://127\.0\.0\.1:\d+/$", shown, re.MULTILINE)
    assert "new-peace-talk-statements" in shown
    assert re.search(r"^\d\d:\d\d:\d\d Kyiv Relay ", shown, re.MULTILINE)


def test_up_with_own_articles_tells_bad_lines(tmp_path: Path) -> None:
    if not MODEL.is_dir():
        pytest.skip("models/ is not there")
    story = {"article_id": "own", "title": "Peru expels Chilean envoy", "source": "Own", "text": (
        "Peru expelled the Chilean ambassador on Tuesday and accused Chile of spying on its navy."
    )}  # fmt: skip
    empty = {"article_id": "empty", "text": " "}
    (tmp_path / "a.jsonl").write_text(f"{json.dumps(story)}\nnonsense\n{json.dumps(empty)}\n")
    done = subprocess.run(
        [sys.executable, "-m", "services.cli", "up", "--once", "--articles", str(tmp_path / "a.jsonl")],
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "line 2: invalid JSON" in done.stderr
    assert "2 in, 1 clean" in done.stdout
    assert "1 normalize: no_text" in done.stdout
