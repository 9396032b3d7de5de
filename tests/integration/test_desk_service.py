"""The desk as a process on a broker: alerts on the topic, the API beside the loop, its end and its restart."""

from __future__ import annotations

import signal
import socket
import time
from pathlib import Path

import httpx

from schemas.records import Alert
from services.desk import register
from services.desk.store import Store
from services.desk.subscriptions import Channels, Webhook
from services.desk.views import SubscriptionIn
from services.replay.selection import Return, Selection
from services.runtime.replay import look
from services.runtime.settings import ConnectionSettings
from tests.integration.helpers import dead_letters, produce, read_committed, service, wait_until
from tests.unit.test_desk import diplomatic

STOP_SECONDS = 5.0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as tried:
        return int(tried.getsockname()[1])


def story(number: int, **fields: object) -> bytes:
    return diplomatic(story_id=f"s{number}", event_id=f"e{number}", **fields).model_dump_json().encode()


def test_the_desk_serves_alerts_and_comes_back(connection: ConnectionSettings, tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    variables = {
        "desk_port": port,
        "desk_database": f"sqlite:///{tmp_path}/desk.sqlite",
    }
    produce(connection, "events.diplomatic", [story(0), story(1, peace="none"), b"nonsense"])
    with service(connection, tmp_path, "services.desk", **variables) as desk:
        desk.wait_ready()
        wait_until(lambda: len(httpx.get(f"{url}/api/stories").json()["items"]) == 2, 20, "the stories")
        with httpx.stream("GET", f"{url}/api/stream?after=0") as stream:
            seen = []
            lines = stream.iter_lines()  # Kept: with the last name of it gone, the stream would be closed.
            for line in lines:
                if line == "event: story":
                    seen.append(line)
                if len(seen) == 2:
                    break
            assert "demarche_desk_readers 1.0" in desk.get("/metrics")[1]
            # An open stream does not hold up the end.
            desk.process.send_signal(signal.SIGTERM)
            began = time.monotonic()
            assert desk.ends(STOP_SECONDS + 5) == 0, desk.log
            assert time.monotonic() - began < STOP_SECONDS
    produce(connection, "events.diplomatic", [story(0), story(2)])
    with service(connection, tmp_path, "services.desk", **variables) as desk:
        desk.wait_ready()
        wait_until(lambda: len(httpx.get(f"{url}/api/stories").json()["items"]) == 3, 20, "the story")
        alerts = [Alert.model_validate_json(v) for _, v in read_committed(connection, "alerts", 2)]
    assert sorted(a.event.story_id for a in alerts) == ["s0", "s2"], "a replayed story raises no second alert"
    assert {k for k, _ in read_committed(connection, "alerts", 2)} == {b"new-peace-talk-statements"}
    assert len(read_committed(connection, "events.diplomatic.dlq", 1)) == 1


def test_a_webhook_given_up_is_a_dead_letter_on_the_topic(connection: ConnectionSettings, tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/desk.sqlite"
    store = Store(database)
    # A port that nobody answers on, and one that may not be called at all.
    hooks = [Webhook(url=f"http://127.0.0.1:{free_port()}/key"), Webhook(url="http://10.0.0.1/key")]
    register.add(store, SubscriptionIn(name="sub", channels=Channels(webhooks=hooks)))
    store.close()
    variables = {"desk_port": 0, "desk_database": database, "desk_webhook_tries": 2, "desk_webhook_first_wait": 0.05}
    allow = {"desk_webhook_allow": '["127.0.0.0/8"]'}
    produce(connection, "events.diplomatic", [story(0), b"nonsense"])
    with service(connection, tmp_path, "services.desk", **variables, **allow):
        letters = dead_letters(connection, "events.diplomatic.dlq", 3)
    assert sorted(letter.reason for letter in letters) == ["invalid_json", "webhook_given_up", "webhook_given_up"]
    told = [letter for letter in letters if letter.reason == "webhook_given_up"]
    assert {letter.origin.topic for letter in told} == {f"{connection.topic_prefix}events.diplomatic"}
    assert not any("/key" in letter.detail for letter in told)
    assert sorted(letter.detail.split("given up at ")[1][:5] for letter in told) == ["try 1", "try 2"]
    # Nothing is put back for them: the call is what is to be made again, not the event.
    done = look(connection, "events.diplomatic.dlq", Selection(), list[Return]().append)
    assert (done.replayed, done.left) == ({"events.diplomatic": 1}, {"without value": 2})


def test_a_port_in_use_ends_the_start_with_one_line(connection: ConnectionSettings, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        variables = {
            "desk_port": taken.getsockname()[1],
            "desk_database": f"sqlite:///{tmp_path}/desk.sqlite",
        }
        with service(connection, tmp_path, "services.desk", **variables) as desk:
            assert desk.ends(20) == 1
            assert "demarche: desk cannot start: " in desk.log
            assert "Traceback" not in desk.log
