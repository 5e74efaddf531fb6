"""`importer show`, `set` and the rest: the settings «e-Mail importer» of one helpdesk (SPEC S1–S8)."""

from __future__ import annotations

import shlex
from dataclasses import asdict
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

import typer

from services.console import changes, mailbox_log, repository
from services.console.commands.arguments import Limit
from services.console.commands.passwords import set_mailbox_certificate, set_mailbox_password
from services.console.commands.resources import HELPDESK, parsed, resolved
from services.console.commands.secret_options import SECRET_OPTIONS, secret_columns
from services.console.commands.signatures import as_json, command, options
from services.console.fields import BadValue
from services.console.output import Json, done, show_one, show_rows
from services.console.repairs import brakes
from services.console.resources import HELPDESKS, IMPORTER
from services.console.service_process import Unusable, ask
from services.console.session import with_database, with_pool
from services.console.texts import _
from shared.database.pool import Connection, Pool, connection
from shared.logins import ending
from shared.sentences import Sentence
from shared.standing import recorded

_SHOWN_BY_JSON_ALONE: Final = frozenset({"id", "problem_kind"})


def show(helpdesk: str, *, as_json: bool = False) -> None:
    """Show the settings, the last successful check (S8) and the mailbox's trouble, never the password (S3)."""

    async def work(connection: Connection) -> None:
        helpdesk_id = await repository.find(connection, HELPDESKS, helpdesk)
        settings = await repository.importer_settings(connection, helpdesk_id)
        announced = ending(settings["login_expires_at"], await recorded.now(connection))
        show_one({**settings, "login_ending": announced}, as_json=as_json)

    with_database(work)


def change(helpdesk: str, *, with_password: bool = False, forget_secret: bool = False, **given: Any) -> None:
    """Change what is given, or save the first settings of a helpdesk."""
    values = parsed(IMPORTER.fields, given)
    secret = secret_columns(with_password=with_password, forget_secret=forget_secret)
    if not values and secret is None:
        raise BadValue("Nothing to change was given; see: helpdesk-importer importer set --help.")

    async def work(connection: Connection) -> None:
        helpdesk_id = await repository.find(connection, HELPDESKS, helpdesk)
        columns = await resolved(connection, IMPORTER.fields, values, helpdesk_id)
        given_secret = {} if secret is None else await secret(connection)
        await changes.change_importer(connection, helpdesk_id, columns, given_secret)
        done(_("The importer settings of %(helpdesk)s are changed.") % {"helpdesk": helpdesk})

    with_database(work)


def discover(
    helpdesk: Annotated[str, typer.Argument(help="the helpdesk's name or id")], *, as_json: Json = False
) -> None:
    """Find the Exchange server of a mailbox by autodiscover, over TLS, for you to confirm.

    Nobody logs in and nothing is saved: look whether the server is yours, and save it with importer set --server.
    Runs as a process of the fetcher, with the secrets database_password_fetcher and encryption_keys.
    """

    async def work(pool: Pool) -> dict[str, Any]:
        async with connection(pool) as acquired:
            helpdesk_id = await repository.find(acquired, HELPDESKS, helpdesk)
        return await ask("fetcher", "discover", str(helpdesk_id))

    answer = with_pool(work)
    if not answer["ok"]:
        raise Unusable(answer["problem"])
    show_one({"helpdesk": helpdesk, "address": answer["address"], "found": answer["found"]}, as_json=as_json)
    if not as_json:
        done(
            _("The login would go to %(server)s. Is that your Exchange server? Then save it: %(command)s")
            % {
                "server": urlsplit(answer["found"]).hostname,
                "command": f"helpdesk-importer importer set {shlex.quote(helpdesk)} "
                f"--server {shlex.quote(answer['found'])}",
            }
        )


def pause(
    helpdesk: Annotated[str, typer.Argument(help="the helpdesk's name or id")],
    reason: Annotated[str, typer.Option(help="Why.")] = "",
) -> None:
    """Keep the mailbox from being read until resume; its mail stays unread, and what was taken in goes on."""

    async def work(connection: Connection) -> None:
        if not await brakes.pause(connection, await repository.find(connection, HELPDESKS, helpdesk), reason):
            raise BadValue(Sentence("The helpdesk %(helpdesk)s has no importer settings yet.", helpdesk=helpdesk))
        done(_("The mailbox of %(helpdesk)s is paused.") % {"helpdesk": helpdesk})

    with_database(work)


def resume(helpdesk: Annotated[str, typer.Argument(help="the helpdesk's name or id")]) -> None:
    """Have a paused mailbox read again, at once."""

    async def work(connection: Connection) -> None:
        if not await brakes.resume(connection, await repository.find(connection, HELPDESKS, helpdesk)):
            raise BadValue(Sentence("The mailbox of %(helpdesk)s is not paused.", helpdesk=helpdesk))
        done(_("The mailbox of %(helpdesk)s is read again.") % {"helpdesk": helpdesk})

    with_database(work)


def show_log(
    helpdesk: Annotated[str, typer.Argument(help="the helpdesk's name or id")],
    limit: Limit = 50,
    *,
    dialogue: Annotated[
        bool, typer.Option("--dialogue", help="What was said with the mail server in the last check that failed.")
    ] = False,
    as_json: Json = False,
) -> None:
    """List what the mailbox's checks were: each that had something to do, or went otherwise than the one before.

    quiet_before counts the checks between two rows, which went as the older one did. Rows are kept for 90 days. Who
    paused the mailbox or changed its settings: audit list --thing importer_settings.

    --dialogue lists what was asked of the mail server and what came, in the last check that failed: its last forty
    steps, by the words of the protocol, without passwords, addresses, mail and what the server wrote freely.
    """

    async def work(connection: Connection) -> None:
        helpdesk_id = await repository.find(connection, HELPDESKS, helpdesk)
        if dialogue:
            said = await mailbox_log.failed_dialogue(connection, helpdesk_id)
            show_rows(_("steps"), [asdict(step) for step in said.steps] if said else [], as_json=as_json)
            return
        rows = []
        for check in await mailbox_log.checks(connection, helpdesk_id, limit):
            row = asdict(check)
            if not as_json:
                row["quiet_before"] = check.quiet_before.checks
            rows.append(row)
        show_rows(_("checks of the mailbox"), rows, hidden=_SHOWN_BY_JSON_ALONE, as_json=as_json)

    with_database(work)


def group() -> typer.Typer:
    """The group that holds them, with what sets its password or certificate."""
    made = typer.Typer(name="importer", help="The «e-Mail importer» settings of a helpdesk.", no_args_is_help=True)
    made.command("show")(
        command(show, "Show the settings, the last check and the mailbox's trouble.", [HELPDESK, as_json()])
    )
    made.command("set")(
        command(
            change,
            "Change settings: what is given changes, an empty value clears.",
            [HELPDESK, *options(IMPORTER.fields, adding=False), *SECRET_OPTIONS],
        )
    )
    made.command("log")(show_log)
    made.command("discover")(discover)
    made.command("pause")(pause)
    made.command("resume")(resume)
    made.command("set-password")(set_mailbox_password)
    made.command("set-certificate")(set_mailbox_certificate)
    return made


COMMANDS: Final = {"importer": group()}
