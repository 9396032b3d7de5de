"""A page on a dyad from the archive: its timeline, counts by type and the latest events with their quotes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from html import escape
from pathlib import Path

from services.archive.chart import Stance, Timeline, draw
from services.archive.export import within
from services.archive.reading import QueryError, ask, connect

CODE = re.compile(r"[A-Z]{2,6}")
COUNTS = """
SELECT month, quad, count(*) FROM (
    SELECT story_id, min(month) AS month, any_value(quad) AS quad FROM events
    WHERE {where} AND claim IN ('asserted', 'reported') AND month IS NOT NULL GROUP BY story_id
) GROUP BY ALL
"""
STANCES = """
SELECT DISTINCT unnest(actor_codes) AS side, coalesce(day, month) AS shown, peace FROM events
WHERE {where} AND peace <> 'none' AND coalesce(day, month) IS NOT NULL ORDER BY shown, side, peace
"""
TYPES = """
SELECT type, claim, count(DISTINCT story_id) AS n FROM events WHERE {where} GROUP BY ALL ORDER BY n DESC, type, claim
"""
LATEST = """
SELECT coalesce(event_date, ''), type, array_to_string(actor_codes, ', ')
    || CASE WHEN len(recipient_codes) > 0 THEN ' → ' || array_to_string(recipient_codes, ', ') ELSE '' END,
    claim, peace, quote, source, url, greatest(len(list_distinct(outlets)), 1)
FROM events WHERE {where}
QUALIFY row_number() OVER (PARTITION BY story_id ORDER BY processed_at DESC, "offset" DESC) = 1
ORDER BY coalesce(day, month, published_at) DESC NULLS LAST, event_id LIMIT 30
"""
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
svg { max-width: 100%; height: auto } table { border-collapse: collapse; margin: 1rem 0 }
th, td { text-align: left; padding: .2rem .8rem .2rem 0; border-bottom: 1px solid #ddd } .n { text-align: right }
article { border-top: 1px solid #ddd; padding: .6rem 0 } blockquote { margin: .3rem 0 .3rem 1rem } .dim { color: #666 }
"""


@dataclass(frozen=True)
class Entry:
    """One of the latest events: the last report of its story."""

    when: str
    type: str
    sides: str
    claim: str
    peace: str
    quote: str
    source: str
    url: str | None
    outlets: int


@dataclass(frozen=True)
class Report:
    """All that the page tells. `types` counts stories by type and claim status."""

    title: str
    stories: int
    timeline: Timeline
    types: Sequence[tuple[str, str, int]]
    latest: Sequence[Entry]


def sides_of(dyad: str) -> list[str]:
    """The side codes of a dyad as people write it: RUS-UKR, "RUS|UKR", rus,ukr. QueryError when it is none."""
    sides = sorted({code for code in re.split(r"[-|,/ ]+", dyad.upper()) if code})
    if not 1 <= len(sides) <= 2 or not all(CODE.fullmatch(code) for code in sides):
        raise QueryError(f"{dyad!r} is no dyad: two side codes such as RUS-UKR, or one")
    return sides


def read(folder: Path, dyad: str, since: date | None, until: date | None) -> Report:
    """What the archive tells of the events in which both sides take part; QueryError when that is nothing.

    The timeline counts each story once, in the month of its act, if it is said to have happened; stances are those of
    single events. Both need a known month.
    """
    sides = sides_of(dyad)
    both = " AND ".join(f"list_contains(string_split(dyad, '|'), '{side}')" for side in sides)
    where = f"{both} AND {within(since, until)}"
    with connect(folder) as connection:
        counts = ask(connection, COUNTS.format(where=where)).fetchall()
        stances = ask(connection, STANCES.format(where=where)).fetchall()
        types = ask(connection, TYPES.format(where=where)).fetchall()
        latest = ask(connection, LATEST.format(where=where)).fetchall()
        stories = ask(connection, f"SELECT count(DISTINCT story_id) FROM events WHERE {where}").fetchall()  # noqa: S608
    if not latest:
        raise QueryError(f"the archive holds no event of {' and '.join(sides)} in these days")
    known = [month for month, _, _ in counts] + [day.replace(day=1) for _, day, _ in stances]
    title = " and ".join(sides)
    first = since or min(known, default=date.today())
    timeline = Timeline(
        title=title,
        first=first,
        last=max(until or max(known, default=first), first),
        counts={(month, quad): n for month, quad, n in counts},
        sides=sides,
        stances=[Stance(side, day, peace) for side, day, peace in stances if side in sides],
    )
    return Report(title, stories[0][0], timeline, types, [Entry(*row) for row in latest])


def picture(report: Report) -> str:
    """The timeline alone, SVG."""
    return draw(report.timeline)


def page(report: Report) -> str:
    """The page, HTML; it asks no host for anything."""
    rows = "".join(
        f'<tr><td>{escape(kind)}<td>{escape(claim)}<td class="n">{n}</tr>\n' for kind, claim, n in report.types
    )
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{escape(report.title)}</title><style>{STYLE}</style></head><body>
<h1>{escape(report.title)}</h1>
<p>{report.timeline.first} to {report.timeline.last}; {report.stories} stories. Each counts once, however many tell it.
The bars show acts that are asserted or reported, in the month they happened; where the text tells no date, a new act
stands at its publication.</p>
{draw(report.timeline)}
<h2>By type</h2>
<table><tr><th>type<th>claim<th class="n">stories</tr>
{rows}</table>
<h2>Latest</h2>
{"".join(map(_entry, report.latest))}</body></html>
"""


def _entry(entry: Entry) -> str:
    outlets = f", {entry.outlets} outlets" if entry.outlets > 1 else ""
    peace = f" · peace: {entry.peace}" if entry.peace != "none" else ""
    web = entry.url is not None and entry.url.startswith(("https://", "http://"))
    source = f'<a href="{escape(entry.url or "")}">{escape(entry.source)}</a>' if web else escape(entry.source)
    return (
        f"<article><b>{escape(entry.type)}</b> {escape(entry.sides)} <span class=dim>{escape(entry.when)} · "
        f"{escape(entry.claim)}{escape(peace)}</span><blockquote>“{escape(entry.quote)}”</blockquote>"
        f"<span class=dim>{source}{outlets}</span></article>\n"
    )
