from __future__ import annotations

import pytest
from pydantic import ValidationError

from schemas.records import DeadLetter
from schemas.topics import Topic, changelog_topic, input_topic, output_topic, record_model, topics
from services.archive.settings import ArchiveSettings
from services.classify.settings import ClassifySettings
from services.desk.settings import DeskSettings
from services.normalize.settings import NormalizeSettings
from services.resolve.settings import ResolveSettings
from services.runtime.clients import connection
from services.runtime.settings import ConnectionSettings, ServiceSettings, load_settings
from services.runtime.supervisor import SERVICES
from services.track.settings import TrackSettings


@pytest.mark.parametrize(
    "kind",
    [NormalizeSettings, ClassifySettings, ResolveSettings, TrackSettings, DeskSettings, ArchiveSettings],
)
def test_defaults_are_sound_and_frozen(kind: type[ServiceSettings]) -> None:
    settings = load_settings(kind)
    assert settings.metrics_host == "127.0.0.1"
    assert settings.stop_deadline < 10
    with pytest.raises(ValidationError):
        settings.bootstrap = "elsewhere:1"  # type: ignore[misc]


def test_variables_reach_the_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "BOOTSTRAP": "one:1,two:2",
        "SECURITY_PROTOCOL": "SASL_SSL",
        "SASL_MECHANISM": "SCRAM-SHA-512",
        "SASL_USERNAME": "user",
        "SASL_PASSWORD": "hush",
        "SSL_CAFILE": "/ca.pem",
    }.items():
        monkeypatch.setenv(f"DEMARCHE_{name}", value)
    settings = load_settings(ConnectionSettings)
    assert "hush" not in repr(settings)
    options = connection(settings)
    assert options["bootstrap_servers"] == ["one:1", "two:2"]
    assert options["sasl_plain_password"] == "hush"
    assert options["ssl_cafile"] == "/ca.pem"
    assert load_settings(ConnectionSettings, bootstrap="three:3").bootstrap == "three:3"


def test_a_broken_setting_exits_with_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DEMARCHE_MAX_POLL_RECORDS", "0")
    monkeypatch.setenv("DEMARCHE_METRICS_PORT", "70000")
    with pytest.raises(SystemExit) as left:
        load_settings(ServiceSettings)
    assert left.value.code == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "DEMARCHE_MAX_POLL_RECORDS" in told
    assert "DEMARCHE_METRICS_PORT" in told


def test_the_topic_table_is_whole() -> None:
    table = topics()
    for service in SERVICES:
        letters = table[input_topic(service)].dead_letters
        assert letters is not None
        assert table[letters].record is DeadLetter
        assert service in table[letters].producers
    chain = ["articles.raw"]
    for service in ("normalize", "classify", "resolve", "track", "desk"):
        assert input_topic(service) == chain[-1]
        chain.append(output_topic(service) or "")
    assert chain[-1] == "alerts"
    assert output_topic("archive") is None
    assert changelog_topic("track") == "track.state"
    assert changelog_topic("resolve") is None
    with pytest.raises(ValueError, match="reads 0 topics"):
        input_topic("nobody")
    with pytest.raises(ValueError, match="no record model"):
        record_model("Origin")
    row = table["alerts"].model_dump()
    with pytest.raises(ValidationError, match="no field of Alert"):
        Topic.model_validate(row | {"key": "nothing"})
