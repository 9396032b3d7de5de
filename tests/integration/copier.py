"""A service for the tests: runs as normalize with a small pure transform that obeys words in the article's text.

"raise" makes the transform raise, "refuse" makes it reject, "sleep 0.1" makes it take that long; "die" ends the
process, "killed" does so as the kernel does when memory is short, "memory" asks for more than there is, "segfault"
reads no address, "loop" never ends, and "hang" neither, inside C code that lets no other thread run.
"""

from __future__ import annotations

import ctypes
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Sequence
from datetime import date

from schemas.records import CleanArticle, RawArticle
from services.runtime.service import run_service
from services.runtime.settings import ServiceSettings, load_settings
from services.runtime.window import Stage
from services.stage import Input, Outcome, Reject


def loop() -> None:
    while True:
        pass


ENDS: dict[str, Callable[[], object]] = {
    "die": lambda: os._exit(9),
    "killed": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "memory": lambda: bytes(1 << 62),
    "segfault": lambda: ctypes.string_at(0),
    "loop": loop,
    "hang": lambda: re.match(r"(a+)+$", "a" * 60 + "b"),
}


def copy(inputs: Sequence[Input[RawArticle]]) -> list[Outcome[CleanArticle]]:
    outcomes: list[Outcome[CleanArticle]] = []
    for i in inputs:
        words = i.value.text.split()
        if "raise" in words:
            raise ZeroDivisionError("told to raise")
        for word in words:
            if word in ENDS:
                ENDS[word]()
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
