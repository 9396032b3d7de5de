"""A web site for tests, on the loopback."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


@dataclass
class Page:
    content: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


Answer = Callable[[dict[str, str]], Page]


class Site:
    """Pages by path; a page may be a function of the request's headers. `asked` has every request."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.pages: dict[str, Page | Answer] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []

    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]

    def answer(self, path: str, headers: dict[str, str]) -> Page:
        self.asked.append((path, headers))
        found = self.pages.get(path, Page(status=404))
        return found if isinstance(found, Page) else found(headers)


@contextmanager
def site() -> Iterator[Site]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = running.answer(self.path, {k.lower(): v for k, v in self.headers.items()})
            self.send_response(page.status)
            for name, value in page.headers.items():
                self.send_header(name, value)
            if "Content-Length" not in page.headers:
                self.send_header("Content-Length", str(len(page.content)))
            self.end_headers()
            with suppress(OSError):
                self.wfile.write(page.content)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    running = Site(server.server_address[1])
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield running
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def rss(*items: str, title: str = "Harbour News") -> bytes:
    return f'<rss version="2.0"><channel><title>{title}</title>{"".join(items)}</channel></rss>'.encode()


def item(url: str, title: str = "Envoys meet", text: str = "Envoys met in Oslo on Monday.") -> str:
    return (
        f"<item><title>{title}</title><link>{url}</link><description>{text}</description>"
        "<pubDate>Mon, 05 May 2025 10:00:00 +0200</pubDate></item>"
    )


def news(url: str, title: str = "Envoys meet", changed: str = "", language: str = "en", outlet: str = "Harbour") -> str:
    """An entry of a news sitemap."""
    lastmod = f"<lastmod>{changed}</lastmod>" if changed else ""
    return (
        f"<url><loc>{url}</loc>{lastmod}<n:news><n:publication><n:name>{outlet}</n:name>"
        f"<n:language>{language}</n:language></n:publication>"
        f"<n:publication_date>2025-05-05T08:00:00Z</n:publication_date><n:title>{title}</n:title></n:news></url>"
    )


def sitemap(*entries: str) -> bytes:
    names = (
        'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:n="http://www.google.com/schemas/sitemap-news/0.9"'
    )
    return f'<?xml version="1.0" encoding="UTF-8"?><urlset {names}>{"".join(entries)}</urlset>'.encode()


def sitemap_index(*children: tuple[str, str]) -> bytes:
    """An index of addresses, each with its day of change or an empty string."""
    listed = (
        f"<sitemap><loc>{url}</loc>{f'<lastmod>{changed}</lastmod>' if changed else ''}</sitemap>"
        for url, changed in children
    )
    return (
        f'<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{"".join(listed)}</sitemapindex>'.encode()
    )
