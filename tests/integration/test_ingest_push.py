"""Pushing articles to the service, on a real broker."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.ingest.push import Unwritten, application
from services.ingest.settings import IngestSettings
from services.ingest.tokens import Tokens
from services.runtime.settings import ConnectionSettings
from services.runtime.streams import tail
from tests.integration.helpers import Running, service


@pytest.fixture
def running(connection: ConnectionSettings, tmp_path: Path) -> Iterator[Running]:
    with service(connection, tmp_path, "services.ingest", ingest_state=tmp_path / "s.sqlite", ingest_port=0) as one:
        one.wait_ready(120)
        yield one


def test_pushed_articles_are_on_the_topic_when_answered(
    running: Running, connection: ConnectionSettings, tmp_path: Path
) -> None:
    found = re.search(r"http://127\.0\.0\.1:\d+/articles", running.log)
    assert found
    url = found[0]
    tokens = Tokens(str(tmp_path / "s.sqlite"))
    token = tokens.new("wire")
    assert token.encode() not in (tmp_path / "s.sqlite").read_bytes()
    single = {"text": "Envoys met.", "url": "https://a.example/1"}
    assert httpx.post(url, json=single).status_code == 401
    bearer = {"Authorization": f"Bearer {token}"}
    first = httpx.post(url, json=single, headers=bearer)
    assert first.status_code == 202
    batch = {"articles": [{"article_id": "b1", "text": "One."}, {"article_id": "b2", "text": "Two."}]}
    assert httpx.post(url, json=batch, headers=bearer).json() == {"ids": ["b1", "b2"]}
    batch["articles"].append({"article_id": "b3"})
    refused = httpx.post(url, json=batch, headers=bearer)
    assert refused.status_code == 422
    assert refused.json()["reasons"] == [{"article": 2, "field": "text", "why": "Field required"}]
    records = {(r.key or b"").decode(): json.loads(r.value or b"") for r in tail(connection, "articles.raw")}
    assert sorted(records) == sorted([*first.json()["ids"], "b1", "b2"])
    assert all(record["ingested_at"] for record in records.values())
    assert 'demarche_records_produced_total{service="ingest"' in running.get("/metrics")[1]
    replaced = tokens.new("wire")
    assert httpx.post(url, json=single, headers=bearer).status_code == 401
    assert httpx.post(url, json=single, headers={"Authorization": f"Bearer {replaced}"}).status_code == 202
    running.process.send_signal(signal.SIGTERM)
    assert running.ends(15) == 0


def client(written: list[Any] | None, **fields: Any) -> httpx.AsyncClient:
    def write(articles: Any) -> list[str]:
        if written is None:
            raise Unwritten("no broker")
        written.extend(articles)
        return [article.article_id for article in articles]

    app = application(IngestSettings(**fields), lambda token: token == "good", write)
    transport = httpx.ASGITransport(app)
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers={"Authorization": "Bearer good"})


def post(written: list[Any] | None, content: Any, times: int = 1, **fields: Any) -> httpx.Response:
    import asyncio

    async def call() -> httpx.Response:
        async with client(written, **fields) as http:
            body = content if isinstance(content, bytes) else json.dumps(content).encode()
            for _ in range(times):
                answer = await http.post("/articles", content=body, headers={"Content-Type": "application/json"})
            return answer

    return asyncio.run(call())


@pytest.mark.parametrize(
    ("content", "reasons"),
    [
        ({"articles": []}, [(None, "articles")]),
        ({"articles": [{"text": "good"}, {"text": " "}, {"text": "x" * 900}]}, [(1, ""), (2, "")]),
        ({"articles": [{"text": 5}, "no article"]}, [(0, "text"), (1, "")]),
        ({"text": "\ud800"}, None),
        ({"title": "no text"}, [(0, "text")]),
        (b"{", None),
        (b"[]", None),
        ({"articles": [{"text": "x"}] * 1001}, [(None, "articles")]),
    ],
)
def test_what_cannot_be_taken_is_refused_whole_with_reasons(
    content: Any, reasons: list[tuple[int | None, str]] | None
) -> None:
    written: list[Any] = []
    answer = post(written, content, max_record_bytes=1000)
    assert answer.status_code == 422
    assert written == []
    told = answer.json()
    assert told["detail"].startswith("nothing was taken")
    if reasons is not None:
        assert [(r["article"], r["field"]) for r in told["reasons"]] == reasons
        assert all(r["why"] for r in told["reasons"])


def test_sizes_rates_and_a_topic_that_is_away() -> None:
    good = {"article_id": "a", "text": "Words."}
    assert post([], {"text": "x" * 500}, ingest_request_bytes=200).status_code == 413
    limited = post([], good, times=3, ingest_burst=2, ingest_rate=0.1)
    assert (limited.status_code, "retry-after" in limited.headers) == (429, True)
    away = post(None, good)
    assert (away.status_code, away.headers["retry-after"]) == (503, "5")
    assert post([], good).json() == {"ids": ["a"]}
