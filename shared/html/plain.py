"""The text of html that no parser need see."""

from __future__ import annotations

import html as entities
import re
from typing import Final

_TEXTLESS: Final = re.compile(r"<(script|style|head|title)\b", re.IGNORECASE)
_BREAK: Final = re.compile(r"</?(?:br|p|div|tr|li|h[1-6])\b", re.IGNORECASE)


def stripped(source: str) -> str:
    """The text of html that is too odd for a parser: markup taken off, breaks kept; in linear time."""
    lower = source.lower()
    if len(lower) != len(source):
        lower = source  # a letter that grows in lower case would shift what follows
    pieces: list[str] = []
    position = 0
    while (start := source.find("<", position)) >= 0:
        pieces.append(source[position:start])
        textless = _TEXTLESS.match(source, start)
        if source.startswith("<!--", start):
            end = source.find("-->", start)
        elif textless is not None:
            end = lower.find(f"</{textless[1].lower()}", start)
        else:
            end = source.find(">", start)
            if _BREAK.match(source, start):
                pieces.append("\n")
        if end < 0:
            position = len(source)
            break
        position = source.find(">", end) + 1 or len(source)
        pieces.append(" ")
    pieces.append(source[position:])
    return entities.unescape("".join(pieces))
