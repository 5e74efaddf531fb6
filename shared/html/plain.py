"""The text of html that no parser need see."""

from __future__ import annotations

import html as entities
import re
from collections.abc import Callable, Iterator
from typing import Final

_TEXTLESS: Final = re.compile(r"<(script|style|head|title)\b", re.IGNORECASE)
_BREAK: Final = re.compile(r"</?(?:br|p|div|tr|li|h[1-6])\b", re.IGNORECASE)


def stripped(source: str) -> str:
    """The text of html that is too odd for a parser: markup taken off, breaks kept; in linear time."""
    return entities.unescape("".join(_pieces(source)))


def says_something(source: str, is_seen: Callable[[str], bool]) -> bool:
    """Whether there is such text in html: what `is_seen` tells of the whole by any piece of it."""
    return any(is_seen(entities.unescape(piece)) for piece in _pieces(source))


def _pieces(source: str) -> Iterator[str]:
    """The texts between markup, and white space for it, so that no reference goes on from one to the next."""
    lower = ""
    position = 0
    while (start := source.find("<", position)) >= 0:
        yield source[position:start]
        textless = _TEXTLESS.match(source, start)
        if source.startswith("<!--", start):
            end = source.find("-->", start)
        elif textless is not None:
            lower = lower or _small(source)
            end = lower.find(f"</{textless[1].lower()}", start)
        else:
            end = source.find(">", start)
            if _BREAK.match(source, start):
                yield "\n"
        if end < 0:
            return
        position = source.find(">", end) + 1 or len(source)
        yield " "
    yield source[position:]


def _small(source: str) -> str:
    lower = source.lower()
    return lower if len(lower) == len(source) else source  # a letter that grows would shift what follows
