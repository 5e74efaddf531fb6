"""`backlog`: old mail that waits in a mailbox until a person chooses what becomes of it (SPEC D18)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Final

import typer

from services.console import repository
from services.console.commands.signatures import group
from services.console.fields import BadValue
from services.console.output import Json, done, number, show_rows
from services.console.repairs import backlog
from services.console.resources import HELPDESKS
from services.console.session import with_database
from services.console.texts import N_, _, ngettext
from shared.database.pool import Connection
from shared.messages import ImportChoice

_WHAT_HAPPENS: Final = {
    ImportChoice.IMPORT: N_("imported, and the mails about them are sent"),
    ImportChoice.IMPORT_WITHOUT_MAILS: N_("imported, and no mail is sent about them"),
    ImportChoice.MARK_READ: N_("marked read and kept in quarantine"),
}


def list_waiting(*, as_json: Json = False) -> None:
    """List the mailboxes in which old mail waits, and what was chosen for it."""

    async def work(connection: Connection) -> None:
        backlogs = await backlog.waiting(connection)
        show_rows(_("mailboxes with a backlog"), [asdict(one) for one in backlogs], as_json=as_json)

    with_database(work)


def choose(
    helpdesk: Annotated[str, typer.Argument(help="the helpdesk's name or id")],
    choice: Annotated[ImportChoice, typer.Argument(help="what becomes of the mails that wait now")],
) -> None:
    """Choose for the old mails that wait now; what becomes old later is asked about anew."""

    async def work(connection: Connection) -> None:
        chosen = await backlog.choose(connection, await repository.find(connection, HELPDESKS, helpdesk), choice)
        if chosen is None:
            raise BadValue(_("No old mail of helpdesk %(helpdesk)s waits for a choice.") % {"helpdesk": helpdesk})
        sentence = ngettext(
            "%(count)s mail of helpdesk %(helpdesk)s will be %(what)s.",
            "%(count)s mails of helpdesk %(helpdesk)s will be %(what)s.",
            chosen,
        )
        done(sentence % {"count": number(chosen), "helpdesk": helpdesk, "what": _(_WHAT_HAPPENS[choice])})

    with_database(work)


COMMANDS: Final = {
    "backlog": group("backlog", "Old mail that waits for a person's choice.", {"list": list_waiting, "choose": choose})
}
