from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.records import DeadLetter, ExtractedEvents, Origin, RawArticle
from services.runtime.codec import DETAIL_CHARACTERS, dead_letter, decode, encode, key_of, original
from services.stage import Reject

ORIGIN = Origin(topic="articles.raw", partition=1, offset=7, timestamp_ms=5)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "empty"),
        (b"", "invalid_json"),
        (b"{", "invalid_json"),
        (b"\xff{}", "invalid_utf8"),
        (b'{"text": "\\ud800"}', "invalid_json"),
        (b"[" * 5000, "invalid_json"),
        (b"[]", "schema_violation"),
        (b'{"title": "no text"}', "schema_violation"),
        (b'{"text": 5}', "schema_violation"),
        (b'{"text": "t", "schema_version": 2}', "newer_schema_version"),
        (b'{"text": "t", "schema_version": 0}', "schema_violation"),
        (b'{"text": "' + b"x" * 100_000 + b'"}', "oversize"),
    ],
)
def test_what_is_no_record_is_told_why(value: bytes | None, reason: str) -> None:
    rejected = decode(RawArticle, value, 100_000)
    assert isinstance(rejected, Reject)
    assert rejected.reason == reason
    assert 0 < len(rejected.detail) <= DETAIL_CHARACTERS


def test_a_newer_version_is_refused_by_its_number_wherever_it_stands() -> None:
    """Whatever else the record holds: fields that seem wrong to old code are no fault of a newer record."""
    newer = decode(RawArticle, b'{"schema_version": 7, "body": "renamed", "title": {"en": "of another type"}}', 1000)
    assert isinstance(newer, Reject)
    assert newer.reason == "newer_schema_version"
    assert newer.detail.startswith("schema version 7; this code knows up to 1: run newer code")
    article = {
        "article_id": "a", "text": "t", "sentences": [], "raw_map": [], "language": "en", "published_at": None,
        "published_at_reason": "none", "fingerprint": "0" * 16, "schema_version": 2,
    }  # fmt: skip
    model = {"name": "m", "version": "1", "sha256": "0"}
    extracted = {"schema_version": 1, "article_id": "a", "article": article, "sentences": [], "model": model}
    inner = decode(ExtractedEvents, json.dumps(extracted).encode(), 1000)
    assert isinstance(inner, Reject)
    assert inner.reason == "newer_schema_version"
    assert inner.detail.startswith("schema version 2 of article;")


def test_a_record_of_before_versions_counts_as_the_first() -> None:
    old = decode(RawArticle, b'{"text": "t"}', 1000)
    assert isinstance(old, RawArticle)
    assert old.schema_version == 1


def test_a_record_survives_and_unknown_fields_are_ignored() -> None:
    article = RawArticle(article_id="a", text="Übergabe – 会談")
    assert decode(RawArticle, encode(article), 1000) == article
    later = decode(RawArticle, b'{"text": "t", "added_later": [1]}', 1000)
    assert isinstance(later, RawArticle)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_make_it_raise(value: bytes) -> None:
    assert isinstance(decode(RawArticle, value, 200), RawArticle | Reject)


@settings(max_examples=50, deadline=None)
@given(st.none() | st.binary(max_size=50), st.none() | st.binary(max_size=3000))
def test_a_dead_letter_gives_the_record_back(key: bytes | None, value: bytes | None) -> None:
    letter = dead_letter("normalize", Reject("refused", "d" * 5000), ORIGIN, key, value, 10**6)
    there = DeadLetter.model_validate_json(encode(letter))
    assert original(there) == (key, value)
    assert (there.stage, there.reason, there.origin) == ("normalize", "refused", ORIGIN)
    assert there.value_bytes == len(value or b"")
    assert len(there.detail) == DETAIL_CHARACTERS


def test_a_value_that_would_not_fit_is_left_out() -> None:
    limit = 100_000
    for size, kept in ((limit // 2, True), (limit, False)):
        letter = dead_letter("s", Reject("oversize", "d" * 2000), ORIGIN, b"k", b"v" * size, limit)
        assert (letter.value_base64 is not None) == kept
        assert letter.value_bytes == size
        assert len(encode(letter)) < limit
    assert base64.b64decode(letter.key_base64 or "") == b"k"


def test_keys_come_from_the_named_field() -> None:
    article = RawArticle(article_id="ü", text="t")
    assert key_of(article, "article_id") == "ü".encode()
    assert key_of(article, None) is None
    assert key_of(RawArticle(text="t"), "article_id") is None
