"""Score a model folder and the whole line on the development sets: `python -m training.evaluate ../shared/gold`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from services.classify.model import EventModel, load_model
from services.classify.pairs import PairQuestion, classify_pairs

FOLD = {"CONCEDE": "YIELD", "RETREAT": "YIELD"}
Span = tuple[int, int]


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    """All rows of a JSON-lines file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def macro_f1(pairs: Sequence[tuple[str, str]]) -> tuple[float, dict[str, tuple[float, float, float, int]]]:
    """Of (gold, predicted): macro-F1 over the gold labels, {label: (precision, recall, F1, gold count)}."""
    per = {}
    for label in sorted({g for g, _ in pairs}):
        hit = sum(g == p == label for g, p in pairs)
        predicted, wanted = sum(p == label for _, p in pairs), sum(g == label for g, _ in pairs)
        precision, recall = hit / predicted if predicted else 0.0, hit / wanted
        per[label] = (precision, recall, 2 * hit / (predicted + wanted), wanted)
    return sum(v[2] for v in per.values()) / len(per), per


def score_plv(model: EventModel, path: Path) -> list[tuple[str, str]]:
    """(gold root, predicted root) of 15 PLOVER roots; STATEMENT is left out of the choice, CONCEDE and RETREAT fold."""
    rows = read_jsonl(path)
    answers = classify_pairs(
        model, [PairQuestion(**{k: r[k] for k in ("id", "text", "source", "target")}) for r in rows]
    )
    out = []
    for row, answer in zip(rows, answers, strict=True):
        folded: dict[str, float] = {}
        for name, score in answer.scores.items():
            if name != "STATEMENT":
                folded[FOLD.get(name, name)] = folded.get(FOLD.get(name, name), 0.0) + score
        out.append((row["root"], max(folded, key=folded.__getitem__)))
    return out


def score_stance(model: EventModel, path: Path) -> list[tuple[str, str]]:
    """(gold, predicted) of five stances between p (source) and q (target): the most probable joint reading."""
    rows = read_jsonl(path)
    there = classify_pairs(
        model, [PairQuestion(id=r["id"], text=r["text"], source=r["source"], target=r["target"]) for r in rows]
    )
    back = classify_pairs(
        model, [PairQuestion(id=r["id"], text=r["text"], source=r["target"], target=r["source"]) for r in rows]
    )
    out = []
    for row, p, q in zip(rows, there, back, strict=True):
        choices = {
            "POS_P2Q": p.tone_scores["positive"] * q.tone_scores["neutral"],
            "NEG_P2Q": p.tone_scores["negative"] * q.tone_scores["neutral"],
            "POS_Q2P": q.tone_scores["positive"] * p.tone_scores["neutral"],
            "NEG_Q2P": q.tone_scores["negative"] * p.tone_scores["neutral"],
            "NEUTRAL": p.tone_scores["neutral"] * q.tone_scores["neutral"],
        }
        out.append((row["label"], max(choices, key=choices.__getitem__)))
    return out


def overlap_f1(gold: Sequence[set[Span]], predicted: Sequence[set[Span]]) -> float:
    """F1 of spans per document, where a span is found when it shares a character with one of the other side."""

    def found(these: Iterable[Span], those: Iterable[Span]) -> int:
        return sum(any(a < d and c < b for c, d in those) for a, b in these)

    wanted, given = sum(map(len, gold)), sum(map(len, predicted))
    recall = sum(found(g, p) for g, p in zip(gold, predicted, strict=True)) / max(1, wanted)
    precision = sum(found(p, g) for g, p in zip(gold, predicted, strict=True)) / max(1, given)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def table(title: str, rows: Iterable[tuple[str, float]], show: Callable[[str], None] = print) -> None:
    """Print one block of figures."""
    show(f"\n{title}")
    for name, value in rows:
        show(f"  {name:28} {value:.3f}")


def main() -> int:
    """Print the figures of every set found in the folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("gold", type=Path)
    parser.add_argument("--model", type=Path, default=Path("models/events-minilm"))
    parser.add_argument("--backend", default="onnx", choices=("onnx", "torch"))
    args = parser.parse_args()
    if not args.gold.is_dir():
        print(f"no folder {args.gold}: make eval GOLD=... needs the development sets", file=sys.stderr)
        return 1
    model = load_model(args.model, args.backend)
    print(f"model {model.info.name} {model.info.version}, backend {args.backend}")
    for name, score in (("plv", score_plv), ("stance", score_stance)):
        path = args.gold / f"{name}_dev.jsonl"
        if path.is_file():
            pairs = score(model, path)
            value, per = macro_f1(pairs)
            accuracy = sum(g == p for g, p in pairs) / len(pairs)
            table(f"{name}: {len(pairs)} rows", [("macro-F1", value), ("accuracy", accuracy)])
            for label, (p, r, f, n) in per.items():
                print(f"    {label:12} p {p:.2f} r {r:.2f} f1 {f:.2f} n {n}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
