"""Pages out of WARC files, and bytes as the characters that were meant."""

from __future__ import annotations

import gzip
import io
import zlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from schemas.records import RawArticle
from services.ingest import warc
from services.ingest.articles import Files
from services.ingest.charset import decoded
from services.ingest.jsonl import Line
from services.ingest.warc import read_warc

NOW = datetime(2025, 6, 1, tzinfo=UTC)
HTML = "text/html; charset=utf-8"
PAGE = b"<p>Envoys met in Oslo.</p>"


class Crawl:
    """A WARC file as a crawler writes it."""

    def __init__(self, packed: bool = False) -> None:
        self.out = io.BytesIO()
        self._writer = WARCWriter(self.out, gzip=packed)

    def response(
        self, url: str, content: bytes = PAGE, kind: str = HTML, status: str = "200 OK",
        type: str = "response", http: dict[str, str] | None = None, **warc: str,
    ) -> None:  # fmt: skip
        headers = StatusAndHeaders(status, [("Content-Type", kind), *(http or {}).items()], protocol="HTTP/1.1")
        told = {name.replace("_", "-"): value for name, value in warc.items()}
        self._writer.write_record(
            self._writer.create_warc_record(
                url, type, io.BytesIO(content), http_headers=headers,
                warc_headers_dict={"WARC-Date": "2025-05-05T08:00:00Z", **told},
            )
        )  # fmt: skip

    def lines(self) -> list[Line[RawArticle]]:
        return list(read_warc(io.BytesIO(self.out.getvalue())))


def test_a_page_with_its_address_and_time_of_fetch_but_no_date_of_publication() -> None:
    crawl = Crawl()
    crawl.response("https://news.example/1")
    (line,) = crawl.lines()
    assert line.record == RawArticle(
        text=PAGE.decode(),
        url="https://news.example/1",
        source="news.example",
        content_type="html",
        ingested_at=datetime(2025, 5, 5, 8, tzinfo=UTC),
    )
    assert line.record.published_at is None


def test_only_html_that_was_there_is_taken() -> None:
    crawl = Crawl()
    crawl.response("https://news.example/request", type="request", status="GET / HTTP/1.1")
    crawl.response("https://news.example/gone", status="404 Not Found")
    crawl.response("https://news.example/moved", status="301 Moved")
    crawl.response("https://news.example/picture", kind="image/png")
    crawl.response("https://news.example/same", type="revisit")
    crawl.response("https://news.example/text", kind="text/plain")
    crawl.response("https://news.example/page", kind="Application/XHTML+XML")
    crawl.response("dns:news.example")
    (line,) = crawl.lines()
    assert line.record is not None
    assert (line.number, line.record.url) == (7, "https://news.example/page")


def test_bodies_are_unpacked() -> None:
    crawl = Crawl()
    chunks = b"5\r\n" + PAGE[:5] + b"\r\n%x\r\n" % len(PAGE[5:]) + PAGE[5:] + b"\r\n0\r\n\r\n"
    for number, (content, http) in enumerate(
        [
            (gzip.compress(PAGE), {"Content-Encoding": "gzip"}),
            (zlib.compress(PAGE), {"Content-Encoding": "deflate"}),
            (chunks, {"Transfer-Encoding": "chunked"}),
            (PAGE, {"Content-Encoding": "gzip"}),  # Unpacked by the crawler, which left the header.
        ]
    ):
        crawl.response(f"https://news.example/{number}", content, http=http)
    assert [line.record and line.record.text for line in crawl.lines()] == [PAGE.decode()] * 4


def test_what_is_no_whole_page_is_refused_with_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warc, "MOST_BYTES", 1000)
    crawl = Crawl()
    crawl.response("https://news.example/cut", WARC_Truncated="length")
    crawl.response("https://news.example/brotli", http={"Content-Encoding": "br"})
    crawl.response("https://news.example/large", b"x" * 1001)
    crawl.response("https://news.example/bomb", gzip.compress(b"x" * 100_000), http={"Content-Encoding": "gzip"})
    crawl.response("http:///nowhere")
    crawl.response("https://news.example/good")
    *bad, good = crawl.lines()
    assert [(line.number, line.reason.removeprefix("https://news.example/")) for line in bad] == [
        (1, "cut: cut off when it was fetched (length)"),
        (2, "brotli: packed by 'br', which is not read"),
        (3, "large: longer than 1000 bytes"),
        (4, "bomb: longer than 1000 bytes"),
        (5, "no web address: 'http:///nowhere'"),
    ]
    assert (good.number, good.reason) == (6, "")


def test_a_file_that_ends_within_a_page_or_is_none_is_told() -> None:
    crawl = Crawl()
    crawl.response("https://news.example/1")
    whole = crawl.out.getvalue()
    (line,) = read_warc(io.BytesIO(whole[:-12]))
    assert line.reason == "https://news.example/1: the file ends within it"
    first, second = read_warc(io.BytesIO(whole + b"nonsense\r\n\r\n"))
    assert first.record is not None
    assert (second.number, second.reason[:8]) == (2, "no WARC,")
    (none,) = read_warc(io.BytesIO(b'{"text": "x"}\n'))
    assert none.reason.startswith("no WARC, nothing more is read")
    (lost,) = read_warc(io.BytesIO(whole.replace(b"WARC-Target-URI", b"X-Target-URI")))
    assert lost.record is None


def test_files_also_packed_go_on_behind_their_place(tmp_path: Path) -> None:
    for packed, name in ((False, "a.warc"), (True, "b.warc.gz")):
        crawl = Crawl(packed)
        for number in range(4):
            crawl.response(f"https://{name}/{number}", kind=HTML if number != 1 else "image/png")
        (tmp_path / name).write_bytes(crawl.out.getvalue())
    names = [str(tmp_path / name) for name in ("a.warc", "b.warc.gz")]
    files = Files(names, lambda *_: None)
    assert [a.url for a in files.articles(lambda: NOW)] == [
        f"https://{name}/{number}" for name in ("a.warc", "b.warc.gz") for number in (0, 2, 3)
    ]
    assert files.places == {names[0]: 4, names[1]: 4}
    left = Files(names, lambda *_: None).articles(lambda: NOW, lambda name: 3 if name == names[0] else 4)
    assert [(a.url, a.ingested_at) for a in left] == [("https://a.warc/3", datetime(2025, 5, 5, 8, tzinfo=UTC))]


def test_broken_gzip_ends_a_file_but_not_the_next(tmp_path: Path) -> None:
    crawl = Crawl(packed=True)
    for number in range(20):
        crawl.response(f"https://news.example/{number}")
    (tmp_path / "a.warc.gz").write_bytes(crawl.out.getvalue()[:-40])
    lines = gzip.compress(b"".join(b'{"text": "%d"}\n' % n for n in range(20_000)))
    (tmp_path / "b.jsonl.gz").write_bytes(lines[:-40])
    (tmp_path / "c.jsonl.gz").write_bytes(b"no gzip")
    (tmp_path / "d.jsonl.gz").write_bytes(gzip.compress(b'{"text": "last"}\n'))
    told: list[tuple[str, str]] = []
    files = Files(
        [str(path) for path in sorted(tmp_path.iterdir())],
        lambda name, line: told.append((Path(name).name, line.reason)),
    )
    articles = list(files.articles(lambda: NOW))
    assert [a.url for a in articles if a.url] == [f"https://news.example/{n}" for n in range(19)]
    assert articles[-1].text == "last"
    assert [name for name, _ in told] == ["a.warc.gz", "b.jsonl.gz", "c.jsonl.gz"]
    assert all(why.startswith("broken gzip, nothing more is read") for _, why in told)


@pytest.mark.parametrize(
    ("content", "kind", "words"),
    [
        ("Größe".encode("latin-1"), "text/html; charset=ISO-8859-1", "Größe"),
        ("the “truce” – now".encode("cp1252"), "text/html; charset=iso-8859-1", "the “truce” – now"),
        ("<meta charset='windows-1251'>Москва".encode("cp1251"), "text/html", "<meta charset='windows-1251'>Москва"),
        ("Größe".encode(), "text/html; charset=unknown", "Größe"),
        ("Größe".encode(), "text/html; charset=ascii", "GrÃ¶ÃŸe"),
        ("Größe".encode(), "text/html", "Größe"),
    ],
)
def test_charsets(content: bytes, kind: str, words: str) -> None:
    assert decoded(content, kind) == words
