"""`helpdesk-importer check-mailbox`: tries a mailbox by a process of the fetcher, which alone knows mailboxes."""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer

from services.console.output import Json, show_one
from services.console.repository import find
from services.console.resources import HELPDESKS
from services.console.service_process import Unusable, ask
from services.console.session import with_pool
from services.console.texts import texts
from shared.database.pool import Pool, connection
from shared.standing.problems import problem_in_english


def check_mailbox(
    helpdesk: Annotated[str, typer.Argument(help="the helpdesk's name or id")],
    *,
    again: Annotated[
        bool, typer.Option("--again", help="Try a login too that was refused, although that might lock the account.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Try a helpdesk's mailbox without changing anything in it.

    Logs in with the saved settings, whether the importer is on or off, counts the unread mails (the junk folder's
    too), and tells the kind, the login and the server that was found. A login that was refused is not tried while it
    rests. Runs as a process of the fetcher, with the secrets database_password_fetcher and encryption_keys.

    Exit codes: 0 the mailbox can be used, 1 it cannot (a sentence says why and what to do), 78 bad configuration.
    """

    async def work(pool: Pool) -> dict[str, Any]:
        async with connection(pool) as acquired:
            helpdesk_id = await find(acquired, HELPDESKS, helpdesk)
        return await ask("fetcher", "check", str(helpdesk_id), *(["again"] if again else []))

    answer = with_pool(work)
    if answer["ok"] or as_json:
        show_one({"helpdesk": helpdesk, **answer}, as_json=as_json)
    if not answer["ok"]:
        problem, kind = answer["problem"], answer.get("problem_kind")
        raise Unusable(problem if texts().language == "nl" else problem_in_english(kind, problem))


COMMANDS: Final = {"check-mailbox": check_mailbox}
