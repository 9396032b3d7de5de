"""What the benchmarks read: the passages written for training, put together to articles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path

from schemas.records import CleanArticle, RawArticle, Sentence
from training.labels import read_folder

DATA = Path(__file__).parents[1] / "training" / "data"
SENTENCES_EACH = 12
PARAGRAPH = 3
FIRST_DAY = date(2000, 1, 1)
PASS_DAYS = 40
"""Longer than track looks back, so that what a later pass over the passages tells is news again and raises alerts."""


def sentences() -> list[str]:
    """All passages without their context, in the order of the files."""
    return [p.text[p.sentence_start :] for p in read_folder(DATA)]


def clean_articles(texts: Sequence[str], each: int = SENTENCES_EACH) -> list[CleanArticle]:
    """Clean articles of consecutive sentences."""
    out = []
    for at in range(0, len(texts), each):
        text, spans = "", []
        for sentence in texts[at : at + each]:
            spans.append(Sentence(start=len(text), end=len(text) + len(sentence), part="body", paragraph=0))
            text += sentence + " "
        out.append(
            CleanArticle(
                article_id=f"bench-{at}",
                text=text,
                sentences=spans,
                raw_map=[],
                language="en",
                published_at=None,
                published_at_reason="bench",
                fingerprint="0" * 16,
            )
        )
    return out


def raw_articles(texts: Sequence[str], each: int = SENTENCES_EACH) -> Iterator[RawArticle]:
    """Articles without end. Every pass over the passages groups them anew, 40 days after the one before."""
    turn = 0
    while True:
        day = FIRST_DAY + timedelta(days=PASS_DAYS * turn)
        for at in range(turn % each, len(texts) - each, each):
            told = texts[at : at + each]
            paragraphs = [" ".join(told[n : n + PARAGRAPH]) for n in range(0, each, PARAGRAPH)]
            yield RawArticle(
                article_id=f"bench-{turn}-{at}",
                text="\n\n".join(paragraphs),
                published_at=day.isoformat(),
                source=f"Paper {at % 50}",
            )
        turn += 1


def of_words(texts: Sequence[str], words: int) -> RawArticle:
    """One article of at least so many words, as few sentences as that takes."""
    told: list[str] = []
    count = 0
    while count < words:
        told.append(texts[len(told) % len(texts)])
        count += len(told[-1].split())
    paragraphs = [" ".join(told[n : n + PARAGRAPH]) for n in range(0, len(told), PARAGRAPH)]
    return RawArticle(article_id=f"bench-{words}", text="\n\n".join(paragraphs), published_at=FIRST_DAY.isoformat())
