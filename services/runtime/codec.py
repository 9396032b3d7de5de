"""Bytes to records and back, and the dead letter for bytes that are no record. No Kafka here."""

from __future__ import annotations

import base64
from functools import cache
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from schemas.records import DeadLetter, Origin
from services import PIPELINE_VERSION
from services.stage import Reject

DETAIL_CHARACTERS = 2000
SHOWN_ERRORS = 5
SHOWN_VERSION = 20
R = TypeVar("R", bound=BaseModel)


def decode(model: type[R], value: bytes | None, max_bytes: int) -> R | Reject:
    """The record in `value`, or why it is none: empty, oversize, invalid_utf8, invalid_json, newer_schema_version
    or schema_violation. `model` is its class, or the shape of a topic with two kinds."""
    if value is None:
        return Reject("empty", "the record has no value")
    if len(value) > max_bytes:
        return Reject("oversize", f"{len(value)} bytes, limit {max_bytes}")
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError as error:
        return Reject("invalid_utf8", f"byte {error.start}: {error.reason}")
    try:
        found: R = _reader(model).validate_json(text)
        return found
    except ValidationError as error:
        errors = error.errors(include_url=False)
        if errors[0]["type"] == "json_invalid":
            return Reject("invalid_json", errors[0]["msg"][:DETAIL_CHARACTERS])
        if newer := _newer_version(errors):
            return Reject("newer_schema_version", newer)
        return Reject("schema_violation", _summary(errors))


@cache
def _reader(model: type[R]) -> TypeAdapter[R]:
    return TypeAdapter(model)


def _newer_version(errors: list[Any]) -> str | None:
    """What tells of a version that this code does not know, of the record or of one inside it."""
    for e in errors:
        if e["loc"][-1:] == ("schema_version",) and e["type"] == "less_than_equal":
            inside = f" of {'.'.join(map(str, e['loc'][:-1]))}" if e["loc"][:-1] else ""
            version, known = str(e["input"])[:SHOWN_VERSION], e["ctx"]["le"]
            return (
                f"schema version {version}{inside}; this code knows up to {known}: run newer code, then demarche replay"
            )
    return None


def _summary(errors: list[Any]) -> str:
    shown = [f"{'.'.join(str(p) for p in e['loc']) or 'record'}: {e['msg']}" for e in errors[:SHOWN_ERRORS]]
    if len(errors) > SHOWN_ERRORS:
        shown.append(f"and {len(errors) - SHOWN_ERRORS} more")
    return "; ".join(shown)[:DETAIL_CHARACTERS]


def encode(record: BaseModel) -> bytes:
    """Compact UTF-8 JSON of a record."""
    return record.model_dump_json().encode()


def key_of(record: BaseModel, field: str | None) -> bytes | None:
    """The record's key: the named field as UTF-8; None when the topic has no key or the field is empty."""
    value = getattr(record, field) if field else None
    return str(value).encode() if value else None


def dead_letter(
    stage: str, reject: Reject, origin: Origin, key: bytes | None, value: bytes | None, max_bytes: int
) -> DeadLetter:
    """The dead letter of a record that `stage` cannot handle; its value is left out when it would pass `max_bytes`."""
    fits = value is not None and len(value) * 4 // 3 + DETAIL_CHARACTERS * 4 < max_bytes
    return DeadLetter(
        stage=stage,
        reason=reject.reason,
        detail=reject.detail[:DETAIL_CHARACTERS],
        origin=origin,
        key_base64=base64.b64encode(key).decode() if key is not None else None,
        value_base64=base64.b64encode(value).decode() if value is not None and fits else None,
        value_bytes=len(value) if value is not None else 0,
        pipeline_version=PIPELINE_VERSION,
    )


def original(letter: DeadLetter) -> tuple[bytes | None, bytes | None]:
    """Key and value of the record behind a dead letter, as they first came."""
    return (
        base64.b64decode(letter.key_base64) if letter.key_base64 is not None else None,
        base64.b64decode(letter.value_base64) if letter.value_base64 is not None else None,
    )
