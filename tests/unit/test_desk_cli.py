from __future__ import annotations

import socket
from pathlib import Path

import pytest

from services import cli
from services.cli_up import desk_environment, free_port
from services.desk import register
from services.desk.settings import DeskSettings
from services.desk.store import Store


def test_a_token_is_printed_once_and_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path}/desk.sqlite"
    monkeypatch.setenv("DEMARCHE_DESK_DATABASE", url)
    assert cli.main(["token", "ann"]) == 0
    token = capsys.readouterr().out.strip()
    store = Store(url)
    assert register.token_is_known(store, token)
    store.close()
    monkeypatch.setenv("DEMARCHE_DESK_DATABASE", "nonsense")
    with pytest.raises(SystemExit, match="2"):
        cli.main(["token", "ann"])
    assert "DEMARCHE_DESK_DATABASE" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["", "x" * 81, "a\nb"])
def test_a_token_needs_a_name_that_can_be_kept(name: str) -> None:
    with pytest.raises(SystemExit, match="2"):
        cli.main(["token", name])


def test_a_taken_port_gives_way_to_a_free_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        wanted = taken.getsockname()[1]
        assert free_port("127.0.0.1", wanted) not in (0, wanted)
    assert free_port("127.0.0.1", wanted) == wanted


def test_the_environment_says_port_and_database() -> None:
    made = desk_environment(DeskSettings(desk_port=5, desk_database="sqlite:///x"))
    assert made == {"DEMARCHE_DESK_PORT": "5", "DEMARCHE_DESK_DATABASE": "sqlite:///x"}


@pytest.mark.parametrize(
    ("host", "is_open"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False),
     ("10.0.0.1", False), ("desk.example", False)],
)  # fmt: skip
def test_reading_is_open_on_a_loopback_only(host: str, is_open: bool) -> None:
    assert DeskSettings(desk_host=host).desk_open == is_open
