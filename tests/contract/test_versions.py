"""Records as older code wrote them are read by the present code.

`written/vN` holds records of schema version N in their oldest shape, never to be changed: what has stood on a topic may
stand there still.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from schemas.records import SCHEMA_VERSION, Versioned
from schemas.topics import topics
from services.runtime.codec import decode
from services.stage import Reject

WRITTEN = Path(__file__).parent / "written"
FILES = sorted(WRITTEN.glob("v*/*.json"))


def test_every_version_so_far_has_its_records() -> None:
    assert {path.parent.name for path in FILES} == {f"v{n}" for n in range(1, SCHEMA_VERSION + 1)}, (
        "a new SCHEMA_VERSION needs records of the former one in tests/contract/written"
    )


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_old_records_are_read(path: Path) -> None:
    for record in json.loads(path.read_text(encoding="utf-8")):
        assert f"v{record['schema_version']}" == path.parent.name
        found = decode(topics()[path.stem].record, json.dumps(record).encode(), 10**7)
        assert isinstance(found, Versioned), found
        told = json.loads(found.model_dump_json())
        assert kept(record, told), "what an old record says is not lost or changed"


@pytest.mark.parametrize("topic", topics())
def test_a_newer_version_is_refused_on_every_topic(topic: str) -> None:
    found = decode(topics()[topic].record, json.dumps({"schema_version": SCHEMA_VERSION + 1}).encode(), 10**7)
    assert isinstance(found, Reject)
    assert found.reason == "newer_schema_version"


def kept(old: Any, new: Any) -> bool:
    if isinstance(old, dict) and isinstance(new, dict):
        return all(name in new and kept(value, new[name]) for name, value in old.items())
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(map(kept, old, new))
    return bool(old == new)
