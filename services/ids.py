"""Names that stay the same when the same article comes again."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit
from uuid import UUID, uuid5

from schemas.records import RawArticle

NAMESPACE = UUID("6f1c3f0e-52a6-5c0e-9d0b-8d3f6a0f7a11")
"""Of all ids that demarche derives; changing it changes every one of them."""
TRACKING = frozenset({"fbclid", "gclid", "dclid", "msclkid", "igshid", "mc_cid", "mc_eid", "cmpid", "ref_src", "ocid"})
DEFAULT_PORTS = {"http": 80, "https": 443}


def derive(*parts: str) -> str:
    """uuid5 over the parts; their borders count, so ("ab", "c") and ("a", "bc") differ."""
    text = "\x1f".join(f"{len(part)}:{part}" for part in parts)
    return str(uuid5(NAMESPACE, text.encode("utf-8", "backslashreplace").decode()))


def canonical_url(url: str) -> str:
    """The address without what does not name the article: fragment, tracking, default port, case of the host.

    http and https are one. A string that is no web address comes back stripped, otherwise as it is.
    """
    words = url.strip()
    try:
        parts = urlsplit(words)
        port = parts.port
    except ValueError:
        return words
    scheme = parts.scheme.lower()
    if scheme not in DEFAULT_PORTS or not parts.hostname:
        return words
    host = parts.hostname.lower().rstrip(".")
    host = f"[{host}]" if ":" in host else host
    if port is not None and port not in DEFAULT_PORTS.values():
        host = f"{host}:{port}"
    query = [
        (name, value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
        if not name.lower().startswith("utm_") and name.lower() not in TRACKING
    ]
    return urlunsplit(("https", host, parts.path.rstrip("/") or "/", urlencode(query), ""))


def article_id(article: RawArticle) -> str:
    """The given id, else uuid5 of the canonical URL, else of source, title and text."""
    if given := article.article_id.strip():
        return given
    if article.url and article.url.strip():
        return derive("url", canonical_url(article.url))
    return derive("content", article.source, article.title, article.text)
