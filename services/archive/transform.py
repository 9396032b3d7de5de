"""Diplomatic events as the rows of a table: flat columns for analysis and the whole record as JSON."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import cache

import numpy as np
import pyarrow as pa

from schemas.records import DiplomaticEvent, Side
from services.archive.names import MONTH
from services.stage import Input

Key = tuple[str, int]


@cache
def schema() -> pa.Schema:
    """Columns of a new file; fields named as in the record, nulls where it has none.

    Columns are only ever added: older files lack some, and are read with nulls for them.
    """
    text, texts = pa.string(), pa.list_(pa.string())
    return pa.schema(
        [
            ("event_id", text),
            ("story_id", text),
            ("status", text),
            ("article_id", text),
            ("dyad", text),
            ("type", text),
            ("cameo", text),
            ("quad", pa.int8()),
            ("goldstein", pa.float64()),
            ("plover_intensity", pa.float64()),
            ("actor_codes", texts),
            ("actor_texts", texts),
            ("actor_sectors", texts),
            ("actor_countries", texts),
            ("actor_names", texts),
            ("actor_offices", texts),
            ("recipient_codes", texts),
            ("recipient_texts", texts),
            ("recipient_sectors", texts),
            ("recipient_countries", texts),
            ("recipient_names", texts),
            ("recipient_offices", texts),
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
            ("geonames_id", pa.int64()),
            ("attribution", texts),
            ("attribution_codes", texts),
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
            ("agency", text),
            ("independent_families", pa.int32()),
            ("first_seen", pa.date32()),
            ("last_seen", pa.date32()),
            ("outlets", texts),
            ("processed_at", pa.timestamp("us", tz="UTC")),
            ("brokers", text),
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


def dataset_schema() -> pa.Schema:
    """Columns of the archive as a whole: those of the files and the month that their folders tell."""
    return schema().append(pa.field(MONTH, pa.string()))


def table(inputs: Sequence[Input[DiplomaticEvent]], brokers: str = "") -> pa.Table:
    """One row per event; `brokers` names whose offsets are meant."""
    return pa.Table.from_pylist([row(i, brokers) for i in inputs], schema=schema())


def united(tables: Sequence[pa.Table]) -> pa.Table:
    """All rows under all columns, the newest schema's first; nulls where a table lacks a column."""
    return pa.concat_tables([schema().empty_table(), *tables], promote_options="permissive")


def once_each(rows: pa.Table) -> pa.Table:
    """Rows of one partition in order of their offsets, each offset once; ValueError when one tells of two events."""
    offsets, first = np.unique(rows["offset"].to_numpy(), return_index=True)
    pairs = rows.group_by(["offset", "event_id"]).aggregate([])
    if pairs.num_rows > len(offsets):
        raise ValueError(f"two events at one offset, between {offsets[0]} and {offsets[-1]}: of two topics")
    return rows.take(pa.array(first))


def row(i: Input[DiplomaticEvent], brokers: str = "") -> dict[str, object]:
    """The columns of one event."""
    event = i.value
    plain = event.model_dump(
        include={
            "event_id", "story_id", "status", "article_id", "dyad", "type", "cameo", "quad", "goldstein",
            "plover_intensity", "claim", "timing", "tone", "peace", "score", "pipeline_version", "source", "url",
            "title", "language",
            "published_at", "ingested_at", "processed_at", "agency", "independent_families", "first_seen", "last_seen",
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
        "geonames_id": event.where.geonames_id,
        "attribution": [a.text for a in event.attribution],
        "attribution_codes": [a.code for a in event.attribution],
        "outlets": [source.outlet for source in event.sources],
        "quote": event.evidence.quote,
        "sentence": event.evidence.sentence,
        "model_name": event.model.name,
        "model_version": event.model.version,
        "model_sha256": event.model.sha256,
        "brokers": brokers or None,
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
        f"{role}_countries": [s.country for s in sides],
        f"{role}_names": [s.name for s in sides],
        f"{role}_offices": [s.office for s in sides],
    }
