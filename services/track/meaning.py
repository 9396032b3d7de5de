"""What an event's words are about, small enough to keep for every open story, and how near two of them are.

The measure needs no model: content words, brought to their stems and, where a small table knows them, to the concept
that newsrooms name in several ways (truce, ceasefire), as a set of hashed features. Names and numbers weigh more than
other words. The vectors of the encoder that finds the events tell stories apart worse than this (README); another
measure can take the place of `Meaning` and `nearness`; nothing else reads them.
"""

from __future__ import annotations

import csv
import re
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path

from services.resolve.gazetteer import cities, countries, fold, organisations

Meaning = tuple[int, ...]
"""Ascending 32-bit features. The two lowest bits tell the kind: ordinary word, concept, name or number; the third one
that the word stands in the sentence outside the quote."""

TERMS = Path(__file__).parent / "terms.tsv"
EMPTY = Path(__file__).parent / "empty.tsv"
WORD, CONCEPT, NAME, NUMBER = range(4)
WEIGHTS = (1.0, 1.8, 1.6, 1.8)
"""By kind. Set on the even-numbered cases of the story groups, see training/checks/stories.jsonl."""
OUTSIDE = 4
OUTSIDE_SHARE = 0.4
"""A sentence can tell two events: the words of the quote tell them apart, those around it say what it is about."""
PHRASE_WORDS = 4
TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_TOKEN = re.compile(r"\d[\d,.]*\d|\d|[^\W\d_][\w'’-]*")
_ENDINGS = ("ations", "ation", "ings", "ing", "ies", "ions", "ion", "ed", "es", "ly", "al", "s", "e")


@cache
def concepts() -> dict[str, str]:
    """Folded word or phrase to the concept it names."""
    with TERMS.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return {fold(words): row["concept"] for row in rows for words in row["words"].split(";")}


@cache
def empty_words() -> frozenset[str]:
    """Words that tell no story from another."""
    with EMPTY.open(encoding="utf-8") as file:
        return frozenset(word for row in csv.DictReader(file, delimiter="\t") for word in row["words"].split())


@cache
def state_words() -> frozenset[str]:
    """Stems of the words that name countries and organisations."""
    return frozenset(_stem(word) for name in (*countries(), *organisations()) for word in _TOKEN.findall(name))


def meaning(sentence: str, side_words: Iterable[str], quote: str | None = None) -> Meaning:
    """The features of a sentence, those outside the quote marked; without a quote the sentence is all quote.

    Of the sides' words those that name a state, an organisation or a capital are left out, for they are alike in all
    stories of a dyad; the names of people stay, since a minister's meeting is not his president's.
    """
    words = {word for words in side_words for word in _TOKEN.findall(fold(words))}
    aside = {stem for word in words if (stem := _stem(word)) in state_words() or word in cities()}
    inside = {_hashed(kind, word) for kind, word in _features(quote if quote is not None else sentence, aside)}
    words_inside = {feature >> 3 for feature in inside}
    around = {_hashed(kind, word) for kind, word in _features(sentence, aside)} if quote is not None else set()
    return tuple(sorted(inside | {f | OUTSIDE for f in around if f >> 3 not in words_inside}))


def nearness(one: Meaning, other: Meaning) -> float:
    """0 (nothing in common) to 1 (the same): mean of the cosine of the weighted sets and of how much of the smaller
    one stands in the larger, since a headline says in five words what a lead says in thirty."""
    if not one or not other:
        return 0.0
    a, b = _weights(one), _weights(other)
    # "Truce" at the head of a title looks like a name: a shared word counts with the lower of its two weights.
    shared = sum(min(a[word], b[word]) for word in a.keys() & b.keys())
    first, second = sum(a.values()), sum(b.values())
    return float(shared / (first * second) ** 0.5 + shared / min(first, second)) / 2


def packed(features: Meaning) -> bytes:
    """Four bytes a feature, little-endian."""
    return struct.pack(f"<{len(features)}I", *features)


def unpacked(data: bytes) -> Meaning:
    """What `packed` packed."""
    return struct.unpack(f"<{len(data) // 4}I", data)


def _weights(features: Meaning) -> dict[int, float]:
    return {f >> 3: WEIGHTS[f & 3] * (OUTSIDE_SHARE if f & OUTSIDE else 1.0) for f in features}


def _features(sentence: str, aside: set[str]) -> Iterator[tuple[int, str]]:
    tokens = [(m[0], m.start()) for m in _TOKEN.finditer(sentence)]
    folded = [fold(token) for token, _ in tokens]
    known, empty = concepts(), empty_words()
    at = 0
    while at < len(tokens):
        size, concept = _phrase(folded, at, known)
        token, start = tokens[at]
        word = folded[at].removesuffix("'s")
        stem = _stem(word)
        if concept and not (size == 1 and stem in aside):
            yield CONCEPT, concept
        elif (number := figure(word)) is not None:
            # A bare year is a date, told apart from the things counted; one and two are of every sentence.
            if not re.fullmatch(r"(?:19|20)\d\d|[012]", number):
                yield NUMBER, number
        elif word not in empty and len(word) > 1 and stem not in aside:
            yield (NAME if token[0].isupper() and start > 0 else WORD), stem
        at += size


@cache
def _numerals() -> dict[str, int]:
    units = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    small = {word: n for n, word in enumerate(f"{units} eighteen nineteen".split(), 1)}
    tens = {
        word: 10 * n
        for n, word in enumerate(["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], 2)
    }
    both = {f"{ten}-{one}": n + small[one] for ten, n in tens.items() for one in list(small)[:9]}
    return {**small, **tens, **both}


def figure(word: str) -> str | None:
    """The number that digits or an English numeral under a hundred name, as plain digits; None for other words."""
    if word[0].isdigit():
        return word.replace(",", "").rstrip(".")
    number = _numerals().get(word)
    return None if number is None else str(number)


def _phrase(words: Sequence[str], at: int, known: dict[str, str]) -> tuple[int, str | None]:
    """Length and concept of the longest known phrase that starts there; (1, None) when there is none."""
    for size in range(min(PHRASE_WORDS, len(words) - at), 0, -1):
        if (concept := known.get(" ".join(words[at : at + size]))) is not None:
            return size, concept
    return 1, None


def _stem(word: str) -> str:
    word = word.removesuffix("'s").removesuffix("'")
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word.removesuffix(ending)
    return word


def _hashed(kind: int, word: str) -> int:
    return (zlib.crc32(word.encode()) & ~7) | kind
