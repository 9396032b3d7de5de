"""Charts of the figures as one SVG picture, drawn as text. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, LEFT, RIGHT = 860, 290, 90
ROW, BAR, TITLE, GAP = 24, 15, 34, 22
PLOT = 190
COLOURS = ("#1f6f9f", "#b8461f", "#1a7a3c", "#8a6d00", "#6b4c9a", "#666666", "#74b3d8")


@dataclass(frozen=True)
class Bars:
    """A bar for each label; those without a value say why. `goal` is a line across, in the same unit."""

    title: str
    values: Mapping[str, float | str]
    unit: str = ""
    goal: float | None = None


@dataclass(frozen=True)
class Stack:
    """One bar, cut into named parts of a whole."""

    title: str
    parts: Mapping[str, float]


@dataclass(frozen=True)
class Lines:
    """Points (x, y) of named lines, x by its logarithm, y from 0."""

    title: str
    across: str
    lines: Mapping[str, Sequence[tuple[float, float]]]


Panel = Bars | Stack | Lines


def draw(title: str, panels: Sequence[Panel]) -> str:
    """All panels under each other, self-contained."""
    body, y = [], 44
    for panel in panels:
        body.append(_text(16, y + 16, panel.title, "font-weight='bold'"))
        made, height = _PANELS[type(panel)](panel, y + TITLE)  # type: ignore[operator]
        body += made
        y += TITLE + height + GAP
    head = (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {y}' width='{WIDTH}' height='{y}' role='img' "
        f"font-family='system-ui, sans-serif' font-size='12' fill='#222'><title>{escape(title)}</title>"
        f"<rect width='{WIDTH}' height='{y}' fill='#fff'/>"
    )
    return "\n".join([head, _text(16, 26, title, "font-size='16' font-weight='bold'"), *body, "</svg>"]) + "\n"


def _text(x: float, y: float, words: str, more: str = "") -> str:
    return f"<text x='{x:.1f}' y='{y:.1f}' {more}>{escape(words)}</text>"


def _rect(x: float, y: float, width: float, colour: str) -> str:
    return f"<rect x='{x:.1f}' y='{y:.1f}' width='{max(width, 0.5):.1f}' height='{BAR}' fill='{colour}'/>"


def _line(x1: float, y1: float, x2: float, y2: float, more: str = "stroke='#999'") -> str:
    return f"<line x1='{x1:.1f}' y1='{y1:.1f}' x2='{x2:.1f}' y2='{y2:.1f}' {more}/>"


def _bars(panel: Bars, top: float) -> tuple[list[str], float]:
    numbers = [v for v in panel.values.values() if isinstance(v, float | int)]
    scale = (WIDTH - LEFT - RIGHT) / (max([*numbers, panel.goal or 0.0], default=0.0) or 1.0)
    out = []
    for n, (label, value) in enumerate(panel.values.items()):
        y = top + n * ROW
        out.append(_text(LEFT - 8, y + 12, label, "text-anchor='end'"))
        if isinstance(value, str):
            out.append(_text(LEFT, y + 12, value, "fill='#777'"))
        else:
            out += [_rect(LEFT, y, value * scale, COLOURS[0])]
            out.append(_text(LEFT + value * scale + 5, y + 12, f"{value:g}{panel.unit}"))
    height = len(panel.values) * ROW
    if panel.goal is not None:
        x = LEFT + panel.goal * scale
        out.append(_line(x, top - 4, x, top + height, "stroke='#b8461f' stroke-dasharray='4 3'"))
        out.append(_text(x + 3, top - 6, f"goal {panel.goal:g}{panel.unit}", "fill='#b8461f' font-size='11'"))
    return out, height


def _stack(panel: Stack, top: float) -> tuple[list[str], float]:
    whole = sum(max(0.0, v) for v in panel.parts.values()) or 1.0
    out, x = [], 16.0
    for n, (name, value) in enumerate(panel.parts.items()):
        width = max(0.0, value) / whole * (WIDTH - 32)
        colour = COLOURS[n % len(COLOURS)]
        out.append(_rect(x, top, width, colour))
        x += width
        at, row = 16 + n % 4 * 205, top + ROW + n // 4 * ROW
        out += [_rect(at, row, BAR, colour), _text(at + BAR + 5, row + 12, f"{name} {value:.1%}")]
    return out, ROW + math.ceil(len(panel.parts) / 4) * ROW


def _lines(panel: Lines, top: float) -> tuple[list[str], float]:
    points = [p for line in panel.lines.values() for p in line]
    if not points:
        return [], 0
    low, high = (math.log10(f(x for x, _ in points)) for f in (min, max))
    most = max(y for _, y in points) or 1.0
    left, width, bottom = 70, WIDTH - 70 - 190, top + PLOT - 24

    def place(x: float, y: float) -> tuple[float, float]:
        return left + (math.log10(x) - low) / ((high - low) or 1.0) * width, bottom - y / most * (PLOT - 40)

    out = [_line(left, bottom, left + width, bottom), _text(left + width / 2, bottom + 32, panel.across)]
    for y in (0.0, most / 2, most):
        out.append(_text(left - 6, place(10**low, y)[1] + 4, f"{y:.3g}", "text-anchor='end'"))
        out.append(_line(left, place(10**low, y)[1], left + width, place(10**low, y)[1], "stroke='#eee'"))
    for x in sorted({x for x, _ in points}):
        out.append(_text(place(x, 0)[0], bottom + 16, f"{x:,.0f}", "text-anchor='middle' font-size='11'"))
    for n, (name, line) in enumerate(panel.lines.items()):
        colour = COLOURS[n % len(COLOURS)]
        way = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*p) for p in line))
        out.append(f"<polyline points='{way}' fill='none' stroke='{colour}' stroke-width='2'/>")
        out += [f"<circle cx='{x:.1f}' cy='{y:.1f}' r='3' fill='{colour}'/>" for x, y in (place(*p) for p in line)]
        row = top + n * ROW
        out += [_rect(left + width + 16, row, BAR, colour), _text(left + width + 37, row + 12, name)]
    return out, PLOT + 14


_PANELS = {Bars: _bars, Stack: _stack, Lines: _lines}
