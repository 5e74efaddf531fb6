"""Inline styles that are safe to show: properties and values of an allow-list, numbers within bounds (SPEC D5).

A value is read as CSS reads it, token by token (CSS Syntax 3, section 4): `-.99e5px` is minus 99,000 pixels. What is no
token of the list is dropped with its declaration: escapes, comments, addresses, `calc()` and every other function that
is no colour. So are numbers with which text could be drawn outside its own box, over the page around the mail:
negative margins, sizes beyond a screen, letters and lines pushed into each other.

A fixed height lets what does not fit run out of its box, so it becomes a least height; an image keeps its own.
A line height in pixels, inherited by larger letters, does the same, so it becomes a factor of the letters' own size.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache
from typing import Final

_STYLES: Final = frozenset(
    """background-color border border-bottom border-bottom-color border-bottom-style border-bottom-width border-collapse
    border-color border-left border-left-color border-left-style border-left-width border-radius border-right
    border-right-color border-right-style border-right-width border-spacing border-style border-top border-top-color
    border-top-style border-top-width border-width caption-side clear color direction display float font font-family
    font-size font-style font-variant font-weight height letter-spacing line-height list-style-type margin margin-bottom
    margin-left margin-right margin-top max-height max-width min-height min-width overflow-wrap padding padding-bottom
    padding-left padding-right padding-top table-layout text-align text-decoration text-decoration-color
    text-decoration-line text-indent text-transform vertical-align white-space width word-break
    word-spacing word-wrap""".split()  # noqa: SIM905 - a list of words reads better in lines than in quotes
)
_DISPLAYS: Final = frozenset(
    """none block inline inline-block list-item table inline-table table-caption table-cell table-column
    table-column-group table-footer-group table-header-group table-row table-row-group inherit initial
    unset""".split()  # noqa: SIM905 - as above
)
_TOKEN: Final = re.compile(
    r"""(?P<number>[+-]?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)(?P<unit>%|[a-zA-Z]{1,8})?(?![\w%.-])
    |(?P<word>-?[^\W\d][\w-]*+(?!\())
    |(?P<colour>\#[0-9a-fA-F]{3,8}(?![\w-])|(?i:rgba?|hsla?)\([0-9a-zA-Z\s.,%/+-]{1,60}\))
    |(?P<string>"[^"\\\r\n\f]{0,200}"|'[^'\\\r\n\f]{0,200}')
    |(?P<mark>[,/])
    |(?P<space>[ \t\r\n\f]+)""",
    re.VERBOSE,
)
_IMPORTANT: Final = re.compile(r"(?<!\s)\s*+!\s*+important\s*+\Z", re.IGNORECASE)
_PIXELS: Final = {
    "": 1.0, "px": 1.0, "pt": 4 / 3, "pc": 16.0, "in": 96.0, "cm": 37.8, "mm": 3.78, "q": 0.945, "em": 16.0,
    "rem": 16.0, "ex": 8.0, "ch": 8.0, "vw": 16.0, "vh": 9.0,
}  # fmt: skip
"""How large each unit is, about: bounds are to keep text in its place, not to measure it. Others are dropped."""


@dataclass(frozen=True, slots=True)
class _Bounds:
    """The least and the most that a number may be: in pixels, or in percent."""

    least: float = 0.0
    most: float = 2_000.0
    most_percent: float = 100.0

    def hold(self, number: float, unit: str) -> bool:
        if unit == "%":
            return self.least <= number <= self.most_percent
        size = number * _PIXELS.get(unit, float("inf"))
        return self.least <= size <= self.most


_BOX: Final = _Bounds()
_LETTERS: Final = _Bounds(most=100.0, most_percent=300.0)
_SPACING: Final = _Bounds(least=-1.6, most=100.0)
"""Letters may be set a little tighter: minus a tenth of their size, or a pixel."""
_RAISED: Final = _Bounds(least=-100.0, most=100.0)
_WEIGHTS: Final = _Bounds(most=1_000.0)
_FONT: Final = _Bounds(most=1_000.0, most_percent=300.0)
_BOUNDS: Final = {
    "font-size": _LETTERS,
    "letter-spacing": _SPACING,
    "word-spacing": _SPACING,
    "vertical-align": _RAISED,
    "font-weight": _WEIGHTS,
    "font": _FONT,
}
_LONGEST: Final = 4_000
"""Characters of a style that is looked at."""
_CELLS: Final = frozenset({"td", "th", "tr", "tbody", "thead", "tfoot"})
_FACTORS: Final = (0.8, 10.0)
"""Lines of less than 0.8 times their letters run into each other."""


class _Kind(Enum):
    """What an element does with a height."""

    OTHER = auto()
    IMAGE = auto()
    TABLE = auto()
    CELL = auto()


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    number: float = 0.0
    unit: str = ""


def safe_style(style: str, tag: str = "") -> str | None:
    """The declarations of an inline style that are safe, in their order; None where none is.

    `tag`: the element, in lower case. An image is drawn in whatever size it is given; cells and rows grow with what
    they hold, as long as they are cells and rows.
    """
    kind = _Kind.IMAGE if tag == "img" else _Kind.TABLE if tag == "table" else _Kind.OTHER
    return _safe_style(style, _Kind.CELL if tag in _CELLS else kind) if len(style) <= _LONGEST else None


@lru_cache(maxsize=1024)  # a mail has few styles, each hundreds of times
def _safe_style(style: str, kind: _Kind) -> str | None:
    declared: list[tuple[str, tuple[_Token, ...]]] = []
    for declaration in style.split(";"):
        name, separator, value = declaration.partition(":")
        name = name.strip().lower()
        tokens = _tokens(_IMPORTANT.sub("", value).strip()) if separator and name in _STYLES else ()
        if tokens:
            declared.append((name, tokens))
    letters = next((_pixels(tokens) for name, tokens in reversed(declared) if name == "font-size"), None)
    kept = []
    for name, tokens in declared:
        said = _safe(name, tokens, letters, kind)
        if said is not None:
            kept.append(f"{said[0]}: {said[1]}")
    return "; ".join(kept) or None


def _safe(name: str, tokens: tuple[_Token, ...], letters: float | None, kind: _Kind) -> tuple[str, str] | None:
    """The declaration as it is kept; None for one that is not."""
    if name == "line-height":
        factor = _factor(tokens, letters)
        return (name, factor) if factor is not None else None
    if name == "font":
        tokens = _without_line_height(tokens)
    if not _is_safe(name, tokens, kind):
        return None
    return "min-height" if name == "height" and kind is _Kind.OTHER else name, _text(tokens)


def _is_safe(name: str, tokens: tuple[_Token, ...], kind: _Kind) -> bool:
    if name == "display":
        shown_as = tokens[0].text.lower()
        as_table = shown_as == "none" or "table" in shown_as
        return len(tokens) == 1 and shown_as in _DISPLAYS and (as_table or kind in {_Kind.OTHER, _Kind.IMAGE})
    if name == "float" and kind is _Kind.CELL:
        return False  # it would be a cell no more
    if name == "max-height":
        return kind is _Kind.IMAGE and _within(_BOX, tokens)
    if name == "font" and not _within(_LETTERS, [token for token in tokens if token.unit]):
        return False
    return _within(_BOUNDS.get(name, _BOX), tokens)


def _within(bounds: _Bounds, tokens: Sequence[_Token]) -> bool:
    return all(bounds.hold(token.number, token.unit) for token in tokens if token.kind == "number")


def _factor(tokens: tuple[_Token, ...], letters: float | None) -> str | None:
    """A line height as a factor of the letters' size; None for one that cannot be said so, or is out of bounds."""
    if len(tokens) != 1:
        return None
    token = tokens[0]
    if token.kind == "word":
        return "normal" if token.text.lower() == "normal" else None
    if token.unit in {"", "em"}:
        factor = token.number
    elif token.unit == "%":
        factor = token.number / 100
    elif letters and token.unit in _PIXELS:
        factor = token.number * _PIXELS[token.unit] / letters
    else:
        return None
    least, most = _FACTORS
    return f"{factor:.3f}".rstrip("0").rstrip(".") if token.kind == "number" and least <= factor <= most else None


def _pixels(tokens: tuple[_Token, ...]) -> float | None:
    """The size of letters in pixels, where it is said in a unit that does not depend on what is around it."""
    token = tokens[0]
    is_fixed = token.kind == "number" and token.unit in {"px", "pt", "pc", "in", "cm", "mm", "q"}
    return token.number * _PIXELS[token.unit] if is_fixed and len(tokens) == 1 else None


def _without_line_height(tokens: tuple[_Token, ...]) -> tuple[_Token, ...]:
    """`12px/1.5 Arial` without the line height behind the slash."""
    slash = next((index for index, token in enumerate(tokens) if token.text == "/"), None)
    if slash is None:
        return tokens
    rest = [index for index in range(slash + 1, len(tokens)) if tokens[index].kind != "space"]
    return (*tokens[:slash], *tokens[rest[0] + 1 :]) if rest else tokens[:slash]


def _text(tokens: tuple[_Token, ...]) -> str:
    return "".join(token.text for token in tokens).strip()


def _tokens(value: str) -> tuple[_Token, ...]:
    """The tokens of a value; none where one of them is not of the list."""
    read = tuple(_read(value))
    return () if any(token.kind == "other" for token in read) else read


def _read(value: str) -> Iterator[_Token]:
    position = 0
    while position < len(value):
        match = _TOKEN.match(value, position)
        if match is None:
            yield _Token("other", value[position:])
            return
        kind = match.lastgroup or "other"
        if match["number"] is not None:
            yield _Token("number", match[0], float(match["number"]), (match["unit"] or "").lower())
        else:
            yield _Token(kind, " " if kind == "space" else match[0])
        position = match.end()
