"""`python -m bench.line`: the whole line, every service a process of its own, on the local broker.

First at full speed: articles a second from articles.raw until every service has done its part, and the processor time
of each for an article. Then paced at 30, 70 and 90 % of that rate: how long from the time an article was due to be sent
until its events are on events.diplomatic and its alerts on alerts, as a reader outside sees them, who looks every
50 ms. What an article waits in a producer that is late counts too. At last each service alone with what it had to read
at full speed: what its own highest rate is, and so which of them is the bottleneck after classify.
"""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from threading import Event, Thread
from typing import Any

from bench import alone, corpus, output
from bench.metering import Load, next_bottleneck, percentile
from bench.processes import BenchError, Process, cpu_seconds, on, running
from schemas.records import RawArticle
from services.runtime import clients, codec
from services.runtime.broker import local_broker
from services.runtime.drain import drained
from services.runtime.settings import ConnectionSettings
from services.runtime.streams import tail
from services.runtime.supervisor import SERVICES
from services.runtime.topics import ensure_topics

SHARES = (0.3, 0.7, 0.9)
TOPICS = ("events.diplomatic", "alerts")
BROKER = "(broker)"
INGESTED = re.compile(rb'"ingested_at":"([^"]+)"')
DRAIN_SECONDS = 900.0
DRAIN_LOOK_SECONDS = 0.5


@dataclass
class Reader:
    """Reads a topic from now on in a thread of its own: when each record's article was due, and when it was seen."""

    settings: ConnectionSettings
    topic: str
    seen: list[tuple[float, float]] = field(default_factory=list)
    _stop: Event = field(default_factory=Event)

    def __post_init__(self) -> None:
        self._thread = Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        for record in tail(self.settings, self.topic, from_beginning=False, follow=True, stop=self._stop.is_set):
            if match := INGESTED.search(record.value or b""):
                self.seen.append((datetime.fromisoformat(match[1].decode()).timestamp(), time.time()))

    def close(self) -> None:
        """Stops reading."""
        self._stop.set()
        self._thread.join()

    def since(self, start: float) -> list[float]:
        """Seconds from due to seen, of the articles due from `start` (Unix seconds) on."""
        return [seen - due for due, seen in self.seen if due >= start]


@dataclass
class Line:
    """The running services and what goes into them."""

    settings: ConnectionSettings
    services: Sequence[Process]
    broker_pid: int
    articles: Iterator[RawArticle]

    def send(self, count: int, rate: float | None) -> float:
        """Sends so many articles, `rate` a second (None: at once); when the first was due, Unix seconds."""
        producer = clients.producer(self.settings)
        topic, began = self.settings.topic_prefix + "articles.raw", time.time()
        try:
            for number, article in enumerate(islice(self.articles, count)):
                due = began + number / rate if rate else time.time()
                time.sleep(max(0.0, due - time.time()))
                dated = article.model_copy(update={"ingested_at": datetime.fromtimestamp(due, UTC)})
                producer.send(topic, value=codec.encode(dated), key=dated.article_id.encode())
            producer.flush()
        finally:
            producer.close()
        return began

    def wait(self) -> None:
        """Until every service has done all its work. BenchError when one ends or it takes a quarter of an hour."""
        until = time.monotonic() + DRAIN_SECONDS
        while not drained(self.settings, SERVICES):
            for service in self.services:
                service.look()
            if time.monotonic() > until:
                raise BenchError("the line does not come to an end")
            time.sleep(DRAIN_LOOK_SECONDS)

    def full_speed(self, count: int) -> tuple[float, dict[str, float]]:
        """Articles a second with all there at once, and CPU seconds per article of each service and the broker."""
        pids = {s.name: s.child.pid for s in self.services} | {BROKER: self.broker_pid}
        before = {name: cpu_seconds(pid) for name, pid in pids.items()}
        began = self.send(count, None)
        self.wait()
        took = max(s.look().committed_at for s in self.services) - began
        return count / took, {name: (cpu_seconds(pid) - before[name]) / count for name, pid in pids.items()}

    def paced(self, rate: float, seconds: float, readers: Sequence[Reader]) -> dict[str, Any]:
        """Latencies at so many articles a second, by topic."""
        start = self.send(max(1, round(rate * seconds)), rate)
        sent = time.time() - start
        self.wait()
        time.sleep(1.0)  # The readers look again.
        row: dict[str, Any] = {"articles_per_s": round(rate, 2), "seconds": round(sent, 1)}
        for reader in readers:
            took = reader.since(start)
            row[reader.topic] = {"records": len(took)} | {
                f"p{percent}": round(percentile(took, percent), 3) if took else None for percent in (50, 95, 99)
            }
        return row


def main() -> None:
    """Measures and writes line.json."""
    parser = output.parser(__doc__)
    parser.add_argument("--articles", type=int, default=2000, help="at full speed")
    parser.add_argument("--seconds", type=float, default=60.0, help="of each pace")
    args = parser.parse_args()
    count, seconds, warm = (40, 3.0, 10) if args.quick else (args.articles, args.seconds, 200)
    with tempfile.TemporaryDirectory() as scratch, local_broker() as broker:
        folder = Path(scratch)
        settings = on(broker.bootstrap, "line")
        ensure_topics(settings)
        with ExitStack() as stack:
            services = [stack.enter_context(running(settings, folder, name)) for name in SERVICES]
            for service in services:
                service.wait_ready()
            line = Line(settings, services, broker.pid, corpus.raw_articles(corpus.sentences()))
            output.say(f"{len(services)} services are ready; {warm} articles to get warm")
            line.send(warm, None)
            line.wait()
            output.say(f"{count} articles at full speed")
            rate, cpu = line.full_speed(count)
            output.say(f"{rate:.1f} articles/s")
            backlog = alone.backlogs(settings, SERVICES)
            rows = []
            readers = [Reader(settings, topic) for topic in TOPICS]
            for share in SHARES:
                output.say(f"{share:.0%}: {rate * share:.1f} articles/s for {seconds:.0f} s")
                rows.append({"share": share} | line.paced(rate * share, seconds, readers))
                output.say(f"{rows[-1]}")
            for reader in readers:
                reader.close()
        output.say("each service alone")
        highest = alone.rates(broker.bootstrap, folder, SERVICES, backlog, args.quick)
    loads = [Load(name, cpu[name], highest[name] or None) for name in SERVICES]
    slowest = next_bottleneck(loads)
    found = {
        "articles": count,
        "sentences_each": corpus.SENTENCES_EACH,
        "articles_per_s": round(rate, 2),
        "loads": [
            {
                "service": load.service,
                "cpu_ms_per_article": round(load.cpu_seconds * 1000, 2),
                "alone_articles_per_s": round(load.alone, 1) if load.alone else None,
                "alone_to_line": round(load.alone / rate, 2) if load.alone else None,
            }
            for load in loads
        ],
        "broker_cpu_ms_per_article": round(cpu[BROKER] * 1000, 2),
        "next_bottleneck": slowest.service if slowest else None,
        "headroom": round(slowest.alone / rate, 2) if slowest and slowest.alone else None,
        "paced": rows,
    }
    output.say(f"next bottleneck {found['next_bottleneck']}, at {found['headroom']} times the line's rate")
    output.write("line", found, args)


if __name__ == "__main__":
    main()
