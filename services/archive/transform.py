"""Diplomatic events as the rows of a table: flat columns for analysis and the whole record as JSON."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import cache

import pyarrow as pa

from schemas.records import DiplomaticEvent, Side
from services.stage import Input

Key = tuple[str, int]


@cache
def schema() -> pa.Schema:
    """Columns of every file; fields named as in the record, nulls where it has none."""
    text, texts = pa.string(), pa.list_(pa.string())
    return pa.schema(
        [
            ("event_id", text),
            ("story_id", text),
            ("status", text),
            ("article_id", text),
            ("type", text),
            ("cameo", text),
            ("quad", pa.int8()),
            ("goldstein", pa.float64()),
            ("plover_intensity", pa.float64()),
            ("actor_codes", texts),
            ("actor_texts", texts),
            ("actor_sectors", texts),
            ("recipient_codes", texts),
            ("recipient_texts", texts),
            ("recipient_sectors", texts),
            ("claim", text),
            ("timing", text),
            ("tone", text),
            ("peace", text),
            ("event_date", text),
            ("granularity", text),
            ("place", text),
            ("place_country", text),
            ("latitude", pa.float64()),
            ("longitude", pa.float64()),
            ("attribution", texts),
            ("quote", text),
            ("sentence", text),
            ("score", pa.float64()),
            ("model_name", text),
            ("model_version", text),
            ("model_sha256", text),
            ("pipeline_version", text),
            ("source", text),
            ("url", text),
            ("title", text),
            ("language", text),
            ("published_at", pa.date32()),
            ("ingested_at", pa.timestamp("us", tz="UTC")),
            ("processed_at", pa.timestamp("us", tz="UTC")),
            ("topic", text),
            ("partition", pa.int32()),
            ("offset", pa.int64()),
            ("record_json", text),
        ]
    )


def by_partition(inputs: Sequence[Input[DiplomaticEvent]]) -> dict[Key, list[Input[DiplomaticEvent]]]:
    """The inputs of each topic and partition, in order of their offsets."""
    parts: dict[Key, list[Input[DiplomaticEvent]]] = defaultdict(list)
    for i in inputs:
        parts[i.origin.topic, i.origin.partition].append(i)
    return {key: sorted(part, key=lambda i: i.origin.offset) for key, part in parts.items()}


def table(inputs: Sequence[Input[DiplomaticEvent]]) -> pa.Table:
    """One row per event."""
    return pa.Table.from_pylist([row(i) for i in inputs], schema=schema())


def row(i: Input[DiplomaticEvent]) -> dict[str, object]:
    """The columns of one event."""
    event = i.value
    plain = event.model_dump(
        include={
            "event_id", "story_id", "status", "article_id", "type", "cameo", "quad", "goldstein", "plover_intensity",
            "claim", "timing", "tone", "peace", "score", "pipeline_version", "source", "url", "title", "language",
            "published_at", "ingested_at", "processed_at",
        }
    )  # fmt: skip
    return plain | {
        **_sides("actor", event.actors),
        **_sides("recipient", event.recipients),
        "event_date": event.when.date,
        "granularity": event.when.granularity,
        "place": event.where.name,
        "place_country": event.where.country,
        "latitude": event.where.latitude,
        "longitude": event.where.longitude,
        "attribution": [a.text for a in event.attribution],
        "quote": event.evidence.quote,
        "sentence": event.evidence.sentence,
        "model_name": event.model.name,
        "model_version": event.model.version,
        "model_sha256": event.model.sha256,
        "topic": i.origin.topic,
        "partition": i.origin.partition,
        "offset": i.origin.offset,
        "record_json": event.model_dump_json(),
    }


def _sides(role: str, sides: Sequence[Side]) -> dict[str, object]:
    return {
        f"{role}_codes": [s.code for s in sides],
        f"{role}_texts": [s.text for s in sides],
        f"{role}_sectors": [s.sector for s in sides],
    }
