"""`python -m bench.scale`: classify on one core and on two, and articles from a hundred words to ten thousand.

One process pinned to one core, two processes pinned to one core each, and one process with two threads on both cores;
all on the local broker, which needs some of the same cores. Each process is given as many articles as the other.
Long articles go through the stages in this process, one article at a time, so that nothing but their length counts.
"""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from kafka.errors import TopicAlreadyExistsError

from bench import corpus, output
from bench.metering import Scrape, pace
from bench.processes import LOOK_SECONDS, BenchError, Process, on, produce, running
from schemas.records import Origin
from services.classify.model import load_model
from services.classify.settings import MODEL
from services.classify.transform import Classifier
from services.normalize.transform import normalize
from services.resolve.transform import resolve
from services.runtime import clients, codec
from services.runtime.broker import local_broker
from services.runtime.settings import ConnectionSettings
from services.runtime.topics import ensure_topics
from services.stage import Input, Reject

PARTITIONS = 4
WARM_EACH = 64
LENGTHS = (100, 300, 1000, 3000, 10_000)


def even_topic(settings: ConnectionSettings) -> None:
    """Makes articles.clean with an even number of partitions, so that two processes have as many, and the others."""
    admin = clients.admin(settings)
    try:
        name = settings.topic_prefix + "articles.clean"
        admin.create_topics({name: {"num_partitions": PARTITIONS, "replication_factor": -1}}, wait_for_metadata=True)
    except TopicAlreadyExistsError:
        pass
    finally:
        admin.close()
    ensure_topics(settings)


def watch(processes: list[Process], total: int) -> list[list[Scrape]]:
    """Each process's looks at itself until together they have done so many."""
    seen = [[p.look()] for p in processes]
    while sum(looks[-1].consumed for looks in seen) < total:
        time.sleep(LOOK_SECONDS)
        for process, looks in zip(processes, seen, strict=True):
            looks.append(process.look())
    return seen


def together(
    settings: ConnectionSettings, folder: Path, pins: list[set[int]], threads: int, values: list[bytes]
) -> float:
    """Articles a second of one classify process for each of `pins`, the cores it may use."""
    even_topic(settings)
    with ExitStack() as stack:
        processes = [
            stack.enter_context(running(settings, folder, "classify", instance=str(n), cores=cores, threads=threads))
            for n, cores in enumerate(pins)
        ]
        for process in processes:
            process.wait_ready()
        warm = (values * (1 + WARM_EACH * len(pins) // len(values)))[: WARM_EACH * len(pins)]
        produce(settings, "articles.clean", warm, PARTITIONS)
        idle = [p.consumed for p in (looks[-1] for looks in watch(processes, len(warm)))]
        if not all(idle):
            raise BenchError(f"a process has no partitions: {idle} records done")
        produce(settings, "articles.clean", values, PARTITIONS)
        return sum(pace(looks) for looks in watch(processes, len(warm) + len(values)))


def by_length(texts: list[str], lengths: tuple[int, ...], rounds: int) -> list[dict[str, float]]:
    """Milliseconds of each stage for one article of each length, best of some rounds, and for each of its words."""
    classifier = Classifier(load_model(MODEL, "onnx", 2))
    rows: list[dict[str, float]] = []
    for turn, length in enumerate((lengths[0], *lengths)):
        article = corpus.of_words(texts, length)
        best: dict[str, float] = {}
        for _ in range(rounds):
            record: object = article
            for name, transform in (("normalize", normalize), ("classify", classifier.classify), ("resolve", resolve)):
                given = Input(record, Origin(topic="bench", partition=0, offset=0), datetime.now(UTC))
                began = time.perf_counter()
                [outcome] = transform([given])  # type: ignore[operator]
                best[name] = min(best.get(name, float("inf")), time.perf_counter() - began)
                if isinstance(outcome, Reject):
                    raise BenchError(f"{name} refuses an article of {length} words: {outcome.detail}")
                record = next(iter(outcome), None)
        if turn == 0:  # The first article of all only loads tables.
            continue
        words = len(article.text.split())
        row = {"words": words} | {f"{name}_ms": round(seconds * 1000, 2) for name, seconds in best.items()}
        row["ms_per_word"] = round(sum(best.values()) * 1000 / words, 4)
        rows.append(row)
        output.say(f"{row}")
    return rows


def main() -> None:
    """Measures and writes scale.json."""
    parser = output.parser(__doc__)
    parser.add_argument("--articles", type=int, default=960, help="for each process")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    each, rounds, lengths = (100, 1, LENGTHS[:3]) if args.quick else (args.articles, args.rounds, LENGTHS)
    texts = corpus.sentences()
    values = [codec.encode(article) for article in corpus.clean_articles(texts)]
    cores = sorted(os.sched_getaffinity(0))
    setups: dict[str, tuple[list[set[int]], int]] = {"1 process, 1 core": ([{cores[0]}], 1)}
    if len(cores) > 1:
        setups["2 processes, 1 core each"] = ([{cores[0]}, {cores[1]}], 1)
        setups["1 process, 2 threads, 2 cores"] = ([set(cores[:2])], 2)
    rates = dict.fromkeys(setups, 0.0)
    with tempfile.TemporaryDirectory() as scratch, local_broker() as broker:
        for turn in range(rounds):
            for number, (name, (pins, threads)) in enumerate(setups.items()):
                count = each * len(pins)
                given = (values * (1 + count // len(values)))[:count]
                settings = on(broker.bootstrap, f"scale{turn}{number}")
                rates[name] = max(rates[name], together(settings, Path(scratch), pins, threads, given))
                output.say(f"round {turn + 1}/{rounds} {name}: {rates[name]:.1f} articles/s at best")
    one = rates["1 process, 1 core"]
    found = {
        "processes": [
            {"setup": name, "articles_per_s": round(rate, 2), "to_one": round(rate / one, 2)}
            for name, rate in rates.items()
        ],
        "by_length": by_length(texts, lengths, rounds),
    }
    output.write("scale", found, args)


if __name__ == "__main__":
    main()
