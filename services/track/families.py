"""Publisher families, and how many of them tell a story in their own words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from services.normalize.fingerprint import NEAR, distance
from services.resolve.gazetteer import fold

NO_TEXT = "0" * 16
"""Fingerprint of an article without words: it tells nothing of copies."""
AGENCIES = {
    "reuters": "reuters", "afp": "afp", "agence france-presse": "afp", "ap": "ap", "associated press": "ap",
    "the associated press": "ap", "tass": "tass", "xinhua": "xinhua", "interfax": "interfax", "ria": "ria novosti",
    "ria novosti": "ria novosti", "anadolu": "anadolu", "anadolu agency": "anadolu", "dpa": "dpa", "efe": "efe",
    "ansa": "ansa", "kyodo": "kyodo", "kyodo news": "kyodo", "yonhap": "yonhap", "upi": "upi", "pti": "pti",
    "ani": "ani", "irna": "irna", "kcna": "kcna", "sana": "sana", "bloomberg": "bloomberg", "belga": "belga",
    "ukrinform": "ukrinform", "press trust of india": "pti", "united press international": "upi",
}  # fmt: skip
"""Names that credits give to news agencies, to one name each."""
_EDITION = re.compile(
    r"\b(?:the|news|online|english|arabic|persian|russian|ukrainian|chinese|spanish|french|turkish|hindi|urdu|service|"
    r"tv|television|radio|agency|newswire|wire|live|digital|website|com|co|org|net|uk|us|world|international|edition)\b"
)
_SUFFIXES = frozenset(["com", "co", "org", "net", "gov", "edu", "ac", "info", "news", "int", "eu", "example"])
Told = tuple[str | None, str | None, str]
"""Of one article: family, agency credited, fingerprint."""


def family(outlet: str | None, url: str | None) -> str | None:
    """The house behind an outlet: "BBC News", "BBC Persian" and bbc.co.uk are "bbc". None when nothing names it."""
    name = fold(outlet or "")
    if name in AGENCIES:
        return AGENCIES[name]
    if name:
        words = [part for part in re.split(r"[\s.,/|-]+", name) if part]
        kept = [word for word in words if not _EDITION.fullmatch(word)]
        short = " ".join(kept or words)
        return AGENCIES.get(short, short)
    return _house(url)


def agency(credit: str | None, attributed: Iterable[str]) -> str | None:
    """The agency whose text it is: the dateline's credit, else one that the event's attribution names."""
    for words in (credit or "", *attributed):
        name = fold(words).strip("() ").removeprefix("the ").removesuffix(" news agency").removesuffix(" agency")
        if name in AGENCIES:
            return AGENCIES[name]
    # The credit of a dateline is an agency's or the paper's own, known or not.
    return family(credit, None) if credit else None


def independent(articles: Sequence[Told]) -> int:
    """How many families tell it in their own words: articles of one house, under one agency's credit or with nearly
    one text are one voice. A house that is not known proves no further voice: it counts only where it is alone."""
    voices: list[list[Told]] = []
    for article in articles:
        near = [voice for voice in voices if any(_one_voice(article, other) for other in voice)]
        joined = [article, *(other for voice in near for other in voice)]
        voices = [voice for voice in voices if voice not in near] + [joined]
    known = sum(any(house is not None for house, _, _ in voice) for voice in voices)
    return max(known, 1 if voices else 0)


def copies(one: str, other: str) -> bool:
    """Whether two fingerprints are of nearly one text."""
    return NO_TEXT not in (one, other) and distance(one, other) <= NEAR


def _one_voice(one: Told, other: Told) -> bool:
    houses = {one[0], one[1]} & {other[0], other[1]} - {None}
    return bool(houses) or copies(one[2], other[2])


def _house(url: str | None) -> str | None:
    """The registered name in a web address: https://edition.cnn.com/… is "cnn"."""
    try:
        host = urlsplit(url or "").hostname or ""
    except ValueError:
        return None
    labels = [label for label in host.split(".") if label]
    while len(labels) > 1 and (len(labels[-1]) == 2 or labels[-1] in _SUFFIXES):
        labels.pop()
    return labels[-1] if labels else None
