"""How long to wait before another try. Pure."""

from __future__ import annotations

from random import Random

HALF = 0.5


def wait_seconds(tries: int, first: float, longest: float, random: Random) -> float:
    """How long after the `tries`-th failed try: doubling, bounded, and somewhere in the upper half of it."""
    whole = min(longest, first * 2.0 ** min(tries - 1, 32))
    return whole * random.uniform(HALF, 1.0)
