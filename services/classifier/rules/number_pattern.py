r"""The installation's own pattern of ticket numbers (SPEC D1): a regular expression that runs in linear time.

RE2 matches it, so that no pattern and no subject can keep the classifier busy (in Python's own engine `(1+)+x` would).
The database reads the same pattern, to refuse aliases that nobody would find. So only what both engines read alike is
taken: no look-around, no back-references, of the groups only `(?:…)` and `(…)`, of the escapes only `\d \w \s`, their
opposites, and a backslash before punctuation (RE2's syntax page; PostgreSQL's manual 9.7.3).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final, Protocol

import re2

FIRST_TICKET_NUMBER: Final = "1000001"
"""Where the sequence of ticket numbers starts."""

_UNLIKE: Final = re.compile(r"\\(?![dwsDWS]|[^\w\s])|\(\?(?!:)|\[\[[.=]|\{,")
_PRINTABLE: Final = re.compile(r"[\x21-\x7e]+")


class BadPattern(ValueError):
    """The pattern cannot be used; the text says why."""


class Match(Protocol):
    """What is asked of a match."""

    def end(self) -> int: ...


class Compiled(Protocol):
    """A compiled pattern; the longest match wins, `match` begins at `pos`."""

    def search(self, text: str) -> Match | None: ...

    def match(self, text: str, pos: int = 0) -> Match | None: ...

    def fullmatch(self, text: str, pos: int = 0, endpos: int = 0) -> Match | None: ...


def checked(pattern: str) -> str:
    """The pattern. BadPattern when it is none, does not find our own numbers, or is read otherwise by the database."""
    expression = compiled(pattern)
    if expression.fullmatch(FIRST_TICKET_NUMBER, 0, len(FIRST_TICKET_NUMBER)) is None:
        raise BadPattern(f"the pattern must match our own numbers, such as {FIRST_TICKET_NUMBER}")
    return pattern


@lru_cache(maxsize=16)
def compiled(pattern: str) -> Compiled:
    """The pattern, ready to match. BadPattern when it cannot be used."""
    unlike = _UNLIKE.search(pattern)
    if unlike is not None:
        raise BadPattern(f"{unlike[0]}… cannot be used in the pattern: write it with (?:…), […], \\d, |, ? and {{n,m}}")
    if _PRINTABLE.fullmatch(pattern) is None:
        raise BadPattern("the pattern may hold printable characters of ASCII alone, and no spaces")
    options: Any = re2.Options()
    options.longest_match = True
    options.log_errors = False
    try:
        expression: Compiled = re2.compile(f"(?:{pattern})", options)
    except re2.error as error:
        said = error.args[0]
        raise BadPattern(
            f"this is not a regular expression: {said.decode() if isinstance(said, bytes) else said}"
        ) from None
    if expression.match("") is not None:
        raise BadPattern("the pattern matches an empty text")
    return expression
