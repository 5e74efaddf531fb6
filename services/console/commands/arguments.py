"""Arguments and options that several commands share, and what they become."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Annotated, Final

import typer

from services.console.fields import BadValue
from services.console.repairs import mails
from services.console.repository import find
from services.console.resources import HELPDESKS
from services.console.texts import _
from shared.database.pool import Connection
from shared.messages import MailId

_DIGITS: Final = 32
_HEXADECIMAL: Final = frozenset("0123456789abcdef")
_FEWEST: Final = 4
"""Digits of an id that name a mail, at least."""

MailIdArgument = Annotated[
    str, typer.Argument(metavar="MAIL_ID", help="the mail's id, or its beginning as `mails list` shows it")
]
MailIdArguments = Annotated[list[str], typer.Argument(metavar="MAIL_ID...", help="ids of mails, or their beginnings")]
OfHelpdesk = Annotated[str | None, typer.Option("--helpdesk", help="only of this helpdesk's mailbox")]
Limit = Annotated[int, typer.Option(min=1, max=10_000, help="at most so many, the newest first")]


async def mail_id_of(connection: Connection, typed: str) -> MailId:
    """The id of the mail that was typed, whole or its beginning; BadValue when it is none, or of more than one."""
    digits = typed.strip().lower().replace("-", "")
    if len(digits) == _DIGITS and not set(digits) - _HEXADECIMAL:
        return MailId(uuid.UUID(digits))
    if not _FEWEST <= len(digits) < _DIGITS or set(digits) - _HEXADECIMAL:
        raise BadValue(_("%(typed)r is no id of a mail; `mails list` shows them.") % {"typed": typed})
    match await mails.ids_that_begin_with(connection, digits):
        case []:
            raise BadValue(_("There is no mail %(mail_id)s; `mails list` shows them.") % {"mail_id": typed})
        case [mail_id]:
            return mail_id
    raise BadValue(_("The ids of several mails begin with %(typed)s: type more of it.") % {"typed": typed})


async def mail_ids_of(connection: Connection, typed: Sequence[str]) -> list[MailId]:
    """The ids of the mails that were typed, each once, in their order; BadValue as `mail_id_of`."""
    return list(dict.fromkeys([await mail_id_of(connection, one) for one in typed]))


async def helpdesk_id_of(connection: Connection, typed: str | None) -> int | None:
    """The id of the helpdesk that was typed by its name or id, None where none was; BadValue when there is no such."""
    return None if typed is None else await find(connection, HELPDESKS, typed)
