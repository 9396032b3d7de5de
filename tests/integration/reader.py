"""A service for the tests: runs as classify, finds no event in any article."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from schemas.records import CleanArticle, ExtractedEvents, ModelInfo
from services.runtime.service import run_service
from services.runtime.settings import ServiceSettings, load_settings
from services.runtime.window import Stage
from services.stage import Input, Outcome

MODEL = ModelInfo(name="none", version="0", sha256="0" * 64)


def read(inputs: Sequence[Input[CleanArticle]]) -> list[Outcome[ExtractedEvents]]:
    return [
        [ExtractedEvents(article_id=i.value.article_id, article=i.value, sentences=[], model=MODEL)] for i in inputs
    ]


if __name__ == "__main__":
    sys.exit(run_service(Stage("classify", read), load_settings(ServiceSettings)))
