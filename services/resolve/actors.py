"""Who a name or a description is: country, organisation, sector."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from datetime import date

from services.resolve.gazetteer import (
    Office,
    alpha3,
    by_surname,
    capitals,
    cities,
    countries,
    country_codes,
    fold,
    last_names,
    longest_name,
    office_at,
    organisations,
    people,
    regions,
    roles,
)

LARGE_CITY = 400_000
LONE_CITY = 40_000
LONGEST = 400
"""Characters of a name or description that are looked at; what is longer is a text and names nobody."""
MOST_NAMES = 8
"""Names that are looked at in one mention; the words of each are read again, so more would cost their square."""
METROPOLIS = 3_000_000
"""A lone name that is also somebody's last name ("Kennedy", "Santos") is a city only from this size on."""
HALVES = {
    "franco": "french", "anglo": "british", "sino": "chinese", "russo": "russian", "indo": "indian", "greco": "greek",
    "turco": "turkish", "austro": "austrian", "luso": "portuguese", "hispano": "spanish", "serbo": "serbian",
    "americano": "american", "afghano": "afghan", "italo": "italian", "nippo": "japanese",
}  # fmt: skip
_HALF = re.compile(rf"\b({'|'.join(HALVES)})-(?=\w+(?:an|ese|ish|ch|i)\b)")
_BACKED = re.compile(r"\b[\w.]+-(?:backed|aligned|allied|supported|funded|armed|sponsored|occupied|held)\b")
GIVEN_NAMES = frozenset(
    ("jordan", "chad", "georgia", "israel", "india", "kenya", "ireland", "paris", "sydney", "florence")
)
_NAME = re.compile(r"(?:[A-Z][\w’'.-]+ ){1,2}[A-Z][\w’'-]+")
_US_GEORGIA = re.compile(
    r"\bgeorgia(?:'s)? (?:gov|governor|senators?|sen|republicans?|democrats?|voters|legislature|secretary of state)\b"
)
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


def _known_names(plain: str) -> list[tuple[int, str]]:
    """(start, name) of the names of the tables in a folded text, longest first at each place, without overlaps."""
    starts = [m.start() for m in re.finditer(r"(?<!\w)\S", plain)]
    ends = [m.end() for m in re.finditer(r"\S(?!\w)", plain)]
    out: list[tuple[int, str]] = []
    at = 0
    for start in starts:
        if start < at:
            continue
        # Only ends that a name of the tables can reach, or long words would be tried against one another.
        for end in reversed(ends[bisect_right(ends, start) : bisect_right(ends, start + longest_name())]):
            name = plain[start:end]
            if name in people() or name in organisations() or name in countries():
                out.append((start, name))
                at = end
                break
    return out


def sector(text: str) -> str | None:
    """PLOVER sector that the role words of a text tell, or None; "former" makes an ELI."""
    if re.search(r"\b(?:former|ex-|ousted)\b", text, re.I):
        return "ELI"
    return next((code for code, words in roles() if words.search(text)), None)


def code_actor(text: str, on: date | None = None, context: str = "") -> ActorCode:
    """Code a name or description; `on` is the date it is said of, `context` words of the same article.

    Nothing is guessed: what no table and no word of the text tells is None, and `codes` is then empty.
    """
    text, context = text[:LONGEST], context[:LONGEST]
    plain = _HALF.sub(lambda m: HALVES[m[1]] + "-", _BACKED.sub("", fold(text)))
    role = sector(text)
    if _US_GEORGIA.search(plain):
        return ActorCode(("USA",), "USA", role, None, None, "country")
    # "Jordan Bardella", "Michael Jordan": a person's name, not a state's.
    named = role is None and _NAME.fullmatch(text) is not None
    hits: list[tuple[int, str]] = []
    for at, word in _known_names(plain)[:MOST_NAMES]:
        if named and word in GIVEN_NAMES:
            continue
        # Short names are acronyms or words: "US" is a side, "us" is not, nor is a "car".
        if len(word) <= 4 and word.upper() not in text and word.capitalize() not in text:
            continue
        hits.append((at, word))
    head = plain.split(" to ")[0].split(" of the ")[0]
    found: list[_Found] = []
    for start, word in hits:
        if " to " in plain and start > len(head):
            continue
        if word in people():
            found.append(_person(people()[word], on, role))
        elif word in organisations():
            code, kind, name = organisations()[word]
            # "the EU legislature", "a former CIA official": the role within is nearer than what the organisation is;
            # the words of its own name ("Democratic Forces", "Congress Party") tell no role.
            within = sector(fold(text).replace(word, " "))
            nearer = within if within in ("LEG", "JUD", "MIL", "ELI") or kind == "IGO" else None
            found.append(_Found(code, nearer or kind or role, name, None, "organisation"))
        else:
            code, how = countries()[word]
            found.append(_Found(code, role, None, None, how))
    if not found:
        last = re.sub(r"'s$", "", plain).split()[-1:] or [""]
        offices = [] if last[0] in capitals() else by_surname(last[0], on)
        if offices and text[:1].isupper():
            found.append(_person(offices, on, role))
    if not found:
        found = [] if named and set(plain.split()) & GIVEN_NAMES else _place(text, plain, role)
    if not found and context and context != text:
        inner = code_actor(context)
        if inner.codes and role:
            return ActorCode(inner.codes, inner.country, role, None, None, "context")
    if not found:
        return ActorCode((), None, role, None, None, "unknown")
    persons = [f for f in found if f.how == "person"]
    national = [f for f in found if f.how in ("country", "demonym", "capital")]
    if found[0].how == "organisation" and re.search(r" (?:in|for|to|on) ", plain):
        # "the AU mission in Somalia", "the UN envoy for Syria": the organisation's, not the country's.
        national = []
    elif national and any(f.how == "organisation" and f.code == national[0].code for f in found):
        national = [f for f in found if f.how == "organisation" and f.code == national[0].code][:1]
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
    # A title said of the person is nearer than a table that says it was held once.
    held = role if office.sector == "ELI" else None
    return _Found(office.code, held or office.sector or role or "GOV", office.name, office.office, "person")


def _place(text: str, plain: str, role: str | None) -> list[_Found]:
    """The country of a known city or region named in the text; a lone word may be any city, within a name a large one.

    A lone capital stands for its government, another lone city for its people.
    """
    whole = re.sub(r"^the ", "", plain)
    names = [whole] if text[:1].isupper() else []
    runs = [fold(run) for run in re.findall(r"[A-Z][\w’'-]+(?: [A-Z][\w’'-]+)*", text)]
    for run in runs:
        words = run.removesuffix("'s").split()
        names += [" ".join(words[i : i + n]) for n in (3, 2, 1) for i in range(len(words) - n + 1)]
    for name in names:
        city = cities().get(name)
        least = LARGE_CITY
        if name == whole:
            least = 0 if name in capitals() else METROPOLIS if name in last_names() else LONE_CITY
        # "Police" is a town in Poland too: a word that tells a role is no place.
        if city and int(str(city["population"])) > least and sector(name) is None:
            code = alpha3().get(str(city["countrycode"]))
            if code:
                lone = ("GOV" if name in capitals() else "CVL") if name == whole else None
                return [_Found(code, role or lone, None, None, "city")]
    for name in names:
        if name in regions():
            return [_Found(regions()[name], role, None, None, "region")]
    return []
