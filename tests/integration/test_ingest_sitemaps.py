"""Looks at news sitemaps of a site of our own."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from schemas.records import RawArticle
from services import cli
from services.ingest import sitemap_looks
from services.ingest.feeds import Feed
from services.ingest.looks import Looked
from services.ingest.memory import FeedMemory
from services.ingest.pages import Pages
from services.ingest.politeness import Politeness
from services.ingest.settings import IngestSettings
from services.ingest.sitemap_looks import SitemapLooker, words_of
from services.runtime.settings import ConnectionSettings
from services.runtime.streams import StreamError, tail
from tests.site import Page, Site, news, site, sitemap, sitemap_index

LOOPBACK = ["127.0.0.0/8"]
STORY = (
    "The envoys of both countries met in Oslo on Monday and agreed to exchange prisoners before the end of the month, "
    "the Norwegian foreign ministry said in a statement. A second round is planned for Thursday in Geneva."
)


def page(words: str = STORY, around: str = "") -> Page:
    html = f"<html><body><nav>{around}</nav><article><h1>Envoys meet</h1><p>{words}</p></article></body></html>"
    return Page(html.encode(), headers={"Content-Type": "text/html; charset=utf-8"})


@pytest.fixture
def here() -> Iterator[Site]:
    with site() as running:
        yield running


class Looks:
    """A looker, what it wrote, and a clock that stands."""

    def __init__(self, here: Site, tmp_path: Path) -> None:
        self.settings = IngestSettings(
            ingest_state=str(tmp_path / "state.sqlite"), ingest_allow=LOOPBACK, ingest_host_seconds=0.001
        )
        self.site, self.now = here, 1_750_000_000.0
        self.written: list[RawArticle] = []
        self.memory = FeedMemory(self.settings.ingest_state, "here", 30, lambda: self.now)
        self.looker = self.with_writer(self.written.extend)

    def with_writer(self, write: sitemap_looks.Write) -> SitemapLooker:
        politeness = Politeness(self.settings.ingest_host_seconds, Event())
        pages = Pages(self.settings.bounds, politeness)
        return SitemapLooker(self.settings, self.memory, write, politeness, pages, lambda: self.now)

    def look(self, path: str = "/news.xml") -> Looked:
        del self.site.asked[:]
        return self.looker.look(Feed(self.site.url + path))

    def asked(self) -> list[str]:
        return [path for path in self.site.paths() if path != "/robots.txt"]


@pytest.fixture
def looks(here: Site, tmp_path: Path) -> Looks:
    return Looks(here, tmp_path)


def test_an_article_is_its_page_with_what_the_sitemap_tells(here: Site, looks: Looks) -> None:
    here.pages["/news.xml"] = Page(sitemap(news(f"{here.url}/a", "Envoys meet", outlet="Harbour News")))
    here.pages["/a"] = page()
    looked = looks.look()
    assert (looked.written, looked.trouble, looked.refused) == (1, "", [])
    (article,) = looks.written
    assert (article.title, article.source, article.url) == ("Envoys meet", "Harbour News", f"{here.url}/a")
    assert (article.published_at, article.content_type) == ("2025-05-05T08:00:00Z", "html")
    assert article.text.startswith("<html>")
    assert article.ingested_at is not None
    assert looks.memory.feed(f"{here.url}/news.xml").due == looks.now + 900


def test_a_page_is_fetched_again_only_when_its_entry_changed(here: Site, looks: Looks) -> None:
    here.pages["/news.xml"] = Page(sitemap(news(f"{here.url}/a"), news(f"{here.url}/b", "Treaty")))
    here.pages["/a"], here.pages["/b"] = page(), page("Ministers signed a treaty on fishing in the northern waters.")
    assert looks.look().written == 2
    again = looks.look()
    assert (again.written, again.known, looks.asked()) == (0, 2, ["/news.xml"])
    here.pages["/news.xml"] = Page(
        sitemap(news(f"{here.url}/a", changed="2025-05-06"), news(f"{here.url}/b", "Treaty"))
    )
    here.pages["/a"] = page(around="Other stories of the day")
    same = looks.look()
    assert (same.written, same.known, looks.asked()) == (0, 2, ["/news.xml", "/a"]), "the words are the same"
    here.pages["/news.xml"] = Page(
        sitemap(news(f"{here.url}/a", changed="2025-05-07"), news(f"{here.url}/b", "Treaty"))
    )
    here.pages["/a"] = page(STORY.replace("agreed", "refused"))
    assert looks.look().written == 1
    assert "refused to exchange" in looks.written[-1].text


def test_the_same_words_of_one_outlet_under_two_addresses_are_one_article(here: Site, looks: Looks) -> None:
    here.pages["/news.xml"] = Page(
        sitemap(*(news(f"{here.url}/{n}") for n in ("a", "amp/a")), news(f"{here.url}/c", outlet="Meridian"))
    )
    here.pages.update({path: page(around=path) for path in ("/a", "/amp/a", "/c")})
    looked = looks.look()
    assert (looked.written, looked.known) == (2, 1)
    assert sorted(article.source for article in looks.written) == ["Harbour", "Meridian"], (
        "another outlet's copy counts"
    )


def test_an_index_is_followed_where_it_changed(here: Site, looks: Looks) -> None:
    listed = {"old": "2025-05-01", "new": "2025-05-05", "undated": ""}
    for name in listed:
        here.pages[f"/{name}.xml"] = Page(sitemap(news(f"{here.url}/{name}")))
        here.pages[f"/{name}"] = page(f"{STORY} This was {name}.")
    here.pages["/pages.xml"] = Page(sitemap(f"<url><loc>{here.url}/about</loc></url>"))
    here.pages["/deeper.xml"] = Page(sitemap_index((f"{here.url}/old.xml", "")))
    here.pages["/broken.xml"] = Page(status=500)

    def index(**changed: str) -> Page:
        days = {**listed, "pages": "2025-05-02", "deeper": "2025-05-02", "broken": "2025-05-03", **changed}
        return Page(sitemap_index(*((f"{here.url}/{name}.xml", day) for name, day in days.items())))

    here.pages["/index.xml"] = index()
    first = looks.look("/index.xml")
    assert (first.written, first.trouble) == (3, "")
    assert sorted(why.removeprefix(here.url) for why in first.refused) == [
        "/broken.xml: the answer was 500", "/deeper.xml: an index in an index"
    ]  # fmt: skip
    looks.look("/index.xml")
    assert looks.asked() == ["/index.xml", "/undated.xml"], "those that failed are left alone for a while"
    here.pages["/index.xml"] = index(new="2025-05-06")
    here.pages["/new.xml"] = Page(sitemap(news(f"{here.url}/new"), news(f"{here.url}/newer")))
    here.pages["/newer"] = page("Ministers signed a treaty on fishing in the northern waters.")
    third = looks.look("/index.xml")
    assert (third.written, third.known) == (1, 2)


def test_gzip_with_its_bounds(here: Site, looks: Looks) -> None:
    here.pages["/news.xml.gz"] = Page(gzip.compress(sitemap(news(f"{here.url}/a"))))
    here.pages["/bomb.xml.gz"] = Page(gzip.compress(b" " * 9_000_000))
    here.pages["/a"] = page()
    assert looks.look("/news.xml.gz").written == 1
    assert "more than 8388608 bytes" in looks.look("/bomb.xml.gz").trouble


def test_what_did_not_change_is_not_sent_again_but_what_is_left_comes_next(
    here: Site, looks: Looks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sitemap_looks, "MOST_PAGES", 2)
    entries = [news(f"{here.url}/{n}", changed=f"2025-05-0{n}") for n in range(1, 4)]
    here.pages.update({f"/{n}": page(f"{STORY} Number {n}.") for n in range(1, 4)})
    here.pages["/news.xml"] = lambda headers: Page(
        sitemap(*entries), 304 if headers.get("if-none-match") == '"e"' else 200, {"ETag": '"e"'}
    )
    assert looks.look().written == 2
    assert [article.url for article in looks.written] == [f"{here.url}/3", f"{here.url}/2"], "the newest first"
    assert looks.look().written == 1
    assert looks.look().unchanged


def test_pages_that_fail_come_later_and_those_that_never_will_are_left(here: Site, looks: Looks) -> None:
    here.pages["/robots.txt"] = Page(b"User-agent: *\nDisallow: /private/\n")
    here.pages["/pdf"] = Page(b"%PDF", headers={"Content-Type": "application/pdf"})
    here.pages["/later"] = Page(status=502)
    here.pages["/news.xml"] = Page(sitemap(*(news(f"{here.url}/{n}") for n in ("private/a", "gone", "pdf", "later"))))
    first = looks.look()
    assert [why.removeprefix(here.url) for why in first.refused] == [
        "/private/a: robots.txt forbids it",
        "/gone: the answer was 404",
        "/pdf: no page but application/pdf",
        "/later: the answer was 502",
    ]
    assert "/private/a" not in here.paths()
    here.pages["/later"] = page()
    assert looks.look().written == 0
    assert looks.asked() == ["/news.xml"]
    looks.now += 900
    assert looks.look().written == 1
    assert looks.asked() == ["/news.xml", "/later"]


def test_a_host_that_asks_for_rest_has_it(here: Site, looks: Looks) -> None:
    here.pages["/news.xml"] = Page(sitemap(news(f"{here.url}/a"), news(f"{here.url}/b")))
    here.pages["/a"] = here.pages["/b"] = Page(status=429, headers={"Retry-After": "40000"})
    looked = looks.look()
    assert looked.trouble == "the answer was 429"
    assert len(looks.asked()) == 2, "the first page was enough"
    assert looks.memory.feed(f"{here.url}/news.xml").due == looks.now + 40000
    here.pages["/a"], here.pages["/b"] = page(), page(f"{STORY} More.")
    assert looks.look().written == 2


def test_what_is_no_news_sitemap_is_told_and_left_alone_for_longer_each_time(here: Site, looks: Looks) -> None:
    here.pages["/news.xml"] = Page(sitemap(f"<url><loc>{here.url}/about</loc></url>"))
    waits = []
    for _ in range(3):
        assert "no news:news in it" in looks.look().trouble
        waits.append(looks.memory.feed(f"{here.url}/news.xml").due - looks.now)
    assert all(450 * 2**n <= wait <= 900 * 2**n for n, wait in enumerate(waits))
    here.pages["/news.xml"] = Page(sitemap())
    assert looks.look().trouble == "", "no news today"


def test_languages_that_are_not_read_are_not_fetched(here: Site, looks: Looks) -> None:
    tongues = ("en-GB", "eng", "fr", "zh-cn")
    here.pages["/news.xml"] = Page(sitemap(*(news(f"{here.url}/{n}", language=n) for n in tongues)))
    here.pages.update({f"/{n}": page(f"{STORY} {n}") for n in tongues})
    looked = looks.look()
    assert (looked.written, looked.foreign) == (2, 2)
    assert not {"/fr", "/zh-cn"} & set(looks.asked())


def test_an_article_is_not_seen_before_it_is_written(here: Site, looks: Looks) -> None:
    here.pages["/news.xml"] = Page(sitemap(news(f"{here.url}/a")))
    here.pages["/a"] = page()

    def fail(_articles: object) -> None:
        raise StreamError("no broker")

    with pytest.raises(StreamError):
        looks.with_writer(fail).look(Feed(f"{here.url}/news.xml"))
    assert looks.look().written == 1


def test_too_much_page_is_compared_as_it_is() -> None:
    assert words_of("<p>" * 60_000) == "<p>" * 60_000
    assert "prisoners" in words_of(page(around="Home").content.decode())
    assert "Home" not in words_of(page(around="Home").content.decode())


def test_sitemaps_of_a_list_onto_the_topic(
    here: Site,
    connection: ConnectionSettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    here.pages["/news.xml"] = Page(sitemap(news(f"{here.url}/a"), news(f"{here.url}/b", language="fr")))
    here.pages["/a"] = page()
    listed = tmp_path / "sitemaps.txt"
    listed.write_text(f"{here.url}/news.xml The Harbour\n{here.url}/none.xml\n")
    for name, value in {
        "TOPIC_PREFIX": connection.topic_prefix, "INGEST_STATE": str(tmp_path / "s.sqlite"),
        "INGEST_ALLOW": json.dumps(LOOPBACK), "INGEST_HOST_SECONDS": "0.01",
    }.items():  # fmt: skip
        monkeypatch.setenv(f"DEMARCHE_{name}", value)
    call = ["ingest", "--sitemaps", str(listed), "--once", "--bootstrap", connection.bootstrap]
    assert cli.main(call) == 1
    err = capsys.readouterr().err
    assert "/none.xml: the answer was 404" in err
    assert "1 left out, in languages that are not read" in err
    assert "1 articles written to articles.raw from 2 sitemaps, 1 of them not read" in err
    assert cli.main(call) == 1
    (record,) = [json.loads(r.value or b"") for r in tail(connection, "articles.raw")]
    assert (record["url"], record["source"], record["content_type"]) == (f"{here.url}/a", "The Harbour", "html")
    assert cli.main([*call, "--feeds", "x.opml"]) == 2
    listed.write_text("news.xml\n")
    assert cli.main(call) == 1
    assert "line 1: no web address" in capsys.readouterr().err
