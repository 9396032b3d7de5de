"""JSON lines as records, read one by one, with a reason for every line that is none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Generic, TypeVar

from pydantic import BaseModel, ValidationError

MOST_BYTES = 16 * 1024 * 1024
SHOWN_ERRORS = 3

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class Line(Generic[M]):
    """Line `number` (from 1) as a record, or the reason why it is none."""

    number: int
    record: M | None
    reason: str = ""


def read_lines(stream: BinaryIO, model: type[M]) -> Iterator[Line[M]]:
    """The lines of a stream in order, blank ones left out; a line over MOST_BYTES is skipped without being held."""
    number = 0
    while raw := stream.readline(MOST_BYTES + 1):
        number += 1
        if len(raw) > MOST_BYTES:
            _skip_rest(stream, raw)
            yield Line(number, None, f"longer than {MOST_BYTES} bytes")
        elif raw.strip():
            yield _line(number, raw, model)


def _skip_rest(stream: BinaryIO, raw: bytes) -> None:
    while raw and not raw.endswith(b"\n"):
        raw = stream.readline(MOST_BYTES)


def _line(number: int, raw: bytes, model: type[M]) -> Line[M]:
    try:
        fields = json.loads(raw.decode("utf-8-sig" if number == 1 else "utf-8"))
        if not isinstance(fields, dict):
            return Line(number, None, f"not an object but {type(fields).__name__}")
        # Feeds write null for a title or source they do not have; the record's own default says the same.
        return Line(number, model.model_validate({name: value for name, value in fields.items() if value is not None}))
    except UnicodeDecodeError as error:
        return Line(number, None, f"invalid UTF-8 at byte {error.start}")
    except json.JSONDecodeError as error:
        return Line(number, None, f"invalid JSON: {error.msg} at character {error.pos + 1}")
    except RecursionError:
        return Line(number, None, "invalid JSON: nested too deeply")
    except ValidationError as error:
        return Line(number, None, summary(error))


def summary(error: ValidationError) -> str:
    """What is wrong with a record, in one line."""
    found = error.errors(include_url=False, include_context=False)
    shown = [f"{'.'.join(map(str, e['loc'])) or 'line'}: {e['msg']}" for e in found[:SHOWN_ERRORS]]
    return "; ".join([*shown, *([f"and {len(found) - SHOWN_ERRORS} more"] if len(found) > SHOWN_ERRORS else [])])
