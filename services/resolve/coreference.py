"""Sides of mentions within one article: names, then pronouns and descriptions by what came before."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date

from services.resolve.actors import PRONOUNS, ActorCode, code_actor
from services.resolve.gazetteer import countries, fold

NOBODY = ActorCode((), None, None, None, None, "unknown")
BOTH = re.compile(
    r"^(?:each other|(?:both|the two)(?: (?:sides|countries|leaders|governments|men|parties|nations|capitals|ministers|"
    r"presidents|neighbou?rs|diplomats|delegations))?)$"
)
THEY = frozenset({"they", "them", "their"})
GROUP = re.compile(r"\b[a-z]+(?:[^s\W]s|men|people|police)$")
"""Words for several people ("western officials", "rebels", "gunmen"), folded."""
OWN = frozenset({"we", "our", "us", "i", "my"})
SINGLE = frozenset({"he", "she", "him", "her", "his", "who"})
ROLE = re.compile(
    r"\b(?:envoy|minister|president|premier|chancellor|secretary|diplomat|leader|ambassador|general|spokes\w+|chief|"
    r"official|ministry|government|king|prince)s?\b"
)
SEVERAL = re.compile(r"\b(?:officials|ministers|leaders|diplomats|presidents|envoys|generals|governments)\b")
OWNER = re.compile(r"^(its|their|his|her|our|my) ")
_SURNAME = re.compile(r"(?:(?:Mr|Mrs|Ms|Dr|Gen|Sir|Lord|President|Minister|Secretary|General)\.? )?[A-Z][\w’'-]+")
BLOC = re.compile(
    r"^(?:the|this|that) (?:\S+ )?(?:bloc|union|alliance|organi[sz]ation|grouping|group|body|council|commission|"
    r"mission|court|tribunal|agency|watchdog)$"
)
LOCAL = frozenset(("COP", "MIL", "JUD", "LEG", "CVL", "OPP", "GOV", "LAB", "EDU", "MED", "AGR"))
"""Sectors whose nameless members ("police", "a court") are those of the country where the sentence plays."""
OFFICIAL = re.compile(
    r"\b(?:government|department|ministry|delegation|embassy|foreign office|mission|white house|office)\b", re.I
)


@dataclass
class Article:
    """What has been read so far: full names by last name, people, groups and sides in order of mention.

    `together` are the two sides of the last mutual event (a meeting, an agreement): whom "they" and "both sides" mean.
    `several` is the last group named in the sentence being read, also one of unknown side: "they" are those first.
    """

    on: date | None
    publisher: ActorCode
    names: dict[str, ActorCode] = field(default_factory=dict)
    persons: list[ActorCode] = field(default_factory=list)
    sides: list[ActorCode] = field(default_factory=list)
    groups: list[ActorCode] = field(default_factory=list)
    together: tuple[str, ...] = ()
    several: ActorCode | None = None


def publisher(source: str) -> ActorCode:
    """The government or organisation that publishes its own statement ("UK Government"), else nobody."""
    return code_actor(source) if OFFICIAL.search(source) else NOBODY


def resolve_mention(
    words: str, article: Article, speaker: ActorCode | None, before: list[ActorCode], local: str | None = None
) -> ActorCode:
    """The side of one mention; `before` are the sides named earlier in the same sentence. Remembers what it learns.

    `local` is the country in which the sentence plays, where the text tells it.
    """
    plain = fold(words)
    if plain in OWN:
        return speaker or article.publisher
    if plain in THEY and article.several is not None:
        return _as(article.several, "pronoun") if article.several.codes else NOBODY
    if plain in THEY and not article.together and article.groups:
        return _as(article.groups[-1], "pronoun")
    if plain in THEY or BOTH.match(plain):
        last_two = dict.fromkeys(c for side in article.sides[::-1] for c in side.codes[:1])
        codes = article.together or tuple(last_two)[:2][::-1]
        return ActorCode(codes, None, None, None, None, "description") if codes else NOBODY
    if plain in SINGLE:
        pool = [s for s in before if s.resolved_by == "person"] or article.persons[::-1]
        return _as(pool[0], "pronoun") if pool else (speaker or NOBODY)
    if plain in PRONOUNS:
        pool = [s for s in before if s.codes] or article.sides[::-1]
        return _as(pool[0], "pronoun") if pool else NOBODY
    last = plain.split()[-1] if plain.split() else ""
    if last in article.names and _SURNAME.fullmatch(words):
        # Whom the article has introduced by full name stands before anybody of that last name in the tables.
        found = _as(article.names[last], "person")
    else:
        found = code_actor(words, article.on)
    if not found.codes and last in article.names:
        found = _as(article.names[last], "person")
    if not found.codes and found.sector in LOCAL and (owner := OWNER.match(plain)):
        whose = resolve_mention(owner[1], article, speaker, before)
        return ActorCode(whose.codes, whose.country, found.sector, None, None, "description") if whose.codes else found
    if GROUP.search(plain) and words.split()[-1].islower():
        article.several = found
    if found.codes:
        if _person_like(words):
            found = ActorCode(found.codes, found.country, found.sector, found.name, found.office, "person")
            # Both ends of a name: the family name stands last in some languages and first in others ("Li Hui").
            for part in fold(words).split()[-2:]:
                article.names.setdefault(part, found)
            article.persons.append(found)
        elif GROUP.search(plain) and plain not in countries():
            article.groups.append(found)
        article.sides.append(found)
        return found
    if BLOC.match(plain):
        pool = [s for s in article.sides[::-1] if s.resolved_by == "organisation"]
        return _as(pool[0], "description") if pool else NOBODY
    if ROLE.search(plain) and not SEVERAL.search(plain):
        pool = [p for p in article.persons[::-1] if p.sector == "GOV"] or article.sides[::-1]
        if article.publisher.codes and not pool:
            return article.publisher
        if pool:
            return _as(pool[0], "description")
    if found.sector in LOCAL and local:
        return ActorCode((local,), local, found.sector, None, None, "place")
    return found


def _person_like(words: str) -> bool:
    capitals = re.findall(r"\b[A-Z][\w’'-]+", words)
    return (
        len(capitals) >= 2
        and not SEVERAL.search(fold(words))
        and fold(words) not in countries()
        and not fold(words).startswith("the ")
    )


def _as(side: ActorCode, how: str) -> ActorCode:
    return ActorCode(side.codes, side.country, side.sector, side.name, side.office, how)
