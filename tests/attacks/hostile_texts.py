r"""Texts on which a regular expression is slow, if there are any: made from the expression itself.

An expression is slow where a repetition can begin at many places, or end at many: `x*y` on a text of `x`, `(a|ab?)*`
where two ways take the same, `\s*\n` on blank lines. So each repetition that has no small bound is filled, with every
kind of character that the expression tells apart, behind what stands before it and alone, and something that does not
match is put at the end; so are beginnings of the whole, which a search tries anew at each place.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

_CHARACTERS = "a1 -.<>\n\t\r\"'(=@/:;_,[]{}!?*+&#%$|~\\^`Z0é\x80"
_KINDS = {"DIGIT": r"\d", "SPACE": r"\s", "WORD": r"\w"}
_ENDS = ("\x00", " a ")
"""What does not match: the first is in few sets; the other, where the first is in that of an end, is not in both."""
_LONG = 30
"""Times: what repeats no more often looks at few characters from each place."""

Items = list[tuple[Any, Any]]


@dataclass(frozen=True, slots=True)
class Shape:
    """A text of any length: how it begins, what is repeated, how it ends."""

    begin: str
    unit: str
    end: str

    def text(self, size: int) -> str:
        return (self.begin + self.unit * (size // len(self.unit) + 1))[:size] + self.end


def shapes(pattern: re.Pattern[Any]) -> list[Shape]:
    """None for an expression that looks at few characters from each place."""
    tree: Items = list(re._parser.parse(pattern.pattern, pattern.flags & ~re.DEBUG))  # type: ignore[attr-defined]
    if not any(_repeats_long(item) for item in tree):
        return []
    found: dict[Shape, None] = {}
    for character in _told_apart(tree):
        for before, unit in [*_pumped(tree, "", character), ("", character)]:
            for begin, repeated in ((before, unit), ("", unit), ("", before + unit)):
                found.update((Shape(begin, repeated, end), None) for end in _ENDS if repeated)
    return list(found)


def _told_apart(tree: Items) -> list[str]:
    """One character of each kind: those that the same sets of the expression have are one kind."""
    sets = list(_sets(tree))
    kinds: dict[tuple[bool, ...], str] = {}
    for character in _CHARACTERS:
        kinds.setdefault(tuple(_takes(each, character) for each in sets), character)
    return list(kinds.values())


def _sets(items: Items) -> Iterator[tuple[Any, Any]]:
    for item in items:
        if str(item[0]) in {"IN", "NOT_LITERAL"}:
            yield item
        for part in _parts(item):
            yield from _sets(part)


def _pumped(items: Items, before: str, character: str) -> Iterator[tuple[str, str]]:
    """What stands before, and what is repeated: for each long repetition within, and each beginning of its whole."""
    if not any(_repeats_long(item) for item in items):
        return
    prefix = before
    for item in items:
        if _repeats_long(item):
            if "REPEAT" in str(item[0]):
                yield prefix, _witness(list(item[1][2]), character)
            for part in _parts(item):
                yield from _pumped(part, prefix, character)
        prefix += _witness([item], character)
        yield before, prefix.removeprefix(before)
    for one, another in pairwise(items):
        if _repeats_long(one) or _repeats_long(another):
            yield before, _witness([one, another], character)


def _parts(item: tuple[Any, Any]) -> list[Items]:
    """The expressions that one holds: its body, or its alternatives."""
    name, value = str(item[0]), item[1]
    if "REPEAT" in name:
        return [list(value[2])]
    if name == "BRANCH":
        return [list(branch) for branch in value[1]]
    if name in {"SUBPATTERN", "ASSERT", "ASSERT_NOT"}:
        return [list(value[-1])]
    return [list(value)] if name == "ATOMIC_GROUP" else []


def _repeats_long(item: tuple[Any, Any]) -> bool:
    if "REPEAT" in str(item[0]) and item[1][1] > _LONG:
        return True
    return any(_repeats_long(each) for part in _parts(item) for each in part)


def _witness(items: Items, character: str) -> str:
    """A text that these parts of an expression match, of `character` wherever a set takes that."""
    return "".join(_of_one(item, character) for item in items)


def _of_one(item: tuple[Any, Any], character: str) -> str:
    name, value = str(item[0]), item[1]
    if name == "LITERAL":
        return chr(value)
    if name in {"ANY", "IN", "NOT_LITERAL"}:
        usual: str | None = next((each for each in character + _CHARACTERS if _takes(item, each)), None)
        return usual if usual is not None else _first(value)
    if "REPEAT" in name:
        least, most, body = value
        return _witness(list(body), character) * int(least or min(1, most))
    if name == "BRANCH":
        return _witness(list(value[1][0]), character)
    return _witness(_parts(item)[0], character) if name in {"SUBPATTERN", "ATOMIC_GROUP"} else ""


def _first(members: Any) -> str:
    """The first character that a set names, for one that has none of the usual ones."""
    name, value = members[0]
    return chr(int(value[0] if str(name) == "RANGE" else value)) if str(name) in {"RANGE", "LITERAL"} else "a"


def _takes(item: tuple[Any, Any], character: str) -> bool:
    name, value = str(item[0]), item[1]
    if name == "ANY":
        return character != "\n"
    if name == "NOT_LITERAL":
        return bool(ord(character) != value)
    negated = str(value[0][0]) == "NEGATE"
    return any(_has(member, character) for member in value[negated:]) != negated


def _has(member: tuple[Any, Any], character: str) -> bool:
    name, value = str(member[0]), member[1]
    if name == "LITERAL":
        return bool(ord(character) == value)
    if name == "RANGE":
        return bool(value[0] <= ord(character) <= value[1])
    kind = str(value)
    return (re.match(_KINDS[kind.rpartition("_")[2]], character) is not None) != ("_NOT_" in kind)
