"""Webhook calls against a receiver of our own: signed, bounded, tried again, given up, tried anew."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from schemas.records import Alert, DeadLetter
from services.desk import outbox, register, rounds, webhook
from services.desk.courier import Courier, call
from services.desk.settings import DeskSettings
from services.desk.store import Store, now_ms
from services.desk.subscriptions import Channels, Webhook
from services.desk.views import SubscriptionIn
from services.web.outgoing import Bounds
from tests.integration.helpers import wait_until
from tests.integration.test_desk_store import feed
from tests.unit.test_desk import diplomatic

SECRET = "0123456789abcdef"


class Receiver:
    """Answers with the statuses given, the last one for ever, and keeps what it got."""

    def __init__(self, *statuses: int, drip: bool = False) -> None:
        self.statuses, self.drip = [*statuses], drip
        self.got: list[tuple[dict[str, str], bytes]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append(({k.lower(): v for k, v in self.headers.items()}, content))
                status = receiver.statuses[0] if len(receiver.statuses) == 1 else receiver.statuses.pop(0)
                try:
                    self.send_response(status)
                    if status == 302:
                        self.send_header("Location", "/elsewhere")
                    self.end_headers()
                    while receiver.drip:
                        self.wfile.write(b"x")
                        time.sleep(0.05)
                except OSError:
                    pass

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/hook?a=1"
        Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.drip = False
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(f"sqlite:///{tmp_path}/desk.sqlite")
    yield opened
    opened.close()


def unread(_letters: Sequence[DeadLetter]) -> None:
    return


@contextmanager
def delivering(
    store: Store,
    receiver: Receiver,
    form: Any = "json",
    write: Callable[[Sequence[DeadLetter]], None] = unread,
    **fields: Any,
) -> Iterator[list[str]]:
    outcomes: list[str] = []
    hook = Webhook(url=receiver.url, form=form)
    register.add(store, SubscriptionIn(name="sub", channels=Channels(webhooks=[hook]), secret=SECRET))
    quick = {"desk_webhook_first_wait": 0.05, "desk_webhook_allow": ["127.0.0.0/8"], "desk_webhook_tries": 3}
    try:
        with Courier(store, DeskSettings(**{**quick, **fields}), outcomes.append, write):
            yield outcomes
    finally:
        receiver.close()


def test_alerts_and_updates_are_sent_once_and_signed(store: Store) -> None:
    receiver = Receiver(200)
    with delivering(store, receiver):
        window = [diplomatic(), diplomatic(event_id="e1", status="restated")]
        feed(store, *window)
        feed(store, *window)
        feed(store, diplomatic(event_id="e2", status="changed"), first=2)
        wait_until(lambda: len(receiver.got) == 2, 5, "both calls")
        time.sleep(0.8)
    assert len(receiver.got) == 2
    kinds = set()
    for headers, content in receiver.got:
        moment, made = (part.split("=")[1] for part in headers["demarche-signature"].split(","))
        expected = hmac.new(SECRET.encode(), f"{moment}.".encode() + content, hashlib.sha256).hexdigest()
        assert made == expected
        assert abs(int(moment) - time.time()) < 10
        told = json.loads(content)
        assert told["delivery_id"] == headers["demarche-delivery"]
        kinds.add((told["kind"], told["alert"]["revision"]))
    assert kinds == {("alert", 1), ("update", 2)}


def test_slacks_form(store: Store) -> None:
    receiver = Receiver(200)
    with delivering(store, receiver, "slack"):
        feed(store, diplomatic())
        wait_until(lambda: bool(receiver.got), 5, "the call")
    assert set(json.loads(receiver.got[0][1])) == {"text"}


def test_a_failed_call_is_made_again(store: Store) -> None:
    receiver = Receiver(500, 503, 204)
    with delivering(store, receiver):
        feed(store, diplomatic())
        wait_until(lambda: len(receiver.got) == 3, 10, "the third try")
        time.sleep(0.7)
    assert len(receiver.got) == 3
    assert len({headers["demarche-delivery"] for headers, _ in receiver.got}) == 1
    assert outbox.dead(store, "sub") == []


def test_after_the_last_try_it_is_given_up_and_can_be_tried_anew(store: Store) -> None:
    receiver = Receiver(302)
    with delivering(store, receiver) as outcomes:
        feed(store, diplomatic())
        wait_until(lambda: bool(outbox.dead(store, "sub")), 10, "the dead letter")
        assert len(receiver.got) == 3, "a redirect is not followed"
        (letter,) = outbox.dead(store, "sub")
        assert (letter.tries, letter.error) == (3, "the answer was 302")
        receiver.statuses[:] = [200]
        assert outbox.revive(store, "sub") == 1
        wait_until(lambda: len(receiver.got) == 4, 5, "the call")
        wait_until(lambda: len(outcomes) == 4, 5, "the end")
    assert outcomes == ["failed", "failed", "dead", "sent"]
    assert outbox.dead(store, "sub") == []


def test_a_dead_letter_is_written_until_the_broker_has_it_and_keeps_no_secret(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "TROUBLE_SECONDS", 0.05)
    receiver = Receiver(500)
    tries: list[Sequence[DeadLetter]] = []

    def write(letters: Sequence[DeadLetter]) -> None:
        tries.append(letters)
        if len(tries) < 3:
            raise OSError("no broker")

    with delivering(store, receiver, write=write):
        feed(store, diplomatic(), first=7)
        wait_until(lambda: len(tries) == 3, 10, "the third try")
        wait_until(lambda: outbox.given_up(store) == [], 5, "that it is noted")
        time.sleep(0.7)
    assert len(tries) == 3, "it is written once"
    (letter,) = tries[-1]
    assert (letter.stage, letter.reason) == ("desk", "webhook_given_up")
    assert (letter.origin.topic, letter.origin.partition, letter.origin.offset) == ("events.diplomatic", 0, 7)
    assert (letter.value_base64, letter.value_bytes) == (None, 0)
    assert "webhook of sub at 127.0.0.1: the answer was 500; given up at try 3" in letter.detail
    assert not [s for s in ("/hook", "a=1", SECRET) if s in letter.model_dump_json()]
    assert len(outbox.dead(store, "sub")) == 1, "it can still be tried anew"


def test_of_an_error_s_words_the_address_is_taken_out() -> None:
    alert = Alert.model_validate(
        {"alert_id": "a", "subscription": "sub", "revision": 1, "summary": "s", "event": diplomatic()}
    )
    call = outbox.GivenUp("d", "sub", "https://h.example/T0/key?k=v", 2, "no /T0/key?k=v: /T0/key, k=v", alert, "1:2")
    letter = webhook.letter(call, "t")
    assert letter is not None
    assert "webhook of sub at h.example: no …: …, …; given up at try 2" in letter.detail
    assert webhook.letter(replace(call, cause=None), "t") is None


def test_a_private_address_is_given_up_at_once(store: Store) -> None:
    receiver = Receiver(200)
    with delivering(store, receiver, desk_webhook_allow=[]):
        feed(store, diplomatic())
        wait_until(lambda: bool(outbox.dead(store, "sub")), 5, "the dead letter")
    (letter,) = outbox.dead(store, "sub")
    assert letter.tries == 1
    assert "DEMARCHE_DESK_WEBHOOK_ALLOW" in (letter.error or "")
    assert receiver.got == []


def test_an_answer_that_drips_is_bounded_in_time_and_a_large_one_in_size() -> None:
    allowed = DeskSettings(desk_webhook_allow=["127.0.0.0/8"]).desk_webhook_allow
    receiver = Receiver(200, drip=True)
    try:
        started = time.monotonic()
        assert call(receiver.url, b"{}", {}, Bounds(0.5, 1_000_000, allowed, "X")) == 200
        assert time.monotonic() - started < 2
        started = time.monotonic()
        assert call(receiver.url, b"{}", {}, Bounds(20.0, 3, allowed, "X")) == 200
        assert time.monotonic() - started < 2
    finally:
        receiver.close()
    headers, content = receiver.got[0]
    assert (headers["host"], content) == (receiver.url.split("/")[2], b"{}")


def test_old_stories_go_with_all_that_hangs_on_them(store: Store) -> None:
    register.begin(store)
    feed(store, diplomatic())
    assert outbox.prune(store, now_ms() - 1000) == 0
    assert outbox.prune(store, now_ms() + 1000) == 1
    t = store.tables
    with store.transaction() as connection:
        for table in (t.stories, t.sides, t.events, t.alerts):
            assert connection.execute(table.select()).all() == [], table.name
