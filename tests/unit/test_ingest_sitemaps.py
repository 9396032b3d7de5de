"""Sitemaps and lists of them read."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from services.ingest import sitemaps
from services.ingest.feeds import Feed, NoFeed
from services.ingest.sitemaps import Child, Entry, read_list, read_sitemap
from tests.site import news, sitemap, sitemap_index


def test_what_a_news_sitemap_tells_of_an_article() -> None:
    entry = news("https://news.example/1", "Envoys &amp; ministers", "2025-05-06T01:00:00Z", "EN", "Harbour News")
    plain = "<url><loc>https://news.example/about</loc><lastmod>2025-01-01</lastmod></url>"
    found = read_sitemap(sitemap("<!-- made by hand -->", entry, plain, entry))
    url, when = "https://news.example/1", "2025-05-05T08:00:00Z"
    assert found.entries == [Entry(url, "Envoys & ministers", when, "2025-05-06T01:00:00Z", "Harbour News", "en")]
    assert (found.children, found.other) == ([], 1)


def test_an_entry_s_mark_changes_with_what_it_tells_of_the_page() -> None:
    marks = [
        read_sitemap(sitemap(news("https://news.example/1", *told))).entries[0].mark
        for told in (("A",), ("B",), ("A", "2025-05-06"), ("A", "2025-05-07"), ("A", "", "fr"))
    ]
    assert len(set(marks[:4])) == 4
    assert marks[4] == marks[0]


def test_an_address_that_is_none_is_no_entry() -> None:
    found = read_sitemap(sitemap(news("javascript:alert(1)"), news("/1"), news("https://news.example/1")))
    assert [entry.url for entry in found.entries] == ["https://news.example/1"]
    assert read_sitemap(sitemap_index(("file:///etc/passwd", ""))).children == []


def test_an_index() -> None:
    listed = [("https://news.example/a.xml", "2025-05-05"), ("https://news.example/b.xml.gz", "")]
    assert read_sitemap(sitemap_index(*listed, listed[0])).children == [Child(*one) for one in listed]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "no XML"),
        (b"https://news.example/1\n", "no XML"),
        (b"<rss/>", "no sitemap but <rss>"),
        (b"\xff", "no XML"),
    ],
)
def test_what_is_no_sitemap_is_told(content: bytes, why: str) -> None:
    with pytest.raises(NoFeed, match=why):
        read_sitemap(content)


def test_a_sitemap_without_end_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sitemaps, "MOST_ENTRIES", 2)
    entries = [news(f"https://news.example/{n}") for n in range(3)]
    assert len(read_sitemap(sitemap(*entries[:2])).entries) == 2
    with pytest.raises(NoFeed, match="more than 2 entries"):
        read_sitemap(sitemap(*entries))


def test_entities_neither_grow_nor_read_files(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hush")
    doctype = f'<!DOCTYPE r [<!ENTITY a "{"x" * 1000}"><!ENTITY b "{"&a;" * 1000}"><!ENTITY f SYSTEM "file://{tmp_path}/secret">]>'
    for name in ("a", "b", "f"):
        words = sitemap(news("https://news.example/1", f"Words. &{name};")).partition(b"?>")[2]
        told = ""
        with suppress(NoFeed):  # So many that the parser gives up.
            told = str(read_sitemap(doctype.encode() + words))
        assert "hush" not in told
        assert "xxx" not in told


def test_a_list() -> None:
    listed = b"\xef\xbb\xbf# wires\nhttps://a.example/news.xml  Harbour News\n\nhttp://b.example/index.xml\nhttps://a.example/news.xml\n"
    assert read_list(listed) == [Feed("https://a.example/news.xml", "Harbour News"), Feed("http://b.example/index.xml")]
    with pytest.raises(NoFeed, match="line 2: no web address"):
        read_list(b"https://a.example/\nnews.xml\n")
    with pytest.raises(NoFeed, match="no line in it"):
        read_list(b"# nothing\n")
