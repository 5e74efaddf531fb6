"""`retention`: after how many days raw mails go, and the memory of what was imported."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Annotated, Any, Final

import typer

from services.console.commands.signatures import group
from services.console.fields import BadValue, Whole
from services.console.nightly import retention
from services.console.output import Json, done, show_one
from services.console.session import with_database
from services.console.texts import _
from shared.database.pool import Connection

Days = Annotated[str | None, typer.Option(metavar="DAYS", help="after so many days; empty: never")]


def show(*, as_json: Json = False) -> None:
    """Show how long what is kept."""

    async def work(connection: Connection) -> None:
        show_one(asdict(await retention.kept_for(connection)), as_json=as_json)

    with_database(work)


def change(*, raw_mails: Days = None, identities: Days = None) -> None:
    """Say after how many days raw mails go, and after how many more it is forgotten what was imported.

    Days count from a mail's outcome, and from the completion of its ticket: a raw mail stays while its ticket is open,
    while it waits in quarantine for a person or has an open dead letter. `nightly` removes what is due.
    """
    given = {"raw_mail_days": _days(raw_mails), "identity_days": _days(identities)}
    chosen: dict[str, Any] = {name: value[0] for name, value in given.items() if value}
    if not chosen:
        raise BadValue(_("Nothing to change was given: --raw-mails, --identities."))

    async def work(connection: Connection) -> None:
        await retention.keep_for(connection, replace(await retention.kept_for(connection), **chosen))
        done(_("It is kept so long from now on."))

    with_database(work)


def _days(typed: str | None) -> tuple[int | None] | None:
    """What was typed: None for nothing, (None,) for never."""
    if typed is None:
        return None
    return (Whole(1, 36_500).parse(typed),) if typed.strip() else (None,)


COMMANDS: Final = {"retention": group("retention", "How long raw mails are kept.", {"show": show, "set": change})}
