"""Putting articles in, following topics, replaying dead letters."""

from __future__ import annotations

import json
import threading
import time

import pytest

from schemas.records import RawArticle
from services.runtime.settings import ConnectionSettings
from services.runtime.streams import StreamError, produce_raw, tail
from tests.integration.helpers import produce


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
