"""Plots are drawn to scale, from 0, and hold what they show as text too."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from tests.benchmarks.plots import Bar, bars, lines


def test_a_bar_is_as_long_as_its_figure() -> None:
    drawn = bars("Mails", "a second", [Bar("one", 10), Bar("two", 40)])
    lengths = [float(width) for width in re.findall(r'<rect [^>]*width="([\d.]+)"', drawn)]
    assert lengths[1] == pytest.approx(4 * lengths[0], rel=0.01)
    assert ">10.0<" in drawn
    assert ">40.0<" in drawn


def test_a_line_goes_through_its_figures() -> None:
    drawn = lines("Cost", "ms", ["a", "b", "c"], {"all": [0, 50, 100]})
    points = re.findall(r'cx="([\d.]+)" cy="([\d.]+)"', drawn)
    (x1, y1), (x2, y2), (x3, y3) = ((float(x), float(y)) for x, y in points)
    assert x2 - x1 == pytest.approx(x3 - x2, abs=0.2)
    assert y1 - y2 == pytest.approx(y2 - y3, abs=0.2)
    assert y1 > y3


@pytest.mark.parametrize("figures", [[0.0], [0.0, 0.0], [0.004, 123456.0]], ids=["one", "nothing", "far apart"])
def test_any_figures_make_a_picture(figures: list[float]) -> None:
    for drawn in (
        bars("<Title> & more", "ms", [Bar("a<b", figure) for figure in figures]),
        lines("<Title> & more", "ms", [str(figure) for figure in figures], {"a<b": figures}),
    ):
        assert ET.fromstring(drawn).tag.endswith("svg")  # noqa: S314 - our own
