"""What typer answers to a command that was typed wrongly, in the language of the process.

Typer knows English alone: its sentences are recognised here. One that is not among them stays as it is.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from typing import Any, Final

from services.console.texts import N_, _

_ANY: Final = r"%\((\w+)\)s"
SENTENCES: Final = (
    N_("Try '%(command)s' for help."),
    N_("Error: %(error)s"),
    N_("No such option: %(option)s (Possible options: %(possible)s)"),
    N_("No such option: %(option)s"),
    N_("No such command '%(command)s'. Did you mean %(possible)s?"),
    N_("No such command '%(command)s'."),
    N_("Missing command."),
    N_("Missing option %(option)s. Choose from:"),
    N_("Missing option %(option)s."),
    N_("Missing argument %(argument)s. Choose from:"),
    N_("Missing argument %(argument)s."),
    N_("Got unexpected extra argument(s) (%(arguments)s)"),
    N_("Option %(option)s does not take a value."),
    N_("Option %(option)s requires an argument."),
    N_("Invalid value for %(what)s: %(error)s"),
    N_("Invalid value: %(error)s"),
    N_("Value %(value)s is not a valid %(kind)s."),
    N_("Value error, %(value)s is not one of %(choices)s."),
    N_("Input should be a valid integer, unable to parse string as an integer"),
    N_("Input should be a valid number, unable to parse string as a number"),
    N_("Input should be greater than or equal to %(least)s"),
    N_("Input should be less than or equal to %(most)s"),
)
"""The first that fits is meant, so that narrower ones come first."""


def answer(error: Any) -> str:
    """All that is said of an exception of typer's: the usage, the way to help, and what is wrong."""
    said = io.StringIO()
    error.show(said)
    return "\n".join(translated(line) for line in said.getvalue().splitlines())


def translated(line: str) -> str:
    """A line of typer's, in the language of the process; a sentence within it too."""
    for sentence in SENTENCES:
        if found := re.fullmatch(_pattern(sentence), line):
            return _(sentence) % _inner(found.groupdict())
    return line


def _inner(values: Mapping[str, str]) -> dict[str, str]:
    return {name: translated(value) if name == "error" else value for name, value in values.items()}


def _pattern(sentence: str) -> str:
    literals = re.split(_ANY, sentence)
    return "".join(f"(?P<{part}>.+)" if place % 2 else re.escape(part) for place, part in enumerate(literals))
