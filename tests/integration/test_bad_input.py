"""Bad articles through the real normalize: each leaves one dead letter or one valid record, and the service goes on."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from schemas.records import CleanArticle
from services.runtime.drain import drained
from services.runtime.settings import ConnectionSettings
from tests.integration.helpers import dead_letters, produce, read_committed, service, wait_until

WORDS = "The envoy of Norway met the president of Kenya in Nairobi on Monday. They spoke of a truce. "
HTML = f"<html><script>alert('no')</script><body><p>{WORDS}</p><p>{WORDS}</p><style>p {{}}</style></body></html>"


def raw(name: str, **fields: object) -> bytes:
    return json.dumps({"article_id": name, **fields}).encode()


BAD = {
    "no_text": raw("no_text", title="only a title"),
    "null_text": raw("null_text", text=None),
    "empty_text": raw("empty_text", text=""),
    "blank_text": raw("blank_text", text=" \n\t "),
    "huge": raw("huge", text=WORDS * (5_000_000 // len(WORDS))),
    "utf8": b'{"article_id": "utf8", "text": "\xc3\x28"}',
    "json": b'{"article_id": "json", "text": "no end',
    "not_json": b"<xml/>",
    "language": raw("language", text="Qo'noS ghotpu' jatlh tlhIngan Hol 'e' neH. " * 5),
    "past": raw("past", text=WORDS, published_at="1890-01-01"),
    "future": raw("future", text=WORDS, published_at="2190-01-01"),
    "no_date": raw("no_date", text=WORDS, published_at="the day after"),
    "html": raw("html", text=HTML, content_type="html"),
    "control": raw("control", text=WORDS + "\x00\x1b[31m\ufeff"),
}


@pytest.mark.skipif(importlib.util.find_spec("services.normalize.transform") is None, reason="no normalize")
def test_each_has_one_outcome_and_the_service_goes_on(connection: ConnectionSettings, tmp_path: Path) -> None:
    good = raw("good", text=WORDS * 3, published_at="2024-05-04")
    produce(connection, "articles.raw", [*BAD.values(), good])
    with service(connection, tmp_path, module="services.normalize") as running:
        wait_until(lambda: running.ready() and drained(connection, ["normalize"]), 60, "drained")
        cleaned = [CleanArticle.model_validate_json(v) for _, v in read_committed(connection, "articles.clean", 1)]
        letters = dead_letters(connection, "articles.raw.dlq", 1)
        assert running.get("/healthz")[0] == 200
    assert len(cleaned) + len(letters) == len(BAD) + 1
    by_id = {article.article_id: article for article in cleaned}
    assert by_id["good"].published_at is not None
    for name in ("past", "future", "no_date"):
        if name in by_id:
            assert by_id[name].published_at is None
            assert by_id[name].published_at_reason
    assert "alert(" not in by_id["html"].text
    reasons = sorted(letter.reason for letter in letters)
    assert all(letter.detail for letter in letters)
    for reason in ("oversize", "invalid_utf8", "invalid_json", "schema_violation"):
        assert reason in reasons
    assert not set(by_id) & {"no_text", "null_text", "empty_text", "blank_text", "huge", "utf8", "json"}
