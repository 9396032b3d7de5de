"""The loop over a real broker: one outcome per input, whatever the input, and whatever happens to the process."""

from __future__ import annotations

import base64
import json
import random
import signal
import time
from pathlib import Path

import pytest

from schemas.records import RawArticle
from services.runtime.drain import drained
from services.runtime.settings import ConnectionSettings
from tests.integration.helpers import dead_letters, produce, read_committed, service, wait_until


def article(name: str, text: str = "a text") -> bytes:
    return RawArticle(article_id=name, text=text).model_dump_json().encode()


def ids(messages: list[tuple[bytes | None, bytes]]) -> list[str]:
    return [json.loads(value)["article_id"] for _, value in messages]


def test_every_record_has_one_outcome_and_bad_ones_become_dead_letters(
    connection: ConnectionSettings, tmp_path: Path
) -> None:
    good = [f"a{n}" for n in range(40)]
    bad = {
        "invalid_json": b'{"text": "never ends',
        "invalid_utf8": b'{"text": "\xff\xfe"}',
        "schema_violation": b'{"title": "no text"}',
        "newer_schema_version": b'{"text": "from the future", "schema_version": 2}',
        "oversize": article("big", "x" * 6000),
        "transform_error": article("poison", "raise here"),
        "refused": article("refused", "refuse this"),
        "empty": None,
    }
    values: list[bytes | None] = [article(name) for name in good]
    for place, value in enumerate(bad.values()):
        values.insert(place * 5, value)
    produce(connection, "articles.raw", values)
    with service(connection, tmp_path, max_record_bytes=5000) as running:
        letters = dead_letters(connection, "articles.raw.dlq", len(bad))
        messages = read_committed(connection, "articles.clean", len(good))
        wait_until(lambda: drained(connection, ["normalize"]), 10, "drained")
        assert running.get("/healthz") == (200, "ok\n")

    assert sorted(ids(messages)) == sorted(good)
    assert all(key == json.loads(value)["article_id"].encode() for key, value in messages)
    assert sorted(letter.reason for letter in letters) == sorted(bad)
    for letter in letters:
        value = bad[letter.reason]
        assert letter.stage == "normalize"
        assert letter.detail
        assert letter.origin.topic == connection.topic_prefix + "articles.raw"
        assert letter.origin.timestamp_ms
        assert letter.value_bytes == len(value or b"")
        assert letter.value_base64 == (base64.b64encode(value).decode() if value is not None else None)
        assert values[int(base64.b64decode(letter.key_base64 or "").removeprefix(b"key-"))] == value
    places = {(letter.origin.partition, letter.origin.offset) for letter in letters}
    assert len(places) == len(bad)


def test_metrics_health_and_readiness_are_real(connection: ConnectionSettings, tmp_path: Path) -> None:
    produce(connection, "articles.raw", [article("a"), article("b"), b"{", article("c", "sleep 3")])
    with service(connection, tmp_path, slice_records=1) as running:
        running.wait_ready()
        assert running.get("/readyz")[0] == 200
        assert len(read_committed(connection, "articles.clean", 3)) == 3
        wait_until(lambda: "demarche_last_commit_timestamp_seconds{" in running.get("/metrics")[1], 10, "metrics")
        status, text = running.get("/metrics")
        assert running.get("/nothing")[0] == 404
    assert status == 200
    raw, clean = connection.topic_prefix + "articles.raw", connection.topic_prefix + "articles.clean"
    samples = dict(line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#"))
    assert float(samples[f'demarche_records_consumed_total{{service="normalize",topic="{raw}"}}']) == 4
    assert float(samples[f'demarche_records_produced_total{{service="normalize",topic="{clean}"}}']) == 3
    rejected = f'demarche_records_rejected_total{{reason="invalid_json",service="normalize",topic="{raw}"}}'
    assert float(samples[rejected]) == 1
    assert float(samples['demarche_transactions_total{outcome="committed",service="normalize"}']) >= 1
    assert float(samples['demarche_stage_duration_seconds_sum{service="normalize",stage="transform"}']) >= 3
    assert float(samples[f'demarche_article_latency_seconds_count{{service="normalize",topic="{raw}"}}']) == 4
    assert float(samples[f'demarche_consumer_lag_records{{partition="0",topic="{raw}"}}']) == 0
    assert any(name.startswith("demarche_build_info{") for name in samples)


def test_killed_in_mid_stream_and_started_again(connection: ConnectionSettings, tmp_path: Path) -> None:
    names = [f"a{n}" for n in range(300)]
    produce(connection, "articles.raw", [article(n, "sleep 0.01") if n != "a150" else b"{" for n in names])
    chance = random.Random(7)
    for _ in range(3):
        with service(connection, tmp_path, max_poll_records=20) as running:
            running.wait_ready()
            time.sleep(chance.uniform(0.2, 0.7))
            running.process.send_signal(signal.SIGKILL)
            assert running.ends(5) == -signal.SIGKILL
    assert not drained(connection, ["normalize"]), "the kills came too late to prove anything"
    with service(connection, tmp_path, max_poll_records=50) as running:
        messages = read_committed(connection, "articles.clean", 299)
        letters = dead_letters(connection, "articles.raw.dlq", 1)
        wait_until(lambda: drained(connection, ["normalize"]), 10, "drained")
    assert sorted(ids(messages)) == sorted(set(names) - {"a150"})
    assert [letter.reason for letter in letters] == ["invalid_json"]


def test_sigterm_in_mid_window_stops_in_time_and_loses_nothing(connection: ConnectionSettings, tmp_path: Path) -> None:
    names = [f"a{n}" for n in range(60)]
    produce(connection, "articles.raw", [article(n, "sleep 0.25" if n < "a2" else "a text") for n in names])
    with service(connection, tmp_path, slice_records=1) as running:
        running.wait_ready()
        time.sleep(1)
        started = time.monotonic()
        running.process.send_signal(signal.SIGTERM)
        assert running.ends(10) == 0
        assert time.monotonic() - started < 5
        assert '"event": "stopped"' in running.log
    assert not drained(connection, ["normalize"])
    with service(connection, tmp_path):
        assert sorted(ids(read_committed(connection, "articles.clean", len(names)))) == sorted(names)


def test_a_stop_that_hangs_is_forced(connection: ConnectionSettings, tmp_path: Path) -> None:
    produce(connection, "articles.raw", [article("a", "sleep 60")])
    with service(connection, tmp_path, stop_deadline=1) as running:
        running.wait_ready()
        time.sleep(0.5)
        running.process.send_signal(signal.SIGTERM)
        assert running.ends(5) == 70
        assert "the stop took too long" in running.log


def test_the_elder_twin_is_fenced(connection: ConnectionSettings, tmp_path: Path) -> None:
    names = [f"a{n}" for n in range(30)]
    with service(connection, tmp_path) as elder:
        elder.wait_ready()
        with service(connection, tmp_path) as younger:
            younger.wait_ready()
            for start in range(0, 30, 10):  # Either may get them; the elder can commit none.
                produce(connection, "articles.raw", [article(n) for n in names[start : start + 10]])
            wait_until(lambda: elder.process.poll() is not None, 40, "the elder's end")
            assert elder.process.poll() == 3, elder.log
            assert "fenced" in elder.log
            assert sorted(ids(read_committed(connection, "articles.clean", 30))) == sorted(names)
            assert younger.process.poll() is None


def test_breaker_stops_a_service_that_rejects_too_much(connection: ConnectionSettings, tmp_path: Path) -> None:
    produce(connection, "articles.raw", [b"{"] * 60)
    with service(connection, tmp_path) as running:
        assert running.ends(30) == 4
        assert "rejected" in running.log
    assert read_committed(connection, "articles.raw.dlq", 1, seconds=2) == []
    with service(connection, tmp_path, breaker="false"):
        assert len(dead_letters(connection, "articles.raw.dlq", 60)) == 60


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"max_poll_records": "many"}, "DEMARCHE_MAX_POLL_RECORDS"),
        ({"max_poll_records": 500, "worst_seconds_per_record": 5}, "max_poll_interval"),
        ({"security_protocol": "SASL_SSL", "sasl_password": "hush"}, "sasl_mechanism, sasl_username"),
        ({"metrics_host": "256.0.0.1"}, "cannot start"),
    ],
)
def test_a_broken_setting_ends_the_start_with_one_line(
    connection: ConnectionSettings, tmp_path: Path, variables: dict[str, object], told: str
) -> None:
    with service(connection, tmp_path, **variables) as running:
        assert running.ends(20) == 2
        lines = running.log.strip().splitlines()
    assert len(lines) == 1
    assert told in lines[0]
    assert "hush" not in lines[0]


def test_an_unclean_but_survived_end_blames_no_record(connection: ConnectionSettings, tmp_path: Path) -> None:
    produce(connection, "articles.raw", [article("a", "sleep 2"), article("b")])
    with service(connection, tmp_path, slice_records=1) as running:
        running.wait_ready()
        time.sleep(1)
        running.process.send_signal(signal.SIGTERM)
        assert running.ends(10) == 0
    with service(connection, tmp_path) as running:
        assert len(read_committed(connection, "articles.clean", 2)) == 2
        assert "one by one" not in running.log
