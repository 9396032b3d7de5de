"""Ids that stay the same when an article comes again."""

from __future__ import annotations

from uuid import UUID

import pytest

from schemas.records import RawArticle
from services.ids import article_id, canonical_url, derive


@pytest.mark.parametrize(
    "url",
    [
        "https://news.example.com/a/b",
        "http://news.example.com/a/b/",
        "HTTPS://News.Example.COM:443/a/b#comments",
        "https://news.example.com/a/b?utm_source=x&utm_medium=y",
        " https://news.example.com:80/a/b?fbclid=1 ",
    ],
)
def test_spellings_of_one_address(url: str) -> None:
    assert canonical_url(url) == "https://news.example.com/a/b"


def test_what_names_the_article_stays() -> None:
    assert canonical_url("https://e.com/story?id=7&utm_campaign=z") == "https://e.com/story?id=7"
    assert canonical_url("https://e.com:8443/Story") == "https://e.com:8443/Story"
    assert canonical_url("urn:news:7") == "urn:news:7"
    assert canonical_url("http://[broken") == "http://[broken"


def test_given_then_url_then_content() -> None:
    assert article_id(RawArticle(article_id=" wire-7 ", text="a", url="https://e.com/1")) == "wire-7"
    by_url = article_id(RawArticle(text="a", url="https://e.com/1"))
    assert by_url == article_id(RawArticle(text="b", url="http://E.com/1#x"))
    by_text = article_id(RawArticle(text="a", title="t", source="s"))
    assert by_text == article_id(RawArticle(text="a", title="t", source="s", published_at="2025-01-01"))
    assert len({by_url, by_text, article_id(RawArticle(text="b", title="t", source="s"))}) == 3
    assert UUID(by_text).version == 5


def test_borders_between_parts_count() -> None:
    assert derive("ab", "c") != derive("a", "bc")
    assert derive("a\ud800") != derive("a")
