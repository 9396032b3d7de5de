"""What training/data promises: its size, every label of the codebook, and nothing of the development sets."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from schemas.codebook import CLAIMS, EVENT_TYPES, PEACES, TIMINGS, TONES
from training.labels import Passage, read_folder

ROOT = Path(__file__).parents[2]
DATA = ROOT / "training" / "data"
GOLD = ROOT.parent / "shared" / "gold"
SHARED_WORDS = 10
"""Agency phrases of nine words ("Secretary General of the United Nations …") stand in every paper; ten do not."""


@pytest.fixture(scope="module")
def passages() -> list[Passage]:
    return read_folder(DATA)


def test_there_is_enough_of_every_label(passages: list[Passage]) -> None:
    assert len(passages) >= 6000
    assert sum(not p.events for p in passages) >= 2000
    events = [e for p in passages for e in p.events]
    seen = Counter(v for e in events for v in (e.type, e.claim, e.timing, f"tone {e.tone}", f"peace {e.peace}"))
    for label in (*EVENT_TYPES, *CLAIMS, *TIMINGS, *(f"tone {t}" for t in TONES), *(f"peace {p}" for p in PEACES)):
        assert seen[label] >= 100, label
    assert sum(len(p.events) > 1 for p in passages) >= 1000


def test_labels_on_real_sentences_hold_no_text() -> None:
    rows = [json.loads(line) for path in (DATA / "real").glob("*.jsonl") for line in path.open(encoding="utf-8")]
    assert len(rows) >= 1500
    for row in rows:
        assert set(row) == {"row", "at", "speaker", "mentions", "events", "attributions"}
        assert len(row["speaker"]) < 150


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower())


def test_no_passage_repeats_a_development_text(passages: list[Passage]) -> None:
    if not GOLD.is_dir():
        pytest.skip("the development sets are not at hand (../shared/gold)")
    known: set[tuple[str, ...]] = set()
    for path in GOLD.glob("*_dev.jsonl"):
        for line in path.open(encoding="utf-8"):
            row = json.loads(line)
            words = _words((row.get("title") or "") + " " + re.sub(r"[\[\]]", "", row["text"]))
            known.update(zip(*(words[i:] for i in range(SHARED_WORDS)), strict=False))
    for passage in passages:
        words = _words(passage.text)
        shared = known.intersection(zip(*(words[i:] for i in range(SHARED_WORDS)), strict=False))
        assert not shared, f"{passage.id}: {' '.join(next(iter(shared)))}"
