"""Makes the webhook calls: bounded in time and size, redirects not followed, tried again with growing pauses."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Sequence
from random import SystemRandom
from threading import Lock
from typing import Self

import structlog

from schemas.records import DeadLetter
from schemas.topics import input_topic
from services.desk import outbox, webhook
from services.desk.outbox import Job
from services.desk.rounds import IDLE_SECONDS, Rounds
from services.desk.settings import DeskSettings
from services.desk.store import Store, StoreTrouble, now_ms
from services.web.address import Refused
from services.web.backoff import wait_seconds
from services.web.outgoing import Bounds, connected

CALLERS = 4
PRUNE_SECONDS = 3600.0
DAY_MS = 86_400_000
LEASE_FACTOR = 4.0
LONGEST_REST = 60.0
GOOD = range(200, 300)


class CallFailed(OSError):
    """The receiver did not take it."""


def call(url: str, content: bytes, headers: dict[str, str], bounds: Bounds) -> int:
    """POSTs to the address that `url` resolves to now; the status. OSError or HTTPException when it failed."""
    with connected(url, bounds) as line:
        line.client.request("POST", line.path, content, {"Host": line.host, **headers, "Connection": "close"})
        answer = line.client.getresponse()
        answer.read(bounds.answer_bytes)
        return answer.status


class Addresses:
    """Which addresses are being called, one call at a time each, and which are left alone after they failed.

    So one that hangs holds one caller now and then, and not all of them while others wait.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._busy: set[str] = set()
        self._rests: dict[str, tuple[int, float]] = {}

    def take(self, claim: Callable[[set[str]], Job | None]) -> Job | None:
        """What `claim` gives when it is told which addresses are not to be called now."""
        with self._lock:
            now = time.monotonic()
            job = claim(self._busy | {url for url, (_, until) in self._rests.items() if until > now})
            if job is not None:
                self._busy.add(job.url)
            return job

    def give_back(self, url: str, rest: float | None) -> None:
        """The call is over; the address rests for so many seconds, or is as good as new."""
        with self._lock:
            self._busy.discard(url)
            if rest is None:
                self._rests.pop(url, None)
            else:
                self._rests[url] = self._rests.get(url, (0, 0.0))[0] + 1, time.monotonic() + rest

    def failures(self, url: str) -> int:
        """Failed calls in a row."""
        with self._lock:
            return self._rests.get(url, (0, 0.0))[0]


class Courier:
    """Threads that make the calls that are due, write dead letters of those given up, and drop stories too old."""

    def __init__(
        self,
        store: Store,
        settings: DeskSettings,
        told: Callable[[str], None],
        write: Callable[[Sequence[DeadLetter]], None],
    ) -> None:
        """`told` gets each call's outcome: sent, failed or dead. `write` returns when the letters are safe, or raises;
        one thread calls it."""
        self._store, self._settings, self._told, self._write = store, settings, told, write
        self._bounds = Bounds(
            settings.desk_webhook_seconds,
            settings.desk_webhook_answer_bytes,
            settings.desk_webhook_allow,
            "DEMARCHE_DESK_WEBHOOK_ALLOW",
        )
        self._random = SystemRandom()
        self._addresses = Addresses()
        steps = [(self._deliver, IDLE_SECONDS)] * CALLERS
        self._rounds = Rounds("courier", [*steps, (self._bury, IDLE_SECONDS), (self._prune, PRUNE_SECONDS)])

    def __enter__(self) -> Self:
        self._rounds.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        # A call under way is not waited for: its lease ends, and then it is made again under the same delivery id.
        self._rounds.__exit__()

    def _deliver(self) -> bool:
        """One call; whether there was one to make."""
        job = self._addresses.take(
            lambda held: outbox.claim(self._store, int(self._bounds.seconds * LEASE_FACTOR * 1000), held)
        )
        if job is None:
            return False
        rest: float | None = None
        try:
            rest = self._made(job)
        finally:
            self._addresses.give_back(job.url, rest)
        return True

    def _made(self, job: Job) -> float | None:
        """Makes the call and notes how it went; the seconds that its address is to be left alone, None for none."""
        try:
            self._call(job)
        except (OSError, http.client.HTTPException, UnicodeError, ValueError) as error:
            if isinstance(error, StoreTrouble):
                raise
            why = str(error) or type(error).__name__
            again = self._again_in_ms(job, error)
            outbox.failed(self._store, job, why, again)
            self._told("dead" if again is None else "failed")
            structlog.get_logger("demarche").warning(
                "webhook call failed", subscription=job.subscription, tries=job.tries, why=why, given_up=again is None
            )
            if isinstance(error, Refused):
                return None  # Nobody was called.
            s, failures = self._settings, self._addresses.failures(job.url) + 1
            longest = min(s.desk_webhook_longest_wait, LONGEST_REST)
            return wait_seconds(failures, s.desk_webhook_first_wait, longest, self._random)
        outbox.sent(self._store, job)
        self._told("sent")
        return None

    def _call(self, job: Job) -> None:
        content = webhook.body(job)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "demarche",
            webhook.DELIVERY: job.delivery_id,
            webhook.SIGNATURE: webhook.signature(job.secret, int(time.time()), content),
        }
        status = call(job.url, content, headers, self._bounds)
        if status not in GOOD:
            raise CallFailed(f"the answer was {status}")

    def _again_in_ms(self, job: Job, error: Exception) -> int | None:
        s = self._settings
        if isinstance(error, Refused) or job.tries >= s.desk_webhook_tries:
            return None
        first, longest = s.desk_webhook_first_wait, s.desk_webhook_longest_wait
        return int(wait_seconds(job.tries, first, longest, self._random) * 1000)

    def _bury(self) -> bool:
        """Dead letters of calls given up; whether there were any. Written before that is noted: twice, not never."""
        calls = outbox.given_up(self._store)
        topic = self._settings.topic_prefix + input_topic("desk")
        letters = [made for call in calls if (made := webhook.letter(call, topic)) is not None]
        if letters:
            self._write(letters)
        if calls:
            outbox.letters_written(self._store, [call.delivery_id for call in calls])
        return bool(calls)

    def _prune(self) -> bool:
        outbox.prune(self._store, now_ms() - self._settings.desk_keep_days * DAY_MS)
        return False
