"""The man page of `helpdesk-importer`, made of the pages of --help: python -m services.console.manual > FILE.

It is in the language of the process: IMPORTER_LANGUAGE=nl makes the Dutch one.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, Final

from services.console.__main__ import NAME, NO_SETTINGS, Deferred, command_line
from services.console.help import COMMANDS, Page, page_of
from services.console.texts import N_, _

_EXIT_CODES: Final = (
    ("0", N_("Done.")),
    ("1", N_("Not done; the sentence on standard error says why.")),
    ("2", N_("The command was typed wrongly.")),
    ("3", N_("Done, but something needs a person.")),
    ("78", N_("Bad configuration.")),
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
    (name, whole), *each = pages(command_line(), NAME)
    yield f'.TH {NAME.upper()} 1 "" "{NAME}" "' + _("User Commands") + '"'
    yield from (".nh", ".ad l")  # no word is broken, no space stretched
    yield from (".SH " + _("NAME"), f"{name} \\- {_text(whole.paragraphs[0].rstrip('.'))}")
    yield from (".SH " + _("SYNOPSIS"), f".B {_text(whole.usage)}")
    yield ".SH " + _("COMMANDS")
    for path, page in each:
        yield f".SS {_text(path.removeprefix(f'{NAME} '))}"
        yield f".B {_text(page.usage)}"
        for paragraph in page.paragraphs:
            yield from (".PP", _text(paragraph))
        for title, entries in page.sections.items():
            if title != COMMANDS:
                for entry in entries:
                    yield from (".TP", f".B {_text(entry.name)}", _text(entry.meaning))
    yield ".SH " + _("EXIT STATUS")
    for code, meaning in _EXIT_CODES:
        yield from (".TP", f".B {code}", _text(_(meaning)))
    yield from (".SH " + _("ENVIRONMENT"), *(_text(line) for line in _(NO_SETTINGS).splitlines()))


def _text(text: str) -> str:
    """`text` as roff takes it literally; a list of choices may be broken after a «|»."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("|", "|\\:")
    return f"\\&{escaped}" if escaped.startswith((".", "\\(aq")) else escaped


if __name__ == "__main__":
    sys.stdout.write(manual())
