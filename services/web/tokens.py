"""Tokens for writing: shown once, kept as a hash."""

from __future__ import annotations

import hashlib
import secrets

BYTES = 32


def made() -> str:
    """A new token of 256 random bits."""
    return secrets.token_urlsafe(BYTES)


def hashed(token: str) -> str:
    """What is kept of it: of 256 random bits one round of SHA-256 cannot be searched back."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
