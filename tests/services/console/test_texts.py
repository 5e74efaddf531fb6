"""Every text of the command line is there in both languages, none stands in the code untranslated."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from typer.core import TyperArgument, TyperOption

import shared
from services.console.__main__ import Deferred, command_line
from services.console.help import paragraphs, sentence
from services.console.texts import LOCALES, texts_of

CONSOLE = LOCALES.parent
SHARED = Path(shared.__file__).parent
KEYWORDS = {"_": None, "N_": None, "ngettext": (1, 2), "Sentence": None}
"""A `Sentence` is made in English, in `shared/` too, and translated where a person reads it."""

Text = str | tuple[str, ...]


def said() -> set[Text]:
    """Each text once; one for singular and plural is a pair."""
    in_code = {
        tuple(message) if isinstance(message, tuple) else message
        for root in (CONSOLE, SHARED)
        for _, _, message, _, _ in extract_from_dir(
            root, [("**.py", "python")], keywords=KEYWORDS, directory_filter=lambda folder: Path(folder).name != "web"
        )
    }
    return in_code | {text for text in of_pages(command_line()) if text}


def of_pages(command: Any) -> Iterator[str]:
    """What a command and all below it say of themselves in --help."""
    loaded = command.load() if isinstance(command, Deferred) else command
    yield from {*paragraphs(command.help), *paragraphs(loaded.help)}
    for parameter in loaded.params:
        if isinstance(parameter, TyperArgument) or (isinstance(parameter, TyperOption) and not parameter.hidden):
            yield sentence(parameter.help)
    for below in getattr(loaded, "commands", {}).values():
        yield from of_pages(below)


def test_no_text_is_translated_twice() -> None:
    """Reading a catalogue passes over the second translation of a text."""
    entries = re.findall(r'^msgid (?!""$).*', (LOCALES / "nl.po").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted({entry for entry in entries if entries.count(entry) > 1}) == []


def translated() -> dict[Text, Text]:
    with (LOCALES / "nl.po").open("rb") as file:
        catalogue = read_po(file, locale="nl")
    assert not catalogue.obsolete
    assert [message.id for message in catalogue if message.id and message.fuzzy] == []
    return {
        message.id if isinstance(message.id, str) else tuple(message.id): (
            message.string if isinstance(message.string, str) else tuple(message.string)
        )
        for message in catalogue
        if message.id
    }


def test_every_text_is_translated_and_no_translation_is_left_over() -> None:
    in_dutch = translated()
    assert sorted(said() - in_dutch.keys(), key=str) == []
    assert sorted(in_dutch.keys() - said(), key=str) == []
    assert [text for text, dutch in in_dutch.items() if not (all(dutch) if isinstance(dutch, tuple) else dutch)] == []


def test_a_translation_has_the_places_of_its_text() -> None:
    messages = texts_of("nl").messages
    for text in said():
        originals = (text,) if isinstance(text, str) else text
        found = messages[originals[0]]
        for original, translation in zip(originals, (found,) if isinstance(found, str) else found, strict=True):
            places = re.findall(r"%\(\w+\)[rsd]", original)
            assert sorted(re.findall(r"%\(\w+\)[rsd]", translation)) == sorted(places), original


MODULES = sorted(path for path in CONSOLE.rglob("*.py") if "web" not in path.relative_to(CONSOLE).parts)
TRANSLATES = {"_", "N_", "ngettext", "Sentence"}
SAYS = {"done", "echo"}
WORDS = re.compile(r"[^\W\d_]{2,} [^\W\d_]{2,}")


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(CONSOLE)))
def test_no_sentence_is_said_untranslated_and_none_has_its_values_in_it(module: Path) -> None:
    """An f-string within `_` is another text each time, and one around it hides it from the catalogue's tools."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    calls = [each for each in ast.walk(tree) if isinstance(each, ast.Call)]
    bare = [each for each in calls if called(each) in SAYS and each.args and WORDS.search(literal(each.args[0]))]
    filled = [each for each in calls if called(each) in TRANSLATES and isinstance(each.args[0], ast.JoinedStr)]
    hidden = [
        inner
        for text in ast.walk(tree)
        if isinstance(text, ast.JoinedStr)
        for inner in ast.walk(text)
        if isinstance(inner, ast.Call) and called(inner) in TRANSLATES and isinstance(inner.args[0], ast.Constant)
    ]
    assert [ast.unparse(each) for each in (*bare, *filled, *hidden)] == []


def called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def literal(said: ast.expr) -> str:
    """What of an argument stands there as text, between the values of an f-string too."""
    parts = said.values if isinstance(said, ast.JoinedStr) else [said]
    return "\0".join(part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str))
