"""RSS and Atom into articles, and the list of feeds in OPML. Pure."""

from __future__ import annotations

import io
from calendar import timegm
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

import feedparser
from lxml import etree

from schemas.records import RawArticle
from services.ids import derive

WEB = ("http", "https")


class NoFeed(ValueError):
    """The content is not what it was taken for; the message says what it lacks."""


@dataclass(frozen=True)
class Feed:
    """A feed's address, and the outlet's name where the list gives one."""

    url: str
    outlet: str = ""


def parse_xml(content: bytes) -> etree._Element:
    """The root of an XML document: no entities, no network, no giant trees. NoFeed when it is none."""
    try:
        return etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False))
    except (etree.XMLSyntaxError, ValueError) as error:
        raise NoFeed(f"no XML: {error}") from error


def read_opml(content: bytes) -> list[Feed]:
    """The feeds of an OPML list, each once, in order. NoFeed when it is no OPML or an address in it is none."""
    root = parse_xml(content)
    if not isinstance(root.tag, str) or root.tag.lower() != "opml":
        raise NoFeed(f"no OPML but <{root.tag}>")
    feeds: dict[str, Feed] = {}
    for outline in root.iter("outline"):
        url = (outline.get("xmlUrl") or "").strip()
        if not url:
            continue
        if not is_web(url):
            raise NoFeed(f"line {outline.sourceline}: no web address: {url}")
        feeds.setdefault(url, Feed(url, (outline.get("title") or outline.get("text") or "").strip()))
    if not feeds:
        raise NoFeed("no outline in it has an xmlUrl")
    return list(feeds.values())


def is_web(url: str) -> bool:
    """Whether it is an http or https address with a host."""
    try:
        parts = urlsplit(url)
        return parts.scheme in WEB and bool(parts.hostname)
    except ValueError:
        return False


def read_feed(content: bytes, headers: Mapping[str, str], feed: Feed, url: str) -> list[RawArticle]:
    """The entries as articles; `url` is where the feed came from in the end. NoFeed when it is none.

    The text is the longest that an entry has, or its title where it has none; an entry with neither is left out.
    """
    told = {"content-type": headers.get("content-type", ""), "content-location": url}
    # Only a stream: what is no stream feedparser takes for an address or a file's name.
    try:
        parsed = feedparser.parse(io.BytesIO(content), response_headers=told)
    except Exception as error:  # What hostile content makes a parser raise is the feed's trouble, not ours.
        raise NoFeed(f"no RSS or Atom: {type(error).__name__}: {error}") from error
    if not parsed.entries and not parsed.get("version"):
        raise NoFeed(f"no RSS or Atom: {parsed.get('bozo_exception', 'nothing known in it')}")
    outlet = feed.outlet or str(parsed.feed.get("title", "")).strip() or str(urlsplit(url).hostname)
    articles = (_article(entry, outlet, feed.url, url) for entry in parsed.entries)
    return [article for article in articles if article.text]


def _article(entry: Any, outlet: str, feed_url: str, url: str) -> RawArticle:
    title = str(entry.get("title", "")).strip()
    texts = [str(part.get("value", "")) for part in entry.get("content", [])]
    texts.append(str(entry.get("summary", "")))
    link = urljoin(url, str(entry.get("link", "")).strip())
    given = str(entry.get("id", ""))
    page = link if entry.get("link") and is_web(link) else None
    # An entry without a page of its own is named by the id that it has within its feed.
    return RawArticle(
        article_id="" if page or not given else derive("entry", feed_url, given),
        title=title,
        text=max((text.strip() for text in texts), key=len) or title,
        published_at=_moment(entry.get("published_parsed") or entry.get("updated_parsed")),
        source=str(entry.get("source", {}).get("title", "")).strip() or outlet,
        url=page,
    )


def _moment(parsed: Any) -> str | None:
    """feedparser gives UTC."""
    try:
        return datetime.fromtimestamp(timegm(parsed), UTC).isoformat() if parsed else None
    except (ValueError, OverflowError, OSError):
        return None
