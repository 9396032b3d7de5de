"""A record that ends the process is found within five restarts: a dead letter; its neighbours come through."""

from __future__ import annotations

import base64
import json
import os
import signal
from collections import Counter
from pathlib import Path

import pytest

from schemas.records import RawArticle
from services.runtime import clients
from services.runtime.drain import drained
from services.runtime.settings import ConnectionSettings
from services.runtime.supervisor import supervise
from services.runtime.watchdog import EXIT_STUCK
from tests.integration.helpers import ROOT, dead_letters, read_committed, service, wait_until

MOST_RESTARTS = 5
ENDS = {
    "die": 9,
    "killed": -signal.SIGKILL,
    "memory": 1,
    "segfault": -signal.SIGSEGV,
    "loop": EXIT_STUCK,
    "hang": 1,
}
QUICK = {"slice_deadline": 1, "slice_records": 10}


def send(settings: ConnectionSettings, texts: dict[str, str]) -> None:
    """Articles of those ids and texts, all on one partition."""
    producer = clients.producer(settings)
    for name, text in texts.items():
        value = RawArticle(article_id=name, text=text).model_dump_json().encode()
        producer.send(settings.topic_prefix + "articles.raw", value=value, key=name.encode(), partition=1)
    producer.flush()
    producer.close()


def until_drained(settings: ConnectionSettings, folder: Path, **variables: object) -> list[int]:
    """Starts the service again and again until it has done all; the exit codes of those that ended before."""
    codes: list[int] = []
    while len(codes) <= 2 * MOST_RESTARTS:
        with service(settings, folder, **variables) as running:
            wait_until(lambda: running.process.poll() is not None or drained(settings, ["normalize"]), 30, "an end")
            if running.process.poll() is None:
                return codes
            codes.append(running.process.poll() or 0)
    raise AssertionError(f"it never got done: {codes}")


def check(settings: ConnectionSettings, texts: dict[str, str], poison: set[str]) -> None:
    """Every article has one outcome: a dead letter with its bytes for the poison, a clean article for the others."""
    letters = dead_letters(settings, "articles.raw.dlq", len(poison))
    assert [letter.reason for letter in letters] == ["process_killed"] * len(poison)
    values = [json.loads(base64.b64decode(letter.value_base64 or "")) for letter in letters]
    assert {value["article_id"]: value["text"] for value in values} == {name: texts[name] for name in poison}
    cleaned = read_committed(settings, "articles.clean", len(texts) - len(poison))
    assert sorted(json.loads(value)["article_id"] for _, value in cleaned) == sorted(texts.keys() - poison)


@pytest.mark.parametrize("way", ENDS)
def test_one_among_neighbours(connection: ConnectionSettings, tmp_path: Path, way: str) -> None:
    texts = {f"a{n}": way if n == 17 else "a text" for n in range(30)}
    send(connection, texts)
    codes = until_drained(connection, tmp_path, **QUICK)
    assert codes == [ENDS[way]] * 3, "in its window, and twice alone"
    check(connection, texts, {"a17"})


def test_in_a_later_window(connection: ConnectionSettings, tmp_path: Path) -> None:
    texts = {f"a{n}": "killed" if n == 17 else "a text" for n in range(30)}
    send(connection, texts)
    codes = until_drained(connection, tmp_path, max_poll_records=5)
    assert len(codes) == 4, "once more, because only a process's first windows are noted"
    check(connection, texts, {"a17"})


def test_two_in_one_window(connection: ConnectionSettings, tmp_path: Path) -> None:
    texts = {f"a{n}": {4: "killed", 20: "segfault"}.get(n, "a text") for n in range(30)}
    send(connection, texts)
    codes = until_drained(connection, tmp_path)
    assert Counter(codes) == {-signal.SIGKILL: 3, -signal.SIGSEGV: 2}
    check(connection, texts, {"a4", "a20"})


def test_first_windows_smaller_than_the_one_that_died(connection: ConnectionSettings, tmp_path: Path) -> None:
    """After a death the records may come in other windows; the one to be found is among the noted ones all the same."""
    texts = {f"a{n}": "killed" if n == 17 else "a text" for n in range(30)}
    send(connection, {name: texts[name] for name in list(texts)[:3]})
    with service(connection, tmp_path, max_poll_records=40) as running:
        wait_until(lambda: running.ready() and drained(connection, ["normalize"]), 30, "the first three")
        send(connection, {name: texts[name] for name in list(texts)[3:]})
        assert running.ends(30) == -signal.SIGKILL
    assert len(until_drained(connection, tmp_path, max_poll_records=40)) <= MOST_RESTARTS - 1
    check(connection, texts, {"a17"})


HOOK = """
import os
import signal

from services.normalize import transform

usual = transform.normalize


def hooked(inputs):
    for i in inputs:
        if "KILLED" in i.value.title:
            os.kill(os.getpid(), signal.SIGKILL)
        while "ENDLESS" in i.value.title:
            pass
    return usual(inputs)


transform.normalize = hooked
"""
STORY = "The envoy of Norway met the president of Kenya in Nairobi on Monday. They spoke of a truce. " * 3


@pytest.mark.timeout(120)
@pytest.mark.parametrize("way", ["KILLED", "ENDLESS"])
def test_the_supervisor_s_restarts_are_enough(connection: ConnectionSettings, tmp_path: Path, way: str) -> None:
    """The real normalize, with a hook from outside, started again by the supervisor alone."""
    hooks, logs = tmp_path / "hooks", tmp_path / "logs"
    hooks.mkdir()
    (hooks / "sitecustomize.py").write_text(HOOK)
    environment = {
        "PYTHONPATH": os.pathsep.join([str(hooks), str(ROOT)]),
        "DEMARCHE_SLICE_DEADLINE": "2",
        "DEMARCHE_SLICE_RECORDS": "2",
    }
    producer = clients.producer(connection)
    for n in range(12):
        article = RawArticle(article_id=f"a{n}", title=way if n == 5 else "Envoy in Nairobi", text=STORY)
        producer.send(
            connection.topic_prefix + "articles.raw", value=article.model_dump_json().encode(), key=f"a{n}".encode()
        )
    producer.flush()
    producer.close()
    with supervise(connection, ("normalize",), log_dir=logs, environment=environment) as running:
        wait_until(running.drained, 90, "drained")
    starts = (logs / "normalize.log").read_text().count('"event": "started"')
    assert 1 < starts <= 1 + MOST_RESTARTS
    [letter] = dead_letters(connection, "articles.raw.dlq", 1)
    assert (letter.reason, json.loads(base64.b64decode(letter.value_base64 or ""))["article_id"]) == (
        "process_killed",
        "a5",
    )
    cleaned = [json.loads(value)["article_id"] for _, value in read_committed(connection, "articles.clean", 11)]
    assert sorted(cleaned) == sorted(f"a{n}" for n in range(12) if n != 5)
