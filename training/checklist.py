"""Minimal pairs: does the model change its answer where the meaning changes, and only there? (tests/checklists)"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

from services.classify.model import EventModel
from services.classify.pairs import PairAnswer, PairQuestion, classify_pairs
from services.classify.transform import Classifier, Piece


def _ask(model: EventModel, questions: list[tuple[str, str, str]]) -> list[PairAnswer]:
    return classify_pairs(
        model, [PairQuestion(id=i, text=t, source=s, target=r) for i, (t, s, r) in enumerate(questions)]
    )


def _attributed(classifier: Classifier, texts: list[str]) -> list[list[str]]:
    """The words of every attribution source found in each text."""
    pieces = [Piece(i, 0, 0, text, None, "") for i, text in enumerate(texts)]
    return [
        [text[slice(*a.source)] for a in read.attributions if a.source]
        for text, read in zip(texts, classifier.read(pieces), strict=True)
    ]


def _holds(row: dict[str, Any], model: EventModel, classifier: Classifier) -> bool:
    """Whether one pair passes; what passing means depends on its capability (tests/checklists/README.md)."""
    a, b, kind = row["a"], row["b"], row["capability"]
    if kind == "attribution":
        none, some = _attributed(classifier, [a["text"], b["text"]])
        return not none and any(row["source_b"] in s or s in row["source_b"] for s in some)
    if kind == "direction":
        sides = (row["actor"], row["recipient"])
        asked = [(t, *order) for t in (a["text"], b["text"]) for order in (sides, sides[::-1])]
        there_a, back_a, there_b, back_b = _ask(model, asked)
        right = there_a.type in row["type"] and there_b.type in row["type"]
        return right and there_a.event_score > back_a.event_score and there_b.event_score > back_b.event_score
    source, target = row.get("source"), row.get("target")
    first, second = _ask(model, [(s["text"], source or s["source"], target or s["target"]) for s in (a, b)])
    if kind == "negation":
        return first.type in row["expect"]["type_a"] and second.type in row["expect"]["type_b"]
    if kind == "tense":
        return first.claim == row["claim_a"] and second.claim == row["claim_b"]
    if kind == "swap":
        return first.type == second.type and first.type in row["type"]
    raise ValueError(f"unknown capability {kind!r}")


def pass_rates(model: EventModel, path: Path) -> tuple[dict[str, tuple[int, int]], list[str]]:
    """Per capability (passed, all), and the first texts of the pairs that failed."""
    classifier = Classifier(model)
    rates: dict[str, list[bool]] = defaultdict(list)
    failed = []
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        held = _holds(row, model, classifier)
        rates[row["capability"]].append(held)
        if not held:
            failed.append(f"{row['capability']}: {row['a']['text']} / {row['b']['text']}")
    return {name: (sum(found), len(found)) for name, found in sorted(rates.items())}, failed
