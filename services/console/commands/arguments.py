"""Arguments and options that several commands share, and what they become."""

from __future__ import annotations

import uuid
from typing import Annotated

import typer

from services.console.fields import BadValue
from services.console.repository import find
from services.console.resources import HELPDESKS
from shared.database.pool import Connection
from shared.messages import MailId

MailIdArgument = Annotated[str, typer.Argument(metavar="MAIL_ID", help="the mail's id, as `mails list` shows it")]
MailIdArguments = Annotated[list[str], typer.Argument(metavar="MAIL_ID...", help="ids of mails")]
OfHelpdesk = Annotated[str | None, typer.Option("--helpdesk", help="only of this helpdesk's mailbox")]
Limit = Annotated[int, typer.Option(min=1, max=10_000, help="at most so many, the newest first")]


def mail_id_of(typed: str) -> MailId:
    """The id that was typed; BadValue when it is none."""
    try:
        return MailId(uuid.UUID(typed.strip()))
    except ValueError:
        raise BadValue(f"{typed!r} is no id of a mail; `mails list` shows them.") from None


async def helpdesk_id_of(connection: Connection, typed: str | None) -> int | None:
    """The id of the helpdesk that was typed by its name or id, None where none was; BadValue when there is no such."""
    return None if typed is None else await find(connection, HELPDESKS, typed)
