"""The desk over HTTP: lists, writing, limits, the event stream, the feed."""

from __future__ import annotations

import base64
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import httpx
import pytest

from tests.desk_server import Desk, running
from tests.integration.helpers import wait_until
from tests.unit.test_desk import diplomatic

PEACE = "new-peace-talk-statements"
ATOM = "{http://www.w3.org/2005/Atom}"
MINE = {"name": "Mine", "channels": {"webhooks": [{"url": "https://hooks.example/secret/part"}]}}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with running(tmp_path) as desk:
        yield desk


class Events:
    """What a reader of the event stream has got, without the beats."""

    def __init__(self) -> None:
        self.got: list[tuple[str, int, Any]] = []
        self.last: int | None = None
        self.error: str | None = None

    def read(self, lines: Iterator[str]) -> None:
        fields: dict[str, str] = {}
        for line in lines:
            if line:
                name, _, value = line.partition(": ")
                fields[name] = value
                continue
            if "id" in fields:
                self.last = int(fields["id"])
                if fields["event"] != "beat":
                    self.got.append((fields["event"], self.last, json.loads(fields["data"])))
            fields = {}

    @property
    def stories(self) -> list[str]:
        return [data["story_id"] for kind, _, data in self.got if kind == "story"]


@contextmanager
def listening(desk: Desk, headers: dict[str, str] | None = None, **query: Any) -> Iterator[Events]:
    """A reader of the event stream, connected."""
    events = Events()
    with (
        httpx.Client(base_url=desk.url, timeout=30) as client,
        client.stream("GET", "/api/stream", params=query, headers=headers) as answer,
    ):
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].startswith("text/event-stream")

        def work() -> None:
            try:
                events.read(answer.iter_lines())
            except (httpx.HTTPError, httpx.StreamError, OSError) as error:
                events.error = str(error)

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        wait_until(lambda: events.last is not None, 5, "the first event")
        try:
            yield events
        finally:
            # A close alone would wait for the thread that reads.
            answer.extensions["network_stream"].get_extra_info("socket").shutdown(socket.SHUT_RDWR)


def test_stories_by_filter_and_page(desk: Desk) -> None:
    desk.feed(*(diplomatic(story_id=f"s{n}", event_id=f"e{n}", type="AID" if n % 2 else "AGREE") for n in range(6)))
    first = desk.http.get("/api/stories", params={"limit": 2, "types": ["AID", "SANCTION"]}).json()
    assert [item["story_id"] for item in first["items"]] == ["s5", "s3"]
    second = desk.http.get("/api/stories", params={"limit": 2, "types": "AID", "cursor": first["next_cursor"]}).json()
    assert [item["story_id"] for item in second["items"]] == ["s1"]
    assert second["next_cursor"] is None
    assert first["items"][0]["alerts"] == [{"subscription": PEACE, "revision": 1}]
    assert first["items"][0]["words"]["peace"] == "against peace talks"
    for broken in ({"types": "WAR"}, {"limit": 0}, {"limit": 201}, {"colour": "red"}, {"cursor": "x"}):
        assert desk.http.get("/api/stories", params=broken).status_code == 422


def test_a_story_and_a_dyad(desk: Desk) -> None:
    desk.feed(diplomatic(), diplomatic(event_id="e1", status="changed", peace="support"))
    story = desk.http.get("/api/stories/s").json()
    assert [t["event_id"] for t in story["tellings"]] == ["e1", "e0"]
    telling = story["tellings"][0]
    assert telling["before"] + telling["quote"] + telling["after"] == "the envoy turned down the talks"
    assert telling["attribution"] == [{"text": "a diplomat", "cue": None, "code": None}]
    assert desk.http.get("/api/stories/none").status_code == 404
    assert desk.http.get("/api/dyads").json() == [{"dyad": "FRA|ITA", "name": "France – Italy", "stories": 1}]
    dyad = desk.http.get("/api/dyads/ITA|FRA").json()
    assert [(p["day"], p["goldstein"], p["peace"]) for p in dyad["points"]] == [("2024-05-03", -4.0, "support")]
    assert desk.http.get("/api/dyads/ita").status_code == 422


def test_writing_needs_a_bearer_and_reading_hides_addresses(desk: Desk) -> None:
    basic = base64.b64encode(f"x:{desk.token}".encode()).decode()
    for headers in ({}, {"Authorization": "Bearer nonsense"}, {"Authorization": f"Basic {basic}"}):
        for method, path in (("POST", ""), ("PUT", f"/{PEACE}"), ("DELETE", f"/{PEACE}")):
            answer = desk.http.request(method, f"/api/subscriptions{path}", json=MINE, headers=headers)
            assert answer.status_code == 401
            assert "www-authenticate" in answer.headers
        assert desk.http.get(f"/api/subscriptions/{PEACE}/dead-letters", headers=headers).status_code == 401
    made = desk.http.post("/api/subscriptions", json=MINE, headers=desk.bearer)
    assert made.status_code == 201
    assert len(made.json()["secret"]) > 30
    assert desk.http.post("/api/subscriptions", json=MINE, headers=desk.bearer).status_code == 409
    shown = desk.http.get("/api/subscriptions/mine").json()
    assert "secret" not in json.dumps(shown)
    assert shown["channels"]["webhooks"][0]["url"] == "https://hooks.example/***#1"
    assert "secret/part" not in desk.http.get("/api/subscriptions").text
    full = desk.http.get("/api/subscriptions/mine", headers=desk.bearer).json()
    assert full["channels"]["webhooks"][0]["url"] == "https://hooks.example/secret/part"
    changed = desk.http.put("/api/subscriptions/mine", json={"name": "Other", "enabled": False}, headers=desk.bearer)
    assert (changed.json()["id"], changed.json()["name"]) == ("mine", "Other")
    assert desk.http.delete("/api/subscriptions/mine", headers=desk.bearer).status_code == 204
    assert desk.http.delete("/api/subscriptions/mine", headers=desk.bearer).status_code == 404
    assert desk.http.get("/api/subscriptions/mine/alerts").status_code == 404
    assert len(desk.http.get("/api/presets").json()) == 5


def test_a_subscription_made_now_hears_of_what_comes(desk: Desk) -> None:
    mine = {"name": "Mine", "filter": {"sides": ["FRA"], "text": "talks"}, "channels": {"topic": False}}
    assert desk.http.post("/api/subscriptions", json=mine, headers=desk.bearer).status_code == 201
    assert [[a.subscription for a in outcome] for outcome in desk.feed(diplomatic())] == [[PEACE]]  # type: ignore[union-attr]
    (alert,) = desk.http.get("/api/subscriptions/mine/alerts").json()["items"]
    assert alert["event"]["story_id"] == "s"


def test_other_names_are_refused_on_the_loopback(tmp_path: Path) -> None:
    with running(tmp_path, desk_hosts=["desk.example"]) as desk:
        for name, status in (
            ("evil.example", 400),
            ("desk.example", 200),
            ("DESK.example:80", 200),
            ("localhost:1", 200),
            ("[::1]:80", 200),
            ("127.0.0.1.evil.example", 400),
        ):
            assert desk.http.get("/api/stories", headers={"Host": name}).status_code == status, name


def test_bound_elsewhere_everything_needs_a_token(tmp_path: Path) -> None:
    with running(tmp_path, desk_host="0.0.0.0") as desk:
        basic = base64.b64encode(f"anybody:{desk.token}".encode()).decode()
        for path in ("/", "/app.js", "/openapi.json", "/api/stories", "/api/stream"):
            refused = desk.http.get(path)
            assert refused.status_code == 401
            assert refused.headers["www-authenticate"].startswith("Basic")
        for good in (f"Bearer {desk.token}", f"Basic {basic}"):
            assert desk.http.get("/api/stories", headers={"Authorization": good}).status_code == 200
        for bad in ("Bearer x", "Basic !!", "Basic eA==", "Digest x", ""):
            assert desk.http.get("/api/stories", headers={"Authorization": bad}).status_code == 401
        # A password that a browser sends by itself does not write.
        headers = {"Authorization": f"Basic {basic}"}
        assert desk.http.post("/api/subscriptions", json=MINE, headers=headers).status_code == 401


def test_large_bodies_are_refused_told_or_not(desk: Desk) -> None:
    large = b" " * 70_000
    assert desk.http.post("/api/subscriptions", content=large, headers=desk.bearer).status_code == 413

    def parts() -> Iterator[bytes]:
        yield from [large[:40_000]] * 2

    assert desk.http.post("/api/subscriptions", content=parts(), headers=desk.bearer).status_code == 413
    assert desk.http.get("/api/stories").status_code == 200


def test_too_many_requests_are_put_off(tmp_path: Path) -> None:
    with running(tmp_path, desk_rate=0.5, desk_burst=3) as desk:
        answers = [desk.http.get("/api/presets") for _ in range(4)]
        assert [a.status_code for a in answers] == [200, 200, 200, 429]
        assert int(answers[3].headers["retry-after"]) in (1, 2)


def test_answers_carry_the_headers_and_the_page_is_strict(desk: Desk) -> None:
    for path in ("/", "/api/stories", "/nothing", "/openapi.json"):
        headers = desk.http.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert "server" not in headers
    assert desk.http.get("/docs").status_code == 404


def test_the_stream_tells_each_change_and_goes_on_where_a_reader_left(desk: Desk) -> None:
    with listening(desk) as events:
        desk.feed(diplomatic())
        wait_until(lambda: len(events.got) == 1, 5, "the story")
        desk.feed(diplomatic(event_id="e1", status="changed"), diplomatic(story_id="t", event_id="e2"))
        wait_until(lambda: len(events.got) == 3, 5, "the changes")
        assert events.stories == ["s", "s", "t"]
        last = events.got[0][1]
    desk.feed(diplomatic(story_id="u", event_id="e3"))
    with listening(desk, {"Last-Event-ID": str(last)}, after=0) as events:
        wait_until(lambda: len(events.got) == 3, 5, "what was missed")
        assert events.stories == ["s", "t", "u"]
    with listening(desk, after=10**9) as events:
        wait_until(lambda: bool(events.got), 5, "the reset")
        assert events.got[0][0] == "reset"
    assert desk.http.get("/api/stream", headers={"Last-Event-ID": "x"}).status_code == 422


def test_a_filtered_stream_says_what_is_gone(desk: Desk) -> None:
    with listening(desk, types="REJECT") as events:
        desk.feed(diplomatic(), diplomatic(story_id="t", event_id="e1", type="AID"))
        wait_until(lambda: len(events.got) == 1, 5, "the story")
        desk.feed(diplomatic(event_id="e2", type="AID", status="changed"))
        wait_until(lambda: len(events.got) == 2, 5, "story and gone")
        assert [(kind, data["story_id"]) for kind, _, data in events.got] == [("story", "s"), ("gone", "s")]


def test_no_story_is_missed_over_a_restart(tmp_path: Path) -> None:
    with running(tmp_path) as desk:
        port = desk.port
        with listening(desk) as events:
            desk.feed(diplomatic())
            wait_until(lambda: bool(events.got), 5, "the story")
            last = events.last
    with running(tmp_path, desk_port=port) as desk:
        desk.feed(diplomatic(story_id="t", event_id="e1"))
        with listening(desk, {"Last-Event-ID": str(last)}) as events:
            wait_until(lambda: bool(events.got), 5, "the missed story")
            assert events.stories == ["t"]


def test_a_reader_far_behind_gets_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.desk.bulletin.KEPT", 5)
    monkeypatch.setattr("services.desk.bulletin.READ", 7)
    with running(tmp_path) as desk, listening(desk) as live:
        desk.feed(*(diplomatic(story_id=f"s{n}", event_id=f"e{n}") for n in range(40)))
        wait_until(lambda: len(live.got) == 40, 10, "all, live")
        with listening(desk, after=0) as late:
            wait_until(lambda: len(late.got) == 40, 10, "all, late")
        assert late.stories == live.stories == [f"s{n}" for n in range(40)]


def test_too_many_readers_are_put_off(tmp_path: Path) -> None:
    with running(tmp_path, desk_readers=1) as desk, listening(desk):
        assert desk.http.get("/api/stream").status_code == 503


def test_a_reader_that_leaves_is_forgotten(desk: Desk) -> None:
    with listening(desk), listening(desk):
        assert desk.bulletin.readers == 2
    wait_until(lambda: desk.bulletin.readers == 0, 5, "that both are forgotten")


def test_the_feed_is_atom_and_keeps_an_alerts_id(desk: Desk) -> None:
    evil = diplomatic().evidence.model_dump() | {"sentence": "a <b> & \x01 c", "quote": "<b>"}
    desk.feed(diplomatic(evidence=evil, url="javascript:alert(1)"))
    answer = desk.http.get(f"/api/subscriptions/{PEACE}/feed")
    assert answer.headers["content-type"].startswith("application/atom+xml")
    first = ET.fromstring(answer.content)
    assert first.tag == f"{ATOM}feed"
    assert first.findtext(f"{ATOM}title") == "demarche: New peace-talk statements"
    (entry,) = first.findall(f"{ATOM}entry")
    assert entry.findtext(f"{ATOM}content") == "a <b> &  c"
    assert entry.findall(f"{ATOM}link") == []
    desk.feed(diplomatic(event_id="e1", status="contradicted", url="https://a.example/1"))
    second = ET.fromstring(desk.http.get(f"/api/subscriptions/{PEACE}/feed").content)
    (updated,) = second.findall(f"{ATOM}entry")
    assert updated.findtext(f"{ATOM}id") == entry.findtext(f"{ATOM}id")
    assert updated.findtext(f"{ATOM}published") == entry.findtext(f"{ATOM}published")
    assert updated.findtext(f"{ATOM}updated", "") >= entry.findtext(f"{ATOM}updated", "~")
    assert desk.http.get("/api/subscriptions/nobody/feed").status_code == 404
