"""A fingerprint under which near copies of a story are close."""

from __future__ import annotations

import re
from hashlib import blake2b
from itertools import pairwise

import numpy as np

WORD = re.compile(r"\w+")
MOST_WORDS = 50_000


def simhash(text: str) -> str:
    """64-bit simhash (Charikar 2002) over pairs of neighbouring words, 16 hex digits.

    Case, punctuation and white space do not count. Two texts' distance is the number of differing bits.
    """
    words = WORD.findall(text.lower())[:MOST_WORDS]
    shingles = {f"{a} {b}" for a, b in pairwise(words)} or set(words)
    if not shingles:
        return "0" * 16
    digests = b"".join(blake2b(s.encode("utf-8", "replace"), digest_size=8).digest() for s in sorted(shingles))
    bits = np.unpackbits(np.frombuffer(digests, dtype=np.uint8).reshape(-1, 8), axis=1)
    majority = bits.sum(axis=0, dtype=np.int64) * 2 > len(shingles)
    return np.packbits(majority).tobytes().hex()
