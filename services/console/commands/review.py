"""`review`: tickets and supplements that a person should look at after the import (SPEC D13, D20)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Final

import typer

from services.console.commands.arguments import Limit, MailIdArguments, OfHelpdesk, helpdesk_id_of, mail_ids_of
from services.console.commands.signatures import group
from services.console.explanations import sentences
from services.console.fields import BadValue
from services.console.output import Card, Json, done, moment, show_cards, show_json
from services.console.repairs import review
from services.console.repository import find
from services.console.resources import EMPLOYEES
from services.console.session import with_database, with_pool
from services.console.short_ids import short_ids
from services.console.texts import N_, _
from shared.database.pool import Connection, Pool, connection
from shared.one_line import one_line


def list_waiting(helpdesk: OfHelpdesk = None, *, limit: Limit = 50, as_json: Json = False) -> None:
    """List what waits for a look, the newest first; «held» ones are hidden from the customer until accepted."""

    async def work(acquired: Connection) -> None:
        waiting = await review.waiting(acquired, await helpdesk_id_of(acquired, helpdesk), limit)
        if as_json:
            show_json([asdict(one) for one in waiting])
            return
        ids = short_ids([one.mail_id for one in waiting])
        show_cards(_("tickets and supplements to review"), list(map(_card, waiting, ids)))

    with_database(work)


def _card(one: review.Waiting, short_id: str) -> Card:
    return Card(
        (
            short_id,
            moment(one.reported_at),
            f"{_(_WHAT[one.what])} {one.ticket}",
            one_line(one.subject or _("(no subject)")),
        ),
        (one.helpdesk, one_line(one.sender or _("(no sender)")), _("held") if one.held else ""),
        sentences(one.reasons),
    )


def accept(
    mail_ids: MailIdArguments,
    by: Annotated[str | None, typer.Option(help="the employee who accepts; else the «Standaard werknemer»")] = None,
) -> None:
    """Accept what these mails became, all or none. What was held back happens now: visibility, status and deadline.

    Runs as a process of ticket_writer, whose rules decide, with the secret database_password_ticket_writer.
    """

    async def work(pool: Pool) -> list[review.WasAccepted]:
        async with connection(pool) as acquired:
            wanted = await mail_ids_of(acquired, mail_ids)
            employee_id = None if by is None else await find(acquired, EMPLOYEES, by)
        return await review.accept(wanted, employee_id)

    try:
        accepted = with_pool(work)
    except review.NotAccepted as refused:
        raise BadValue(_(_REFUSALS[refused.refusal]) % {"mail_id": refused.mail_id}) from None
    for one in accepted:
        done(_(_SENTENCES[one.what]) % {"status": one.status})


_WHAT: Final = {"ticket": N_("ticket"), "supplement": N_("supplement")}
_SENTENCES: Final = {
    "ticket": N_("The ticket is accepted."),
    "supplement": N_("The supplement is accepted."),
    "held-supplement": N_("The supplement is accepted; the ticket's status is «%(status)s»."),
}
_REFUSALS: Final = {
    "became-nothing": N_("Mail %(mail_id)s is no ticket and no supplement; `review list` shows what waits."),
    "nothing-waits": N_("What mail %(mail_id)s became does not wait for a person; `review list` shows what does."),
    "no-employee": N_("The helpdesk of mail %(mail_id)s has no «Standaard werknemer»: say who accepts with --by."),
}

COMMANDS: Final = {
    "review": group(
        "review",
        "Tickets and supplements that a person should look at.",
        {"list": list_waiting, "accept": accept},
    )
}
