"""`python -m bench.stage`: the classify service beside the bare encoder, and where its time goes.

The service is a process of its own from articles.clean to events.extracted, exactly once, on the local broker, with all
heads on. The bare loop runs the same int8 encoder over the same sentences, tokenised and sorted before. Both in
turn, several times; the best round of each counts, and what matters is the ratio. Shares are read from the service's
own /metrics while it works.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from bench import corpus, output
from bench.metering import Scrape, pace, shares
from bench.processes import on, produce, running
from schemas.records import CleanArticle
from services.classify.batching import plan_batches
from services.classify.features import encode, pad
from services.classify.model import EventModel, load_model
from services.classify.settings import MODEL
from services.runtime import codec
from services.runtime.broker import local_broker
from services.runtime.metrics import Metrics
from services.runtime.settings import ConnectionSettings
from services.runtime.topics import ensure_topics

BUDGET = 1024
WARM = 64
OBSERVATIONS = 20_000


def bare_seconds(model: EventModel, sentences: list[str]) -> float:
    """Seconds of the encoder alone over all sentences, in batches of like length; nothing is decoded."""
    encoded = encode(model.tokenizer, [("", s) for s in sentences])
    batches = [pad([encoded[i] for i in rows]) for rows in plan_batches([len(e.ids) for e in encoded], BUDGET)]
    began = time.perf_counter()
    for batch in batches:
        model.backend.encode(batch)
    return time.perf_counter() - began


def service_scrapes(
    settings: ConnectionSettings, folder: Path, articles: list[CleanArticle], threads: int
) -> list[Scrape]:
    """The service's looks at itself from when all articles are there until they are done; it has been warm before."""
    values = [codec.encode(article) for article in articles]
    ensure_topics(settings)
    with running(settings, folder, "classify", threads=threads) as classify:
        classify.wait_ready()
        produce(settings, "articles.clean", values[:WARM])
        classify.watch(lambda s: s.consumed >= min(WARM, len(values)))
        produce(settings, "articles.clean", values)
        return classify.watch(lambda s: s.consumed >= min(WARM, len(values)) + len(values))


def observation_seconds() -> float:
    """What noting one duration costs."""
    metrics = Metrics("bench")
    began = time.perf_counter()
    for _ in range(OBSERVATIONS):
        with metrics.phase("infer").time():
            pass
    return (time.perf_counter() - began) / OBSERVATIONS


def main() -> None:
    """Measures and writes stage.json."""
    parser = output.parser(__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    rounds, count = (1, 720) if args.quick else (args.rounds, None)
    sentences = corpus.sentences()[:count]
    articles = corpus.clean_articles(sentences)
    model = load_model(MODEL, "onnx", args.threads)
    bare, service = 0.0, 0.0
    found: dict[str, float] = {}
    metrics, cost = 0.0, observation_seconds()
    with tempfile.TemporaryDirectory() as scratch, local_broker() as broker:
        for turn in range(rounds):
            bare = max(bare, len(sentences) / bare_seconds(model, sentences))
            seen = service_scrapes(on(broker.bootstrap, f"stage{turn}"), Path(scratch), articles, args.threads)
            rate = pace(seen) * len(sentences) / len(articles)
            output.say(f"round {turn + 1}/{rounds}: bare {bare:.0f} sentences/s at best, service {rate:.0f}")
            if rate > service:
                # The last look found it done, and maybe idle for a while.
                service, at_work = rate, seen[:-1] if len(seen) > 2 else seen
                found = shares(at_work)
                noted = at_work[-1].observations - at_work[0].observations
                metrics = noted * cost / max(1e-9, at_work[-1].at - at_work[0].at)
    output.say("shares: " + ", ".join(f"{name} {share:.1%}" for name, share in found.items()))
    output.say(f"ratio to the bare encoder: {service / bare:.3f}")
    told = {
        "threads": args.threads,
        "sentences": len(sentences),
        "articles": len(articles),
        "bare_sentences_per_s": round(bare, 1),
        "service_sentences_per_s": round(service, 1),
        "service_articles_per_s": round(service * len(articles) / len(sentences), 2),
        "ratio": round(service / bare, 3),
        "shares": {name: round(share, 4) for name, share in found.items()},
        "metrics_share": round(metrics, 5),
    }
    output.write("stage", told, args)


if __name__ == "__main__":
    main()
