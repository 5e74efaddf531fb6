"""Plots as SVG, by nothing but text: bars, with the spread of the rounds, and lines.

Both read in a light and in a dark page: colours of their own for each (CSS Media Queries 5, prefers-color-scheme).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

WIDTH: Final = 720
_LEFT: Final = 190
_RIGHT: Final = 90
_ROW: Final = 34
_TOP: Final = 44
_PLOT: Final = 260
_COLOURS: Final = ("#3b6fb6", "#c2703d", "#4d9a6a", "#8a63a8", "#b0484f", "#7a7a7a")
_STYLE: Final = """<style>
text { font: 13px system-ui, sans-serif; fill: #222 } .title { font-weight: 600; font-size: 15px }
.axis { stroke: #999; fill: none } .note { fill: #666; font-size: 11px } .spread { stroke: #222; stroke-width: 1.5 }
@media (prefers-color-scheme: dark) { text { fill: #ddd } .note { fill: #aaa } .spread { stroke: #ddd } }
</style>"""


@dataclass(frozen=True, slots=True)
class Bar:
    """A figure and, where it is of several rounds, the least and the greatest."""

    name: str
    value: float
    least: float | None = None
    most: float | None = None


def bars(title: str, unit: str, given: Sequence[Bar]) -> str:
    """Horizontal bars from 0, each with its figure."""
    room = WIDTH - _LEFT - _RIGHT
    top = max(max(each.value, each.most or 0) for each in given) or 1
    rows = [_title(title, unit)]
    for number, each in enumerate(given):
        y = _TOP + number * _ROW
        middle = y + _ROW / 2
        rows.append(f'<text x="{_LEFT - 8}" y="{middle + 4:.1f}" text-anchor="end">{escape(each.name)}</text>')
        length, colour = each.value / top * room, _COLOURS[number % len(_COLOURS)]
        rows.append(f'<rect x="{_LEFT}" y="{y + 6}" width="{length:.1f}" height="{_ROW - 12}" rx="2" fill="{colour}"/>')
        end = length
        if each.least is not None and each.most is not None:
            first, end = each.least / top * room, max(length, each.most / top * room)
            rows.append(
                f'<path class="spread" d="M{_LEFT + first:.1f} {middle:.1f}H{_LEFT + each.most / top * room:.1f}"/>'
            )
        rows.append(f'<text x="{_LEFT + end + 8:.1f}" y="{middle + 4:.1f}">{_figure(each.value)}</text>')
    return _svg(_TOP + len(given) * _ROW + 12, rows)


def lines(title: str, unit: str, places: Sequence[str], given: Mapping[str, Sequence[float]]) -> str:
    """A line for each name over the same places, from 0."""
    room = WIDTH - 70 - 170
    top = _round_up(max(max(values) for values in given.values()))
    rows = [_title(title, unit)]

    def at(place: int, value: float) -> tuple[float, float]:
        x = 70 + (room * place / (len(places) - 1) if len(places) > 1 else room / 2)
        return x, _TOP + _PLOT * (1 - value / top)

    for part in range(5):
        _, y = at(0, top * part / 4)
        rows.append(f'<path class="axis" stroke-opacity="0.35" d="M70 {y:.1f}H{70 + room}"/>')
        rows.append(f'<text class="note" x="62" y="{y + 4:.1f}" text-anchor="end">{_figure(top * part / 4)}</text>')
    for number, place in enumerate(places):
        x, _ = at(number, 0)
        rows.append(
            f'<text class="note" x="{x:.1f}" y="{_TOP + _PLOT + 18}" text-anchor="middle">{escape(place)}</text>'
        )
    for number, (name, values) in enumerate(given.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        points = [at(place, value) for place, value in enumerate(values)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        rows.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        rows += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in points]
        key = _TOP + 12 + number * 22
        rows.append(f'<rect x="{84 + room}" y="{key - 9}" width="12" height="12" fill="{colour}"/>')
        rows.append(f'<text x="{102 + room}" y="{key + 2}">{escape(name)}</text>')
    return _svg(_TOP + _PLOT + 36, rows)


def _title(title: str, unit: str) -> str:
    return f'<text class="title" x="12" y="24">{escape(title)} <tspan class="note">{escape(unit)}</tspan></text>'


def _svg(height: float, rows: Sequence[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" role="img">'
    return "\n".join((head, _STYLE, *rows, "</svg>")) + "\n"


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 1 else f"{value:.2g}"


def _round_up(value: float) -> float:
    """To 1, 2 or 5 times a power of ten, so that the axis has plain figures."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value)
