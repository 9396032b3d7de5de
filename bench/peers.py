"""`python -m bench.peers`: sentences per second of the classify stage beside other ways to run the same encoder.

Every way reads the same texts on the same number of threads, in turn, several times; the best round of each counts, and
what is reported is the ratio to the bare encoder loop, since absolute rates say more about the machine than the code.
The others only encode; the classify stage also finds sides, events and attribution. A library that is not installed
gets a row that says so: nothing is installed for this.
"""

from __future__ import annotations

import asyncio
import importlib.util
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from bench import corpus, output
from services.classify.batching import plan_batches
from services.classify.features import encode, pad
from services.classify.model import EventModel, TorchBackend, load_model, load_network, read_config
from services.classify.settings import MODEL
from services.classify.transform import Classifier

BUDGET = 1024
BATCH = 32
BASE = "bare encoder loop, onnx int8"
FIRST_PEER = "transformers pipeline, one by one, fp32"
OURS = "classify stage, onnx int8, all heads"
Way = Callable[[], object]
"""One reading of all sentences."""


class NotHere(Exception):
    """The library is not installed, or lacks what it needs; the message says which."""


def need(module: str) -> None:
    """Raises NotHere when the module cannot be imported."""
    if importlib.util.find_spec(module) is None:
        raise NotHere("not installed")


def bare(model: EventModel, sentences: list[str]) -> Way:
    """The encoder alone over tokenised, length-sorted batches; nothing is decoded."""
    encoded = encode(model.tokenizer, [("", s) for s in sentences])
    batches = [pad([encoded[i] for i in rows]) for rows in plan_batches([len(e.ids) for e in encoded], BUDGET)]
    return lambda: [model.backend.encode(b) for b in batches]


def save_encoder(folder: Path) -> None:
    """The shipped model's encoder and tokenizer as a Hugging Face folder, which the others load."""
    from transformers import PreTrainedTokenizerFast
    from transformers.utils import logging

    # The encoder stands without the pooler, which nobody uses here; every load would tell so at length.
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    load_network(MODEL, read_config(MODEL)).tagger.encoder.save_pretrained(folder)
    special = {"unk_token": "[UNK]", "pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(MODEL / "tokenizer.json"), mask_token="[MASK]", model_max_length=512, **special
    )
    tokenizer.save_pretrained(folder)


def pipeline(folder: Path, sentences: list[str], size: int) -> Way:
    """transformers' feature-extraction pipeline, in the order of the texts."""
    from transformers import pipeline as make

    pipe: Any = make("feature-extraction", model=str(folder), tokenizer=str(folder), device="cpu")
    if size == 1:
        return lambda: [pipe(s, return_tensors=True) for s in sentences]
    return lambda: pipe(sentences, batch_size=size, return_tensors=True)


def sentence_transformers(folder: Path, sentences: list[str]) -> Way:
    """sentence-transformers' encode, which sorts by length itself."""
    need("sentence_transformers")
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(folder), device="cpu")
    return lambda: model.encode(sentences, batch_size=BATCH, show_progress_bar=False)


def infinity(folder: Path, sentences: list[str]) -> Way:
    """infinity's engine in this process, without its HTTP server."""
    need("infinity_emb")
    from infinity_emb import AsyncEmbeddingEngine, EngineArgs

    arguments = EngineArgs(model_name_or_path=str(folder), engine="torch", device="cpu", batch_size=BATCH)

    async def embed() -> None:
        async with AsyncEmbeddingEngine.from_args(arguments) as engine:
            await engine.embed(sentences=sentences)

    return lambda: asyncio.run(embed())


def spacy(sentences: list[str]) -> Way:
    """spaCy's small English pipeline: another, smaller model, since it cannot run this one."""
    need("spacy")
    import spacy as library

    try:
        nlp = library.load("en_core_web_sm")
    except OSError:
        raise NotHere("installed, but not its pipeline en_core_web_sm") from None
    return lambda: list(nlp.pipe(sentences, batch_size=BATCH))


def ways(folder: Path, sentences: list[str], threads: int) -> dict[str, Callable[[], Way]]:
    """Each way by name; calling it loads what it needs, or raises NotHere."""
    onnx = load_model(MODEL, "onnx", threads)
    config = read_config(MODEL)
    in_torch = EventModel(config, onnx.tokenizer, TorchBackend(load_network(MODEL, config)))
    articles = corpus.clean_articles(sentences)
    return {
        BASE: lambda: bare(onnx, sentences),
        OURS: lambda: lambda: Classifier(onnx, BUDGET).extract(articles),
        "bare encoder loop, torch fp32": lambda: bare(in_torch, sentences),
        "classify stage, torch fp32, all heads": lambda: lambda: Classifier(in_torch, BUDGET).extract(articles),
        FIRST_PEER: lambda: pipeline(folder, sentences, 1),
        f"transformers pipeline, batches of {BATCH}, fp32": lambda: pipeline(folder, sentences, BATCH),
        "sentence-transformers encode, fp32": lambda: sentence_transformers(folder, sentences),
        "infinity-emb, torch": lambda: infinity(folder, sentences),
        "spaCy nlp.pipe, en_core_web_sm": lambda: spacy(sentences),
    }


def main() -> None:
    """Measures and writes peers.json."""
    parser = output.parser(__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--sentences", type=int, default=1440)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    rounds, count = (1, 144) if args.quick else (args.rounds, args.sentences)
    torch.set_num_threads(args.threads)
    # From everywhere in the passages, since neighbours were written alike.
    every = corpus.sentences()
    sentences = every[:: len(every) // count][:count]
    loaded: dict[str, Way] = {}
    missing: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as scratch:
        save_encoder(Path(scratch))
        for name, load in ways(Path(scratch), sentences, args.threads).items():
            try:
                loaded[name] = load()
            except NotHere as why:
                missing[name] = str(why)
                output.say(f"{name}: {why}")
        best = dict.fromkeys(loaded, float("inf"))
        for turn in range(rounds):
            for name, run in loaded.items():
                began = time.perf_counter()
                run()
                best[name] = min(best[name], time.perf_counter() - began)
                rate = len(sentences) / best[name]
                output.say(f"round {turn + 1}/{rounds} {name}: {rate:.0f} sentences/s at best")
    rows: list[dict[str, object]] = [
        {
            "way": name,
            "sentences_per_s": round(len(sentences) / seconds, 1),
            "to_bare": round(best[BASE] / seconds, 3),
            "to_first_peer": round(best[FIRST_PEER] / seconds, 2),
        }
        for name, seconds in best.items()
    ]
    rows += [{"way": name, "missing": why} for name, why in missing.items()]
    output.write("peers", {"threads": args.threads, "sentences": len(sentences), "rows": rows}, args)


if __name__ == "__main__":
    main()
