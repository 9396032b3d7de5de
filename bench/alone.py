"""The highest rate of each service of the line: alone, with all that it had to read there before it starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from bench import output
from bench.metering import pace
from bench.processes import on, running
from schemas.topics import input_topic
from services.runtime import clients
from services.runtime.settings import ConnectionSettings
from services.runtime.streams import Record, tail
from services.runtime.topics import ensure_topics

LOOK_SECONDS = 0.1
FEW = 16
"""Records of one window in a quick run, so that there is more than one."""


def backlogs(settings: ConnectionSettings, services: Sequence[str]) -> dict[str, list[Record]]:
    """What each service has had to read, by its topic."""
    return {topic: list(tail(settings, topic)) for topic in dict.fromkeys(map(input_topic, services))}


def rates(
    bootstrap: str, folder: Path, services: Sequence[str], backlog: Mapping[str, Sequence[Record]], quick: bool
) -> dict[str, float]:
    """Articles of articles.raw a second that each service alone keeps up with; 0 where there was too little to tell."""
    articles = len(backlog["articles.raw"])
    found = {}
    for name in services:
        topic = input_topic(name)
        settings, records = on(bootstrap, f"alone-{name}"), backlog[topic]
        ensure_topics(settings)
        _copy(settings, topic, records)
        with running(settings, folder, name, **({"max_poll_records": FEW} if quick else {})) as service:
            service.wait_ready()
            looks = service.watch(lambda s, records=records: s.consumed >= len(records), LOOK_SECONDS)
        found[name] = pace(looks) * articles / len(records) if records else 0.0
        output.say(f"{name} alone: {found[name]:.1f} articles/s, of {len(records)} records")
    return found


def _copy(settings: ConnectionSettings, topic: str, records: Sequence[Record]) -> None:
    """The same records, on the same partitions."""
    producer = clients.producer(settings)
    try:
        for r in records:
            producer.send(settings.topic_prefix + topic, value=r.value, key=r.key, partition=r.origin.partition)
        producer.flush()
    finally:
        producer.close()
