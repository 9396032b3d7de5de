"""When an act happened: date words of its sentence, relative to the publication date."""

from __future__ import annotations

import re
from datetime import date, timedelta

from schemas.codebook import Granularity
from schemas.records import EventDate

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_MONTH = "|".join(
    [m.capitalize() for m in MONTHS]
    + [rf"{m[:3].capitalize()}\." for m in MONTHS]
    + [r"Sept\.?", "Jan", "Feb", "Aug", "Oct", "Nov", "Dec"]
)
_ORDINAL = "(?:st|nd|rd|th)?"
_YEAR = "[12][0-9]{3}"
# Digits of ASCII only: others, and years that no calendar of ours has, are no dates to reckon with.
_DAY_MONTH = rf"(?P<d1>[0-9]{{1,2}}){_ORDINAL} (?:of )?(?P<m1>{_MONTH})"
_MONTH_DAY = rf"(?P<m2>{_MONTH}) (?P<d2>[0-9]{{1,2}}){_ORDINAL}"
_WEEKDAY = "|".join(d.capitalize() for d in DAYS)
NUMBERS = ("", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_COUNT = rf"(?P<n>an?|{'|'.join(NUMBERS[1:])}|[0-9]{{1,2}})"
PATTERNS = (
    ("iso", r"\b(?P<y1>(?:19|20)[0-9][0-9])-(?P<mm>[0-9][0-9])-(?P<d1>[0-9][0-9])\b"),
    ("full", rf"\b(?:{_DAY_MONTH},? (?P<y1>{_YEAR})|{_MONTH_DAY}, (?P<y2>{_YEAR}))\b"),
    ("month_year", rf"\b(?P<m>{_MONTH}),? (?:of )?(?P<y>{_YEAR})\b"),
    ("day_month", rf"\b(?:{_DAY_MONTH}|{_MONTH_DAY})\b(?!,? [0-9]{{4}})"),
    ("weekday", rf"\b(?:on |late |early |last |next |this )*(?P<w>{_WEEKDAY})\b"),
    ("today", r"\b(?:today|tonight|this morning|this afternoon)\b"),
    ("yesterday", r"\b(?:yesterday|last night)\b"),
    ("tomorrow", r"\btomorrow\b"),
    ("ago", rf"\b{_COUNT} (?P<unit>day|week|month|year)s? ago\b"),
    ("this_month", r"\b(?:earlier|later) this month\b|\bthis month\b"),
    ("last_month", r"\blast month\b"),
    ("next_month", r"\bnext month\b"),
    ("last_week", r"\blast week\b"),
    ("next_week", r"\bnext week\b"),
    ("this_week", r"\b(?:earlier )?this week\b"),
    ("last_year", r"\blast year\b"),
    ("next_year", r"\bnext year\b"),
    ("this_year", r"\b(?:earlier )?this year\b"),
    (
        "in_month",
        rf"\b(?:(?:in|last|since|by|until) (?:early |late |mid-?)?|late in |early in )(?P<m>{_MONTH})(?!\w)(?! [0-9])",
    ),
    ("in_year", r"\b(?:in|since|of|by|until) (?:early |late |mid-?)?(?P<y>(?:19|20)[0-9][0-9])\b"),
)
_EVE = re.compile(r"\bon the eve of (?:the )?(?:[a-z]+ (?:on|of) )?$")
NEEDS_PUBLICATION = "no publication date to count from"


def find_dates(text: str, published: date | None, ahead: bool = False) -> list[tuple[int, int, EventDate]]:
    """(start, end, date) of every date expression; one that cannot be resolved has a null date and the reason.

    `ahead` takes a day or month without a year as the next one, for acts that are planned; else it is the last one.
    """
    found: list[tuple[int, int, EventDate]] = []
    # "In February", "Last week": a capital that only the sentence's beginning gives.
    plain = text if re.match(rf"(?:{_MONTH}|{_WEEKDAY})\b", text) else text[:1].lower() + text[1:]
    for kind, pattern in PATTERNS:
        for match in re.finditer(pattern, plain):
            if any(match.start() < b and match.end() > a for a, b, _ in found):
                continue
            when = _resolve(kind, match, published, ahead)
            when = when.model_copy(update={"text": text[match.start() : match.end()]})
            if when.date and when.granularity == "day" and _EVE.search(text[: match.start()]):
                eve = date.fromisoformat(when.date) - timedelta(days=1)
                when = when.model_copy(update={"date": eve.isoformat(), "text": f"on the eve of {match[0]}"})
            found.append((match.start(), match.end(), when))
    return sorted(found, key=lambda f: f[0])


def _resolve(kind: str, match: re.Match[str], published: date | None, ahead: bool) -> EventDate:
    words, g = match[0], match.groupdict()

    def known(value: str, granularity: Granularity) -> EventDate:
        return EventDate(date=value, granularity=granularity, text=words)

    def unknown(reason: str) -> EventDate:
        return EventDate(date=None, granularity=None, text=words, reason=reason)

    month = _month(g.get("m") or g.get("m1") or g.get("m2"), g.get("mm"))
    if kind in ("full", "iso"):
        try:
            return known(date(int(g["y1"] or g["y2"]), month, int(g["d1"] or g["d2"])).isoformat(), "day")
        except ValueError:
            return unknown("no such day")
    if kind == "month_year":
        return known(f"{g['y']}-{month:02}", "month")
    if kind == "in_year":
        return known(g["y"], "year")
    if published is None:
        return unknown(NEEDS_PUBLICATION)
    if kind == "day_month":
        return _day_of_year(month, int(g["d1"] or g["d2"]), published, ahead, words)
    if kind == "weekday":
        gap = (published.weekday() - DAYS.index(g["w"].lower())) % 7
        if "next" in words.lower() or (ahead and gap and "last" not in words.lower()):
            gap -= 7
        return known((published - timedelta(days=gap)).isoformat(), "day")
    if kind in ("today", "yesterday", "tomorrow"):
        shift = {"today": 0, "yesterday": -1, "tomorrow": 1}[kind]
        return known((published + timedelta(days=shift)).isoformat(), "day")
    if kind == "ago":
        return known(*_ago(g["n"], g["unit"], published))
    which, _, unit = kind.partition("_")
    shift = {"last": -1, "this": 0, "next": 1}.get(which, 0)
    if unit == "week":
        return known((published + timedelta(days=7 * shift - published.weekday())).isoformat(), "week")
    if which != "in" and unit == "year":
        return known(str(published.year + shift), "year")
    if which != "in":
        return known(_months_from(published, shift), "month")
    year = published.year + (month < published.month if ahead else -(month > published.month))
    return known(f"{year}-{month:02}", "month")


def _month(name: str | None, digits: str | None) -> int:
    if digits:
        return int(digits)
    return next((i for i, m in enumerate(MONTHS, 1) if name and m.startswith(name.lower()[:3])), 1)


def _day_of_year(month: int, day: int, published: date, ahead: bool, words: str) -> EventDate:
    """A day without its year: the last such day, or one that lies a little ahead; for planned acts the next one."""
    for year in (published.year, published.year + 1) if ahead else (published.year, published.year - 1):
        try:
            found = date(year, month, day)
        except ValueError:
            return EventDate(date=None, granularity=None, text=words, reason="no such day")
        if found >= published if ahead else found <= published + timedelta(days=120):
            return EventDate(date=found.isoformat(), granularity="day", text=words)
    return EventDate(date=None, granularity=None, text=words, reason="the year is not told")


def _months_from(day: date, count: int) -> str:
    months = day.year * 12 + day.month - 1 + count
    return f"{months // 12}-{months % 12 + 1:02}"


def _ago(number: str, unit: str, published: date) -> tuple[str, Granularity]:
    count = 1 if number in ("a", "an") else NUMBERS.index(number) if number in NUMBERS else int(number)
    if unit == "day":
        return (published - timedelta(days=count)).isoformat(), "day"
    if unit == "week":
        then = published - timedelta(days=7 * count)
        return (then - timedelta(days=then.weekday())).isoformat(), "week"
    return (_months_from(published, -count), "month") if unit == "month" else (str(published.year - count), "year")


def is_past(when: EventDate, published: date, fresh: timedelta) -> bool:
    """Whether the whole day, week, month or year lies more than `fresh` before publication.

    Of the month of publication only "earlier this month" can be past: its middle is what counts.
    """
    if not when.date:
        return False
    year, month, day = ([int(x) for x in when.date.split("-")] + [0, 0])[:3]
    if when.granularity == "year":
        last = date(year, 12, 31)
    elif when.granularity == "month":
        last = date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
        if last >= published:
            earlier = bool(re.match("earlier", when.text or "", re.I))
            last = published - timedelta(days=published.day // 2) if earlier else last
    else:
        last = date(year, month, day) + timedelta(days=6 if when.granularity == "week" else 0)
    return published - last > fresh


def date_event(text: str, start: int, end: int, published: date | None, ahead: bool = False) -> EventDate:
    """The date of an event at text[start:end] of its sentence: words inside it, else the nearest of the sentence."""
    found = [f for f in find_dates(text, published, ahead) if not re.search(r"\bbetween\b.{0,12}$", text[: f[0]])]
    inside = [f for f in found if f[0] >= start and f[1] <= end]
    for candidate in inside or sorted(found, key=lambda f: min(abs(f[0] - end), abs(start - f[1]))):
        return candidate[2]
    return EventDate(date=None, granularity=None, reason="the sentence has no date words")
