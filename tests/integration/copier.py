"""A service for the tests: runs as normalize with a small pure transform that obeys words in the article's text.

"raise" makes the transform raise, "refuse" makes it reject, "sleep 0.1" makes it take that long, "die" ends it.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from datetime import date

from schemas.records import CleanArticle, RawArticle
from services.runtime.service import run_service
from services.runtime.settings import ServiceSettings, load_settings
from services.runtime.window import Stage
from services.stage import Input, Outcome, Reject


def copy(inputs: Sequence[Input[RawArticle]]) -> list[Outcome[CleanArticle]]:
    outcomes: list[Outcome[CleanArticle]] = []
    for i in inputs:
        words = i.value.text.split()
        if "raise" in words:
            raise ZeroDivisionError("told to raise")
        if "die" in words:
            os._exit(9)
        if "sleep" in words:
            time.sleep(float(words[words.index("sleep") + 1]))
        outcomes.append(Reject("refused", "told to refuse") if "refuse" in words else [clean(i.value)])
    return outcomes


def clean(article: RawArticle) -> CleanArticle:
    return CleanArticle(
        article_id=article.article_id,
        text=article.text.upper(),
        sentences=[],
        raw_map=[],
        language="en",
        published_at=date(2024, 5, 1),
        published_at_reason=None,
        fingerprint="0" * 16,
    )


if __name__ == "__main__":
    sys.exit(run_service(Stage("normalize", copy), load_settings(ServiceSettings)))
