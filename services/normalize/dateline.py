"""What stands before the first sentence of a wire story: "KYIV, March 3 (AFP) -"."""

from __future__ import annotations

import re

from schemas.records import Dateline
from services.normalize.furniture import AGENCY, DAY, WEEKDAY

_UPPER = r"[A-ZÀ-Þ][A-ZÀ-Þ'’.-]+"
_MIXED = r"[A-ZÀ-Þ][\w'’.-]+"
_CAPITALS = rf"{_UPPER}(?:[ /](?:{_UPPER}|DE|LA|EL|OF)){{0,4}}"
_NAME = rf"{_MIXED}(?:[ /](?:{_MIXED}|de|da|la|el|of|the)){{0,4}}"
_REGION = rf"(?:, {_MIXED}(?: {_MIXED}){{0,2}})?"
_DATE = rf"(?P<date>(?:{WEEKDAY},? )?{DAY})"
_KNOWN = rf"[(/\[](?P<agency>{AGENCY}(?: ?[/,&-] ?{AGENCY})*(?:\.[A-Z]{{2,3}})?)[)/\]]"
_ANY_AGENCY = r"[(/\[](?P<agency>[A-Z][\w.&' /-]{1,30})[)/\]]"
_DASH = r"\s*(?:--+|[–—―-])\s+"
_FORMS = tuple(
    re.compile(form)
    for form in (
        rf"(?P<place>{_CAPITALS}{_REGION})[,.]? {_DATE}[.,]? ?{_ANY_AGENCY}\.?(?:{_DASH}|:\s+|\s+)",
        rf"(?P<place>{_CAPITALS}{_REGION})[,.]? (?:{_DATE}[.,]? ?)?{_ANY_AGENCY}\.?(?:{_DASH}|:\s+)",
        rf"(?P<place>{_CAPITALS}{_REGION})(?:[,.]? {_DATE})?{_DASH}",
        rf"(?P<place>{_NAME}{_REGION})[,.]? (?:{_DATE}[.,]? ?)?{_KNOWN}\.?(?:{_DASH}|:\s+|\s+(?=[A-Z“\"]))",
        rf"(?P<place>{_NAME}{_REGION}), {_DATE}(?:[.,]? ?{_ANY_AGENCY})?(?:{_DASH}|:\s+)",
        rf"{_KNOWN}{_DASH}",
    )
)
_NOT_PLACES = frozenset(
    {
        "UPDATE", "BREAKING", "EXCLUSIVE", "ANALYSIS", "OPINION", "EXPLAINER", "WATCH", "LIVE", "FACTBOX",
        "TIMELINE", "NATO", "UN", "EU", "WHO", "IMF", "OPEC", "ASEAN", "EDITORIAL", "INTERVIEW", "FEATURE", "VIDEO",
        "ALERT", "URGENT", "CORRECTED", "WRAPUP", "OSCE", "IAEA",
    }
)  # fmt: skip


def dateline(paragraph: str) -> tuple[Dateline, int] | None:
    """The dateline that opens a paragraph and the offset where the story begins; None when there is none.

    A place in mixed case counts only with a known agency or a date: "Talks – held in Geneva – failed" has none.
    """
    head = paragraph[:160] + " "
    for form in _FORMS:
        match = form.match(head)
        if match is None:
            continue
        parts = match.groupdict()
        place = parts.get("place")
        if place and place.strip(" .").upper() in _NOT_PLACES:
            return None
        found = Dateline(place=place, date=parts.get("date"), agency=parts.get("agency"))
        return found, min(match.end(), len(paragraph))
    return None
