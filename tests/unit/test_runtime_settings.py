from __future__ import annotations

from pathlib import Path

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

DATABASE = "postgresql+psycopg://desk:geheim@db.example:5432/desk?host=/run/pg"


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


def test_variables_reach_the_clients(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("ca.pem", "cert.pem", "key.pem"):
        (tmp_path / name).touch()
    for name, value in {
        "BOOTSTRAP": "one:1,two:2",
        "SECURITY_PROTOCOL": "SASL_SSL",
        "SASL_MECHANISM": "SCRAM-SHA-512",
        "SASL_USERNAME": "user",
        "SASL_PASSWORD": "hush",
        "SSL_CAFILE": f"{tmp_path}/ca.pem",
        "SSL_CERTFILE": f"{tmp_path}/cert.pem",
        "SSL_KEYFILE": f"{tmp_path}/key.pem",
        "SSL_KEY_PASSWORD": "whisper",
    }.items():
        monkeypatch.setenv(f"DEMARCHE_{name}", value)
    settings = load_settings(ConnectionSettings)
    assert "hush" not in repr(settings)
    assert "whisper" not in repr(settings)
    options = connection(settings)
    assert options["bootstrap_servers"] == ["one:1", "two:2"]
    assert options["security_protocol"] == "SASL_SSL"
    assert options["sasl_mechanism"] == "SCRAM-SHA-512"
    assert (options["sasl_plain_username"], options["sasl_plain_password"]) == ("user", "hush")
    assert options["ssl_cafile"] == f"{tmp_path}/ca.pem"
    assert options["ssl_certfile"] == f"{tmp_path}/cert.pem"
    assert options["ssl_keyfile"] == f"{tmp_path}/key.pem"
    assert options["ssl_password"] == "whisper"
    assert load_settings(ConnectionSettings, bootstrap="three:3").bootstrap == "three:3"


def test_secrets_may_stand_in_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, text in {"SASL_PASSWORD": "hush\n", "SSL_KEY_PASSWORD": "two words", "DESK_DATABASE": DATABASE}.items():
        (tmp_path / name).write_text(text)
        monkeypatch.setenv(f"DEMARCHE_{name}_FILE", str(tmp_path / name))
    settings = load_settings(DeskSettings)
    assert settings.sasl_password is not None
    assert settings.sasl_password.get_secret_value() == "hush"
    assert settings.desk_database == DATABASE
    assert "geheim" not in repr(settings)
    assert connection(settings)["ssl_password"] == "two words"
    # As `replay` and `up` hand settings on.
    assert ServiceSettings.model_validate(settings.model_dump()).sasl_password == settings.sasl_password
    monkeypatch.setenv("DEMARCHE_DESK_DATABASE", "sqlite:///x.sqlite")
    assert load_settings(DeskSettings).desk_database == "sqlite:///x.sqlite"


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"SASL_PASSWORD_FILE": "{folder}/nothing"}, "DEMARCHE_SASL_PASSWORD_FILE: No such file or directory"),
        ({"SASL_PASSWORD_FILE": "{folder}/empty"}, "DEMARCHE_SASL_PASSWORD_FILE: nothing in"),
        ({"SSL_CAFILE": "{folder}/nothing"}, "DEMARCHE_SSL_CAFILE: Path does not point to a file"),
        ({"SSL_KEYFILE": "{folder}/empty"}, "ssl_keyfile needs ssl_certfile"),
        ({"SECURITY_PROTOCOL": "SASL_SSL"}, "needs sasl_mechanism, sasl_username, sasl_password"),
        ({"DESK_HOSTS": "desk.example"}, "desk_hosts"),
        ({"DESK_DATABASE": "postgresql+psycopg://desk:ge@heim@db.example/desk"}, "in a password write @ as %40"),
        ({"DESK_DATABASE": "postgresql+psycopg://desk:pass@db:geheim/desk"}, "DEMARCHE_DESK_DATABASE: "),
        ({"DESK_DATABASE": "geheim"}, "DEMARCHE_DESK_DATABASE: "),
    ],
)
def test_a_broken_secret_or_address_is_told_in_one_line_without_it(
    variables: dict[str, str],
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "empty").touch()
    for name, value in variables.items():
        monkeypatch.setenv(f"DEMARCHE_{name}", value.format(folder=tmp_path))
    with pytest.raises(SystemExit) as left:
        load_settings(DeskSettings)
    assert left.value.code == 2
    said = capsys.readouterr().err
    assert told in said
    assert said.count("\n") == 1
    assert "heim" not in said


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
