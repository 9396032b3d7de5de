"""`make bench`: sentences per second of the classify stage, beside other ways to run the same encoder, in one run.

Every way reads the same texts on the same number of threads, in turn, several times; the best round of each counts, and
what is reported is the ratio to the bare encoder loop, since absolute rates say more about the machine than the code.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

from schemas.records import CleanArticle, Sentence
from services.classify.batching import plan_batches
from services.classify.features import encode, pad
from services.classify.model import EventModel, TorchBackend, load_model, load_network, read_config
from services.classify.transform import Classifier
from training.labels import read_folder

RESULTS = Path(__file__).parent / "results"
BUDGET = 1024


def articles(sentences: list[str], per_article: int = 12) -> list[CleanArticle]:
    """Clean articles of consecutive sentences."""
    out = []
    for at in range(0, len(sentences), per_article):
        text, spans = "", []
        for sentence in sentences[at : at + per_article]:
            spans.append(Sentence(start=len(text), end=len(text) + len(sentence), part="body", paragraph=0))
            text += sentence + " "
        out.append(
            CleanArticle(
                article_id=str(at), text=text, sentences=spans, raw_map=[], language="en", published_at=None,
                published_at_reason="bench", fingerprint="0" * 16,
            )
        )  # fmt: skip
    return out


def bare_loop(model: EventModel, sentences: list[str]) -> Callable[[], object]:
    """The roofline: the encoder alone over tokenised, length-sorted batches; nothing is decoded."""
    encoded = encode(model.tokenizer, [("", s) for s in sentences])
    batches = [pad([encoded[i] for i in rows]) for rows in plan_batches([len(e.ids) for e in encoded], BUDGET)]
    return lambda: [model.backend.encode(b) for b in batches]


def one_by_one(path: Path, sentences: list[str]) -> Callable[[], object]:
    """transformers, a sentence at a time, encoder only."""
    config = read_config(path)
    encoder = load_network(path, config).tagger.encoder
    model = load_model(path, "onnx")

    def run() -> object:
        with torch.inference_mode():
            for sentence in sentences:
                ids = torch.tensor([model.tokenizer.encode(sentence).ids])
                encoder(input_ids=ids, attention_mask=torch.ones_like(ids))
        return None

    return run


def in_batches(path: Path, sentences: list[str], size: int = 32) -> Callable[[], object]:
    """transformers, padded batches in the order of the texts, encoder only."""
    encoder = load_network(path, read_config(path)).tagger.encoder
    model = load_model(path, "onnx")

    def run() -> object:
        with torch.inference_mode():
            for at in range(0, len(sentences), size):
                arrays = pad(encode(model.tokenizer, [("", s) for s in sentences[at : at + size]]))
                ids, mask = (torch.from_numpy(arrays[name]) for name in ("input_ids", "attention_mask"))
                encoder(input_ids=ids, attention_mask=mask)
        return None

    return run


def stage_shares(model: EventModel, clean: list[CleanArticle]) -> dict[str, float]:
    """Parts of one run of the stage, in its own terms: tokenize, infer (encoder), decode_pairs (heads), records."""
    spent: dict[str, float] = {}

    @contextmanager
    def timer(stage: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        spent[stage] = spent.get(stage, 0.0) + time.perf_counter() - began

    began = time.perf_counter()
    Classifier(model, BUDGET, timer).extract(clean)
    whole = time.perf_counter() - began
    return {name: round(t / whole, 3) for name, t in spent.items()} | {
        "records": round(1 - sum(spent.values()) / whole, 3)
    }


def main() -> None:
    """Print the table and write bench/results/classify.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=Path("models/events-minilm"))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--sentences", type=int, default=720)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    passages = read_folder(Path("training/data"))
    sentences = [p.text[p.sentence_start :] for p in passages][: args.sentences]
    clean = articles(sentences)
    onnx = load_model(args.model, "onnx", args.threads)
    config = read_config(args.model)
    torch_model = EventModel(config, onnx.tokenizer, TorchBackend(load_network(args.model, config)))
    ways: dict[str, Callable[[], object]] = {
        "bare encoder loop, onnx int8": bare_loop(onnx, sentences),
        "classify stage, onnx int8, all heads": lambda: Classifier(onnx, BUDGET).extract(clean),
        "bare encoder loop, torch fp32": bare_loop(torch_model, sentences),
        "classify stage, torch fp32, all heads": lambda: Classifier(torch_model, BUDGET).extract(clean),
        "transformers one by one, fp32": one_by_one(args.model, sentences),
        "transformers in batches of 32, fp32": in_batches(args.model, sentences),
    }
    best = dict.fromkeys(ways, np.inf)
    for turn in range(args.rounds):
        for name, run in ways.items():
            began = time.perf_counter()
            run()
            best[name] = min(best[name], time.perf_counter() - began)
            print(f"round {turn + 1}/{args.rounds} {name}: {len(sentences) / best[name]:.0f} sentences/s", flush=True)
    base = best["bare encoder loop, onnx int8"]
    rows = [
        {"way": n, "sentences_per_s": round(len(sentences) / t, 1), "ratio": round(base / t, 3)}
        for n, t in best.items()
    ]
    print(f"\n{'way':42} {'sentences/s':>12} {'ratio':>7}")
    for row in rows:
        print(f"{row['way']:42} {row['sentences_per_s']:>12} {row['ratio']:>7}")
    shares = stage_shares(onnx, clean)
    print("classify stage, onnx int8: " + ", ".join(f"{name} {share:.0%}" for name, share in shares.items()))
    RESULTS.mkdir(exist_ok=True)
    found = {"threads": args.threads, "rows": rows, "stage_shares": shares}
    (RESULTS / "classify.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
