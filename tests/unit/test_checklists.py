"""Minimal pairs (tests/checklists): how often the shipped model changes its answer exactly where the meaning does."""

from pathlib import Path

import pytest

from services.classify.model import EventModel, load_model
from training.checklist import pass_rates

PAIRS = Path(__file__).parents[1] / "checklists" / "pairs.jsonl"
MODEL = Path(__file__).parents[2] / "models" / "events-minilm"
FLOORS = {"attribution": 0.9, "direction": 0.9, "negation": 0.75, "swap": 0.8, "tense": 0.7}


@pytest.fixture(scope="module")
def rates() -> dict[str, tuple[int, int]]:
    model: EventModel = load_model(MODEL, "onnx", threads=2)
    found, failed = pass_rates(model, PAIRS)
    for name, (passed, count) in found.items():
        print(f"{name}: {passed} of {count} pairs")
    print(*failed, sep="\n")
    return found


def test_there_are_enough_pairs(rates: dict[str, tuple[int, int]]) -> None:
    assert set(rates) == set(FLOORS)
    assert sum(count for _, count in rates.values()) >= 150


@pytest.mark.parametrize("capability", sorted(FLOORS))
def test_capability_holds_its_floor(rates: dict[str, tuple[int, int]], capability: str) -> None:
    passed, count = rates[capability]
    assert passed >= FLOORS[capability] * count
