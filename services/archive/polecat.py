"""An event under POLECAT's 40 columns. What it does not tell is None, the word that POLECAT's files have for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from schemas.records import DiplomaticEvent, Side

COLUMNS: Final[tuple[str, ...]] = (
    "Event ID", "Event Date", "Event Type", "Event Mode", "Intensity", "Quad Code", "Contexts",
    "Actor Name", "Actor Country", "Actor COW", "Primary Actor Sector", "Actor Sectors", "Actor Title",
    "Actor Name Raw", "Wikipedia Actor ID",
    "Recipient Name", "Recipient Country", "Recipient COW", "Primary Recipient Sector", "Recipient Sectors",
    "Recipient Title", "Recipient Name Raw", "Wikipedia Recipient ID",
    "Placename", "City", "District", "Province", "Country", "Latitude", "Longitude", "GeoNames ID", "Raw Placename",
    "Feature Type", "Source", "Publication Date", "Story People", "Story Organizations", "Story Locations",
    "Language", "Version",
)  # fmt: skip
"""In the order of POLECAT's weekly files."""
NONE = "None"
DAY_LENGTH = len("2024-05-03")


def row(event: DiplomaticEvent) -> dict[str, str]:
    """All columns of an event. Several sides stand in one cell, parted by "; "; a date that is not a day is None."""
    date, place = event.when.date, event.where
    told: dict[str, object] = {
        "Event ID": event.event_id,
        "Event Date": date if date and len(date) == DAY_LENGTH else None,
        "Event Type": event.type,
        "Intensity": event.plover_intensity,
        "Quad Code": event.quad,
        **_side("Actor", event.actors),
        **_side("Recipient", event.recipients),
        "Placename": place.name,
        "Country": place.country,
        "Latitude": place.latitude,
        "Longitude": place.longitude,
        "GeoNames ID": place.geonames_id,
        "Source": event.source,
        "Publication Date": event.published_at,
        "Language": event.language,
        "Version": event.pipeline_version,
    }
    return {column: NONE if told.get(column) is None else " ".join(str(told[column]).split()) for column in COLUMNS}


def _side(role: str, sides: Sequence[Side]) -> dict[str, object]:
    sectors = [s.sector for s in sides]
    return {
        f"{role} Name": _joined([s.name or s.text or s.code for s in sides]),
        f"{role} Country": _joined([s.country for s in sides]),
        f"Primary {role} Sector": next((sector for sector in sectors if sector), None),
        f"{role} Sectors": _joined(sectors),
        f"{role} Title": _joined([s.office for s in sides]),
        f"{role} Name Raw": _joined([s.text for s in sides]),
    }


def _joined(words: Sequence[str | None]) -> str | None:
    return "; ".join(dict.fromkeys(word for word in words if word)) or None
