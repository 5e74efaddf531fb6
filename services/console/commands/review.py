"""`review`: tickets and supplements that a person should look at after the import (SPEC D13, D20)."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from services.console import repository
from services.console.commands.mails import Limit, MailIdArguments, OfHelpdesk, helpdesk_id, readable
from services.console.commands.signatures import group
from services.console.output import Json, done, show_rows
from services.console.repairs import review
from services.console.repairs.mails import mail_id_of
from services.console.resources import EMPLOYEES
from services.console.session import with_database
from shared.database.pool import Connection


def list_waiting(helpdesk: OfHelpdesk = None, *, limit: Limit = 50, as_json: Json = False) -> None:
    """List what waits for a look, the newest first; «held» ones are hidden from the customer until accepted."""

    async def work(connection: Connection) -> None:
        found = await review.waiting(connection, await helpdesk_id(connection, helpdesk), limit)
        rows = found if as_json else [readable(row) for row in found]
        show_rows("tickets and supplements to review", rows, as_json=as_json)

    with_database(work)


def accept(
    mail_ids: MailIdArguments,
    by: Annotated[str | None, typer.Option(help="the employee who accepts; else the «Standaard werknemer»")] = None,
) -> None:
    """Accept what these mails became. What was held back happens now: visibility, status and deadline."""
    wanted = [mail_id_of(each) for each in dict.fromkeys(mail_ids)]

    async def work(connection: Connection) -> None:
        employee_id = None if by is None else await repository.find(connection, EMPLOYEES, by)
        for mail_id in wanted:
            done(await review.accept(connection, mail_id, employee_id))

    with_database(work)


COMMANDS: Final = {
    "review": group(
        "review",
        "Tickets and supplements that a person should look at.",
        {"list": list_waiting, "accept": accept},
    )
}
