"""The man page of `helpdesk-importer`, made of the pages of --help: python -m services.console.manual > FILE."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, Final

from services.console.__main__ import NAME, NO_SETTINGS, Deferred, command_line
from services.console.help import Page, page_of

_EXIT_CODES: Final = (
    ("0", "Done."),
    ("1", "Not done; the sentence on standard error says why."),
    ("2", "The command was typed wrongly."),
    ("3", "Done, but something needs a person."),
    ("78", "Bad configuration."),
)


def manual() -> str:
    """The whole page, in the language of man(7)."""
    return "\n".join([*_lines()]) + "\n"


def pages(command: Any, path: str) -> Iterator[tuple[str, Page]]:
    """The pages of a command and of all below it."""
    loaded = command.load() if isinstance(command, Deferred) else command
    yield path, page_of(loaded, path)
    for name, below in getattr(loaded, "commands", {}).items():
        yield from pages(below, f"{path} {name}")


def _lines() -> Iterator[str]:
    (_, whole), *each = pages(command_line(), NAME)
    yield f'.TH {NAME.upper()} 1 "" "{NAME}" "User Commands"'
    yield from (".nh", ".ad l")  # no word is broken, no space stretched
    yield from (".SH NAME", f"{NAME} \\- {_text(whole.text.rstrip('.'))}")
    yield from (".SH SYNOPSIS", f".B {_text(whole.usage)}")
    yield ".SH COMMANDS"
    for path, page in each:
        yield f".SS {_text(path.removeprefix(f'{NAME} '))}"
        yield f".B {_text(page.usage)}"
        for paragraph in page.text.split("\n\n"):
            yield from (".PP", _text(" ".join(paragraph.split())))
        for title, entries in page.sections.items():
            if title != "Commands":
                for entry in entries:
                    yield from (".TP", f".B {_text(entry.name)}", _text(entry.meaning))
    yield ".SH EXIT STATUS"
    for code, meaning in _EXIT_CODES:
        yield from (".TP", f".B {code}", _text(meaning))
    yield from (".SH ENVIRONMENT", *(_text(line) for line in NO_SETTINGS.splitlines()))


def _text(text: str) -> str:
    """`text` as roff takes it literally; a list of choices may be broken after a «|»."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("|", "|\\:")
    return f"\\&{escaped}" if escaped.startswith((".", "\\(aq")) else escaped


if __name__ == "__main__":
    sys.stdout.write(manual())
