"""An attacker knows our regular expressions: none takes more than in proportion to the text that he writes (D17).

Every expression of the services and of what they share is here, whether it is a constant or stands in a call: they are
looked for, so that a new one is tried without anybody thinking of it. What is tried on them is made from the expression
itself (`hostile_texts`), in the way in which its module asks: matched at the beginning, or searched for.

Costs are processor time, compared with each other: four times the text may cost nine times as much, three times for
each doubling. An expression that would take more is here with the longest text that it is ever asked about; of such
texts, as many as a mail has room for may cost what reading an ordinary mail of that size costs. So may other texts,
three times over.
"""

import ast
import importlib
import pkgutil
import re
import signal
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import process_time
from types import FrameType, ModuleType
from typing import Any

import pytest

import services.classifier
import services.fetcher
import services.notifier
import services.ticket_writer
import shared
from services.classifier.reading.automatic import acknowledgement, words
from services.classifier.reading.limits import DEFAULT_LIMITS
from services.classifier.reading.text import attribution, signature
from tests.attacks.hostile_texts import Shape, shapes
from tests.attacks.ordinary import Yardstick

PACKAGES = (services.classifier, services.fetcher, services.ticket_writer, services.notifier, shared)
NOT_OF_MAIL = ("shared.broker.administration", "shared.broker.topology", "shared.database.")
"""Modules that meet what operators and we ourselves write, and no mail."""
SIZE = 4_096
TIMES = 3 * 3
"""Two doublings."""
UNNOTICED = 0.005
"""Seconds for a text of SIZE: what is faster is in proportion, whatever the clock of the machine counts in."""
PATIENCE = 0.5
"""Seconds after which a search is broken off: one that takes exponential time would never end."""
MAIL = 65_536
"""Bytes."""
ORDINARY = Yardstick(MAIL)
ORDINARY_MAILS = 3
FEW = 16
"""The part of a mail that is enough to tell most texts as cheap."""

Method = Callable[[re.Pattern[Any], Any], object]


@dataclass(frozen=True, slots=True)
class Bound:
    """The longest text that an expression is asked about, and what keeps it so short."""

    longest: int
    why: str
    of_a_mail: int = MAIL
    """Characters of a mail of which it is asked."""


READING = "services.classifier.reading"
OF_SUBJECTS = Bound(DEFAULT_LIMITS.subject, "a subject, cut (`Limits.subject`)", DEFAULT_LIMITS.subject)
OF_ACKNOWLEDGEMENTS = Bound(acknowledgement.BEGINNING, "the beginning of a text", acknowledgement.BEGINNING)
BOUNDS = {
    f"{READING}.automatic.acknowledgement._SUBJECT": OF_SUBJECTS,
    **{
        f"{READING}.automatic.acknowledgement.{name}": OF_ACKNOWLEDGEMENTS
        for name in ("_CAME_IN", "_NUMBERED", "_PROMISES", "_BY_MACHINE", "_ABOVE_THE_LINE")
    },
    f"{READING}.automatic.words._AWAY_NAME_BEHIND": OF_SUBJECTS,
    f"{READING}.automatic.words._AWAY_BEFORE_ANSWER": OF_SUBJECTS,
    f"{READING}.automatic.words._AWAY_WORD": OF_SUBJECTS,
    f"{READING}.automatic.words._REPLY_WORD": OF_SUBJECTS,
    f"{READING}.automatic.words._REPLY_TEXT": Bound(words._BEGINNING, "the beginning of a text", words._BEGINNING),
    f"{READING}.automatic.delivery_signs._SUBJECT": OF_SUBJECTS,
    f"{READING}.text.forwarded._QUOTED_NAME": Bound(attribution._LONGEST, "an attribution", attribution._LONGEST),
    f"{READING}.text.subject_prefix._PREFIX": OF_SUBJECTS,
    f"{READING}.text.signature._SENT": Bound(signature._LONGEST_DEVICE, "longer lines are no advertisement"),
    f"{READING}.text.signature._CONTACT": Bound(
        signature._LONGEST_WARNING, "a line, cut", signature._MOST_DETAILS * signature._LONGEST_WARNING
    ),
    "services.fetcher.mailboxes.maildir.names._SIZES": Bound(255, "a file's name (NAME_MAX)", 255),
    "services.classifier.rules.ticket_number._OTHER_NUMBERS": OF_SUBJECTS,
}

AT_ONE_PLACE = {
    f"{READING}.mime.parser._FIELD_LINE": "at the beginning of a line",
    f"{READING}.mime.parser._GOES_ON": "behind a blank line; what it takes is not looked at again",
    f"{READING}.mime.parser._DELIMITER_REST": "behind a delimiter; what it takes is no delimiter",
    f"{READING}.text.html_document._ATTRIBUTE": "where an attribute may begin, each such place once",
}
"""Expressions that are asked from a place onwards, and why no text is looked at from many places."""


MAKES_CONSTANTS = {f"{READING}.automatic.smtp_status"}
"""Modules of which a function compiles expressions, for constants of theirs."""


class TooLong(Exception):
    """The search was broken off."""


@dataclass(frozen=True, slots=True)
class Expression:
    pattern: re.Pattern[Any]
    ask: Method


def modules() -> Iterator[ModuleType]:
    for package in PACKAGES:
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith(".__main__") and not module.name.startswith(NOT_OF_MAIL):
                yield importlib.import_module(module.name)


def compiled(value: object, depth: int = 3) -> Iterator[re.Pattern[Any]]:
    """The expressions that a constant holds, also in tuples, mappings and values of ours."""
    if isinstance(value, re.Pattern):
        yield value
    elif depth and isinstance(value, dict):
        for each in (*value.keys(), *value.values()):
            yield from compiled(each, depth - 1)
    elif depth and isinstance(value, tuple | list | frozenset):
        for each in value:
            yield from compiled(each, depth - 1)
    elif depth and hasattr(value, "__dataclass_fields__") and not isinstance(value, type):
        for name in value.__dataclass_fields__:
            yield from compiled(getattr(value, name), depth - 1)


@dataclass(frozen=True, slots=True)
class Source:
    """What a module's text says of its expressions."""

    methods: dict[str, set[str]]
    """By name of a constant, the methods by which it is asked; `search` where it is handed on, or asked from a place
    onwards."""
    in_calls: list[tuple[str, str | bytes | None]]
    """Functions of `re` that are called outside the module's own level, and the expression, None for one that is made
    there."""


def read(module: ModuleType) -> Source:
    tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
    source = Source(defaultdict(set), [])
    methods: dict[ast.expr, str] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="re"), attr=function), args=[expression, *_]):
                if function in {"search", "match", "fullmatch", "sub", "subn", "split", "findall", "finditer"}:
                    known = expression.value if isinstance(expression, ast.Constant) else None
                    source.in_calls.append((function, known if isinstance(known, str | bytes) else None))
            case ast.Call(func=ast.Attribute(value=ast.Name() as constant, attr=method), args=given):
                methods[constant] = method if len(given) == 1 else "search"
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                source.in_calls.extend(("compile", None) for each in ast.walk(node) if _compiles(each))
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            source.methods[node.id].add(methods.get(node, "search"))
    return source


def _compiles(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="re"), attr="compile")):
            return True
    return False


def expressions() -> dict[str, Expression]:
    """Every expression by module and name, and how it is asked; one that stands at several places by the first."""
    every: dict[tuple[Any, int, bool], tuple[str, re.Pattern[Any]]] = {}

    def add(name: str, number: int, pattern: re.Pattern[Any], methods: set[str]) -> None:
        once = bool(methods) and methods <= {"match", "fullmatch"}
        every.setdefault((pattern.pattern, pattern.flags, once), (f"{name}#{number}".removesuffix("#0"), pattern))

    for module, source in SOURCES.items():
        for name, value in vars(module).items():
            if isinstance(value, re.Pattern):
                users = (one for other, one in SOURCES.items() if vars(other).get(name) is value)
                add(f"{module.__name__}.{name}", 0, value, {method for one in users for method in one.methods[name]})
            else:
                for number, pattern in enumerate(compiled(value)):
                    add(f"{module.__name__}.{name}", number, pattern, {"search"})
        for number, (function, written) in enumerate(source.in_calls):
            if written is not None:
                add(f"{module.__name__}:{function}", number, re.compile(written), {function})
    return {
        name: Expression(pattern, matched if once or name in AT_ONE_PLACE else searched)
        for (_, _, once), (name, pattern) in every.items()
    }


def matched(pattern: re.Pattern[Any], text: Any) -> object:
    return pattern.match(text), pattern.fullmatch(text)


def searched(pattern: re.Pattern[Any], text: Any) -> object:
    for _ in pattern.finditer(text):
        pass
    return None


@contextmanager
def patience() -> Iterator[None]:
    def break_off(_signal: int, _frame: FrameType | None) -> None:
        raise TooLong

    before = signal.signal(signal.SIGVTALRM, break_off)
    signal.setitimer(signal.ITIMER_VIRTUAL, PATIENCE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def seconds(expression: Expression, text: str, times: int = 1) -> float:
    """Of processor time; infinite where it was broken off."""
    content = text if isinstance(expression.pattern.pattern, str) else text.encode("latin-1", "replace")
    begin = process_time()
    try:
        with patience():
            for _ in range(times):
                expression.ask(expression.pattern, content)
    except TooLong:
        return float("inf")
    return process_time() - begin


def least(expression: Expression, text: str) -> float:
    """Of two readings: what else the machine does only ever adds to them."""
    return max(min(seconds(expression, text) for _ in range(2)), UNNOTICED)


def slow_on(expression: Expression) -> str:
    """A text that costs more than in proportion to its length, or than a few mails; '' where there is none."""
    for shape in shapes(expression.pattern):
        if seconds(expression, shape.text(SIZE)) > UNNOTICED and _costs_much(expression, shape):
            return str(shape)
    return ""


def _costs_much(expression: Expression, shape: Shape) -> bool:
    small, large = shape.text(SIZE), shape.text(4 * SIZE)
    if all(seconds(expression, large) > least(expression, small) * TIMES for _ in range(Yardstick.TRIES)):
        return True
    return ORDINARY.exceeded(partial(seconds, expression, large), ORDINARY_MAILS * 4 * SIZE / MAIL)


def slow_within(expression: Expression, bound: Bound) -> str:
    """A text of the longest that is asked about that costs too much, as often as a mail has it; '' for none."""
    times = bound.of_a_mail // bound.longest
    for shape in shapes(expression.pattern):
        text = shape.text(bound.longest)
        at_first = seconds(expression, text, times // FEW + 1)
        whole = partial(seconds, expression, text, times)
        if at_first > ORDINARY.at_first / FEW + UNNOTICED and ORDINARY.exceeded(whole, 1):
            return str(shape)
    return ""


SOURCES = {module: read(module) for module in modules()}
EXPRESSIONS = expressions()


def test_every_expression_is_here() -> None:
    assert len(EXPRESSIONS) > 300
    assert {*BOUNDS, *AT_ONE_PLACE} <= set(EXPRESSIONS)
    made_in_functions = {
        module.__name__ for module, source in SOURCES.items() if any(written is None for _, written in source.in_calls)
    }
    assert made_in_functions == MAKES_CONSTANTS, "an expression is a constant, so that it is tried here"


@pytest.mark.parametrize("name", sorted(set(EXPRESSIONS) - set(BOUNDS)))
def test_D17_an_expression_takes_time_in_proportion_to_the_text(name: str) -> None:
    assert slow_on(EXPRESSIONS[name]) == ""


@pytest.mark.parametrize("name", sorted(BOUNDS))
def test_D17_one_that_does_not_is_asked_about_short_texts_alone(name: str) -> None:
    assert slow_within(EXPRESSIONS[name], BOUNDS[name]) == ""


@pytest.mark.parametrize(
    "written",
    [r"\([^)]*\)", r"(?:a|ab?)*c", r"\s*\n", r"<[^>]*x", r"^\W*(?:\[[^\]]{1,30}\]\W*)*a", rb"[ \t]*\r?\n\s*\n"],
)
def test_a_slow_expression_is_seen(written: str | bytes) -> None:
    assert slow_on(Expression(re.compile(written), searched))
