"""`senders`: whose mail is quarantined on sight, and whose is let through although a wider rule blocks it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Final

import typer

from services.console.commands.arguments import helpdesk_id_of
from services.console.commands.signatures import group
from services.console.fields import BadValue
from services.console.output import Json, done, show_rows
from services.console.repairs import senders
from services.console.repairs.senders import NotASender, Pattern, Verdict
from services.console.session import with_database
from shared.database.pool import Connection

Sender = Annotated[str, typer.Argument(help="name@example.org, example.org (and all below it), or <a List-Id>")]
ListId = Annotated[bool, typer.Option("--list-id", help="SENDER is the List-Id of a mailing list")]
OfHelpdesk = Annotated[str | None, typer.Option("--helpdesk", help="only for this helpdesk's mailbox; else for all")]


def block(sender: Sender, helpdesk: OfHelpdesk = None, *, list_id: ListId = False) -> None:
    """Quarantine mail of this sender or mailing list from now on.

    The narrowest rule decides: an address, then a List-Id, then the longest domain; of two alike the helpdesk's own.
    """
    _put(sender, helpdesk, "block", is_list=list_id)


def allow(
    sender: Sender,
    helpdesk: OfHelpdesk = None,
    *,
    list_id: ListId = False,
    automatic: Annotated[
        bool,
        typer.Option("--automatic", help="what looks like a list's or a machine's is a person's mail, and is answered"),
    ] = False,
) -> None:
    """Let mail of this sender through, although a wider rule blocks it.

    With --automatic for systems that send real requests with the signs of a mailing list or an automatic reply.
    """
    _put(sender, helpdesk, "allow-automatic" if automatic else "allow", is_list=list_id)


def remove(sender: Sender, helpdesk: OfHelpdesk = None, *, list_id: ListId = False) -> None:
    """Take a rule away, of either kind."""
    pattern = _pattern(sender, is_list=list_id)

    async def work(connection: Connection) -> None:
        if not await senders.remove(connection, await helpdesk_id_of(connection, helpdesk), pattern):
            raise BadValue(f"There is no rule for the {pattern.kind} {pattern.text}{_where(helpdesk)}.")
        done(f"The rule for the {pattern.kind} {pattern.text}{_where(helpdesk)} is removed.")

    with_database(work)


def list_rules(
    helpdesk: Annotated[str | None, typer.Option(help="only the rules that count for this helpdesk")] = None,
    *,
    as_json: Json = False,
) -> None:
    """List the rules."""

    async def work(connection: Connection) -> None:
        rules = await senders.rules(connection, await helpdesk_id_of(connection, helpdesk))
        show_rows("sender rules", [asdict(rule) for rule in rules], as_json=as_json)

    with_database(work)


def _put(sender: str, helpdesk: str | None, verdict: Verdict, *, is_list: bool) -> None:
    pattern = _pattern(sender, is_list=is_list)
    verb = {
        "allow": "let through",
        "allow-automatic": "let through as a person's",
        "block": "quarantined",
    }[verdict]

    async def work(connection: Connection) -> None:
        await senders.put(connection, await helpdesk_id_of(connection, helpdesk), pattern, verdict)
        done(f"Mail of the {pattern.kind} {pattern.text} is {verb} from now on{_where(helpdesk)}.")

    with_database(work)


def _pattern(sender: str, *, is_list: bool) -> Pattern:
    try:
        return senders.pattern_of(sender, is_list=is_list)
    except NotASender as error:
        raise BadValue(f"{error} For a mailing list say --list-id." if error.kind is None else str(error)) from None


def _where(helpdesk: str | None) -> str:
    return " for all helpdesks" if helpdesk is None else f" for helpdesk {helpdesk}"


COMMANDS: Final = {
    "senders": group(
        "senders",
        "Senders and mailing lists that are blocked or let through.",
        {"list": list_rules, "block": block, "allow": allow, "remove": remove},
    )
}
