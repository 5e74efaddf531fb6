"""Text of others on one line, for headers, screens, columns and terminals."""

from __future__ import annotations

import re
from typing import Final

SENTENCE_LIMIT: Final = 1000
"""Characters of a sentence that may hold a server's own words."""

_DIRECTIONS: Final = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_CONTROLS: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def one_line(text: str) -> str:
    """White space and control characters become one space, direction characters go, half surrogate pairs become `?`."""
    without_controls = _CONTROLS.sub(" ", _DIRECTIONS.sub("", text))
    return " ".join(without_controls.encode("utf-8", "replace").decode().split())


def sentence(text: str) -> str:
    """As `one_line`, cut to SENTENCE_LIMIT: what a server said may be megabytes, and no column takes a NUL."""
    line = one_line(text[: 4 * SENTENCE_LIMIT])
    return line if len(line) <= SENTENCE_LIMIT else f"{line[: SENTENCE_LIMIT - 1]}…"
