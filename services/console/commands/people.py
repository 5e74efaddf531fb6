"""`people`: where a person's data stands, and its erasure."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Annotated, Any, Final

import typer

from services.console.commands.arguments import Limit
from services.console.commands.signatures import group
from services.console.database import Refused, one_transaction
from services.console.fields import Address, BadValue
from services.console.nightly.operator import open_as_operator
from services.console.output import Json, done, show_json, show_rows
from services.console.refusals import sentence
from services.console.repairs import people
from services.console.session import with_database
from services.console.texts import N_, _
from shared.database.pool import Connection


def find(
    who: Annotated[str, typer.Argument(help="an address, or a part of a name")],
    *,
    limit: Limit = 200,
    as_json: Json = False,
) -> None:
    """Find what names a person: contact, tickets, supplements, mails in and out, rules about senders.

    What people wrote themselves in a mail is not searched: the helpdesk's own search does that.
    """

    async def work(connection: Connection) -> None:
        found = [asdict(one) for one in await people.find(connection, who, limit)]
        show_rows(_("things"), found if as_json else list(map(_readable, found)), as_json=as_json)

    with_database(work)


_WHAT: Final = {
    "contact": N_("contact"),
    "employee": N_("employee"),
    "ticket": N_("ticket"),
    "supplement": N_("supplement"),
    "mail": N_("mail"),
    "mail out": N_("mail out"),
    "sender rule": N_("sender rule"),
}
_ERASED: Final = {
    "contacts": N_("contacts"),
    "tickets": N_("tickets"),
    "supplements": N_("supplements"),
    "mails": N_("mails"),
    "mails_out": N_("mails out"),
    "sender_rules": N_("sender rules"),
}


def _readable(row: dict[str, Any]) -> dict[str, Any]:
    detail = row["detail"]
    if row["what"] in {"contact", "employee"}:
        detail = _("in use") if detail == "true" else _("no longer in use")
    return {**row, "what": _(_WHAT[row["what"]]), "detail": detail}


def erase(
    address: Annotated[str, typer.Argument(help="the address of the person")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="erase; without it only what would be erased is shown")] = False,
    as_json: Json = False,
) -> None:
    """Erase what is personal of an address: the contact's name and addresses, senders, recipients and the raw mails.

    Tickets and supplements stay, with what was written in them. The bytes go with the next night (sweep-blobs). It
    cannot be taken back, and a restored backup brings it back: erase again then. Works as importer_operator, with the
    secret database_password_operator.
    """
    try:
        wanted = Address().parse(address)
    except BadValue as error:
        raise BadValue(f"ADDRESS: {error}.") from None
    if not yes:
        find(wanted, limit=200, as_json=as_json)
        typer.echo(_("Nothing was erased: say --yes."), err=True)
        return
    try:
        told = asyncio.run(_erase(wanted))
    except Refused as refused:
        raise BadValue(sentence(refused)) from None
    if as_json:
        show_json(told)
    else:
        erased = [f"{count} {_(_ERASED.get(what, what.replace('_', ' ')))}" for what, count in told.items()]
        done(_("Erased: %(these)s.") % {"these": ", ".join(erased)})


async def _erase(address: str) -> dict[str, Any]:
    async with open_as_operator() as pool, one_transaction(pool) as connection:
        return await people.erase(connection, address)


COMMANDS: Final = {
    "people": group("people", "Where a person's data stands, and its erasure.", {"find": find, "erase": erase}),
}
