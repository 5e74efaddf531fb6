"""`helpdesk-importer`: what people ask of the importer, on the command line.

Each command is a line in `COMMANDS` and one in the COMMANDS of its module in `services.console.commands`. Commands
report trouble by raising `ImporterError`, whose text is shown as it is. Exit codes: 0 done, 1 not done (the sentence
says why), 2 the command was typed wrongly, 3 done, but something needs a person, 78 bad configuration.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Mapping
from importlib import import_module, metadata
from typing import Annotated, Any, Final

import typer
import typer.completion
from typer.core import TyperCommand, TyperGroup

from services.console.help import with_pages
from services.console.texts import N_, _, texts
from services.console.typed_wrongly import answer
from shared import acting
from shared.errors import ImporterError, Misconfigured

NAME: Final = "helpdesk-importer"
_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
"""Why a file that takes our output refuses it."""
_RESOURCES: Final = (
    "organisations",
    "contacts",
    "employees",
    "calendars",
    "logins",
    "accounts",
    "groups",
    "helpdesks",
    "statuses",
    "types",
    "priorities",
    "environments",
    "categories",
    "templates",
)

COMMANDS: Final[Mapping[str, tuple[str, str]]] = {
    "run": ("run", "Run fetcher, classifier, ticket writer and notifier, and start again what crashes."),
    "migrate": ("migrate", "Bring the database to the newest schema, as its owner."),
    "deploy-topology": ("deploy_topology", "Create or update what the services need on RabbitMQ."),
    "encryption": (
        "encryption",
        "The keys of stored passwords and certificates: make a new one, and seal everything for it.",
    ),
    "server-certificates": (
        "server_certificates",
        "Certificates for PostgreSQL and RabbitMQ, from an authority of one's own.",
    ),
    "nightly": (
        "nightly",
        "Remove what nothing needs (`retention`) and compare all (`reconcile --repair`), each night at three.",
    ),
    "sweep-blobs": ("sweep_blobs", "Remove stored bytes that nothing needs any more; `nightly` does it each night."),
    "retention": ("retention", "How long raw mails are kept."),
    "installation": (
        "installation",
        "Whether this database may be worked from: a copy reads no mailbox and mails nobody until it is confirmed.",
    ),
    "status": ("status", "Show how the importer stands, and what needs a person."),
    "doctor": ("doctor", "Examine the installation, and say of each part whether it is well and what to do."),
    "watch": ("watch", "Tell people what needs them, by mail or webhook; with metrics."),
    "alarms": ("alarms", "What people are told of by mail or webhook, who is told, and planned maintenance."),
    "notifications": (
        "notifications",
        "The mails to manager, executor and customer that wait, and how to send them now.",
    ),
    "explain": ("explain", "Tell what mails in files become and why, without any server."),
    "check-mailbox": ("check_mailbox", "Try a helpdesk's mailbox without changing anything in it."),
    "importer": ("importer", "The «e-Mail importer» settings of a helpdesk."),
    "reconcile": (
        "reconcile",
        "Compare mailboxes, ledger, tickets, notifications, queues and stored bytes, and tell what differs.",
    ),
    "mails": ("mails", "The mails that were taken in, and what became of them."),
    "quarantine": ("mails", "Mails that could not become a ticket."),
    "dead-letters": ("dead_letters", "Messages that were parked for a person."),
    "review": ("review", "Tickets and supplements that a person should look at."),
    "backlog": ("backlog", "Old mail that waits for a person's choice."),
    "aliases": ("aliases", "Numbers of an earlier system by which tickets are known too."),
    "senders": ("senders", "Senders and mailing lists that are blocked or let through."),
    "people": ("people", "Where a person's data stands, and its erasure."),
    "audit": ("audit", "Who changed, repaired and looked at what."),
    "completion": ("completion", "Write the script by which a shell completes commands and options."),
    "users": ("users", "Who may use the web console."),
    **{plural: ("resources", f"Add, list, show and change {plural}.") for plural in _RESOURCES},
}
"""Each command or group, in the order of --help: the module that has it in its own COMMANDS, and what it is for."""


NO_SETTINGS: Final = N_(
    "This shell has no settings of the importer. Those of `make up` are taken over in its folder by:\n"
    "  set -a; . .run/env; set +a"
)
"""What is said besides, where a command lacks settings and the environment has none at all."""


def _show_version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it
    if wanted:
        typer.echo(f"{NAME} {metadata.version(NAME)}")
        raise typer.Exit


class Deferred(TyperCommand):
    """A command that is imported when it is called: --help and a mistyped name need none of them."""

    def __init__(self, name: str, module: str, summary: str) -> None:
        super().__init__(name, help=summary)
        self._module = f"services.console.commands.{module}"

    def load(self) -> TyperCommand | TyperGroup:
        """The command itself."""
        import shared.lean_start  # noqa: F401, PLC0415 - before all that logs; help and mistyped names need neither

        loaded = import_module(self._module).COMMANDS[self.name]
        if isinstance(loaded, typer.Typer):
            return typer.main.get_group(with_pages(loaded))
        alone = typer.Typer(add_completion=False)
        alone.command(self.name)(loaded)
        return typer.main.get_command(with_pages(alone))  # type: ignore[return-value]

    def make_context(self, *given: Any, **named: Any) -> Any:
        """That of the command itself, which runs in our place."""
        return self.load().make_context(*given, **named)

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        """What may follow, as the command itself knows it."""
        return self.load().shell_complete(ctx, incomplete)


def command_line() -> TyperGroup:
    """The whole of `helpdesk-importer`, nothing of it imported yet."""
    app = typer.Typer(
        name=NAME,
        help="Turns the unread mail of helpdesk mailboxes into tickets and supplements.",
        no_args_is_help=True,
        add_completion=False,
    )
    app.callback()(_of_all_commands)
    group = typer.main.get_group(with_pages(app))
    for name, (module, summary) in COMMANDS.items():
        group.add_command(Deferred(name, module, summary))
    return group


def _of_all_commands(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and end.", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    """What can be said before a command."""


def main() -> None:
    """Run the command; an error of ours is a sentence on standard error, not a stack trace."""
    try:
        with acting.as_person(acting.at_the_command_line()):
            _run()
    except BrokenPipeError:  # `| head` has read enough: nobody is left to be told anything
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for output in (sys.stdout, sys.stderr):
            os.dup2(nowhere, output.fileno())  # what is still to be written when Python ends goes there
        sys.exit(1)
    except OSError as full:
        if full.errno not in _NO_ROOM or full.filename is not None:
            raise
        typer.echo(_("What the command says cannot be written: %(why)s.") % {"why": os.strerror(full.errno)}, err=True)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def _run() -> None:
    if f"_{NAME.upper().replace('-', '_')}_COMPLETE" in os.environ:
        typer.completion.get_completion_inspect_parameters()  # makes the shells known
    try:
        texts()  # a wrong language is told before anything is said in another
        sys.exit(command_line()(prog_name=NAME, standalone_mode=False))
    except typer.Abort:
        typer.echo(_("Aborted!"), err=True)
        sys.exit(1)
    except typer.TyperException as wrongly_typed:
        if said := answer(wrongly_typed):
            typer.echo(said, err=True)
        sys.exit(wrongly_typed.exit_code)
    except Misconfigured as misconfigured:
        _complain(misconfigured)
        if not any(name.startswith("IMPORTER_") for name in os.environ):
            typer.echo(_(NO_SETTINGS), err=True)
        sys.exit(os.EX_CONFIG)
    except ImporterError as error:
        _complain(error)
        sys.exit(1)


def _complain(error: ImporterError) -> None:
    from services.console.output import told_by, visible  # noqa: PLC0415 - what a command without trouble need not load

    typer.echo(visible(told_by(error)), err=True)


if __name__ == "__main__":
    main()
