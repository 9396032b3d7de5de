"""Reads diplomatic events from Kafka and prints one line each: `python consumer.py HOST:PORT [--most N]`.

Needs only `pip install kafka-python==3.0.12 crc32c==2.9.post0`.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from kafka import KafkaConsumer

KNOWN_VERSION = 1


def sides(event: dict[str, Any], field: str) -> str:
    """The codes of an event's actors or recipients, comma separated."""
    return ",".join(side["code"] for side in event[field])


def main() -> int:
    """Reads until stopped, or until `--most` events are read."""
    parser = argparse.ArgumentParser()
    parser.add_argument("bootstrap")
    parser.add_argument("--topic", default="events.diplomatic")
    parser.add_argument("--group", default="example-python")
    parser.add_argument("--most", type=int, help="end after so many events")
    given = parser.parse_args()
    consumer = KafkaConsumer(
        given.topic,
        bootstrap_servers=given.bootstrap,
        group_id=given.group,
        auto_offset_reset="earliest",
        isolation_level="read_committed",  # Without it events of aborted transactions are read too.
        enable_auto_commit=False,
    )
    seen: set[str] = set()
    for count, record in enumerate(consumer, start=1):
        event = json.loads(record.value)
        if event["schema_version"] > KNOWN_VERSION:
            sys.exit(f"version {event['schema_version']} is newer than this reader: get its new version")
        if event["event_id"] not in seen:  # A replay brings the same event_id again.
            seen.add(event["event_id"])
            print(event["type"], sides(event, "actors"), "->", sides(event, "recipients") or "-", event["claim"])
        consumer.commit()  # Only now: killed before it, the reader gets this event again.
        if count == given.most:
            break
    consumer.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
