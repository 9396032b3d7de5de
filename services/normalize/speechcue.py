"""Who says something in a sentence: the words around "said"."""

from __future__ import annotations

import re
from dataclasses import dataclass

_VERBS = (
    r"said|says|told|tells|added|adds|stated|states|declared|declares|announced|announces|warned|warns|insisted"
    r"|insists|argued|"
    r"argues|noted|notes|stressed|stresses|continued|continues|wrote|writes|tweeted|posted|asked|asks|replied"
    r"|explained|explains|"
    r"emphasi[sz]ed|concluded|commented|comments|claimed|claims|reiterated|remarked|remarks|responded|read|reads"
    r"|quipped|joked|recalled|"
    r"observed|acknowledged|admitted|confirmed|pledged|vowed|underlined|underscored|issued"
)
_VERB = re.compile(rf"\b(?:{_VERBS})\b")
_TOKEN = re.compile(r"[\w’'.&/-]*\w[.]?|[^\w\s]")
_DETERMINERS = frozenset(
    {
        "a",
        "an",
        "the",
        "his",
        "her",
        "its",
        "their",
        "this",
        "that",
        "one",
        "another",
        "each",
        "some",
        "several",
        "two",
        "three",
        "other",
    }
)
_GLUE = frozenset(
    {"of", "for", "de", "da", "del", "la", "le", "al", "el", "van", "von", "bin", "ibn", "bint", "the", "and", "'s"}
)
_PRONOUNS = frozenset({"he", "she", "it", "they"})
_TITLES = frozenset({"mr", "mrs", "ms", "dr", "mr.", "mrs.", "ms.", "dr.", "gen.", "sen.", "rep."})
_CALENDAR = frozenset(
    {
        "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "january", "february",
        "march", "april", "may", "june", "july", "august", "september", "october", "november", "december", "today",
        "yesterday", "tomorrow",
    }
)  # fmt: skip
_NOT_HEADS = frozenset(
    {
        "who", "which", "that", "also", "then", "later", "had", "has", "have", "been", "was", "were", "is", "are",
        "be", "to", "not", "as", "but", "so", "when", "while", "after", "before", "since", "until", "because", "if",
        "meeting", "visit", "talks", "statement", "reporters", "journalists", "earlier", "and",
    }
)  # fmt: skip
_OFFICE = re.compile(
    r"(?:spokes(?:man|woman|person)|minister|ministers|ministry|president|premier|secretary|official|officials"
    r"|envoy|ambassador|"
    r"diplomat|diplomats|statement|government|office|army|military|leader|leaders|chief|king|queen|prince|general"
    r"|commander|"
    r"council|commission|committee|department|embassy|source|sources|agency|group|party|mission|representative"
    r"|adviser|aide|"
    r"lawmaker|governor|mayor|chancellor|rebels|side|sides|ministers|delegation|negotiator|mediator|police|communique|"
    r"communiqué|document|declaration|letter|report|organi[sz]ation|bloc|union|alliance|kremlin)$"
)
_INVERTED_END = re.compile(
    r"\s*(?:[,;:(]|(?<!\b[A-Z])(?<!\b[A-Z][a-z])(?<!\b[A-Z][a-z]{2})\.|$|\b(?:in|at|on|during|after|before|to|who"
    r"|when|while|as|following|from|by|through|via|late|earlier|last|this)\b)"
)
_ACCORDING = re.compile(r"\baccording to (.{2,120})", re.IGNORECASE)
LONGEST_NAME = 12
"""Words of the longest speaker that is taken."""

Span = tuple[int, int]


@dataclass(frozen=True)
class Cue:
    """Words that name a speaker; `pronoun`: they only point back; `leads`: the speech follows after a colon."""

    start: int
    end: int
    pronoun: bool
    leads: bool


def find_cue(sentence: str, quoted: list[Span]) -> Cue | None:
    """The speaker in a sentence whose quoted stretches are given as offsets within it; None when none is named.

    Only words outside the quotes are looked at, nearest to the quotes first; without a quotation, from the start.
    """
    masked = list(sentence)
    for start, end in quoted:
        masked[start:end] = "\x00" * (end - start)
    outside = "".join(masked)
    leads = outside.rstrip().endswith(":")
    verbs = [m.span() for m in _VERB.finditer(outside)]
    if quoted and len(verbs) > 1:
        verbs.sort(key=lambda v: min(min(abs(v[0] - end), abs(start - v[1])) for start, end in quoted))
    elif leads:
        verbs.reverse()
    for verb in verbs:
        span = _before(outside, verb[0]) or (_after(outside, verb[1]) if quoted else None)
        if span is not None:
            return _cue(outside, span, leads)
    according = _ACCORDING.search(outside)
    if according and (span := _after(outside, according.start(1))):
        return _cue(outside, span, leads)
    return None


def _cue(text: str, span: Span, leads: bool) -> Cue:
    return Cue(*span, pronoun=text[span[0] : span[1]].lower() in _PRONOUNS, leads=leads)


def _tokens(text: str, start: int, end: int) -> list[Span]:
    return [m.span() for m in _TOKEN.finditer(text, max(0, start), end)]


def _before(text: str, verb: int) -> Span | None:
    """The noun phrase right before a verb: "A spokesman for the ministry", "Mr Hammond", "Hua, a diplomat,"."""
    tokens = _tokens(text, max(0, verb - 160, text.rfind("\x00", 0, verb) + 1), verb)
    while tokens and text[slice(*tokens[-1])].lower() in {
        "also",
        "has",
        "had",
        "have",
        "then",
        "later",
        "again",
        "earlier",
    }:
        tokens.pop()
    if tokens and text[tokens[-1][0]] == ",":
        tokens = _skip_apposition(text, tokens)
    if tokens and text[tokens[-1][0]] == ")":
        tokens = _skip_bracket(text, tokens)
    last = len(tokens) - 1
    first = last + 1
    for i in range(last, max(-1, last - LONGEST_NAME), -1):
        word = text[slice(*tokens[i])]
        low = word.lower()
        if low in _PRONOUNS:
            return tokens[i] if first > last else _span(tokens, first, last)
        if not word[0].isalnum() or low.strip(".") in _CALENDAR or (low in _NOT_HEADS and not _is_office(low, i, last)):
            break
        if word[0].islower() and low not in _GLUE and low not in _DETERMINERS and not _noun(text, tokens, i, last):
            break
        first = i
        before = text[slice(*tokens[i - 1])].lower() if i else ""
        if (low in _DETERMINERS or low in _TITLES) and before not in _GLUE | {"and"}:
            break
    while first <= last and text[slice(*tokens[first])].lower() in _GLUE - {"the", "al", "el"}:
        first += 1
    return _checked(text, tokens, first, last)


def _is_office(low: str, i: int, last: int) -> bool:
    return i == last and bool(_OFFICE.search(low))


def _noun(text: str, tokens: list[Span], i: int, last: int) -> bool:
    """Whether a lower-case word can stand in the phrase: it names an office, or a determiner leads it."""
    low = text[slice(*tokens[i])].lower()
    if _OFFICE.search(low):
        return True
    if i == last and not (i and text[slice(*tokens[i - 1])].lower() in _DETERMINERS):
        return False
    window = [text[slice(*t)] for t in tokens[max(0, i - 5) : i]]
    return any(word.lower() in _DETERMINERS or word.endswith(("'s", "’s")) for word in window)


def _skip_apposition(text: str, tokens: list[Span]) -> list[Span]:
    """Tokens up to the comma before "a ministry spokeswoman," or "speaking in Geneva,"."""
    for i in range(len(tokens) - 2, -1, -1):
        if text[tokens[i][0]] == "," and i:
            return tokens[:i]
    return tokens[:-1]


def _skip_bracket(text: str, tokens: list[Span]) -> list[Span]:
    """Tokens up to the bracket in "Sen. Jane Doe (D-Ohio)"."""
    for i in range(len(tokens) - 2, -1, -1):
        if text[tokens[i][0]] == "(":
            return tokens[:i]
    return []


def _after(text: str, at: int) -> Span | None:
    """The noun phrase right after a verb: "said Foreign Minister Wang Yi in Beijing"."""
    limit = text.find("\x00", at)
    stop = _INVERTED_END.search(text, at, min(at + 120, limit if limit >= 0 else len(text)))
    tokens = _tokens(text, at, stop.start() if stop else min(at + 120, len(text)))
    if not tokens or len(tokens) > LONGEST_NAME or not text[tokens[0][0]].isalnum():
        return None
    first = text[slice(*tokens[0])]
    if first.lower() in _PRONOUNS:
        return tokens[0]
    if not (first[0].isupper() or first.lower() in _DETERMINERS or _OFFICE.search(first.lower())):
        return None
    return _checked(text, tokens, 0, len(tokens) - 1)


def _checked(text: str, tokens: list[Span], first: int, last: int) -> Span | None:
    if first > last:
        return None
    words = [text[slice(*t)] for t in tokens[first : last + 1]]
    if all(w.lower() in _DETERMINERS | _GLUE for w in words):
        return None
    if not any(w[0].isupper() or _OFFICE.search(w.lower()) for w in words) and words[0].lower() not in _DETERMINERS:
        return None
    return _span(tokens, first, last)


def _span(tokens: list[Span], first: int, last: int) -> Span:
    return tokens[first][0], tokens[last][1]
