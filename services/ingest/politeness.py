"""One request after the other to each host, whoever asks."""

from __future__ import annotations

from threading import Event, Lock
from time import monotonic
from urllib.parse import urlsplit


class Stopping(OSError):
    """A stop was asked for while we waited for our turn."""


class Politeness:
    """Spaces requests to one host by at least `seconds`; safe to share between threads."""

    def __init__(self, seconds: float, stop: Event) -> None:
        self._seconds, self._stop = seconds, stop
        self._free: dict[str, float] = {}
        self._lock = Lock()

    def slot(self, url: str, now: float, seconds: float = 0.0) -> float:
        """Takes the next free time of the URL's host; how long to wait for it. `seconds`: what the host asks for."""
        host = host_of(url)
        with self._lock:
            at = max(now, self._free.get(host, now))
            self._free[host] = at + max(self._seconds, seconds)
        return at - now

    def turn(self, url: str, seconds: float = 0.0) -> bool:
        """Waits until the host may be asked; False when a stop was asked for meanwhile."""
        return not self._stop.wait(self.slot(url, monotonic(), seconds))


def host_of(url: str) -> str:
    """The host in small letters."""
    return (urlsplit(url).hostname or "").lower()
