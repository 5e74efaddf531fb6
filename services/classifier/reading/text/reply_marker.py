"""The marker line (SPEC S7): where it stands in a mail, and what is above it (D16).

A marker is found at the start of a line, quote marks (`>`, `|`), emphasis and white space ignored, also when a client
wrapped it: its characters are compared without white space, over as many lines as it takes. Entities and encodings are
undone before. The first occurrence of all the markers asked for wins.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from services.classifier.reading.text.lines import Line
from services.classifier.reading.text.quote_header import quote_begins_at

_LINE_START: Final = re.compile(r"^[>|\s\u200b\ufeff\u00ad]+")
_EMPHASIS: Final = re.compile(r"^[>|\s\u200b\ufeff\u00ad*_]+")
_UNSEEN: Final = re.compile("[\u200b\ufeff\u00ad]")
"""Beside white space."""
_MOST_WRAPPED_LINES: Final = 8
_LONGEST_LINE: Final = 2_000


@dataclass(frozen=True, slots=True)
class MarkerPlace:
    """Where `marker` was found: the quote, its header block included, begins at line `quote_at`."""

    marker: str
    marker_at: int
    quote_at: int


def find_markers(lines: Sequence[Line], markers: Sequence[str]) -> tuple[MarkerPlace, ...]:
    """The first place of each marker that stands in `lines`, the topmost first; blank markers never match."""
    wanted = {marker: key for marker in markers if (key := _key(marker))}
    places: list[MarkerPlace] = []
    for index in range(len(lines)):
        if not wanted:
            break
        if lines[index].is_blank:
            continue
        starts = _starts(lines[index].text[:_LONGEST_LINE])
        for marker, key in list(wanted.items()):
            if any(_matches(lines, index, text, key, start) for text, start in starts):
                places.append(MarkerPlace(marker, index, quote_begins_at(lines, index)))
                del wanted[marker]
    return tuple(places)


def has_content(lines: Sequence[Line]) -> bool:
    """Whether a person said something in these lines: text beyond quote marks, or an image (SPEC D16)."""
    return any(line.has_image or _LINE_START.sub("", line.text) for line in lines)


def _starts(line: str) -> list[tuple[str, re.Pattern[str]]]:
    """The line as it is compared, with what was left out at its start: emphasis stays in a marker that begins so."""
    starts = (_LINE_START, _EMPHASIS) if line.lstrip("> |\t\xa0")[:1] in {"*", "_"} else (_LINE_START,)
    return [(_key(start.sub("", line)), start) for start in starts]


def _matches(lines: Sequence[Line], index: int, text: str, key: str, start: re.Pattern[str]) -> bool:
    """Whether `text`, lengthened with the lines after `index`, begins with `key`."""
    following = index + 1
    while text and len(text) < len(key) and key.startswith(text):
        if following >= len(lines) or following - index > _MOST_WRAPPED_LINES:
            return False
        text += _key(start.sub("", lines[following].text[:_LONGEST_LINE]))
        following += 1
    return bool(text) and text.startswith(key)


def _key(text: str) -> str:
    joined = "".join(unicodedata.normalize("NFKC", text).split())
    return (joined if joined.isascii() else _UNSEEN.sub("", joined)).casefold()
