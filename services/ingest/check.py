"""Whether an article can be written at all. What its text is worth, normalize judges."""

from __future__ import annotations

from schemas.records import RawArticle
from services.ids import article_id


def refusal(article: RawArticle, most_bytes: int) -> str | None:
    """Why it cannot be written; None when it can."""
    try:
        size = len(article.model_dump_json().encode())
        article_id(article).encode()
    except ValueError:  # Halves of surrogate pairs, which JSON can spell.
        return "holds characters that are no Unicode"
    return f"{size} bytes, the most is {most_bytes}" if size > most_bytes else None
