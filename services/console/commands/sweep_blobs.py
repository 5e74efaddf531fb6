"""`helpdesk-importer sweep-blobs`: removes stored bytes that nothing needs any more (DESIGN 4), as `nightly` does."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Annotated, Final

import typer

from services.console.nightly.operator import open_as_operator
from services.console.nightly.retention import sweep_blobs as sweep
from services.console.output import number
from services.console.texts import ngettext


def sweep_blobs(
    settled_days: Annotated[
        float, typer.Option(min=0, help="Only what belongs to mails that were settled this many days ago or longer.")
    ] = 7,
) -> None:
    """Remove stored bytes that nothing needs any more; `nightly` does it each night.

    Safe to repeat, beside the running services. Raw mails, images of tickets, and whatever belongs to a mail that is
    undecided, quarantined or has an open dead letter stay. Works as importer_operator: reads IMPORTER_DATABASE_URL and
    the secret database_password_operator.
    """
    removed = asyncio.run(_sweep(timedelta(days=settled_days)))
    typer.echo(ngettext("%(count)s blob removed.", "%(count)s blobs removed.", removed) % {"count": number(removed)})


async def _sweep(settled_for: timedelta) -> int:
    async with open_as_operator("helpdesk-importer sweep-blobs") as pool:
        return await sweep(pool, settled_for)


COMMANDS: Final = {"sweep-blobs": sweep_blobs}
