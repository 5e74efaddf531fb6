"""--help as a page of plain text: whole names of options, sentences broken between words, nothing shortened.

The man page and the tests read the same pages: what a command takes is asked of typer once, in `page_of`. Pages are in
the language of the process: what commands and options say of themselves, in English, is looked up here.
"""

from __future__ import annotations

import inspect
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from services.console.layout import wrapped
from services.console.texts import N_, _

WIDEST: Final = 100
"""Columns of the widest page: longer lines are tiring to read."""
_NAMES: Final = 24
"""Columns of the names of options and commands, when they fit there."""
ARGUMENTS: Final = N_("Arguments")
OPTIONS: Final = N_("Options")
COMMANDS: Final = N_("Commands")


@dataclass(frozen=True, slots=True)
class Described:
    """An argument, an option or a command below a group: its name as it is typed, and what it means."""

    name: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Page:
    """What a person reads of one command: how it is typed, what it does, and all that it takes."""

    usage: str
    paragraphs: tuple[str, ...]
    sections: Mapping[str, tuple[Described, ...]]

    def lines(self, width: int) -> Iterator[str]:
        """The page, no line wider than `width`."""
        yield from _hanging(_("Usage: "), self.usage, width)
        for paragraph in self.paragraphs:
            yield ""
            yield from wrapped(paragraph, width, "  ")
        for title, entries in self.sections.items():
            yield ""
            yield f"{_(title)}:"
            for entry in entries:
                yield from _entry(entry, width)


class _WithPage:
    """A command whose --help is a `Page`."""

    def get_help(self, ctx: Any) -> str:
        """The page, as wide as the terminal."""
        return "\n".join(page_of(self, ctx.command_path).lines(page_width()))

    def get_usage(self, ctx: Any) -> str:
        """Its first lines alone, for who typed something else."""
        return "\n".join(_hanging(_("Usage: "), page_of(self, ctx.command_path).usage, page_width()))


class Command(_WithPage, TyperCommand):
    """One command."""


class Group(_WithPage, TyperGroup):
    """A group of commands."""


def page_width() -> int:
    """Columns of the terminal, or of COLUMNS; 80 where there is none."""
    return min(shutil.get_terminal_size().columns, WIDEST)


def with_pages(app: typer.Typer) -> typer.Typer:
    """`app`, so that its commands have pages; what is typed wrongly is answered in plain text too."""
    app.info.cls = Group
    app.rich_markup_mode = None
    for registered in app.registered_commands:
        registered.cls = Command
    return app


def page_of(command: Any, path: str) -> Page:
    """The page of a command that is called as `path` («helpdesk-importer mails list»)."""
    arguments = tuple(_argument(each) for each in command.params if isinstance(each, TyperArgument))
    options = tuple(_option(each) for each in command.params if isinstance(each, TyperOption) and not each.hidden)
    below = getattr(command, "commands", {})
    typed = [argument.name for argument in arguments] or (["COMMAND", "[ARGS]..."] if below else [])
    sections = {
        ARGUMENTS: arguments,
        OPTIONS: (*options, Described("--help", _("Show this page."))),
        COMMANDS: tuple(Described(name, _(paragraphs(each.help)[0])) for name, each in below.items()),
    }
    return Page(
        " ".join([path, "[OPTIONS]", *typed]),
        tuple(_(paragraph) for paragraph in paragraphs(command.help)),
        {title: entries for title, entries in sections.items() if entries},
    )


def paragraphs(text: str | None) -> list[str]:
    """Those of a help text, each on one line, as the catalogue has them."""
    return [" ".join(paragraph.split()) for paragraph in inspect.cleandoc(text or "").split("\n\n")]


def sentence(text: str | None) -> str:
    """What an argument or option says of itself, with a capital and a full stop, as the catalogue has it."""
    text = " ".join((text or "").split())
    if text and text.split()[0].islower() and text[0].isalpha():
        text = text[0].upper() + text[1:]
    return text if text.endswith((".", "?")) or not text else f"{text}."


def _argument(parameter: TyperArgument) -> Described:
    name = parameter.metavar or (parameter.name or "").upper()
    return Described(name if parameter.required or name.startswith("[") else f"[{name}]", _meaning(parameter.help))


def _option(parameter: TyperOption) -> Described:
    names = ", ".join(parameter.opts)
    if parameter.secondary_opts:
        names = f"{names} / {', '.join(parameter.secondary_opts)}"
    value = "" if parameter.is_flag else f" {_value(parameter)}"
    notes = [_("required")] if parameter.required else []
    if not parameter.is_flag and parameter.default not in (None, "", [], ()) and not callable(parameter.default):
        notes.append(_("else %(value)s") % {"value": parameter.default})
    note = f" ({', '.join(notes)})" if notes else ""
    return Described(f"{names}{value}", f"{_meaning(parameter.help).rstrip('.')}{note}.")


def _meaning(text: str | None) -> str:
    said = sentence(text)
    return _(said) if said else ""


def _value(parameter: TyperOption) -> str:
    if parameter.metavar:
        return parameter.metavar
    kind = parameter.type_descriptor
    if kind.is_choice and kind.choices is not None:
        return "|".join(str(getattr(choice, "value", choice)) for choice in kind.choices)
    return "NUMBER" if kind.annotation in (int, float) else "FILE" if kind.is_path else "TEXT"


def _hanging(name: str, text: str, width: int) -> list[str]:
    indent = " " * len(name)
    first, *rest = wrapped(text, width, indent)
    return [name + first[len(indent) :], *rest]


def _entry(entry: Described, width: int) -> list[str]:
    indent = " " * (_NAMES + 4 if width >= 72 else 6)  # noqa: PLR2004 - columns
    if len(entry.name) + 4 > len(indent):
        return [*_names(entry.name, width), *(wrapped(entry.meaning, width, indent) if entry.meaning else [])]
    return _hanging(f"  {entry.name}".ljust(len(indent)), entry.meaning, width)


def _names(name: str, width: int) -> list[str]:
    """Whole names and values: where they are wider than the page, it is broken before «/» and after «|» alone."""
    if len(name) + 2 <= width:
        return [f"  {name}"]
    lines = [" "]
    for part in name.replace("|", "| ").replace(" / ", " /_").split(" "):
        word = part.replace("/_", "/ ")
        joint = "" if lines[-1].endswith("|") else " "
        if len(lines[-1]) + len(joint) + len(word) > width:
            lines.append(f"      {word}")
        else:
            lines[-1] += joint + word
    return lines
