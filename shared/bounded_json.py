"""JSON from a server that may be hostile: as much structure as an honest answer has, and no more.

Bytes alone are no bound: three megabytes of `[],[],…` are a million lists, and take a hundred megabytes.
"""

from __future__ import annotations

import re
from typing import Any, Final

from pydantic_core import from_json

MOST_VALUES: Final = 250_000
"""Values in an answer; a page of a thousand mails has some 8,000."""
LONGEST_NUMBER: Final = 40
"""Digits of a number; Python turns a long one into an int in quadratic time."""

_LONG_NUMBER: Final = re.compile(rb"[0-9]{%d}" % (LONGEST_NUMBER + 1))


def read_json(text: bytes | bytearray) -> Any:
    """The value that `text` (UTF-8) is. ValueError for what is no JSON, too deep, or has more than MOST_VALUES values.

    What no honest server sends is no JSON either: NaN, half a surrogate pair, numbers beyond LONGEST_NUMBER digits.
    """
    structure = _without_strings(text)
    if sum(map(structure.count, (b",", b"[", b"{"))) > MOST_VALUES:
        raise ValueError("more values than an answer may have")
    if _LONG_NUMBER.search(structure):
        raise ValueError("a number longer than an answer may have")
    return from_json(bytes(text), allow_inf_nan=False, cache_strings=False)  # it refuses what nests deeper than 200


def _without_strings(text: bytes | bytearray) -> bytes:
    plain = text.replace(rb"\\", b"").replace(rb"\"", b"")
    if plain.count(b'"') > 4 * MOST_VALUES:
        raise ValueError("more strings than an answer may have")
    return b"".join(plain.split(b'"')[::2])
