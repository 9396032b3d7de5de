"""Publisher families, and how many of them tell a story in their own words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import combinations
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
    voice = list(range(len(articles)))

    def of(number: int) -> int:
        while voice[number] != number:
            number = voice[number]
        return number

    first: dict[str, int] = {}
    texts: dict[str, int] = {}
    for number, (*houses, text) in enumerate(articles):
        for known, names in ((first, houses), (texts, [text])):
            for name in names:
                if name is not None and name != NO_TEXT:
                    voice[of(number)] = of(known.setdefault(name, number))
    for (one, here), (other, there) in combinations([(int(text, 16), n) for text, n in texts.items()], 2):
        if (one ^ other).bit_count() <= NEAR:
            voice[of(here)] = of(there)
    named = {of(number) for number, (house, _, _) in enumerate(articles) if house is not None}
    return max(len(named), 1 if articles else 0)


def copies(one: str, other: str) -> bool:
    """Whether two fingerprints are of nearly one text."""
    return NO_TEXT not in (one, other) and distance(one, other) <= NEAR


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
