"""The closed vocabularies of the codebook and the PLOVER and CAMEO figures that belong to each event type."""

from __future__ import annotations

from typing import Final, Literal, get_args

EventType = Literal[
    "STATEMENT", "AGREE", "CONSULT", "SUPPORT", "CONCEDE", "COOPERATE", "AID", "RETREAT", "REQUEST", "ACCUSE",
    "REJECT", "THREATEN", "PROTEST", "SANCTION", "MOBILIZE", "COERCE", "ASSAULT",
]  # fmt: skip
Claim = Literal["asserted", "reported", "planned", "conditional", "denied"]
Timing = Literal["new", "background"]
Tone = Literal["positive", "negative", "neutral"]
Peace = Literal["none", "support", "oppose", "conditional", "neutral"]
Granularity = Literal["day", "week", "month", "year"]

EVENT_TYPES: Final[tuple[EventType, ...]] = get_args(EventType)
CLAIMS: Final[tuple[Claim, ...]] = get_args(Claim)
TIMINGS: Final[tuple[Timing, ...]] = get_args(Timing)
TONES: Final[tuple[Tone, ...]] = get_args(Tone)
PEACES: Final[tuple[Peace, ...]] = get_args(Peace)

MUTUAL_TYPES: Final[frozenset[EventType]] = frozenset({"CONSULT", "AGREE", "COOPERATE", "SUPPORT", "STATEMENT"})
"""Types whose two sides may stand in either order (codebook, "Sides")."""

CAMEO: Final[dict[EventType, tuple[str, float]]] = {
    "STATEMENT": ("01", 0.0), "AGREE": ("03", 4.0), "CONSULT": ("04", 1.0), "SUPPORT": ("05", 3.5),
    "CONCEDE": ("08", 5.0), "COOPERATE": ("06", 6.0), "AID": ("07", 7.0), "RETREAT": ("08", 5.0),
    "REQUEST": ("10", -5.0), "ACCUSE": ("11", -2.0), "REJECT": ("12", -4.0), "THREATEN": ("13", -6.0),
    "PROTEST": ("14", -6.5), "SANCTION": ("16", -4.0), "MOBILIZE": ("15", -7.2), "COERCE": ("17", -7.0),
    "ASSAULT": ("18", -9.0),
}  # fmt: skip
"""PLOVER type to CAMEO root code and the root's Goldstein score (-10 to 10); source: codebook/plover.json, key `cameo`.
CAMEO 19 and 20 also fold into ASSAULT; the text seldom tells them apart, so the root stays 18."""

QUAD: Final[dict[EventType, int]] = {
    "STATEMENT": 1, "AGREE": 1, "CONSULT": 1, "SUPPORT": 1, "CONCEDE": 1, "COOPERATE": 2, "AID": 2, "RETREAT": 2,
    "REQUEST": 3, "ACCUSE": 3, "REJECT": 3, "THREATEN": 3, "PROTEST": 4, "SANCTION": 4, "MOBILIZE": 4, "COERCE": 4,
    "ASSAULT": 4,
}  # fmt: skip
"""PLOVER quad class: 1 verbal cooperation, 2 material cooperation, 3 verbal conflict, 4 material conflict."""

PLOVER_INTENSITY: Final[dict[EventType, float]] = {
    "STATEMENT": 0.0, "AGREE": 2.5, "CONSULT": 2.5, "SUPPORT": 5.0, "CONCEDE": 4.5, "COOPERATE": 9.5, "AID": 10.0,
    "RETREAT": 6.5, "REQUEST": 0.0, "ACCUSE": -3.0, "REJECT": -2.0, "THREATEN": -3.5, "PROTEST": -5.0,
    "SANCTION": -6.0, "MOBILIZE": -5.5, "COERCE": -7.0, "ASSAULT": -9.0,
}  # fmt: skip
"""PLOVER's own score of a type (-10 to 10); source: codebook/plover.json, key `events`."""
