"""Parse a template once, then put values in their places.

    subject = parse_subject("Ticket [ticketnummer] - [tickettitel]")     # BadTemplate says all that is wrong
    line = subject_line(subject, values)

`[naam]` is a placeholder, `[naam?]` one whose line goes where it has no value, `[[` a literal `[`, everything else is
itself. Values are put in once and never scanned again, so that a title such as `[contactpersoon]` stays what it is.
Each place escapes for itself: a subject is one line without control characters, in html a value cannot open a tag or
leave an attribute.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

from shared.errors import ImporterError
from shared.one_line import one_line
from shared.sentences import Sentence
from shared.templates.html_lines import NOTHING, may_keep_text, with_line_breaks, without_empty_lines
from shared.templates.placeholders import NUMBER, OF_SUMMARIES, PLACEHOLDERS, Placeholder, find, normalised
from shared.templates.plain_text import escaped
from shared.templates.safe_html import safe_for_mail

VALUE_IN_SUBJECT_LIMIT: Final = 150
"""Characters of one value in a subject: the rest of a title is in the ticket."""
SUBJECT_LIMIT: Final = 500
"""Characters of a whole subject: far below the 998 octets of a line (RFC 5322 §2.1.1) once it is encoded and folded."""

_BRACKETS: Final = re.compile(r"(?P<literal>\[\[)|\[(?P<name>[^\[\]]*)\]|(?P<stray>\[)")
_NAME_SHOWN_LIMIT: Final = 40
_CONTROLS_IN_TEXT: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_KEPT_TEMPLATES: Final = 128
"""Parsed templates that a process keeps: they are the same for every mail of a helpdesk."""
_MARK: Final = "\x03"
"""Around the number of a place that is still to be filled: a character that no text of a mail has (`printable`)."""
_MARKS: Final = re.compile(f"{_MARK}[0-9]+{_MARK}")
_KEPT_BODIES: Final = 32
_with_line_breaks = lru_cache(_KEPT_BODIES)(with_line_breaks)
"""Of a body, once for the mails to manager, executor and customer that tell of it."""


class Trouble(StrEnum):
    """What can be wrong with a template; the sentence says what to change, in its places stands what `Problem.told`."""

    UNKNOWN = Sentence(
        "[%(name)s] is unknown. docs/templates.md lists the placeholders. Write [[ for a bracket meant as such."
    )
    MISSPELT = Sentence("[%(name)s] is unknown. Did you mean [%(alike)s]? Write [[ for a bracket meant as such.")
    NOT_CLOSED = Sentence("A [ is not closed by a ]. Close it, or write [[ for a bracket that is meant as such.")
    TOO_LONG_FOR_A_SUBJECT = Sentence("[%(name)s] is too long for a subject: use it in the body.")
    NO_LINE_TO_GO = Sentence("[%(name)s?] is for a body: a subject has no lines that could go. Write [%(name)s].")
    LINE_BREAK = Sentence("A subject is one line: remove the line break.")
    NO_NUMBER = Sentence("The subject must have [%(name)s] in it: without it an answer does not find its ticket.")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong with a template: of which name, and which name was probably meant."""

    trouble: Trouble
    name: str = ""
    alike: str = ""

    @property
    def told(self) -> Mapping[str, str]:
        """What stands in the places of the sentence."""
        return {"name": self.name, "alike": self.alike}

    def __str__(self) -> str:
        return self.trouble.value % self.told


class BadTemplate(ImporterError):
    """The template cannot be used; `problems` say what to change."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(" ".join(map(str, problems)))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Value:
    """What stands in for a placeholder: `text`, and `html` where a value has a layout of its own ('' text: empty)."""

    text: str
    html: str | None = None


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a value goes; `optional` (`[naam?]`): without a value the line goes that it stands in."""

    placeholder: Placeholder
    optional: bool = False

    @property
    def name(self) -> str:
        """The placeholder's name."""
        return self.placeholder.name


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """A parsed template: literal text and places for values in turn. Each is the same as itself alone, for caches."""

    pieces: tuple[str | Slot, ...]

    def names(self) -> set[str]:
        """The placeholders that are used."""
        return {piece.name for piece in self.pieces if isinstance(piece, Slot)}


@lru_cache(_KEPT_TEMPLATES)
def parse_subject(source: str, *, of_ticket: bool = True) -> Template:
    """The template of a subject. BadTemplate for what `parse_body` refuses, a line break, or a missing number.

    Not `of_ticket`: that of a summary, which has placeholders of its own and no number.
    """
    template, problems = _parse(source, of_ticket=of_ticket)
    problems += [
        Problem(Trouble.TOO_LONG_FOR_A_SUBJECT, piece.name)
        for piece in template.pieces
        if isinstance(piece, Slot) and not piece.placeholder.in_subject
    ]
    problems += [
        Problem(Trouble.NO_LINE_TO_GO, piece.name)
        for piece in template.pieces
        if isinstance(piece, Slot) and piece.optional
    ]
    if "\n" in source or "\r" in source:
        problems.append(Problem(Trouble.LINE_BREAK))
    if of_ticket and NUMBER.name not in template.names():
        problems.append(Problem(Trouble.NO_NUMBER, NUMBER.name))
    return _without(problems, template)


@lru_cache(_KEPT_TEMPLATES)
def parse_body(source: str, *, of_ticket: bool = True) -> Template:
    """The template of a body, html or text. BadTemplate for unknown placeholders and brackets that do not close."""
    template, problems = _parse(source, of_ticket=of_ticket)
    return _without(problems, template)


def subject_line(template: Template, values: Mapping[str, Value]) -> str:
    """The subject: one line of at most SUBJECT_LIMIT characters, without control or direction characters."""
    pieces = (
        piece if isinstance(piece, str) else cut(one_line(_text(piece, values)), VALUE_IN_SUBJECT_LIMIT)
        for piece in template.pieces
    )
    return cut(one_line("".join(pieces)), SUBJECT_LIMIT)


def text_body(template: Template, values: Mapping[str, Value]) -> str:
    """The plain text, lines ended by LF. An empty line goes with the line above it that had no value."""
    lines: list[str] = []
    after_nothing = False
    for line, optional in _lines(template):
        if any(_has_nothing(slot, values) for slot in optional):
            after_nothing = True
            continue
        text = "".join(piece if isinstance(piece, str) else _text(piece, values) for piece in line)
        if not (after_nothing and not text.strip() and (not lines or not lines[-1].strip())):
            lines.append(text)
            after_nothing = False
    return printable("\n".join(lines))


def html_body(template: Template, values: Mapping[str, Value]) -> str:
    """The html fragment: values escaped, lines without a value gone, the whole reduced to what may leave in a mail.

    Which lines go is looked at once for all mails whose values are missing at the same places. Values are looked at too
    where they tell by themselves how lines look: elements of their own (the bodies of a ticket) in a line that goes, or
    within a style of the template's that reaches into them; nothing but spaces.
    """
    put = {_mark(n): _html(piece, values) for n, piece in enumerate(template.pieces) if isinstance(piece, Slot)}
    bodies = {mark: html for mark, html in put.items() if "<" in html}
    nothing = frozenset(mark for mark, html in put.items() if html == NOTHING)
    shown = _filled(_shown_lines(template, nothing), {mark: put[mark] for mark in put.keys() - bodies.keys()})
    if may_keep_text(shown) or any(mark not in shown for mark in bodies) or not all(map(str.strip, put.values())):
        whole = _filled(_shown_lines(template, frozenset()), put)
        return safe_for_mail(with_line_breaks(without_empty_lines(whole)))
    return safe_for_mail(_filled(shown, {mark: _with_line_breaks(html) for mark, html in bodies.items()}))


@lru_cache(_KEPT_TEMPLATES)
def _shown_lines(template: Template, nothing: frozenset[str]) -> str:
    """The template with a mark in each place, without the lines of the places that have nothing."""
    pieces = (
        printable(piece) if isinstance(piece, str) else NOTHING if _mark(n) in nothing else _mark(n)
        for n, piece in enumerate(template.pieces)
    )
    return without_empty_lines("".join(pieces))


def _mark(number: int) -> str:
    return f"{_MARK}{number}{_MARK}"


def _filled(lines: str, put: Mapping[str, str]) -> str:
    return _MARKS.sub(lambda mark: put.get(mark[0], mark[0]), lines)


def _parse(source: str, *, of_ticket: bool) -> tuple[Template, list[Problem]]:
    problems: list[Problem] = []
    known = PLACEHOLDERS if of_ticket else OF_SUMMARIES
    pieces = tuple(piece for piece in _pieces(source, known, problems) if piece != "")
    return Template(pieces), list(dict.fromkeys(problems))


def _pieces(source: str, known: Sequence[Placeholder], problems: list[Problem]) -> Iterator[str | Slot]:
    end = 0
    for match in _BRACKETS.finditer(source):
        yield source[end : match.start()]
        end = match.end()
        if match["literal"]:
            yield "["
        elif match["stray"]:
            problems.append(Problem(Trouble.NOT_CLOSED))
        elif placeholder := find(match["name"].removesuffix("?"), known):
            yield Slot(placeholder, optional=match["name"].endswith("?"))
        else:
            problems.append(_unknown(match["name"], known))
    yield source[end:]


@lru_cache(_KEPT_TEMPLATES)
def _lines(template: Template) -> Sequence[tuple[Sequence[str | Slot], Sequence[Slot]]]:
    """The template's own lines, and the optional places in each; a value of several lines is in one of them."""
    lines: list[list[str | Slot]] = []
    line: list[str | Slot] = []
    for piece in template.pieces:
        if isinstance(piece, Slot):
            line.append(piece)
            continue
        first, *more = piece.replace("\r\n", "\n").split("\n")
        line.append(first)
        for text in more:
            lines.append(line)
            line = [text]
    return [(line, [piece for piece in line if isinstance(piece, Slot) and piece.optional]) for line in (*lines, line)]


def _unknown(name: str, known: Sequence[Placeholder]) -> Problem:
    alike = difflib.get_close_matches(normalised(name), [placeholder.name for placeholder in known], n=1)
    shown = cut(one_line(name), _NAME_SHOWN_LIMIT)
    return Problem(Trouble.MISSPELT, shown, alike[0]) if alike else Problem(Trouble.UNKNOWN, shown)


def _without(problems: list[Problem], template: Template) -> Template:
    if problems:
        raise BadTemplate(tuple(problems))
    return template


def _text(slot: Slot, values: Mapping[str, Value]) -> str:
    return values[slot.name].text or slot.placeholder.when_empty


def _html(slot: Slot, values: Mapping[str, Value]) -> str:
    if slot.optional and _has_nothing(slot, values):
        return NOTHING
    value = values[slot.name]
    return printable(value.html) if value.html else escaped(printable(_text(slot, values)))


def _has_nothing(slot: Slot, values: Mapping[str, Value]) -> bool:
    value = values[slot.name]
    return not value.text.strip() and not (value.html or "").strip()


def printable(text: str) -> str:
    """`text` with LF line ends and no other control character than tabs."""
    if text.isprintable():  # no control character, no line end, no half of a surrogate pair
        return text
    unified = text.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace").decode()
    return _CONTROLS_IN_TEXT.sub("", unified)


def cut(text: str, limit: int) -> str:
    """`text` in at most `limit` characters, with an ellipsis where it was longer."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
