"""Putting articles in, following topics, replaying dead letters."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest

from schemas.records import DeadLetter, RawArticle
from services.runtime.settings import ConnectionSettings
from services.runtime.streams import StreamError, produce_raw, replay_dead_letters, tail
from tests.integration.helpers import dead_letters, produce, read_committed, service


def test_articles_go_in_keyed_by_their_id(connection: ConnectionSettings) -> None:
    given = RawArticle(article_id="given", text="a")
    found = RawArticle(url="https://example.org/a?utm_source=x", text="b")
    assert produce_raw(connection, [given, found]) == 2
    records = list(tail(connection, "articles.raw"))
    by_text = {json.loads(r.value or b"")["text"]: r for r in records}
    assert by_text["a"].key == b"given"
    assert len(by_text["b"].key or b"") == 36
    assert by_text["a"].origin.topic == connection.topic_prefix + "articles.raw"
    with pytest.raises(StreamError, match=r"larger than .* takes"):
        produce_raw(connection, [RawArticle(article_id="huge", text="x" * 11_000_000)])


def test_tail_follows_from_now_and_stops_when_told(connection: ConnectionSettings) -> None:
    produce(connection, "alerts", [b"old"])
    seen: list[bytes | None] = []
    told = threading.Event()

    def follow() -> None:
        for record in tail(connection, "alerts", from_beginning=False, follow=True, stop=told.is_set):
            seen.append(record.value)

    thread = threading.Thread(target=follow)
    thread.start()
    time.sleep(1)
    produce(connection, "alerts", [b"new"])
    told.set()
    thread.join(10)
    assert seen == [b"new"]
    with pytest.raises(StreamError, match="no topic"):
        list(tail(connection, "nowhere"))


def test_dead_letters_are_replayed_once(connection: ConnectionSettings, tmp_path: Path) -> None:
    refused = RawArticle(article_id="r", text="refuse this").model_dump_json().encode()
    oversize = RawArticle(article_id="o", text="word " * 1000).model_dump_json().encode()
    produce(connection, "articles.raw", [b"{", refused, oversize])
    with service(connection, tmp_path, max_record_bytes=1000):
        letters = dead_letters(connection, "articles.raw.dlq", 3)
    assert sorted(letter.reason for letter in letters) == ["invalid_json", "oversize", "refused"]
    produce(connection, "articles.raw.dlq", [b"no letter"])
    first = replay_dead_letters(connection, "articles.raw.dlq", reason="oversize")
    raw = connection.topic_prefix + "articles.raw"
    assert first.replayed == {raw: 1}
    assert first.left == {"invalid_json": 1, "refused": 1, "no dead letter": 1}
    assert replay_dead_letters(connection, "articles.raw.dlq").replayed == {}
    values = [value for _, value in read_committed(connection, "articles.raw", 4, quiet=0.3)]
    assert values.count(oversize) == 2
    with service(connection, tmp_path):  # With the limit as it is usually.
        cleaned = read_committed(connection, "articles.clean", 1)
    assert [json.loads(value)["article_id"] for _, value in cleaned] == ["o"]
    again = replay_dead_letters(connection, "articles.raw.dlq", from_beginning=True)
    assert again.replayed == {raw: 3}


def test_a_dead_letter_without_its_value_is_left(connection: ConnectionSettings) -> None:
    letter = DeadLetter.model_validate(
        {
            "stage": "normalize", "reason": "oversize", "detail": "big", "key_base64": None, "value_base64": None,
            "value_bytes": 10**8, "pipeline_version": "0",
            "origin": {"topic": "articles.raw", "partition": 0, "offset": 0},
        }
    )  # fmt: skip
    produce(connection, "articles.raw.dlq", [letter.model_dump_json().encode()])
    done = replay_dead_letters(connection, "articles.raw.dlq")
    assert (done.replayed, done.left) == ({}, {"without value": 1})
