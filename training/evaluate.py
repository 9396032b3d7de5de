"""Score a model folder and the whole line on the development sets: `python -m training.evaluate ../shared/gold`."""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from schemas.records import RawArticle
from services.classify.model import EventModel, load_model
from services.classify.pairs import PairQuestion, classify_pairs
from services.classify.transform import Classifier, Piece
from services.cli_flat import flat_event
from services.normalize.transform import clean_article
from services.rawspan import raw_span
from services.resolve.actors import code_actor
from services.resolve.transform import resolve_article
from services.stage import Reject
from training.checklist import pass_rates
from training.examples import unbracket
from training.stance import joint_stance, macro_f1, tones_both_ways

IGO_CODES = ("EUR", "UNO", "IGO")
FOLD = {"CONCEDE": "YIELD", "RETREAT": "YIELD"}
NOW = datetime(2026, 1, 1, tzinfo=UTC)
"""Only bounds publication dates; the development articles are older."""
NO_EVENT = Path(__file__).parent / "checks" / "no_event.txt"
PAIRS = Path(__file__).parents[1] / "tests" / "checklists" / "pairs.jsonl"
Span = tuple[int, int]


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    """All rows of a JSON-lines file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


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
    """(gold, predicted) of five stances between the entity bracketed first (p) and the other (q).

    The most probable joint reading of both directions counts; the rows' own `source` is the holder of the stance, so
    it would tell the direction and is not used.
    """
    rows = read_jsonl(path)
    sides = []
    for row in rows:
        text, spans = unbracket(row["text"])
        sides.append((row["text"], text[slice(*spans[0])], text[slice(*spans[1])]))
    there, back = tones_both_ways(model, sides)
    return list(zip((row["label"] for row in rows), joint_stance(there, back), strict=True))


def overlap_f1(gold: Sequence[set[Span]], predicted: Sequence[set[Span]]) -> float:
    """F1 of spans per document, where a span is found when it shares a character with one of the other side."""

    def found(these: Iterable[Span], those: Iterable[Span]) -> int:
        return sum(any(a < d and c < b for c, d in those) for a, b in these)

    wanted, given = sum(map(len, gold)), sum(map(len, predicted))
    recall = sum(found(g, p) for g, p in zip(gold, predicted, strict=True)) / max(1, wanted)
    precision = sum(found(p, g) for g, p in zip(gold, predicted, strict=True)) / max(1, given)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def score_attribution(model: EventModel, path: Path) -> dict[str, float]:
    """Overlap F1 of source, cue and content spans; documents go through normalize and classify as in the service."""
    rows = read_jsonl(path)
    gold: dict[str, list[set[Span]]] = {"source": [], "cue": [], "content": []}
    found: dict[str, list[set[Span]]] = {"source": [], "cue": [], "content": []}
    classifier = Classifier(model)
    for row in rows:
        cleaned = clean_article(RawArticle(article_id=row["id"], text=row["text"]), NOW)
        if isinstance(cleaned, Reject):
            print(f"  {row['id']}: {cleaned.reason}", file=sys.stderr)
        extracted = [] if isinstance(cleaned, Reject) else classifier.extract([cleaned])[0].sentences
        links = [a for s in extracted for a in s.attributions]
        for layer in gold:
            gold[layer].append({tuple(x) for a in row["attributions"] for part in a[layer] for x in part["span"]})
            spans: set[Span] = set()
            for link in links:
                span = getattr(link, layer)
                raw = raw_span(cleaned, *span) if span and not isinstance(cleaned, Reject) else None
                if raw:
                    spans.add((raw[1], raw[2]))
            found[layer].append(spans)
    return {layer: overlap_f1(gold[layer], found[layer]) for layer in gold}


def score_actors(path: Path) -> dict[str, float]:
    """Share of rows with the expected country and sector; a peer's codes for organisations count as no country.

    Rows for which the peer looked a name up in an encyclopedia are counted apart.
    """
    hits: dict[str, list[bool]] = {}
    for row in read_jsonl(path):
        expect, when = row.get("expect") or {}, row.get("query_date") or ""
        on = date.fromisoformat(when) if re.fullmatch(r"\d{4}-\d\d-\d\d", when) else None
        coded = code_actor(row["text"], on, row.get("context", ""))
        kind = " by encyclopedia" if expect.get("wiki") or expect.get("actor_wiki_job") else ""
        if "country" in expect:
            wanted = None if expect["country"] in ("", *IGO_CODES) else expect["country"]
            hits.setdefault("country" + kind, []).append(coded.country == wanted)
        if expect.get("code_1") not in (None, "", "????"):
            wanted = None if expect["code_1"] in ("UNK", "JNK") else expect["code_1"]
            hits.setdefault("sector" + kind, []).append((None if coded.sector == "UNK" else coded.sector) == wanted)
    return {f"{name} (n {len(found)})": sum(found) / len(found) for name, found in sorted(hits.items())}


def score_no_event(model: EventModel, path: Path) -> dict[str, float]:
    """Share of sentences without an event, one a line, for which one is found."""
    sentences = path.read_text(encoding="utf-8").splitlines()
    pieces = [Piece(n, 0, 0, text, None, "") for n, text in enumerate(s for s in sentences if s.strip())]
    found = [bool(read.events) for read in Classifier(model).read(pieces)]
    return {f"with an event (n {len(found)})": sum(found) / len(found)}


def score_articles(model: EventModel, path: Path, scorer: Path) -> str:
    """What the codebook's own scorer prints for the whole offline line on annotated articles."""
    classifier = Classifier(model)
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as out:
        for row in read_jsonl(path):
            raw = RawArticle(**{k: row[k] for k in ("article_id", "title", "text", "published_at", "source")})
            cleaned = clean_article(raw, NOW)
            if isinstance(cleaned, Reject):
                continue
            for event in resolve_article(classifier.extract([cleaned])[0]):
                out.write(json.dumps(flat_event(event, raw)) + "\n")
        out.flush()
        command = [sys.executable, str(scorer), "score", str(path), out.name, "--per-type", "--misses", "80"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout


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
    path = args.gold / "attribution_dev.jsonl"
    if path.is_file():
        table("attribution: overlap F1", score_attribution(model, path).items())
    path = args.gold / "actors_dev.jsonl"
    if path.is_file():
        table("actors: share right", score_actors(path).items())
    table("sentences without an event", score_no_event(model, NO_EVENT).items())
    table("minimal pairs: share passed", ((f"{n} (n {c})", p / c) for n, (p, c) in pass_rates(model, PAIRS)[0].items()))
    path, scorer = args.gold / "articles_dev.jsonl", args.gold.parent / "codebook" / "score_events.py"
    if path.is_file() and scorer.is_file():
        print("\narticles, the whole offline line\n" + score_articles(model, path, scorer))
    return 0


if __name__ == "__main__":
    sys.exit(main())
