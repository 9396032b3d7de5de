"""Articles of many years in the order of their days, so that a stream of them is like the one that came at the time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from schemas.records import RawArticle
from services.normalize.published import published_at

WAVE = timedelta(days=7)


def waves(articles: Sequence[RawArticle], now: datetime, span: timedelta = WAVE) -> list[list[RawArticle]]:
    """The articles by day of publication, cut so that no wave spans more than `span`.

    Partitions are worked on side by side, so articles sent together come out in any order: within a week that is how
    news comes, over years each one behind the newest would be old news first seen late. Articles without a day that
    can be used go with the first wave; those of one day keep their order.
    """
    dated = [(published_at(article.published_at, now)[0], article) for article in articles]
    made = [[article for day, article in dated if day is None]]
    began = None
    for day, article in sorted(((day, a) for day, a in dated if day is not None), key=lambda pair: pair[0]):
        if began is None:
            began = day
        elif day - began > span:
            made.append([])
            began = day
        made[-1].append(article)
    return [wave for wave in made if wave]
