"""A page's bytes as characters, in the charset that was meant. Pure."""

from __future__ import annotations

import codecs
import re
from contextlib import suppress

from trafilatura.utils import decode_file

READABLE = ("text/html", "application/xhtml+xml", "text/plain")
HEAD = 4096
_META = re.compile(rb"<meta[^>]{1,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)
WIDER = frozenset({"ascii", "iso8859-1"})


def is_readable(kind: str) -> bool:
    """Whether a content type is that of a page with text."""
    return kind.split(";")[0].strip().lower() in READABLE


def decoded(content: bytes, kind: str) -> str:
    """The charset is the one that the content type names, else the page's own head, else the one found by looking."""
    named = kind.lower().partition("charset=")[2].split(";")[0].strip(" \"'")
    own = _META.search(content, 0, HEAD)
    for charset in filter(None, (named, own.group(1).decode() if own else "")):
        with suppress(LookupError, UnicodeDecodeError):
            return content.decode(_meant(charset))
    return str(decode_file(content))


def _meant(charset: str) -> str:
    """Pages that are called Latin 1 or ASCII are written in Windows' charset, in which that means quotes and dashes."""
    return "cp1252" if codecs.lookup(charset).name in WIDER else charset
