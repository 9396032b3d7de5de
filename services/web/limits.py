"""How much one address may ask for. Pure: the time is given."""

from __future__ import annotations

from collections import OrderedDict

MOST_ADDRESSES = 10_000


class RateLimit:
    """A token bucket per address: `burst` requests at once, `rate` a second in the long run."""

    def __init__(self, rate: float, burst: int) -> None:
        self._rate, self._burst = rate, burst
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, address: str, now: float) -> float:
        """0 when the request may go on (it is then counted), else the seconds after which to come again."""
        left, then = self._buckets.pop(address, (float(self._burst), now))
        left = min(float(self._burst), left + (now - then) * self._rate)
        allowed = left >= 1
        self._buckets[address] = (left - 1 if allowed else left, now)
        if len(self._buckets) > MOST_ADDRESSES:  # The one not heard of for longest; its bucket is most likely full.
            self._buckets.popitem(last=False)
        return 0.0 if allowed else (1 - left) / self._rate
