"""Fetches and looks at feeds against a site of our own."""

from __future__ import annotations

import gzip
import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread

import pytest

from schemas.records import RawArticle
from services import cli
from services.ingest.feeds import Feed
from services.ingest.fetch import FetchFailed, fetch
from services.ingest.looks import Looked, Looker
from services.ingest.memory import FeedMemory
from services.ingest.pages import Pages
from services.ingest.politeness import Politeness
from services.ingest.poll import poll
from services.ingest.settings import IngestSettings
from services.runtime.settings import ConnectionSettings
from services.runtime.streams import StreamError, tail
from services.web.address import Refused
from tests.site import Page, Site, item, rss, site

LOOPBACK = ["127.0.0.0/8"]


@pytest.fixture
def here() -> Iterator[Site]:
    with site() as running:
        yield running


def settings(tmp_path: Path, **fields: object) -> IngestSettings:
    given = {"ingest_state": str(tmp_path / "state.sqlite"), "ingest_allow": LOOPBACK, "ingest_host_seconds": 0.001}
    return IngestSettings.model_validate({**given, **fields})


class Looks:
    """A looker, what it wrote, and a clock that stands."""

    def __init__(self, tmp_path: Path, pages: bool = False, **fields: object) -> None:
        self.settings = settings(tmp_path, **fields)
        self.written: list[RawArticle] = []
        self.now = 1_750_000_000.0
        self.memory = FeedMemory(self.settings.ingest_state, "here", 30, lambda: self.now)
        politeness = Politeness(self.settings.ingest_host_seconds, Event())
        reader = Pages(self.settings.bounds, politeness) if pages else None
        self.looker = Looker(self.settings, self.memory, self.written.extend, politeness, reader, lambda: self.now)

    def look(self, url: str) -> Looked:
        return self.looker.look(Feed(url))


def test_a_private_address_is_not_fetched_unless_allowed(here: Site, tmp_path: Path) -> None:
    here.pages["/"] = Page(b"in")
    with pytest.raises(Refused, match="DEMARCHE_INGEST_ALLOW"):
        fetch(here.url, settings(tmp_path, ingest_allow=[]).bounds)
    assert here.asked == []
    assert fetch(here.url, settings(tmp_path).bounds).content == b"in"
    with pytest.raises(Refused, match="no web address"):
        fetch("file:///etc/passwd", settings(tmp_path).bounds)


def test_each_redirect_is_judged(here: Site, tmp_path: Path) -> None:
    bounds = settings(tmp_path).bounds
    here.pages["/a"] = Page(status=301, headers={"Location": "b"})
    here.pages["/b"] = Page(b"there")
    here.pages["/metadata"] = Page(status=302, headers={"Location": "http://169.254.169.254/latest"})
    here.pages["/file"] = Page(status=302, headers={"Location": "file:///etc/passwd"})
    here.pages["/round"] = Page(status=302, headers={"Location": "/round"})
    answer = fetch(f"{here.url}/a", bounds)
    assert (answer.content, answer.url) == (b"there", f"{here.url}/b")
    for path in ("/metadata", "/file"):
        with pytest.raises(Refused):
            fetch(here.url + path, bounds)
    with pytest.raises(FetchFailed, match="more than 5 redirects"):
        fetch(f"{here.url}/round", bounds)


def test_sizes_are_bounded_also_unpacked(here: Site, tmp_path: Path) -> None:
    bounds = settings(tmp_path, ingest_fetch_bytes=1000).bounds
    packed = {"Content-Encoding": "gzip"}
    here.pages["/large"] = Page(b"x" * 1001)
    here.pages["/bomb"] = Page(gzip.compress(b"x" * 1_000_000), headers=packed)
    here.pages["/cut"] = Page(gzip.compress(b"words" * 100)[:-9], headers=packed)
    here.pages["/fits"] = Page(gzip.compress(b"x" * 1000), headers=packed)
    for path, why in {"/large": "more than 1000", "/bomb": "more than 1000", "/cut": "ends too early"}.items():
        with pytest.raises(FetchFailed, match=why):
            fetch(here.url + path, bounds)
    assert fetch(f"{here.url}/fits", bounds).content == b"x" * 1000


def test_an_answer_that_stops_in_between_is_none(here: Site, tmp_path: Path) -> None:
    here.pages["/"] = Page(b"half", headers={"Content-Length": "100"})
    with pytest.raises(OSError, match="96 bytes too early"):
        fetch(here.url, settings(tmp_path, ingest_fetch_seconds=5).bounds)


def test_an_answer_that_drips_is_ended(tmp_path: Path) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    ended = Event()

    def drip() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n")
            try:
                while not ended.wait(0.05):
                    connection.sendall(b"x")
            except OSError:
                pass

    thread = Thread(target=drip)
    thread.start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    try:
        with pytest.raises(FetchFailed, match=r"took longer than 0\.5 s"):
            fetch(url, settings(tmp_path, ingest_fetch_seconds=0.5).bounds)
    finally:
        ended.set()
        thread.join()
        listener.close()


def conditional(content: Callable[[], bytes]) -> Callable[[dict[str, str]], Page]:
    def answer(headers: dict[str, str]) -> Page:
        mark = f'"{hash(content())}"'
        if headers.get("if-none-match") == mark and headers.get("if-modified-since") == "Mon, 05 May 2025 08:00:00 GMT":
            return Page(status=304)
        return Page(content(), headers={"ETag": mark, "Last-Modified": "Mon, 05 May 2025 08:00:00 GMT"})

    return answer


def test_a_feed_is_fetched_again_only_when_changed(here: Site, tmp_path: Path) -> None:
    items = [item(f"{here.url}/1")]
    here.pages["/feed"] = conditional(lambda: rss(*items))
    looks = Looks(tmp_path)
    first = looks.look(f"{here.url}/feed")
    assert (first.written, first.unchanged, first.trouble) == (1, False, "")
    assert looks.look(f"{here.url}/feed").unchanged
    items.insert(0, item(f"{here.url}/2", text="Ministers signed a treaty."))
    third = looks.look(f"{here.url}/feed")
    assert (third.written, third.known) == (1, 1)
    assert [a.text for a in looks.written] == ["Envoys met in Oslo on Monday.", "Ministers signed a treaty."]
    assert all(a.ingested_at is not None for a in looks.written)
    assert looks.memory.feed(f"{here.url}/feed").due == looks.now + 900


def test_an_article_is_not_seen_before_it_is_written(here: Site, tmp_path: Path) -> None:
    here.pages["/feed"] = conditional(lambda: rss(item(f"{here.url}/1")))
    looks = Looks(tmp_path)

    def fail(_articles: object) -> None:
        raise StreamError("no broker")

    broken = Looker(looks.settings, looks.memory, fail, Politeness(0.0, Event()), None)
    with pytest.raises(StreamError):
        broken.look(Feed(f"{here.url}/feed"))
    assert looks.look(f"{here.url}/feed").written == 1


def test_a_feed_in_trouble_is_left_alone_for_longer_each_time(here: Site, tmp_path: Path) -> None:
    looks, url = Looks(tmp_path), f"{here.url}/feed"
    here.pages["/feed"] = Page(status=500)
    waits = []
    for _ in range(4):
        assert looks.look(url).trouble == "the answer was 500"
        waits.append(looks.memory.feed(url).due - looks.now)
    assert all(450 * 2**n <= wait <= 900 * 2**n for n, wait in enumerate(waits))
    here.pages["/feed"] = Page(status=429, headers={"Retry-After": "40000"})
    looks.look(url)
    assert looks.memory.feed(url).due - looks.now == 40000
    here.pages["/feed"] = Page(b"<html>gone home</html>")
    assert "no RSS or Atom" in looks.look(url).trouble
    assert looks.memory.feed(url).failures == 6
    here.pages["/feed"] = Page(rss(item(f"{here.url}/1")))
    assert looks.look(url).written == 1
    assert looks.memory.feed(url).failures == 0


def test_pages_behind_the_entries_as_robots_txt_lets_us(here: Site, tmp_path: Path) -> None:
    here.pages["/robots.txt"] = Page(b"User-agent: *\nDisallow: /private/\n")
    here.pages["/feed"] = Page(
        rss(*(item(f"{here.url}{p}", p, f"Teaser {p}") for p in ("/a", "/private/b", "/pdf", "/c")))
    )
    here.pages["/a"] = Page("<p>Größe</p>".encode("latin-1"), headers={"Content-Type": "text/html; charset=latin-1"})
    here.pages["/private/b"] = Page(b"<p>hidden</p>")
    here.pages["/pdf"] = Page(b"%PDF", headers={"Content-Type": "application/pdf"})
    looks = Looks(tmp_path, pages=True)
    looked = looks.look(f"{here.url}/feed")
    texts = {a.title: (a.text, a.content_type) for a in looks.written}
    assert texts == {
        "/a": ("<p>Größe</p>", "html"),
        "/private/b": ("Teaser /private/b", None),
        "/pdf": ("Teaser /pdf", None),
        "/c": ("Teaser /c", None),
    }
    assert [why.split(": ", 1)[1].split(";")[0] for why in looked.refused] == [
        "robots.txt forbids it", "no page but application/pdf", "the answer was 404"
    ]  # fmt: skip
    assert "/private/b" not in here.paths()
    assert here.paths().count("/robots.txt") == 1
    assert looks.look(f"{here.url}/feed").known == 4


def test_one_host_s_feeds_are_looked_at_one_at_a_time_and_failed_ones_later(here: Site, tmp_path: Path) -> None:
    looks = Looks(tmp_path)
    feeds = [Feed(f"{here.url}/{n}") for n in range(4)]
    for n in range(3):
        here.pages[f"/{n}"] = Page(rss(item(f"{here.url}/a{n}", text=f"Story {n}.")))
    told: list[Looked] = []
    poll(feeds, looks.looker.look, looks.memory, told.append, Event(), once=True, clock=lambda: looks.now)
    assert sorted(here.paths()) == ["/0", "/1", "/2", "/3"]
    assert [looked.trouble for looked in told if looked.trouble] == ["the answer was 404"]
    told.clear()
    poll(feeds, looks.looker.look, looks.memory, told.append, Event(), once=True, clock=lambda: looks.now)
    assert len(here.asked) == 7
    assert [looked.trouble for looked in told if looked.trouble] == ["failed before and is not due yet"]


def test_feeds_of_a_list_onto_the_topic(
    here: Site,
    connection: ConnectionSettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    here.pages["/feed"] = Page(rss(item("https://news.example/1"), item("https://news.example/2", text="Other.")))
    (tmp_path / "feeds.opml").write_text(
        f'<opml><outline text="Harbour" xmlUrl="{here.url}/feed"/><outline xmlUrl="{here.url}/none"/></opml>'
    )
    for name, value in {
        "TOPIC_PREFIX": connection.topic_prefix, "INGEST_STATE": str(tmp_path / "s.sqlite"),
        "INGEST_ALLOW": json.dumps(LOOPBACK), "INGEST_HOST_SECONDS": "0.01",
    }.items():  # fmt: skip
        monkeypatch.setenv(f"DEMARCHE_{name}", value)
    call = ["ingest", "--feeds", str(tmp_path / "feeds.opml"), "--once", "--bootstrap", connection.bootstrap]
    assert cli.main(call) == 1
    err = capsys.readouterr().err
    assert "/none: the answer was 404" in err
    assert "2 articles written to articles.raw from 2 feeds, 1 of them not read" in err
    assert cli.main(call) == 1
    records = [json.loads(r.value or b"") for r in tail(connection, "articles.raw")]
    assert sorted(r["url"] for r in records) == ["https://news.example/1", "https://news.example/2"]
    assert {r["source"] for r in records} == {"Harbour"}
    (tmp_path / "feeds.opml").write_text("<rss/>")
    assert cli.main(call) == 1
    assert "no OPML" in capsys.readouterr().err
