"""Feeds read, what of them is new, and when hosts may be asked."""

from __future__ import annotations

from pathlib import Path
from random import Random
from threading import Event

import pytest

from schemas.records import RawArticle
from services.ids import article_id
from services.ingest.feeds import Feed, NoFeed, read_feed, read_opml
from services.ingest.memory import DAY_SECONDS, FeedMemory, FeedState
from services.ingest.politeness import Politeness
from services.ingest.visits import retry_after
from services.web.backoff import wait_seconds
from tests.site import item, rss

FEED = Feed("https://news.example/feed.xml")
ATOM = """<?xml version="1.0" encoding="iso-8859-1"?>
<feed xmlns="http://www.w3.org/2005/Atom"><title>Meridian</title>
<entry><title>São Tomé signs</title><id>tag:1</id><updated>2025-05-05T08:00:00Z</updated>
<link rel="alternate" href="/a/1"/><summary>Short.</summary>
<content type="html">&lt;p&gt;The longer text of the story.&lt;/p&gt;</content></entry>
<entry><title>Only a title</title><id>tag:2</id></entry>
<entry><id>tag:3</id></entry></feed>"""


def read(content: bytes, feed: Feed = FEED) -> list[RawArticle]:
    return read_feed(content, {"content-type": "application/xml"}, feed, "https://www.news.example/feed.xml")


def test_rss_entries() -> None:
    (article,) = read(rss(item("https://news.example/1?utm_source=rss")))
    assert article.title == "Envoys meet"
    assert article.text == "Envoys met in Oslo on Monday."
    assert article.published_at == "2025-05-05T08:00:00+00:00"
    assert article.source == "Harbour News"
    assert article.url == "https://news.example/1?utm_source=rss"
    assert article.article_id == ""
    (named,) = read(rss(item("https://news.example/1")), Feed(FEED.url, "The Harbour"))
    assert named.source == "The Harbour"


def test_atom_entries() -> None:
    first, second = read(ATOM.encode("iso-8859-1"))
    assert first.title == "São Tomé signs"
    assert first.text == "<p>The longer text of the story.</p>"
    assert first.url == "https://www.news.example/a/1"
    assert (second.text, second.url, second.published_at) == ("Only a title", None, None)
    assert second.article_id


def test_a_script_is_no_text_and_no_link() -> None:
    (article,) = read(rss(item("javascript:alert(1)", text="&lt;script&gt;x()&lt;/script&gt;Words.")))
    assert article.url is None
    assert "script" not in article.text


@pytest.mark.parametrize("content", [b"", b"<html><body>Log in</body></html>", b"\x00\xff" * 50, b"{}"])
def test_what_is_no_feed_is_told(content: bytes) -> None:
    with pytest.raises(NoFeed):
        read(content)


def test_entities_neither_grow_nor_read_files(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hush")
    doctype = f'<!DOCTYPE r [<!ENTITY a "{"x" * 1000}"><!ENTITY b "{"&a;" * 1000}"><!ENTITY f SYSTEM "file://{tmp_path}/secret">]>'
    for name in ("a", "b", "f"):
        told = str(read(doctype.encode() + rss(item("https://news.example/1", text=f"Words. &{name};"))))
        assert "hush" not in told
        assert len(told) < 10_000
    opml = f'{doctype}<opml><body><outline xmlUrl="https://a.example/" title="A&b;"/></body></opml>'
    try:
        (feed,) = read_opml(opml.encode())
    except NoFeed:
        return
    assert len(feed.outlet) < 10_000


def test_opml() -> None:
    listed = b"""<opml version="2.0"><body><outline text="Wires"><outline text="A" xmlUrl="https://a.example/f"/>
    <outline text="b" title="B" xmlUrl="http://b.example/f"/><outline xmlUrl="https://a.example/f"/></outline></body></opml>"""
    assert read_opml(listed) == [Feed("https://a.example/f", "A"), Feed("http://b.example/f", "B")]
    for wrong, why in {
        b"<opml><body/></opml>": "no outline",
        b"<rss/>": "no OPML but <rss>",
        b"nothing": "no XML",
        b'<opml><outline xmlUrl="file:///etc/passwd"/></opml>': "no web address",
    }.items():
        with pytest.raises(NoFeed, match=why):
            read_opml(wrong)


@pytest.fixture
def database(tmp_path: Path) -> str:
    return str(tmp_path / "state.sqlite")


def article(number: int, text: str = "Words.", source: str = "A") -> RawArticle:
    return RawArticle(url=f"https://{source.lower()}.example/{number}", title="T", text=text, source=source)


def test_what_is_new(database: str) -> None:
    memory = FeedMemory(database, "here", 30)
    assert memory.new([article(1), article(1), article(2, "Other  words.")]) == [
        article(1),
        article(2, "Other  words."),
    ]
    memory.wrote([article(1), article(2, "Other words.")])
    memory.close()
    memory = FeedMemory(database, "here", 30)
    assert memory.new([article(1), article(2, "Other\nwords.")]) == []
    assert memory.new([article(3)]) == [], "the same content of the same source under another address"
    assert memory.new([article(1, source="B")]) == [article(1, source="B")], "another outlet's copy counts"
    changed = article(1, "New words.")
    assert memory.new([changed]) == [changed]
    memory.wrote([changed])
    assert memory.new([article(1)]) == [article(1)], "changed back"
    titles = [RawArticle(url=f"https://a.example/{n}", title="Live", text="Live", source="A") for n in range(2)]
    assert memory.new(titles) == titles
    assert FeedMemory(database, "elsewhere", 30).new([article(1)]) == [article(1)]


def test_what_no_feed_shows_any_more_is_forgotten(database: str) -> None:
    FeedMemory(database, "here", 30, lambda: 0.0).wrote([article(1), article(2, "Other.")])
    late = FeedMemory(database, "here", 30, lambda: 20 * DAY_SECONDS)
    assert late.new([article(2, "Other.")]) == []  # Still shown.
    later = FeedMemory(database, "here", 30, lambda: 40 * DAY_SECONDS)
    assert later.new([article(1), article(2, "Other.")]) == [article(1)]


def test_a_feed_s_state_is_kept(database: str) -> None:
    def memory(day: int) -> FeedMemory:
        return FeedMemory(database, "here", 30, lambda: day * DAY_SECONDS)

    assert memory(0).feed("u") == FeedState()
    memory(0).keep("u", FeedState('"e"', "Mon", 5.0, 2))
    assert memory(30).feed("u") == FeedState('"e"', "Mon", 5.0, 2)
    assert memory(31).feed("u") == FeedState(), "nobody looked at it for so long"


def test_marks_are_kept(database: str) -> None:
    memory = FeedMemory(database, "here", 30)
    assert not memory.told("u", "a")
    memory.note("u", "a")
    assert memory.told("u", "a")
    assert not memory.told("u", "b")
    assert not FeedMemory(database, "elsewhere", 30).told("u", "a")


def test_requests_to_one_host_are_spaced() -> None:
    politeness = Politeness(2.0, Event())
    waits = [politeness.slot(url, 100.0) for url in ("https://a.example/1", "http://A.example/2", "https://b.example/")]
    assert waits == [0.0, 2.0, 0.0]
    assert politeness.slot("https://a.example/3", 103.0, seconds=30.0) == 1.0
    assert politeness.slot("https://a.example/4", 104.0) == 30.0
    stopped = Event()
    stopped.set()
    assert not Politeness(2.0, stopped).turn("https://a.example/1")


def test_retry_after() -> None:
    assert retry_after("120", 0.0) == 120.0
    assert retry_after("Thu, 01 Jan 1970 00:02:00 GMT", 60.0) == 60.0
    assert retry_after("soon", 0.0) == 0.0
    assert retry_after("", 0.0) == 0.0


def test_waits_double_and_are_bounded() -> None:
    assert 50 <= wait_seconds(1, 100.0, 1000.0, Random(1)) <= 100
    assert 500 <= wait_seconds(60, 100.0, 1000.0, Random(1)) <= 1000


def test_ids_come_from_the_address() -> None:
    (one,) = read(rss(item("https://news.example/1?utm_source=rss")))
    (two,) = read(rss(item("http://news.example/1")))
    assert article_id(one) == article_id(two)
