"""`helpdesk-importer accounts check`: tries an outgoing account by a process of the notifier, who reads its secrets."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from services.console.output import Json, show_one
from services.console.repository import find
from services.console.resources import ACCOUNTS
from services.console.service_process import Unusable, ask
from services.console.session import with_pool
from shared.database.pool import Pool, connection


def check_account(
    account: Annotated[str, typer.Argument(help="the account's name or id")],
    *,
    again: Annotated[
        bool, typer.Option("--again", help="Try a login too that was refused, although that might lock the account.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Log in to an outgoing account without sending anything.

    Tells the protocol, the server and the login. A login that was refused is not tried while it rests. Runs as a
    process of the notifier, with the secrets database_password_notifier and encryption_keys.

    Exit codes: 0 the account can be used, 1 it cannot (a sentence says why and what to do), 78 bad configuration.
    """

    async def work(pool: Pool) -> dict[str, Any]:
        async with connection(pool) as acquired:
            account_id = await find(acquired, ACCOUNTS, account)
        return await ask("notifier", "check", str(account_id), *(["again"] if again else []))

    answer = with_pool(work)
    if answer["ok"] or as_json:
        show_one({"account": account, **answer}, as_json=as_json)
    if not answer["ok"]:
        raise Unusable(answer["problem"])
