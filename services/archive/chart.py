"""The timeline of a dyad as an SVG picture: cooperation and conflict by month, stances on peace by side. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape

WIDTH, LEFT, RIGHT = 860, 64, 16
BARS, LANE, TOP, FOOT = 240, 30, 64, 44
FEWEST_MONTHS = 6
WIDEST_BAR = 44
QUADS = {
    1: ("verbal cooperation", "#74b3d8"),
    2: ("material cooperation", "#1f6f9f"),
    3: ("verbal conflict", "#f2b26b"),
    4: ("material conflict", "#b8461f"),
}
STANCES = {
    "support": ("▲", "#1a7a3c"),
    "conditional": ("◆", "#8a6d00"),
    "neutral": ("●", "#666666"),
    "oppose": ("▼", "#b01030"),
}
"""Told apart by their shape, too, for readers who do not see the colours."""


@dataclass(frozen=True)
class Stance:
    """A side's stance on peace on a day."""

    side: str
    day: date
    peace: str


@dataclass(frozen=True)
class Timeline:
    """What is drawn: by month (its first day) and PLOVER quad class how many stories; the stances of each side."""

    title: str
    first: date
    last: date
    counts: Mapping[tuple[date, int], int]
    sides: Sequence[str]
    stances: Sequence[Stance]


def months(first: date, last: date) -> list[date]:
    """The first days of all months from one day to another, filled up at the end to a picture's fewest."""
    start, end = first.year * 12 + first.month - 1, last.year * 12 + last.month - 1
    return [date(n // 12, n % 12 + 1, 1) for n in range(start, max(end, start + FEWEST_MONTHS - 1) + 1)]


def draw(timeline: Timeline) -> str:
    """The picture, self-contained, with words for those who cannot see it."""
    axis = months(timeline.first, timeline.last)
    step = (WIDTH - LEFT - RIGHT) / len(axis)
    height = TOP + BARS + FOOT + LANE * len(timeline.sides) + FOOT
    total = sum(timeline.counts.values())
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        'role="img" font-family="system-ui, sans-serif" font-size="12">',
        f"<title>{escape(timeline.title)}: {total} stories by month, {len(timeline.stances)} stances on peace</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        _words(LEFT, 22, timeline.title, size=16, weight=600),
        *_legend(LEFT, 44, [(name, colour, "■") for name, colour in QUADS.values()]),
        *_bars(timeline, axis, step),
        *_axis(axis, step, TOP + BARS + 18),
        *_lanes(timeline, axis, step, TOP + BARS + FOOT),
        *_legend(LEFT, height - 14, [(f"peace: {name}", colour, shape) for name, (shape, colour) in STANCES.items()]),
        "</svg>\n",
    ]
    return "\n".join(parts)


def _bars(timeline: Timeline, axis: Sequence[date], step: float) -> list[str]:
    """Cooperation upwards, conflict downwards, one scale for both."""

    def height(month: date, quads: tuple[int, int]) -> int:
        return sum(timeline.counts.get((month, quad), 0) for quad in quads)

    up = max([1, *(height(month, (1, 2)) for month in axis)])
    down = max([1, *(height(month, (3, 4)) for month in axis)])
    unit = BARS / (up + down)
    zero = TOP + up * unit
    width = min(step * 0.7, WIDEST_BAR)
    parts = []
    for label, y in ((str(up), TOP), ("0", zero), (str(down), TOP + BARS)):
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#cccccc"/>')
        parts.append(_words(LEFT - 8, y + 4, label, anchor="end"))
    for n, month in enumerate(axis):
        x = LEFT + (n + 0.5) * step - width / 2
        y = zero
        for quad in (2, 1):
            size = timeline.counts.get((month, quad), 0) * unit
            y -= size
            parts += _bar(x, y, width, size, month, quad, timeline)
        y = zero
        for quad in (4, 3):
            size = timeline.counts.get((month, quad), 0) * unit
            parts += _bar(x, y, width, size, month, quad, timeline)
            y += size
    return parts


def _bar(x: float, y: float, width: float, size: float, month: date, quad: int, timeline: Timeline) -> list[str]:
    if not size:
        return []
    name, colour = QUADS[quad]
    told = f"{month:%Y-%m}: {timeline.counts[month, quad]} {name}"
    box = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{size:.1f}"'
    return [f'<rect {box} fill="{colour}"><title>{told}</title></rect>']


def _axis(axis: Sequence[date], step: float, y: float) -> list[str]:
    every = -(-len(axis) // 12)
    return [
        _words(LEFT + (n + 0.5) * step, y, f"{month:%Y-%m}", anchor="middle")
        for n, month in enumerate(axis)
        if n % every == 0
    ]


def _lanes(timeline: Timeline, axis: Sequence[date], step: float, top: float) -> list[str]:
    parts = []
    for n, side in enumerate(timeline.sides):
        y = top + (n + 0.5) * LANE
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#dddddd"/>')
        parts.append(_words(LEFT - 8, y + 4, side, anchor="end", weight=600))
        for stance in (s for s in timeline.stances if s.side == side):
            month = stance.day.replace(day=1)
            if month in axis:
                x = LEFT + (axis.index(month) + (stance.day.day - 1) / 31) * step
                shape, colour = STANCES[stance.peace]
                told = f"<title>{stance.day}: {escape(side)} {stance.peace}</title>"
                parts.append(
                    f'<text x="{x:.1f}" y="{y + 5:.1f}" fill="{colour}" font-size="15" text-anchor="middle">'
                    f"{told}{shape}</text>"
                )
    return parts


def _legend(x: float, y: float, entries: Sequence[tuple[str, str, str]]) -> list[str]:
    parts = []
    for name, colour, shape in entries:
        parts += [f'<text x="{x:.0f}" y="{y}" fill="{colour}" font-size="14">{shape}</text>', _words(x + 16, y, name)]
        x += 36 + 7 * len(name)
    return parts


def _words(x: float, y: float, words: str, *, anchor: str = "start", size: int = 12, weight: int = 400) -> str:
    style = f'text-anchor="{anchor}" font-size="{size}" font-weight="{weight}" fill="#222222"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(words)}</text>'
