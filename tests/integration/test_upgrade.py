"""Services of two schema versions at work at once, replaced one by one.

The newer version is this code with another SCHEMA_VERSION and a field more, made by a hook when the process starts.
"""

from __future__ import annotations

import json
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from schemas.records import SCHEMA_VERSION, RawArticle
from services.replay.selection import Selection
from services.runtime.drain import drained
from services.runtime.replay import replay
from services.runtime.settings import ConnectionSettings
from services.runtime.streams import tail
from tests.integration.helpers import Running, dead_letters, produce, service, wait_until

NORMALIZE, CLASSIFY = "tests.integration.copier", "tests.integration.reader"
NEWER = SCHEMA_VERSION + 1
HOOK = f"""
import importlib.util
import sys

import schemas

spec = importlib.util.find_spec("schemas.records")
with open(spec.origin) as file:
    source = file.read()
for old, new in (
    ("SCHEMA_VERSION = {SCHEMA_VERSION}\\n", "SCHEMA_VERSION = {NEWER}\\n"),
    ("    fingerprint: str = Field(", '    added: str = "later"\\n    fingerprint: str = Field('),
):
    assert source.count(old) == 1, old
    source = source.replace(old, new)
schemas.records = sys.modules["schemas.records"] = module = importlib.util.module_from_spec(spec)
exec(compile(source, spec.origin, "exec"), module.__dict__)
"""


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """A folder with the hook that makes a process one of the newer version."""
    folder = tmp_path / "newer"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(HOOK)
    return folder


def send(settings: ConnectionSettings, names: list[str]) -> None:
    produce(
        settings, "articles.raw", [RawArticle(article_id=n, text="a text").model_dump_json().encode() for n in names]
    )


def records(settings: ConnectionSettings, topic: str) -> list[dict[str, object]]:
    return [json.loads(record.value or b"") for record in tail(settings, topic)]


def versions(settings: ConnectionSettings, topic: str) -> Counter[object]:
    return Counter(record["schema_version"] for record in records(settings, topic))


def ids(settings: ConnectionSettings, topic: str) -> list[object]:
    return sorted(str(record["article_id"]) for record in records(settings, topic))


def end(running: Running) -> None:
    running.process.send_signal(signal.SIGTERM)
    assert running.ends(30) == 0, running.log


def batches() -> Iterator[list[str]]:
    number = 0
    while True:
        yield [f"a{n:03}" for n in range(number, number + 10)]
        number += 10


def test_readers_first_loses_and_refuses_nothing(connection: ConnectionSettings, tmp_path: Path, newer: Path) -> None:
    """The next instance joins, the former one leaves, articles come all the while."""
    names = batches()
    sent: list[str] = []

    def more() -> None:
        sent.extend(batch := next(names))
        send(connection, batch)

    def start(module: str, instance: int, hooks: Path | None = None) -> AbstractContextManager[Running]:
        return service(connection, tmp_path, module, hooks, instance=instance)

    with (
        start(NORMALIZE, 0) as old_writer,
        start(CLASSIFY, 0) as old_reader,
    ):
        old_writer.wait_ready(90)
        more()
        old_reader.wait_ready(90)
        with start(CLASSIFY, 1, newer) as new_reader:
            more()
            new_reader.wait_ready(90)
            more()
            end(old_reader)
            more()
            with start(NORMALIZE, 1, newer) as new_writer:
                more()
                new_writer.wait_ready(90)
                more()
                end(old_writer)
                more()
                wait_until(lambda: drained(connection, ["normalize", "classify"]), 120, "drained")
    assert ids(connection, "events.extracted") == sent
    for topic in ("articles.clean", "events.extracted"):
        assert set(versions(connection, topic)) == {SCHEMA_VERSION, NEWER}, "the versions were not mixed"
    assert records(connection, "articles.raw.dlq") == records(connection, "articles.clean.dlq") == []


def test_writers_first_ends_in_dead_letters_that_go_back_after_the_upgrade(
    connection: ConnectionSettings, tmp_path: Path, newer: Path
) -> None:
    old = [f"old{n}" for n in range(10)]
    send(connection, old)
    with service(connection, tmp_path, CLASSIFY) as reader:
        with service(connection, tmp_path, NORMALIZE) as writer:
            wait_until(lambda: drained(connection, ["normalize", "classify"]), 120, "the old ones")
            end(writer)
        new = [f"new{n}" for n in range(10)]
        send(connection, new)
        with service(connection, tmp_path, NORMALIZE, newer) as writer:
            wait_until(lambda: drained(connection, ["normalize", "classify"]), 120, "the new ones")
            end(writer)
        end(reader)
    letters = dead_letters(connection, "articles.clean.dlq", 10)
    assert {(letter.stage, letter.reason) for letter in letters} == {("classify", "newer_schema_version")}
    assert {letter.detail.split(":")[0] for letter in letters} == {
        f"schema version {NEWER}; this code knows up to {SCHEMA_VERSION}"
    }
    assert ids(connection, "events.extracted") == sorted(old), "nothing was guessed"

    with service(connection, tmp_path, CLASSIFY, newer):
        done = replay(connection, "articles.clean.dlq", Selection(reason="newer_schema_version"))
        assert done.replayed == {"articles.clean": 10}
        wait_until(lambda: drained(connection, ["classify"]), 120, "the replayed ones")
    assert ids(connection, "events.extracted") == sorted(old + new)
    through = [r["article"] for r in records(connection, "events.extracted")]
    assert Counter(a.get("added") for a in through if isinstance(a, dict)) == {"later": 10, None: 10}
    assert len(records(connection, "articles.clean.dlq")) == 10
