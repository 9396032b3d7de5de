"""`python -m bench.footprint`: how long each service takes to be ready, and the most memory it ever held after work.

Each is started alone, several times, on an empty broker; the shortest start counts. For classify also a start without
the cached int8 graphs, which it then makes. Memory is VmHWM of each after the whole line has worked through the
articles, the longest of ten thousand words.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from itertools import islice
from pathlib import Path

from bench import corpus, output
from bench.line import Line
from bench.processes import on, running
from services.runtime.broker import local_broker
from services.runtime.supervisor import SERVICES
from services.runtime.topics import ensure_topics

LONG_WORDS = 10_000


def main() -> None:
    """Measures and writes footprint.json."""
    parser = output.parser(__doc__)
    parser.add_argument("--articles", type=int, default=1000)
    parser.add_argument("--starts", type=int, default=3)
    args = parser.parse_args()
    count, starts = (50, 1) if args.quick else (args.articles, args.starts)
    texts = corpus.sentences()
    ready: dict[str, float] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        broker = stack.enter_context(local_broker())
        settings = on(broker.bootstrap, "start")
        ensure_topics(settings)
        with running(settings, folder, "classify", cache=folder / "cache") as service:
            first = service.wait_ready()
        output.say(f"classify ready in {first:.2f} s without cached graphs")
        for name in SERVICES * starts:
            with running(settings, folder, name) as service:
                ready[name] = min(ready.get(name, float("inf")), service.wait_ready())
            output.say(f"{name} ready in {ready[name]:.2f} s at best")
        settings = on(broker.bootstrap, "work")
        ensure_topics(settings)
        services = [stack.enter_context(running(settings, folder, name)) for name in SERVICES]
        for service in services:
            service.wait_ready()
        before = {service.name: service.peak_bytes for service in services}
        articles = [corpus.of_words(texts, LONG_WORDS), *islice(corpus.raw_articles(texts), count)]
        line = Line(settings, services, broker.pid, iter(articles))
        output.say(f"{len(articles)} articles through the whole line")
        line.send(len(articles), None)
        line.wait()
        rows = [
            {
                "service": service.name,
                "ready_s": round(ready[service.name], 2),
                "idle_mb": round(before[service.name] / 1e6),
                "peak_mb": round(service.peak_bytes / 1e6),
            }
            for service in services
        ]
    for row in rows:
        output.say(f"{row}")
    found = {"articles": len(articles), "services": rows, "classify_first_ready_s": round(first, 2)}
    output.write("footprint", found, args)


if __name__ == "__main__":
    main()
