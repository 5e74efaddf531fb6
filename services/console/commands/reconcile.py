"""`reconcile`: compares mailboxes, ledger, tickets, notifications, queues and blobs, and repairs what can be."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Final

import typer

from services.console.commands.arguments import OfHelpdesk, helpdesk_id_of
from services.console.fields import BadValue, Moment
from services.console.nightly.jobs import turn
from services.console.output import Json, show_json, terminal_width
from services.console.reconcile.comparing import Report, Servers, Wanted, compare
from services.console.reconcile.configuration import ReconcilerConfiguration, open_as_reconciler
from services.console.reconcile.showing import for_programs, lines
from shared.database.pool import connection

ATTENTION: Final = 3


def reconcile(
    helpdesk: OfHelpdesk = None,
    *,
    repair: Annotated[bool, typer.Option("--repair", help="Mend what can be mended without a person.")] = False,
    since: Annotated[
        str | None,
        typer.Option(metavar="WHEN", help="Also mail in the mailboxes that was read, from then on: after a restore."),
    ] = None,
    older_than: Annotated[
        int, typer.Option(min=0, metavar="MINUTES", help="What is younger is on its way and no difference.")
    ] = 60,
    every_byte: Annotated[
        bool, typer.Option("--every-byte", help="Hash all stored bytes; else a 28th of them each day.")
    ] = False,
    without_mailboxes: Annotated[
        bool, typer.Option("--without-mailboxes", help="Leave the mailboxes out; nobody logs in to them.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Compare mailboxes, ledger, tickets, notifications, queues and stored bytes, and tell what differs.

    Changes nothing, unless --repair is said: then what can be mended without a guess is, by what the services do
    anyway, and each repair is in `audit list`. Safe to repeat, and beside running services. The nightly run does the
    same, and `status` tells what it left. Works as importer_reconciler, with the secrets database_password_reconciler
    and amqp_password_reconciler, and looks into the mailboxes as the fetcher, with database_password_fetcher and
    encryption_keys.

    Exit codes: 0 nothing differs (any more), 3 something is left for a person, for --repair, or could not be compared,
    1 the database does not answer, 78 bad configuration.
    """
    try:
        first = None if since is None else Moment().parse(since)
    except BadValue as error:
        raise BadValue(f"--since: {error}.") from None
    wanted = Wanted(timedelta(minutes=older_than), None, first, hash_all=every_byte, repairs=repair)
    report = asyncio.run(_reconcile(wanted, helpdesk, with_mailboxes=not without_mailboxes))
    if as_json:
        show_json(for_programs(report))
    else:
        typer.echo("\n".join(lines(report, terminal_width())))
    if report.left or report.not_compared:
        raise typer.Exit(ATTENTION)


async def _reconcile(wanted: Wanted, helpdesk: str | None, *, with_mailboxes: bool) -> Report:
    configuration = ReconcilerConfiguration.load()
    async with open_as_reconciler(configuration) as pool:
        async with connection(pool) as acquired:
            wanted = replace(wanted, helpdesk_id=await helpdesk_id_of(acquired, helpdesk))
        servers = Servers(pool, configuration.queues(), configuration, with_mailboxes)
        if helpdesk is not None or not with_mailboxes:
            return await compare(servers, wanted)
        async with turn(pool, "reconcile", at_once=True) as mine:
            report = await compare(servers, wanted)
            if mine is not None:
                mine.told = report.summary  # so that `status` tells what is left now
        return report


COMMANDS: Final = {"reconcile": reconcile}
