"""Bytes to records and back, and the dead letter for bytes that are no record. No Kafka here."""

from __future__ import annotations

import base64
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from schemas.records import DeadLetter, Origin
from services import PIPELINE_VERSION
from services.stage import Reject

DETAIL_CHARACTERS = 2000
SHOWN_ERRORS = 5
R = TypeVar("R", bound=BaseModel)


def decode(model: type[R], value: bytes | None, max_bytes: int) -> R | Reject:
    """The record in `value`, or why it is none: empty, oversize, invalid_utf8, invalid_json, newer_schema_version
    or schema_violation."""
    if value is None:
        return Reject("empty", "the record has no value")
    if len(value) > max_bytes:
        return Reject("oversize", f"{len(value)} bytes, limit {max_bytes}")
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError as error:
        return Reject("invalid_utf8", f"byte {error.start}: {error.reason}")
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        errors = error.errors(include_url=False, include_context=False)
        if errors[0]["type"] == "json_invalid":
            return Reject("invalid_json", errors[0]["msg"][:DETAIL_CHARACTERS])
        return Reject(_schema_reason(errors), _summary(errors))


def _schema_reason(errors: list[Any]) -> str:
    newer = any(e["loc"] == ("schema_version",) and e["type"] == "less_than_equal" for e in errors)
    return "newer_schema_version" if newer else "schema_violation"


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
