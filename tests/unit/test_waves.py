"""Articles of many years sent in the order of their days."""

from __future__ import annotations

from datetime import UTC, datetime

from schemas.records import RawArticle
from services.cli_up import sample_articles
from services.ingest.waves import waves

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def names(*days: str | None) -> list[list[str | None]]:
    articles = [RawArticle(article_id=f"{n}", text="x", published_at=day) for n, day in enumerate(days)]
    return [[article.article_id for article in wave] for wave in waves(articles, NOW)]


def test_a_wave_is_no_longer_than_a_week() -> None:
    assert names("2025-03-09", "2025-03-01", "2025-03-08", "2024-12-31") == [["3"], ["1", "2"], ["0"]]


def test_articles_of_one_day_keep_their_order_whatever_their_hour() -> None:
    assert names("2025-03-01T20:00:00+03:00", "2025-03-01", "2025-03-01T01:00:00Z") == [["0", "1", "2"]]


def test_articles_without_a_day_go_with_the_first_wave() -> None:
    assert names("2025-03-01", None, "no date", "2031-01-01", "2026-01-01") == [["1", "2", "3", "0"], ["4"]]
    assert names(None, None) == [["0", "1"]]
    assert names() == []


def test_every_sample_is_sent_once() -> None:
    samples = sample_articles()
    sent = [article for wave in waves(samples, NOW) for article in wave]
    assert sorted(a.article_id or "" for a in sent) == sorted(a.article_id or "" for a in samples)
    assert [a.published_at or "" for a in sent] == sorted(a.published_at or "" for a in sent)
