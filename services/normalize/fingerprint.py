"""A fingerprint under which near copies of a story are close."""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import blake2b
from itertools import pairwise

import numpy as np

WORD = re.compile(r"\w+")
MOST_WORDS = 50_000
NEAR = 10
"""Bits within which two texts are one story: lightly edited copies differ in 0 to 8, other stories in 17 and more."""


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


def distance(a: str, b: str) -> int:
    """Differing bits of two fingerprints, 0 to 64."""
    return (int(a, 16) ^ int(b, 16)).bit_count()


def near_copies(articles: Sequence[tuple[str, str]], bits: int = NEAR) -> list[list[str]]:
    """Ids of articles that are copies of one story, from (id, fingerprint) pairs; stories told once are left out.

    An article joins the first story whose first article is at most `bits` away.
    """
    stories: list[tuple[str, list[str]]] = []
    for article_id, fingerprint in articles:
        for first, ids in stories:
            if distance(first, fingerprint) <= bits:
                ids.append(article_id)
                break
        else:
            stories.append((fingerprint, [article_id]))
    return [ids for _, ids in stories if len(set(ids)) > 1]
