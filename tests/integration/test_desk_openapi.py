"""The app does what its OpenAPI says, by examples that schemathesis makes up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode

from services.desk import register
from services.desk.api import application
from services.desk.bulletin import Bulletin
from services.desk.settings import DeskSettings
from services.desk.store import Store
from tests.desk_server import Desk, running
from tests.unit.test_desk import diplomatic

ENDLESS = "/api/stream"
EXAMPLES = 20
WITHOUT_INPUT = {"GET /api/dyads", "GET /api/feedback/counts", "GET /api/presets", "GET /api/subscriptions"}
"""Nothing can be wrong with a call that takes nothing."""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with running(tmp_path_factory.mktemp("desk"), desk_rate=1e6, desk_burst=10**6) as desk:
        desk.feed(diplomatic(), diplomatic(story_id="t", event_id="e1", status="changed"))
        yield desk


def openapi(folder: Path) -> dict[str, object]:
    """What the app says of itself."""
    store = Store(f"sqlite:///{folder}/desk.sqlite")
    register.begin(store)
    guard = application(DeskSettings(), store, Bulletin(store))
    store.close()
    told: dict[str, object] = guard._app.openapi()  # type: ignore[attr-defined]
    return told


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_the_openapi_is_true(desk: Desk, tmp_path: Path, mode: GenerationMode) -> None:
    schema = schemathesis.openapi.from_dict(openapi(tmp_path)).exclude(path=ENDLESS)
    called: set[str] = set()
    without: set[str] = set()
    for result in schema.get_all_operations():
        operation = result.ok()

        @given(case=operation.as_strategy(generation_mode=mode))
        @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        def holds(case: Case) -> None:
            case.call_and_validate(base_url=desk.url, headers=desk.bearer, timeout=10)

        try:
            holds()
            called.add(operation.label)
        except Unsatisfiable:
            without.add(operation.label)
    assert len(called | without) == 17
    assert without == (set() if mode is GenerationMode.POSITIVE else WITHOUT_INPUT)


def test_every_route_of_the_app_is_described(tmp_path: Path) -> None:
    paths = openapi(tmp_path)["paths"]
    assert isinstance(paths, dict)
    assert len(paths) == 14
    for path, methods in paths.items():
        for method, told in methods.items():
            assert {"400", "401", "413", "429", "503"} <= set(told["responses"]), (method, path)
            writes = method in ("post", "put", "delete") or "dead-letters" in path
            assert ("security" in told) >= writes, (method, path)
