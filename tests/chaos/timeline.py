"""A run as a picture (SVG): how many mails were sent, decided and received, above a bar for each fault in its lane."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

from tests.chaos.plan import Lane
from tests.chaos.run import Findings

_LEFT: Final = 110
_WIDTH: Final = 1000
_CURVES: Final = 260
_LANE: Final = 22
_TOP: Final = 30
_COLOURS: Final = {"mails sent": "#777777", "outcomes": "#0072b2", "mails received": "#d55e00"}
"""To be told apart by those who do not tell red from green."""
_STEPS: Final = 400
"""Points of a curve."""


def drawn(findings: Findings) -> str:
    """The picture."""
    curves = dict(zip(_COLOURS, (findings.delivered_at, findings.outcomes_at, findings.received_at), strict=True))
    begin = min(findings.delivered_at, default=0.0)
    moments = [*findings.delivered_at, *findings.outcomes_at, *findings.received_at]
    end = max([*moments, *(done.end for done in findings.faults)], default=begin) + 1
    scale = _WIDTH / (end - begin)
    most = max(1, *(len(moments) for moments in curves.values()))
    height = _TOP + _CURVES + _LANE * len(Lane) + 40
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_LEFT + _WIDTH + 20} {height}">',
        "<style>text { font: 12px sans-serif }</style>",
        f"<title>Chaos with seed {findings.seed}</title>",
        f'<text x="{_LEFT}" y="16">{findings.mails} mails, {len(findings.faults)} faults, seed {findings.seed}</text>',
        f'<text x="{_LEFT - 6}" y="{_TOP + 10}" text-anchor="end">{most}</text>',
    ]
    for place, (name, ascending) in enumerate(curves.items()):
        points = _curve(sorted(ascending), begin, scale, _CURVES / most)
        parts.append(f'<polyline fill="none" stroke="{_COLOURS[name]}" stroke-width="2" points="{points}"/>')
        parts.append(f'<text x="{_LEFT + 10}" y="{_TOP + 14 + 16 * place}" fill="{_COLOURS[name]}">{name}</text>')
    for place, lane in enumerate(Lane):
        y = _TOP + _CURVES + 10 + place * _LANE
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 13}" text-anchor="end">{lane}</text>')
        for done in findings.faults:
            if done.fault.lane is lane:
                x, width = _LEFT + (done.begin - begin) * scale, max(2.0, (done.end - done.begin) * scale)
                told = escape(f"{done.fault.kind}: {done.fault.target}, {done.end - done.begin:.1f} s")
                parts.append(
                    f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{_LANE - 6}" fill="#cc3311" '
                    f'fill-opacity="0.6"><title>{told}</title></rect>'
                )
    parts += [_axis(height - 12, end - begin, scale), "</svg>"]
    return "\n".join(parts) + "\n"


def _curve(ascending: Sequence[float], begin: float, scale: float, rise: float) -> str:
    step = max(1, len(ascending) // _STEPS)
    chosen = [(moment, place + 1) for place, moment in enumerate(ascending) if place % step == 0]
    chosen += [(ascending[-1], len(ascending))] if ascending else []
    floor = _TOP + _CURVES
    return " ".join(f"{_LEFT + (moment - begin) * scale:.1f},{floor - count * rise:.1f}" for moment, count in chosen)


def _axis(y: int, seconds: float, scale: float) -> str:
    every = next((step for step in (10, 30, 60, 120, 300) if seconds / step <= 12), 600)
    return "\n".join(
        f'<text x="{_LEFT + at * scale:.1f}" y="{y}" text-anchor="middle">{at} s</text>'
        for at in range(0, int(seconds) + 1, every)
    )
