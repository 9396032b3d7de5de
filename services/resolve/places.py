"""Where an act happened: the place that the event's own words name."""

from __future__ import annotations

import re
from collections.abc import Iterator

from schemas.records import Place
from services.resolve.gazetteer import alpha3, cities, countries, fold

_PLACE = re.compile(r"\b(?:in|at|visited|to|near) (?:the )?((?:[A-Z][\w’'-]+)(?: [A-Z][\w’'-]+){0,2})")


def place_event(text: str) -> Place:
    """The first city or country after a word of place in the text, with GeoNames' coordinates; else nulls, with why."""
    return next(_places(text), Place(name=None, reason="the event's words name no known place"))


def local_country(sentence: str, dateline: str | None) -> str | None:
    """The one country in which a sentence plays: of the places it names, else of the dateline; None where several."""
    named = {p.country for p in _places(sentence) if p.country}
    if not named and dateline:
        named = {p.country for p in _places(f"in {dateline.title()}") if p.country}
    return named.pop() if len(named) == 1 else None


def _places(text: str) -> Iterator[Place]:
    for match in _PLACE.finditer(text):
        words = match[1].split()
        for size in range(len(words), 0, -1):
            name = " ".join(words[:size])
            city = cities().get(fold(name))
            if fold(name) in countries() and countries()[fold(name)][1] == "country":
                yield Place(name=name, country=countries()[fold(name)][0], reason=None)
                break
            if city and int(str(city["population"])) > 30_000:
                yield Place(
                    name=name,
                    country=alpha3().get(str(city["countrycode"])),
                    latitude=float(str(city["latitude"])),
                    longitude=float(str(city["longitude"])),
                    geonames_id=int(str(city["geonameid"])),
                )
                break
