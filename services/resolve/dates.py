"""When an act happened: date words of its sentence, relative to the publication date."""

from __future__ import annotations

import re
from datetime import date, timedelta

from schemas.records import EventDate

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_MONTH = "|".join(m.capitalize() for m in MONTHS)
_ORDINAL = "(?:st|nd|rd|th)?"
_DAY_MONTH = rf"(?P<d1>\d{{1,2}}){_ORDINAL} (?P<m1>{_MONTH})"
_MONTH_DAY = rf"(?P<m2>{_MONTH}) (?P<d2>\d{{1,2}}){_ORDINAL}"
_WEEKDAY = "|".join(d.capitalize() for d in DAYS)
PATTERNS = (
    ("full", rf"\b(?:{_DAY_MONTH},? (?P<y1>\d{{4}})|{_MONTH_DAY}, (?P<y2>\d{{4}}))\b"),
    ("month_year", rf"\b(?P<m>{_MONTH}),? (?:of )?(?P<y>\d{{4}})\b"),
    ("day_month", rf"\b(?:{_DAY_MONTH}|{_MONTH_DAY})\b(?!,? \d{{4}})"),
    ("weekday", rf"\b(?:on |late |early |last |next |this )*(?P<w>{_WEEKDAY})\b"),
    ("today", r"\b(?:today|tonight|this morning|this afternoon)\b"),
    ("yesterday", r"\b(?:yesterday|last night)\b"),
    ("this_month", r"\b(?:earlier|later) this month\b|\bthis month\b"),
    ("last_month", r"\blast month\b"),
    ("last_week", r"\blast week\b"),
    ("this_week", r"\b(?:earlier )?this week\b"),
    ("last_year", r"\blast year\b"),
    ("this_year", r"\b(?:earlier )?this year\b"),
    ("in_month", rf"\b(?:in|last|since|late in|early in|in (?:early|late|mid)) (?P<m>{_MONTH})\b(?! \d)"),
    ("in_year", r"\b(?:in|since|of) (?P<y>(?:19|20)\d\d)\b"),
)
NEEDS_PUBLICATION = "no publication date to count from"


def find_dates(text: str, published: date | None) -> list[tuple[int, int, EventDate]]:
    """(start, end, date) of every date expression; one that cannot be resolved has a null date and the reason."""
    found: list[tuple[int, int, EventDate]] = []
    for kind, pattern in PATTERNS:
        for match in re.finditer(pattern, text):
            if any(match.start() < b and match.end() > a for a, b, _ in found):
                continue
            found.append((match.start(), match.end(), _resolve(kind, match, published)))
    return sorted(found, key=lambda f: f[0])


def _resolve(kind: str, match: re.Match[str], published: date | None) -> EventDate:
    words, g = match[0], match.groupdict()

    def known(value: str, granularity: str) -> EventDate:
        return EventDate(date=value, granularity=granularity, text=words)

    def unknown(reason: str) -> EventDate:
        return EventDate(date=None, granularity=None, text=words, reason=reason)

    month = MONTHS.index((g.get("m") or g.get("m1") or g.get("m2") or "january").lower()) + 1
    if kind == "full":
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
        for year in (published.year, published.year - 1):
            try:
                day = date(year, month, int(g["d1"] or g["d2"]))
            except ValueError:
                return unknown("no such day")
            if day <= published + timedelta(days=120):
                return known(day.isoformat(), "day")
        return unknown("the year is not told")
    if kind == "weekday":
        gap = (published.weekday() - DAYS.index(g["w"].lower())) % 7
        if "next" in words.lower():
            gap -= 7
        return known((published - timedelta(days=gap)).isoformat(), "day")
    if kind in ("today", "yesterday"):
        return known((published - timedelta(days=kind == "yesterday")).isoformat(), "day")
    if kind in ("this_month", "last_month"):
        last = published.replace(day=1) - timedelta(days=1)
        return known((published if kind == "this_month" else last).isoformat()[:7], "month")
    if kind in ("this_week", "last_week"):
        monday = published - timedelta(days=published.weekday() + (7 if kind == "last_week" else 0))
        return known(monday.isoformat(), "week")
    if kind in ("last_year", "this_year"):
        return known(str(published.year - (kind == "last_year")), "year")
    year = published.year if month <= published.month else published.year - 1
    return known(f"{year}-{month:02}", "month")


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


def date_event(text: str, start: int, end: int, published: date | None) -> EventDate:
    """The date of an event at text[start:end] of its sentence: words inside it, else the nearest of the sentence."""
    found = [f for f in find_dates(text, published) if not re.search(r"\bbetween\b.{0,12}$", text[: f[0]])]
    inside = [f for f in found if f[0] >= start and f[1] <= end]
    for candidate in inside or sorted(found, key=lambda f: min(abs(f[0] - end), abs(start - f[1]))):
        return candidate[2]
    return EventDate(date=None, granularity=None, reason="the sentence has no date words")
