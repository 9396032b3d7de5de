"""`demarche feedback export` from a broker: each format, a file that appears whole, a record that is none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from schemas.records import Feedback
from services import cli
from services.runtime.letters import LetterBox
from services.runtime.settings import ConnectionSettings
from tests.integration.helpers import produce
from tests.unit.test_feedback import accused, given, urged
from training.labels import read_file


@pytest.fixture
def corrected(connection: ConnectionSettings, monkeypatch: pytest.MonkeyPatch) -> ConnectionSettings:
    monkeypatch.setenv("DEMARCHE_BOOTSTRAP", connection.bootstrap)
    monkeypatch.setenv("DEMARCHE_TOPIC_PREFIX", connection.topic_prefix)
    first: Feedback = given(accused(), [urged()], type="REJECT")
    with LetterBox("feedback", connection) as box:
        box.write([first, given(urged(), corrected=None), first])
    return connection


def test_rows_articles_and_labels(
    corrected: ConnectionSettings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["feedback", "export"]) == 0
    told = capsys.readouterr()
    assert [json.loads(line)["type"] for line in told.out.splitlines()] == ["REJECT", None]
    assert told.err == "2 corrections of 2 events: rows 2\n"
    assert cli.main(["feedback", "export", "--format", "gold"]) == 0
    (article,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert [event["type"] for event in article["events"]] == ["REJECT"]
    file = tmp_path / "labels.txt"
    assert cli.main(["feedback", "export", "--format", "training", "--out", str(file)]) == 0
    (passage,) = read_file(file)
    assert [event.type for event in passage.events] == ["REJECT"]
    assert capsys.readouterr().err == "2 corrections of 2 events: passages 1\n"


def test_what_cannot_be_read_is_told_and_the_rest_goes_on(
    corrected: ConnectionSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    produce(corrected, "feedback", [b"nonsense"])
    assert cli.main(["feedback", "export"]) == 1
    told = capsys.readouterr()
    assert len(told.out.splitlines()) == 2
    assert "feedback 0:3: invalid_json" in told.err
