"""Ticket numbers in a subject (SPEC D1): which tokens might be one, in the order in which they are tried.

A number is a whole token: never within a longer number, a date, a telephone number, an amount or a version. One that is
introduced by `Ticket` or `#`, or that stands in brackets, goes before one that does not; among equals the first. Which
of them is known, the database says. Numbers that are joined (`1000006/1000008`) are tokens each, where each matches the
pattern: an introduction before the first of them is for all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from services.classifier.rules.number_pattern import Compiled, compiled
from shared.messages import NumberIntroduction

_MOST: Final = 20
_LONGEST: Final = 100
"""Characters of the longest ticket number."""
_INTRODUCED: Final = re.compile(
    r"(?:#\s?|\bticket(?:s|nummer|number|nr|id)?[\s_-]*+(?:n(?:umme)?r\.?|n[o°º]\.?|№|number|nummer|id)?"
    r"\s*+[:#=.\-–]?\s*+[#№]?[\s\"'«»“”„\u2018\u2019*(]*+)$",
    re.IGNORECASE,
)
_MAY_BEGIN: Final = re.compile(
    r"(?:(?<!\w)|(?i:(?<=\bticket)|(?<=\bticket_)))(?<![0-9][-./:,+–])(?<![+$€£@~])(?<!%)"  # Ticket1000001 is one too
)
_MAY_END: Final = re.compile(
    r"(?![^\W_]|[@%°]|_{1,9}[0-9])(?![-./:,+–][0-9])(?!,[-–=])(?!\s?(?:[€$£]|(?i:euro?|usd|gbp)\b)(?!\s?[0-9]))"
    r"(?!(?i:\.(?:com|net|org|eu|nl|be|de)\b))"
)
_MONTH: Final = (
    r"(?:jan|feb|mrt|maa|mar|mär|apr|avr|mei|may|mai|jun|juin|jul|juil|aug|aoû|sep|okt|oct|nov|dec|dez|déc)[a-zéûä]*"
)
_OTHER_NUMBERS: Final = re.compile(
    rf"""
      (?<![\w])(?:\+|00)[0-9]{{1,3}}(?:[ ().\-/]{{0,2}}[0-9]){{6,13}}       # telephone, international
    | (?<![\w])\(?0[0-9]{{1,4}}\)?[ .\-/]{{1,2}}[0-9](?:[ .\-]?[0-9]){{4,9}}  # telephone, national
    | (?<![\w])(?:tel|telefoon|phone|fax|mobiel|mobile|gsm|bel)\.?:?\ ?[0-9][0-9 \-]{{5,14}}
    | (?<![\w])[0-9]{{1,2}}\.?\ {_MONTH}\.?\ [0-9]{{4}}                     # a date in words
    | (?<![\w]){_MONTH}\.?\ [0-9]{{1,2}},?\ [0-9]{{4}}
    | (?<![\w])(?:19|20)[0-9]{{2}}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])(?![\w])  # a date in digits alone
    | (?<![\w])(?:0[1-9]|[12][0-9]|3[01])(?:0[1-9]|1[0-2])(?:19|20)[0-9]{{2}}(?![\w])
    | (?<![\w])v\.?\ ?[0-9]+(?:\.[0-9]+)*
    | (?<![\w])(?:versie|version|build|release|rev)\.?[ :]?[0-9]+            # a version
    | (?:€|\$|£|eur|usd|gbp)\ ?[0-9][0-9.,]*                                 # an amount
    | [\w.+-]+@[\w.-]+                                                       # an address
    | (?:https?://|www\.)\S+
    """,
    re.IGNORECASE | re.VERBOSE,
)
_FULL_WIDTH: Final = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
"""The forms of ASCII that East Asian keyboards give."""
_JOINS: Final = frozenset("/-–,;+&")
"""What stands between two numbers that are meant both, or as from and to; a point or a colon makes something else."""
_BRACKETS: Final = {"[": "]", "(": ")", "{": "}", "<": ">"}


Span: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True)
class NumberToken:
    """A token of the subject that might be a ticket number, and how it stood there."""

    text: str
    introduction: NumberIntroduction


def find_numbers(subject: str, pattern: str) -> tuple[NumberToken, ...]:
    """The tokens of `subject` that match `pattern` (`number_pattern`), introduced ones first, each once.

    Full-width characters count as those that they are the forms of.
    """
    subject = subject.translate(_FULL_WIDTH)
    expression = compiled(pattern)
    if expression.search(subject) is None:  # as in most
        return ()
    introduced: list[list[Span]] = []
    bare: list[list[Span]] = []
    for chain in _chains(subject, expression):
        start, end = chain[0][0], chain[-1][1]
        if _is_introduced(subject, start, end):
            introduced.append(chain)
        elif subject[end : end + 1] != "_":
            bare.append(chain)
    ordered = {subject[first:last]: NumberIntroduction.INTRODUCED for chain in introduced for first, last in chain}
    elsewhere = [found.span() for found in _OTHER_NUMBERS.finditer(subject)] if bare else []
    for chain in bare:
        if not any(first <= chain[0][0] and chain[-1][1] <= last for first, last in elsewhere):
            for first, last in chain:
                ordered.setdefault(subject[first:last], NumberIntroduction.BARE)
    return tuple(NumberToken(text, how) for text, how in list(ordered.items())[:_MOST])


def _chains(subject: str, pattern: Compiled) -> Iterator[list[Span]]:
    """The whole tokens that match, from the left: one alone, or several that are joined."""
    begins = [begin.start() for begin in _MAY_BEGIN.finditer(subject)]
    after_joins = (place + 1 for place, character in enumerate(subject) if character in _JOINS)
    chains: dict[int, list[Span]] = {}
    for start in sorted({*begins, *after_joins}, reverse=True):
        chains[start] = _chain(subject, start, pattern, chains)
    reached = 0
    for start in begins:
        if start >= reached and chains[start]:
            yield chains[start]
            reached = chains[start][-1][1]


def _chain(subject: str, start: int, pattern: Compiled, later: Mapping[int, list[Span]]) -> list[Span]:
    """The longest token at `start` that ends as one, or is joined to one of `later`; [] where there is none."""
    longest = pattern.match(subject, start)
    furthest = start if longest is None else min(longest.end(), start + _LONGEST)
    for end in range(furthest, start, -1):
        joined = later.get(end + 1, []) if subject[end : end + 1] in _JOINS else []
        if (joined or _MAY_END.match(subject, end)) and pattern.fullmatch(subject, start, end):
            return [(start, end), *joined[: _MOST - 1]]
    return []


def _is_introduced(subject: str, start: int, end: int) -> bool:
    return _INTRODUCED.search(subject, max(0, start - 40), start) is not None or _in_brackets(subject, start, end)


def _in_brackets(subject: str, start: int, end: int) -> bool:
    """Whether the nearest bracket that is open before the token closes after it."""
    closed: list[str] = []
    for character in reversed(subject[:start]):
        if character in _BRACKETS.values():
            closed.append(character)
        elif character in _BRACKETS:
            if closed and closed[-1] == _BRACKETS[character]:
                closed.pop()
            elif not closed:
                return _BRACKETS[character] in subject[end:]
    return False
