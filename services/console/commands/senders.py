"""`senders`: whose mail is quarantined on sight, and whose is let through although a wider rule blocks it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Final

import typer

from services.console.commands.arguments import helpdesk_id_of
from services.console.commands.signatures import group
from services.console.fields import BadValue
from services.console.output import Json, done, show_rows, told_by
from services.console.repairs import senders
from services.console.repairs.senders import NotASender, Pattern, Verdict
from services.console.session import with_database
from services.console.texts import N_, _
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
            raise BadValue(_("There is no rule for %(whom)s %(where)s.") % _about(pattern, helpdesk))
        done(_("The rule for %(whom)s %(where)s is removed.") % _about(pattern, helpdesk))

    with_database(work)


def list_rules(
    helpdesk: Annotated[str | None, typer.Option(help="only the rules that count for this helpdesk")] = None,
    *,
    as_json: Json = False,
) -> None:
    """List the rules."""

    async def work(connection: Connection) -> None:
        rules = await senders.rules(connection, await helpdesk_id_of(connection, helpdesk))
        show_rows(_("sender rules"), [asdict(rule) for rule in rules], as_json=as_json)

    with_database(work)


def _put(sender: str, helpdesk: str | None, verdict: Verdict, *, is_list: bool) -> None:
    pattern = _pattern(sender, is_list=is_list)

    async def work(connection: Connection) -> None:
        await senders.put(connection, await helpdesk_id_of(connection, helpdesk), pattern, verdict)
        done(_(_FROM_NOW_ON[verdict]) % _about(pattern, helpdesk))

    with_database(work)


def _pattern(sender: str, *, is_list: bool) -> Pattern:
    try:
        return senders.pattern_of(sender, is_list=is_list)
    except NotASender as error:
        sentences = [told_by(error), *([_("For a mailing list say --list-id.")] * (error.kind is None))]
        raise BadValue(" ".join(sentences)) from None


_FROM_NOW_ON: Final[Mapping[Verdict, str]] = {
    "allow": N_("Mail of %(whom)s is let through from now on %(where)s."),
    "allow-automatic": N_("Mail of %(whom)s is let through as a person's from now on %(where)s."),
    "block": N_("Mail of %(whom)s is quarantined from now on %(where)s."),
}
_WHOM: Final = {
    "address": N_("the address %(text)s"),
    "domain": N_("the domain %(text)s"),
    "list": N_("the list %(text)s"),
}


def _about(pattern: Pattern, helpdesk: str | None) -> dict[str, str]:
    where = _("for all helpdesks") if helpdesk is None else _("for helpdesk %(helpdesk)s") % {"helpdesk": helpdesk}
    return {"whom": _(_WHOM[pattern.kind]) % {"text": pattern.text}, "where": where}


COMMANDS: Final = {
    "senders": group(
        "senders",
        "Senders and mailing lists that are blocked or let through.",
        {"list": list_rules, "block": block, "allow": allow, "remove": remove},
    )
}
