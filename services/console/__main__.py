"""`helpdesk-importer`: what people ask of the importer, on the command line.

Each command is a module of `services.console.commands` and a line in `_COMMANDS` or `_GROUPS`. Commands report trouble
by raising `ImporterError`, whose text is shown as it is. Exit codes: 0 done, 1 not done (the sentence says why), 2 the
command was typed wrongly, 78 bad configuration.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any, Final

import typer

from services.console.commands import importer
from services.console.commands.deploy_topology import deploy_topology
from services.console.commands.migrate import migrate
from services.console.commands.resources import ResourceCommands
from services.console.commands.run import run
from services.console.resources import RESOURCES
from shared.errors import ImporterError, Misconfigured

_GROUPS: Final = (
    importer.group(),
    *(ResourceCommands(resource).group() for resource in RESOURCES.values()),
)
_COMMANDS: Final[tuple[Callable[..., Any], ...]] = (run, migrate, deploy_topology)

app = typer.Typer(
    name="helpdesk-importer",
    help="Turns the unread mail of helpdesk mailboxes into tickets and supplements.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for _command in _COMMANDS:
    app.command()(_command)
for _group in _GROUPS:
    app.add_typer(_group)


@app.callback()
def _importer() -> None:
    """Keep the name of the command on the command line, also when there is only one."""


def main() -> None:
    """Run the command; an error of ours is a sentence on standard error, not a stack trace."""
    try:
        app()
    except Misconfigured as misconfigured:
        typer.echo(str(misconfigured), err=True)
        sys.exit(os.EX_CONFIG)
    except ImporterError as error:
        typer.echo(str(error), err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
