"""Corrections of events: given over HTTP, kept, sent to the topic, shown on the story, counted."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from schemas.records import DiplomaticEvent, Feedback
from services.desk import feedback, outbox, register
from services.desk.store import Store, now_ms
from services.feedback.labels import labels_of
from services.runtime.letters import LetterTrouble
from services.runtime.settings import ConnectionSettings
from tests.desk_server import Desk, running
from tests.desk_store import new_database, postgres
from tests.integration.helpers import produce, read_committed, service, wait_until
from tests.integration.test_desk_service import free_port
from tests.integration.test_desk_store import feed
from tests.unit.test_desk import diplomatic


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with running(tmp_path) as desk:
        desk.feed(diplomatic())
        yield desk


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres() as folder:
        yield folder


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    postgresql = request.param == "postgresql"
    url = new_database(request.getfixturevalue("server")) if postgresql else f"sqlite:///{tmp_path}/desk.sqlite"
    opened = Store(url)
    yield opened
    opened.close()


def give(desk: Desk, correction: object, **fields: object) -> httpx.Response:
    body = {"event_id": "e0", "correction": correction, **fields}
    return desk.http.post("/api/feedback", json=body, headers=desk.bearer)


def sentence_of_two() -> list[DiplomaticEvent]:
    """Two events of one sentence and one of another, all of one article."""
    all_of_them = [{"event_id": name, "dyad": "FRA|ITA"} for name in ("e0", "e1", "e2")]
    other = diplomatic().evidence.model_dump() | {"sentence": "another sentence", "sentence_start": 40}
    return [
        diplomatic(article_events=all_of_them),
        diplomatic(event_id="e1", story_id="t", type="ACCUSE", article_events=all_of_them),
        diplomatic(event_id="e2", story_id="u", evidence=other, article_events=all_of_them),
    ]


def test_a_correction_stands_on_the_story_with_who_and_when(desk: Desk) -> None:
    answer = give(desk, {"type": "ACCUSE", "actors": ["ITA", "ITA"], "claim": None}, note="He blames Rome.")
    assert answer.status_code == 201
    made = answer.json()
    assert (made["by"], made["kinds"], made["note"]) == ("tests", ["type", "sides"], "He blames Rome.")
    assert made["corrected"] == {
        **labels_of(diplomatic()).model_dump(),
        "type": "ACCUSE",
        "actors": ["ITA"],
    }
    assert made["words"] == ["type: REJECT → ACCUSE", "actors: FRA → ITA"]
    (told,) = desk.http.get("/api/stories/s").json()["tellings"]
    assert told["corrections"] == [made]
    assert told["labels"]["type"] == "REJECT", "what the model said is still told"
    (item,) = desk.http.get("/api/stories").json()["items"]
    assert item["corrected"] == 1


def test_the_last_correction_is_what_the_next_begins_from(desk: Desk) -> None:
    first = give(desk, {"type": "ACCUSE"}).json()
    assert give(desk, {"type": "ACCUSE"}).json() == first, "sent twice, it is one"
    second = give(desk, {"tone": "neutral"}).json()
    assert second["kinds"] == ["type", "tone"]
    assert give(desk, "not-an-event").json()["corrected"] is None
    back = give(desk, labels_of(diplomatic()).model_dump()).json()
    assert (back["kinds"], back["words"]) == ([], ["right as it was"])
    page = desk.http.get("/api/feedback?limit=3").json()
    assert [one["kinds"] for one in page["items"]] == [[], ["not-an-event"], ["type", "tone"]]
    rest = desk.http.get(f"/api/feedback?cursor={page['next_cursor']}").json()
    assert (rest["items"], rest["next_cursor"]) == ([first], None)
    counted = desk.http.get("/api/feedback/counts").json()
    assert counted == {"corrections": 4, "events": 1, "kinds": {"type": 2, "tone": 1, "not-an-event": 1}}


@pytest.mark.parametrize(
    ("body", "status", "why"),
    [
        ({"correction": {"type": "REJECT"}}, 409, "nothing is corrected"),
        ({"correction": "not-an-event", "event_id": "nowhere"}, 404, "no event nowhere"),
        ({"correction": {"type": "INVADE"}}, 422, "type"),
        ({"correction": {"claim": "maybe"}}, 422, "claim"),
        ({"correction": {"actors": ["France"]}}, 422, "actors"),
        ({"correction": {"actors": []}}, 422, "actors"),
        ({"correction": {"recipients": ["ITA"] * 21}}, 422, "recipients"),
        ({"correction": {"colour": "red"}}, 422, "colour"),
        ({"correction": "no"}, 422, "not-an-event"),
        ({"correction": "not-an-event", "note": "x" * 2001}, 422, "note"),
        ({}, 422, "correction"),
    ],
)
def test_what_cannot_be_taken_is_refused_with_why(desk: Desk, body: dict[str, Any], status: int, why: str) -> None:
    answer = desk.http.post("/api/feedback", json={"event_id": "e0", **body}, headers=desk.bearer)
    assert answer.status_code == status
    assert why in answer.text
    assert desk.http.get("/api/feedback").json()["items"] == []


def test_it_needs_a_token(desk: Desk) -> None:
    body = {"event_id": "e0", "correction": "not-an-event"}
    assert desk.http.post("/api/feedback", json=body).status_code == 401
    assert desk.http.post("/api/feedback", json=body, auth=("x", desk.token)).status_code == 401, "a browser's own"
    assert desk.http.get("/api/feedback").json()["items"] == []


def test_an_event_takes_only_so_many(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feedback, "MOST_OF_ONE_EVENT", 2)
    statuses = [give(desk, {"type": kind}).status_code for kind in ("AID", "ACCUSE", "AGREE")]
    assert statuses == [201, 201, 409]


def test_it_is_sent_until_it_is_safe_and_outlives_the_story(store: Store) -> None:
    feed(store, *sentence_of_two())
    made = feedback.give(store, "e0", lambda _: None, "", "ann")
    assert [one.event_id for one in made.beside] == ["e1"], "the other sentence's event is not beside it"
    assert outbox.prune(store, now_ms() + 1) == 3
    got: list[Feedback] = []
    told: list[Sequence[str]] = []

    def away(_: Sequence[Feedback]) -> None:
        raise LetterTrouble("no broker")

    with pytest.raises(LetterTrouble):
        feedback.send(store, away, told.append)
    assert (feedback.waiting(store), told) == (1, [])
    # Killed after it was written, before it was marked: it goes again as it was.
    with pytest.raises(RuntimeError):
        killed(store, got)
    assert feedback.send(store, got.extend, told.append)
    assert got == [made, made]
    assert (feedback.waiting(store), told) == (0, [["not-an-event"]])
    assert not feedback.send(store, away, told.append)


def killed(store: Store, got: list[Feedback]) -> None:
    def write(ready: Sequence[Feedback]) -> None:
        got.extend(ready)
        raise RuntimeError("killed")

    feedback.send(store, write, lambda _: None)


def test_a_record_too_large_is_kept_without_the_other_events_or_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(f"sqlite:///{tmp_path}/desk.sqlite")
    feed(store, *sentence_of_two())
    whole = len(feedback.give(store, "e0", lambda _: None, "", "ann").model_dump_json())
    monkeypatch.setattr(feedback, "MOST_BYTES", whole - 1)
    assert feedback.give(store, "e0", lambda _: None, "b", "ann").beside == []
    monkeypatch.setattr(feedback, "MOST_BYTES", 1000)
    with pytest.raises(feedback.NotTaken, match="too large"):
        feedback.give(store, "e0", lambda _: None, "c", "ann")
    store.close()


def test_it_reaches_the_topic_and_is_counted_also_after_a_kill(connection: ConnectionSettings, tmp_path: Path) -> None:
    database, port = f"sqlite:///{tmp_path}/desk.sqlite", free_port()
    store = Store(database)
    bearer = {"Authorization": f"Bearer {register.new_token(store, 'ann')}"}
    variables = {"desk_port": port, "desk_database": database}
    produce(connection, "events.diplomatic", [diplomatic().model_dump_json().encode()])
    url = f"http://127.0.0.1:{port}/api"
    with service(connection, tmp_path, "services.desk", **variables) as desk:
        desk.wait_ready()
        wait_until(lambda: len(httpx.get(f"{url}/stories").json()["items"]) == 1, 20, "the story")
        body = {"event_id": "e0", "correction": {"type": "ACCUSE", "tone": "neutral"}}
        first = httpx.post(f"{url}/feedback", json=body, headers=bearer).json()
        wait_until(lambda: feedback.waiting(store) == 0, 20, "it is sent")
        shown = desk.get("/metrics")[1]
        for kind, count in (("type", 1), ("tone", 1), ("sides", 0)):
            assert f'demarche_feedback_corrections_total{{kind="{kind}"}} {count}.0' in shown
        assert "demarche_feedback_waiting_records 0.0" in shown
        desk.process.send_signal(signal.SIGKILL)
        desk.ends(10)
    # Stored, and the desk died before it was sent.
    second = feedback.give(store, "e0", lambda _: None, "", "ben")
    with service(connection, tmp_path, "services.desk", **variables):
        wait_until(lambda: feedback.waiting(store) == 0, 30, "it is sent by the next desk")
    store.close()
    got = read_committed(connection, "feedback", 2)
    assert [key for key, _ in got] == [b"e0", b"e0"]
    ids = [Feedback.model_validate_json(value).feedback_id for _, value in got]
    assert ids == [first["feedback_id"], second.feedback_id]
