"""`completion`: the script by which a shell completes what is typed."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final

import typer
from typer.completion import get_completion_script  # type: ignore[attr-defined]

_NAME: Final = "helpdesk-importer"


class Shell(StrEnum):
    """The shells that can."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def completion(shell: Annotated[Shell, typer.Argument(metavar="bash|zsh|fish", help="whose script")]) -> None:
    """Write the script by which a shell completes commands and options.

    For this shell: source <(helpdesk-importer completion bash). For each new one: write it as helpdesk-importer into
    ~/.local/share/bash-completion/completions, or where zsh or fish look.
    """
    variable = f"_{_NAME.replace('-', '_').upper()}_COMPLETE"
    typer.echo(get_completion_script(prog_name=_NAME, complete_var=variable, shell=shell.value))


COMMANDS: Final = {"completion": completion}
