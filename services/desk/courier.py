"""Makes the webhook calls: bounded in time and size, redirects not followed, tried again with growing pauses."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable
from random import SystemRandom
from threading import Event, Thread
from typing import Self

import structlog

from services.desk import outbox, webhook
from services.desk.outbox import Job
from services.desk.settings import DeskSettings
from services.desk.store import Store, StoreTrouble, now_ms
from services.web.address import Refused
from services.web.backoff import wait_seconds
from services.web.outgoing import Bounds, connected

CALLERS = 4
IDLE_SECONDS = 0.5
TROUBLE_SECONDS = 5.0
PRUNE_SECONDS = 3600.0
DAY_MS = 86_400_000
LEASE_FACTOR = 4.0
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


class Courier:
    """Threads that make the calls that are due, and drop stories that are too old."""

    def __init__(self, store: Store, settings: DeskSettings, told: Callable[[str], None]) -> None:
        """`told` gets each call's outcome: sent, failed or dead."""
        self._store, self._settings, self._told = store, settings, told
        self._bounds = Bounds(
            settings.desk_webhook_seconds,
            settings.desk_webhook_answer_bytes,
            settings.desk_webhook_allow,
            "DEMARCHE_DESK_WEBHOOK_ALLOW",
        )
        self._random = SystemRandom()
        self._stop = Event()
        steps: list[tuple[Callable[[], bool], float]] = [(self._deliver, IDLE_SECONDS)] * CALLERS
        steps.append((self._prune, PRUNE_SECONDS))
        self._threads = [Thread(target=self._repeat, args=step, name="courier", daemon=True) for step in steps]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        # A call under way is not waited for: its lease ends, and then it is made again under the same delivery id.
        self._stop.set()

    def _repeat(self, step: Callable[[], bool], idle: float) -> None:
        while not self._stop.is_set():
            try:
                if step():
                    continue
                self._stop.wait(idle)
            except Exception as error:
                # A thread that ended here would leave all later calls unmade, and nobody would see it.
                if not isinstance(error, StoreTrouble):
                    structlog.get_logger("demarche").error("courier", why=str(error), exc_info=True)
                self._stop.wait(TROUBLE_SECONDS)

    def _deliver(self) -> bool:
        """One call; whether there was one to make."""
        job = outbox.claim(self._store, int(self._bounds.seconds * LEASE_FACTOR * 1000))
        if job is None:
            return False
        try:
            self._call(job)
        except (OSError, http.client.HTTPException, UnicodeError, ValueError) as error:
            if isinstance(error, StoreTrouble):
                raise
            again = self._again_in_ms(job, error)
            outbox.failed(self._store, job, str(error) or type(error).__name__, again)
            self._told("dead" if again is None else "failed")
        else:
            outbox.sent(self._store, job)
            self._told("sent")
        return True

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

    def _prune(self) -> bool:
        outbox.prune(self._store, now_ms() - self._settings.desk_keep_days * DAY_MS)
        return False
