"""Line plots as inline SVG, without a library: two axes, lines, dots, a dashed level."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape

from gru_tune.report.words import number

WIDTH, HEIGHT = 640, 260
LEFT, RIGHT, TOP, BOTTOM = 64, 12, 12, 40
COLOURS = (
    "#2563eb", "#dc2626", "#059669", "#d97706", "#7c3aed", "#0891b2", "#be185d", "#4d7c0f", "#475569", "#92400e",
)  # fmt: skip

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Line:
    """One line of a plot; ``title`` shows under the pointer."""

    title: str
    points: Points
    dots: bool = False


@dataclass(frozen=True)
class _Frame:
    """From data to the picture."""

    x: tuple[float, float]
    y: tuple[float, float]

    def at(self, x: float, y: float) -> tuple[float, float]:
        across = (x - self.x[0]) / (self.x[1] - self.x[0])
        up = (y - self.y[0]) / (self.y[1] - self.y[0])
        return (
            round(LEFT + across * (WIDTH - LEFT - RIGHT), 1),
            round(HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM), 1),
        )


def plot(
    lines: Sequence[Line],
    x_label: str,
    y_label: str,
    level: tuple[str, float] | None = None,
    log: bool = False,
) -> str:
    """An ``<svg>``; empty text when there is nothing to draw. ``level`` is a dashed line with a name.

    With ``log`` x is above 0, and drawn by its logarithm.
    """
    if log:
        lines = [replace(line, points=[(math.log10(x), y) for x, y in line.points]) for line in lines]
    points = [point for line in lines for point in line.points]
    if not points:
        return ""
    ys = [y for _, y in points] + ([level[1]] if level else [])
    frame = _Frame(_range([x for x, _ in points]), _range(ys))
    parts = [_axes(frame, x_label, y_label, log)]
    if level:
        (x1, y), (x2, _) = frame.at(frame.x[0], level[1]), frame.at(frame.x[1], level[1])
        parts.append(
            f'<line x1="{x1}" y1="{y}" x2="{x2}" y2="{y}" stroke="#888" stroke-dasharray="5 4">'
            f"<title>{escape(level[0])}: {number(level[1])}</title></line>"
        )
    parts += [_line(frame, line, COLOURS[i % len(COLOURS)]) for i, line in enumerate(lines)]
    label = escape(f"{y_label} by {x_label}", quote=True)
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">{"".join(parts)}</svg>'


def _line(frame: _Frame, line: Line, colour: str) -> str:
    title = f"<title>{escape(line.title)}</title>"
    places = [frame.at(x, y) for x, y in line.points]
    if line.dots or len(places) == 1:
        dots = "".join(f'<circle cx="{x}" cy="{y}" r="2.5"/>' for x, y in places)
        return f'<g fill="{colour}" fill-opacity="0.55">{title}{dots}</g>'
    path = " ".join(f"{x},{y}" for x, y in places)
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.8">{title}</polyline>'


def _axes(frame: _Frame, x_label: str, y_label: str, log: bool) -> str:
    left, bottom = frame.at(frame.x[0], frame.y[0])
    right, top = frame.at(frame.x[1], frame.y[1])
    parts = [f'<path d="M{left} {top}V{bottom}H{right}" fill="none" stroke="#999"/>']
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        value = frame.y[0] + share * (frame.y[1] - frame.y[0])
        y = frame.at(frame.x[0], value)[1]
        parts.append(f'<text x="{left - 6}" y="{y + 4}" text-anchor="end">{number(value)}</text>')
    places = [frame.x[0] + share * (frame.x[1] - frame.x[0]) for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
    for x in places if log else sorted({round(x) for x in places}):
        if frame.x[0] <= x <= frame.x[1]:
            parts.append(
                f'<text x="{frame.at(x, frame.y[0])[0]}" y="{bottom + 16}" text-anchor="middle">'
                f"{_tick(x, log)}</text>"
            )
    parts.append(
        f'<text x="{(left + right) / 2}" y="{HEIGHT - 6}" text-anchor="middle">{escape(x_label)}</text>'
    )
    parts.append(f'<text x="{left + 6}" y="{top + 8}">{escape(y_label)}</text>')
    return "".join(parts)


def _tick(x: float, log: bool) -> str:
    if not log:
        return str(x)
    return f"{10**x:,.0f}" if x >= 2 else f"{10**x:.2g}"


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    if low == high:
        return low - 0.5, high + 0.5
    return low, high
