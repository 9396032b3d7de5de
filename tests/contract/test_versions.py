"""Records as older code wrote them are read by the present code.

`written/vN` holds records of schema version N in their oldest shape, never to be changed: what has stood on a topic may
stand there still.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from schemas.records import SCHEMA_VERSION, ResolvedEvent, Versioned
from schemas.topics import topics
from services.runtime.codec import decode
from services.stage import Reject

WRITTEN = Path(__file__).parent / "written"
FILES = sorted(WRITTEN.glob("v*/*.json"))


def test_every_version_so_far_has_its_records() -> None:
    kinds = {(name, kind) for name, topic in topics().items() for kind in topic.kinds}
    latest = max(kind.model_fields["schema_version"].default for _, kind in kinds)
    assert latest >= SCHEMA_VERSION
    assert {path.parent.name for path in FILES} == {f"v{n}" for n in range(1, latest + 1)}, (
        "a new version needs records of the former one in tests/contract/written"
    )


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_old_records_are_read(path: Path) -> None:
    for record in json.loads(path.read_text(encoding="utf-8")):
        assert f"v{record['schema_version']}" == path.parent.name
        found = decode(topics()[path.stem].shape, json.dumps(record).encode(), 10**7)
        assert isinstance(found, Versioned), found
        told = json.loads(found.model_dump_json())
        assert kept(record, told), "what an old record says is not lost or changed"


@pytest.mark.parametrize("topic", topics())
def test_a_newer_version_is_refused_on_every_topic(topic: str) -> None:
    found = decode(topics()[topic].shape, json.dumps({"schema_version": SCHEMA_VERSION + 1}).encode(), 10**7)
    assert isinstance(found, Reject)
    assert found.reason == "newer_schema_version"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"schema_version": 3}, "newer_schema_version"),
        ({"schema_version": 3, "kind": "later"}, "newer_schema_version"),
        ({"schema_version": 1}, "schema_violation"),
        ({"url": None}, "schema_violation"),
    ],
)
def test_a_second_kind_has_its_own_version(change: dict[str, object], reason: str) -> None:
    [end] = json.loads((WRITTEN / "v2" / "events.resolved.json").read_text(encoding="utf-8"))
    found = decode(topics()["events.resolved"].shape, json.dumps({**end, **change}).encode(), 10**7)
    assert isinstance(found, Reject)
    assert found.reason == reason


def test_a_reader_that_knows_of_events_alone_refuses_the_end_of_an_article() -> None:
    [end] = json.loads((WRITTEN / "v2" / "events.resolved.json").read_text(encoding="utf-8"))
    found = decode(ResolvedEvent, json.dumps(end).encode(), 10**7)
    assert isinstance(found, Reject)
    assert found.reason == "newer_schema_version"


def kept(old: Any, new: Any) -> bool:
    if isinstance(old, dict) and isinstance(new, dict):
        return all(name in new and kept(value, new[name]) for name, value in old.items())
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(map(kept, old, new))
    return bool(old == new)
