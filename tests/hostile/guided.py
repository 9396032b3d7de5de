"""normalize under atheris: `python -m tests.hostile.guided -runs=100000`; its options are libFuzzer's.

The input's first byte chooses what the rest is: bytes of a record, or a text, plain or HTML. Needs the `fuzz` extra.
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["services.normalize"]):
    from services.normalize import transform  # noqa: F401

from schemas.records import RawArticle
from services.normalize.transform import normalize
from services.runtime.codec import decode
from services.stage import Reject
from tests.hostile.line import check_clean, given

MOST_BYTES = 2 * 1024 * 1024


def one(data: bytes) -> None:
    """One input; anything raised is a finding."""
    raw = _article(data)
    if raw is None:
        return
    (outcome,) = normalize([given(raw)])
    if not isinstance(outcome, Reject):
        check_clean(outcome[0], raw)


def _article(data: bytes) -> RawArticle | None:
    kind, rest = data[:1], data[1:]
    if kind == b"{":
        read = decode(RawArticle, data, MOST_BYTES)
        return None if isinstance(read, Reject) else read
    text = rest.decode("utf-8", "ignore")
    return RawArticle(text=text, title=text[:80], content_type="html" if kind < b"a" else None)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
