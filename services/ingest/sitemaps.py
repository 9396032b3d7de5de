"""News sitemaps and their indexes into what they list, and the list of sitemaps. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from services.ingest.feeds import Feed, NoFeed, is_web, parse_xml

MOST_ENTRIES = 50_000
"""What the protocol allows in one file."""


@dataclass(frozen=True)
class Entry:
    """An article that a news sitemap lists; `published` as it stands there, empty strings for what is not told."""

    url: str
    title: str = ""
    published: str = ""
    changed: str = ""
    outlet: str = ""
    language: str = ""

    @property
    def mark(self) -> str:
        """Differs once the entry tells that the page has changed."""
        return "\x1f".join((self.title, self.published, self.changed))


@dataclass(frozen=True)
class Child:
    """A sitemap that an index lists, with its day of change as it stands there."""

    url: str
    changed: str = ""


@dataclass(frozen=True)
class Sitemap:
    """The articles of a sitemap, or the sitemaps of an index; `other`: pages in it that are not told to be news."""

    entries: list[Entry]
    children: list[Child]
    other: int = 0


def read_sitemap(content: bytes) -> Sitemap:
    """What a sitemap or an index of sitemaps lists, each address once. NoFeed when it is neither."""
    root = parse_xml(content)
    kind = _name(root)
    if kind == "sitemapindex":
        children = (Child(_url(node), _below(node, "lastmod")) for node in _nodes(root, "sitemap"))
        return Sitemap([], list({child.url: child for child in children if child.url}.values()))
    if kind != "urlset":
        raise NoFeed(f"no sitemap but <{kind}>")
    entries: dict[str, Entry] = {}
    other = 0
    for node in _nodes(root, "url"):
        url, news = _url(node), _child(node, "news")
        if not url or news is None:
            other += 1
            continue
        publication = _child(news, "publication")
        entries[url] = Entry(
            url,
            _below(news, "title"),
            _below(news, "publication_date"),
            _below(node, "lastmod"),
            "" if publication is None else _below(publication, "name"),
            "" if publication is None else _below(publication, "language").lower(),
        )
    return Sitemap(list(entries.values()), [], other)


def read_list(content: bytes) -> list[Feed]:
    """The sitemaps of a list, one a line: an address and, behind a blank, the outlet's name. # begins a comment.

    Each is given once, in order. NoFeed when a line holds none, or no line does.
    """
    found: dict[str, Feed] = {}
    for number, line in enumerate(content.decode("utf-8-sig", "replace").splitlines(), 1):
        url, _, outlet = line.strip().partition(" ")
        if not url or url.startswith("#"):
            continue
        if not is_web(url):
            raise NoFeed(f"line {number}: no web address: {url}")
        found.setdefault(url, Feed(url, outlet.strip()))
    if not found:
        raise NoFeed("no line in it is a web address")
    return list(found.values())


def _nodes(root: etree._Element, name: str) -> Iterator[etree._Element]:
    for number, node in enumerate(root):
        if number >= MOST_ENTRIES:
            raise NoFeed(f"more than {MOST_ENTRIES} entries")
        if _name(node) == name:
            yield node


def _url(node: etree._Element) -> str:
    url = _below(node, "loc")
    return url if is_web(url) else ""


def _child(node: etree._Element, name: str) -> etree._Element | None:
    return next((child for child in node if _name(child) == name), None)


def _below(node: etree._Element, name: str) -> str:
    """The words of a child. Sites mistype the addresses of namespaces, so only the name behind them counts."""
    child = _child(node, name)
    return " ".join((child.text or "").split()) if child is not None else ""


def _name(node: etree._Element) -> str:
    """The name without its namespace; empty for comments and the like."""
    return etree.QName(node).localname.lower() if isinstance(node.tag, str) else ""
