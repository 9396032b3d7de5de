"""The labels of an event as plain words for people. Pure."""

from __future__ import annotations

from functools import cache

import pycountry

from schemas.codebook import Claim, EventType, Peace, Timing, Tone
from schemas.records import EDITED, Evidence, Labels, Side
from services.desk.story import Status

ACTS: dict[EventType, str] = {
    "STATEMENT": "makes a statement", "AGREE": "agrees", "CONSULT": "consults", "SUPPORT": "supports",
    "CONCEDE": "concedes", "COOPERATE": "cooperates", "AID": "gives aid", "RETREAT": "retreats",
    "REQUEST": "demands", "ACCUSE": "accuses", "REJECT": "rejects", "THREATEN": "threatens",
    "PROTEST": "protests", "SANCTION": "sanctions", "MOBILIZE": "mobilises", "COERCE": "coerces",
    "ASSAULT": "attacks",
}  # fmt: skip
CLAIMS: dict[Claim, str] = {
    "asserted": "told as fact",
    "reported": "told by somebody's account",
    "planned": "announced, not done yet",
    "conditional": "only on a condition",
    "denied": "denied",
}
TIMINGS: dict[Timing, str] = {"new": "new with this report", "background": "background, from earlier"}
TONES: dict[Tone, str] = {"positive": "friendly", "negative": "hostile", "neutral": "neutral"}
PEACES: dict[Peace, str | None] = {
    "none": None,
    "support": "for peace talks",
    "oppose": "against peace talks",
    "conditional": "for peace talks, on terms",
    "neutral": "speaks of peace talks without a position",
}
STATUSES: dict[Status, str] = {
    "new": "first report",
    "restated": "told again",
    "changed": "changed since",
    "contradicted": "contradicted",
    "withdrawn": "withdrawn by its source",
}
UNKNOWN = "UNK"
SHORT = {
    "COD": "DR Congo", "COG": "Republic of the Congo", "GBR": "Britain", "KOR": "South Korea", "LAO": "Laos",
    "PRK": "North Korea", "PSE": "Palestine", "RUS": "Russia", "SYR": "Syria", "TUR": "Turkey", "USA": "United States",
    "WEST": "the West", "XKX": "Kosovo", UNKNOWN: "unknown side",
}  # fmt: skip
"""Where the standard's name is none that a newspaper uses, and codes of no country."""


def first_but_not_new(status: Status, reason: str | None) -> str | None:
    """Why a first report is not news, in short: "told as background", "first seen late". None for any other event."""
    return reason.split(":")[0] if status == "restated" and reason and reason != EDITED else None


def side_name(side: Side) -> str:
    """The person or organisation, else the country, else the code."""
    return side.name or place_name(side.code)


@cache
def place_name(code: str) -> str:
    """A country's short name; a code that is no country's stays as it is."""
    country = pycountry.countries.get(alpha_3=code)
    if code in SHORT or country is None:
        return SHORT.get(code, code)
    return str(getattr(country, "common_name", country.name)).split(",")[0]


def dyad_name(dyad: str) -> str:
    """The sides of a dyad by name."""
    return " – ".join(place_name(code) for code in dyad.split("|"))


def changed(before: Labels, after: Labels | None) -> list[str]:
    """What a correction changes, a line a label; "not an event" or "right as it was" where no label tells it."""
    if after is None:
        return ["not an event"]
    told = [
        f"{name}: {was} → {now}"
        for name in Labels.model_fields
        if (was := _told(before, name)) != (now := _told(after, name))
    ]
    return told or ["right as it was"]


def _told(labels: Labels, name: str) -> str:
    value = getattr(labels, name)
    return value if isinstance(value, str) else ", ".join(sorted(value)) or "nobody"


def in_sentence(evidence: Evidence) -> tuple[str, str, str]:
    """The sentence in three parts: before the quote, the quote, after it. A quote that is not in it stands alone."""
    start = evidence.start - evidence.sentence_start
    end = start + len(evidence.quote)
    if start < 0 or evidence.sentence[start:end] != evidence.quote:
        start = evidence.sentence.find(evidence.quote)
        end = start + len(evidence.quote)
    if start < 0:
        return "", evidence.quote, ""
    return evidence.sentence[:start], evidence.quote, evidence.sentence[end:]
