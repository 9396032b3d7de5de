"""Dead letters go back to their topic once, over a real broker, also when a replay is killed or one meets another."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from schemas.records import DeadLetter, Origin, RawArticle
from services.replay.selection import Places, Return, Selection, written_at
from services.runtime import replay as replaying
from services.runtime.drain import drained
from services.runtime.replay import look, replay
from services.runtime.settings import ConnectionSettings
from services.runtime.streams import StreamError, tail
from tests.integration.helpers import ROOT, dead_letters, produce, read_committed, service, wait_until

DLQ = "articles.raw.dlq"
ALL = Selection()


def letter(name: str, reason: str = "refused", stage: str = "normalize") -> bytes:
    value = RawArticle(article_id=name, text="a text").model_dump_json().encode()
    made = DeadLetter(
        stage=stage, reason=reason, detail="told", key_base64=None, value_bytes=len(value), pipeline_version="0",
        value_base64=base64.b64encode(value).decode(), origin=Origin(topic="articles.raw", partition=0, offset=0),
    )  # fmt: skip
    return made.model_dump_json().encode()


def ids(settings: ConnectionSettings, topic: str = "articles.raw") -> list[str]:
    return sorted(json.loads(r.value or b"")["article_id"] for r in tail(settings, topic))


def test_the_whole_way_round(connection: ConnectionSettings, tmp_path: Path) -> None:
    """Rejected for its size, put back once the limit is higher, and then through; the others stay where they are."""
    refused = RawArticle(article_id="r", text="refuse this").model_dump_json().encode()
    oversize = RawArticle(article_id="o", text="word " * 1000).model_dump_json().encode()
    produce(connection, "articles.raw", [b"{", refused, oversize])
    with service(connection, tmp_path, max_record_bytes=1000):
        letters = dead_letters(connection, DLQ, 3)
    assert sorted(found.reason for found in letters) == ["invalid_json", "oversize", "refused"]
    produce(connection, DLQ, [b"no letter"])
    chosen = Selection(reason="oversize")
    shown: list[Return] = []
    first = look(connection, DLQ, chosen, shown.append)
    assert [item.value for item in shown] == [oversize]
    assert len(list(tail(connection, "articles.raw"))) == 3, "looking changes nothing"
    done = replay(connection, DLQ, chosen)
    assert done == first
    assert done.replayed == {"articles.raw": 1}
    assert done.left == {
        "of another reason, invalid_json": 1,
        "of another reason, refused": 1,
        "no dead letter, invalid_json": 1,
    }
    again = replay(connection, DLQ, chosen)
    assert again.replayed == {}
    assert again.left["replayed before"] == 1
    with service(connection, tmp_path):  # With the limit as it is usually.
        cleaned = read_committed(connection, "articles.clean", 1)
        wait_until(lambda: drained(connection, ["normalize"]), 10, "drained")
    assert [json.loads(value)["article_id"] for _, value in cleaned] == ["o"]
    assert replay(connection, DLQ, Selection(reason="oversize", again=True)).replayed == {"articles.raw": 1}


def test_choices_in_any_order_put_each_back_once(connection: ConnectionSettings) -> None:
    produce(connection, DLQ, [letter(f"a{n}", "late" if n % 2 else "early") for n in range(6)])
    assert replay(connection, DLQ, Selection(places=(Places(0, 4, 5),))).replayed == {"articles.raw": 2}
    assert ids(connection) == ["a4", "a5"]
    assert replay(connection, DLQ, Selection(reason="early")).replayed == {"articles.raw": 2}
    assert ids(connection) == ["a0", "a2", "a4", "a5"]
    assert replay(connection, DLQ, ALL).replayed == {"articles.raw": 2}
    assert ids(connection) == [f"a{n}" for n in range(6)]
    assert replay(connection, DLQ, ALL).replayed == {}


def test_by_the_time_they_were_written(connection: ConnectionSettings) -> None:
    produce(connection, DLQ, [letter("a0"), letter("a1")])
    between = datetime.now(UTC)
    wait_until(lambda: datetime.now(UTC).timestamp() - between.timestamp() > 0.01, 5, "a later time")
    produce(connection, DLQ, [letter("a2")])
    stamps = [written_at(record.origin) for record in tail(connection, DLQ)]
    assert all(stamps)
    assert replay(connection, DLQ, Selection(since=between)).replayed == {"articles.raw": 1}
    assert ids(connection) == ["a2"]
    assert replay(connection, DLQ, Selection(until=between)).replayed == {"articles.raw": 2}
    assert ids(connection) == ["a0", "a1", "a2"]


def test_only_the_stage_that_failed_reads_it_again(connection: ConnectionSettings, tmp_path: Path) -> None:
    """events.diplomatic has two readers; what the desk could not handle must not stand in the archive twice."""
    example = json.loads((ROOT / "schemas" / "examples" / "events.diplomatic.json").read_text())[0]
    first, second = (json.dumps(example | {"event_id": name}).encode() for name in ("first", "second"))
    produce(connection, "events.diplomatic", [first])
    of_desk, of_archive = (
        json.loads(letter("x", stage=stage)) | {"value_base64": base64.b64encode(value).decode()}
        for stage, value in (("desk", first), ("archive", second))
    )
    produce(connection, "events.diplomatic.dlq", [json.dumps(of_desk).encode(), json.dumps(of_archive).encode()])
    kept = tmp_path / "archive"
    with service(connection, tmp_path, module="services.archive", archive_dir=kept) as running:
        wait_until(lambda: running.ready() and drained(connection, ["archive"]), 30, "the first")
        assert replay(connection, "events.diplomatic.dlq", ALL).replayed == {"events.diplomatic": 2}
        wait_until(lambda: drained(connection, ["archive"]), 30, "both")
    assert len(list(tail(connection, "events.diplomatic"))) == 3
    rows = [row for file in kept.rglob("*.parquet") for row in pq.read_table(file).to_pylist()]
    assert sorted(row["event_id"] for row in rows) == ["first", "second"]


KILLED = """
import os, signal
from services.replay.selection import Selection
from services.runtime import replay
from services.runtime.settings import ConnectionSettings
from services.runtime.transactions import Transactions

replay.CHUNK_RECORDS = 2
commit = Transactions.commit
calls = []

def dying(self, records, *rest):
    calls.append(1)
    if len(calls) == 3:
        self._producer.begin_transaction()
        for r in records:
            self._producer.send(r.topic, r.value, r.key)
        self._producer.flush()
        os.kill(os.getpid(), signal.SIGKILL)
    commit(self, records, *rest)

Transactions.commit = dying
replay.replay(ConnectionSettings(), "articles.raw.dlq", Selection())
"""


def test_a_replay_killed_in_its_transaction_is_finished_by_the_next(connection: ConnectionSettings) -> None:
    produce(connection, DLQ, [letter(f"a{n}") for n in range(9)])
    environment = {
        **os.environ,
        "DEMARCHE_BOOTSTRAP": connection.bootstrap,
        "DEMARCHE_TOPIC_PREFIX": connection.topic_prefix,
        "DEMARCHE_GROUP_PREFIX": connection.group_prefix,
    }
    done = subprocess.run([sys.executable, "-c", KILLED], cwd=ROOT, env=environment, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    assert replay(connection, DLQ, ALL).replayed == {"articles.raw": 5}
    assert ids(connection) == [f"a{n}" for n in range(9)]


def test_a_second_replay_ends_the_first(connection: ConnectionSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    produce(connection, DLQ, [letter(f"a{n}") for n in range(5)])
    monkeypatch.setattr(replaying, "CHUNK_RECORDS", 2)
    put_back = replaying._put_back
    calls: list[int] = []

    def meets_another(*arguments: object) -> None:
        calls.append(1)
        if len(calls) == 2:
            assert replay(connection, DLQ, ALL).replayed == {"articles.raw": 3}
        put_back(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(replaying, "_put_back", meets_another)
    with pytest.raises(StreamError, match="stopped"):
        replay(connection, DLQ, ALL)
    assert ids(connection) == [f"a{n}" for n in range(5)]


def test_a_record_without_a_key_goes_back_to_its_partition(connection: ConnectionSettings) -> None:
    """The end of an article belongs to one partition of events.resolved, and has no key."""
    letters = []
    for partition in (2, 1, 2, 0):
        found = json.loads(letter(f"a{partition}", stage="track"))
        origin = {"topic": "events.resolved", "partition": partition, "offset": 7}
        letters.append(json.dumps({**found, "key_base64": None, "origin": origin}).encode())
    produce(connection, "events.resolved.dlq", letters)
    assert replay(connection, "events.resolved.dlq", ALL).replayed == {"events.resolved": 4}
    back = list(tail(connection, "events.resolved"))
    assert sorted((json.loads(r.value or b"")["article_id"], r.origin.partition) for r in back) == [
        ("a0", 0),
        ("a1", 1),
        ("a2", 2),
        ("a2", 2),
    ]


def test_a_dead_letter_without_its_value_is_left(connection: ConnectionSettings) -> None:
    without = json.loads(letter("a")) | {"value_base64": None}
    produce(connection, DLQ, [json.dumps(without).encode()])
    done = replay(connection, DLQ, ALL)
    assert (done.replayed, done.left) == ({}, {"without value": 1})
