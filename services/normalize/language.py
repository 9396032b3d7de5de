"""Which language a text is in, with care for short ones."""

from __future__ import annotations

import re
from functools import cache

from py3langid.langid import MODEL_FILE, LanguageIdentifier

SAMPLE = 4_000
"""Characters looked at: enough to be sure, and the time stays the same for long texts."""
SURE = 0.5
CLOSE_TO_ENGLISH = frozenset({"en", "pcm", "sco"})
COMMON = re.compile(
    r"\b(?:the|of|and|to|in|that|for|on|with|was|were|is|are|has|have|by|from|said|after|its|will|not|as|at|an?)\b",
    re.IGNORECASE,
)
WORD = re.compile(r"[^\W\d_]+")


def language(text: str) -> str:
    """ISO 639-1 code of the text ("" when it holds no letters).

    Names and headlines of a few words look like any language to a classifier: another language than English is
    told only where it is more likely than all others together, or where the script is not Latin.
    """
    sample = text[:SAMPLE] if len(text) <= 2 * SAMPLE else text[:SAMPLE] + text[len(text) // 2 :][:SAMPLE]
    words = WORD.findall(sample)
    if not words:
        return ""
    if len(COMMON.findall(sample)) >= 0.2 * len(words):
        return "en"
    best, probability = _identifier().classify(sample)
    latin = sum(word[0] <= "ɏ" for word in words) >= 0.5 * len(words)
    if best in CLOSE_TO_ENGLISH or (latin and probability < SURE):
        return "en"
    return str(best)


@cache
def _identifier() -> LanguageIdentifier:
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
