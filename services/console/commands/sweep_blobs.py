"""`helpdesk-importer sweep-blobs`: removes stored bytes that nothing needs any more (DESIGN 4); for a nightly timer."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Annotated, Final

import typer
from pydantic import Field

from shared.blobs.postgres import PostgresBlobs
from shared.configuration import Configuration, DatabaseUrl
from shared.database.pool import open_pool

_AT_ONCE: Final = 1000
"""Blobs of one transaction: none of them holds up a service that stores the same bytes for long."""
_PATIENCE: Final = timedelta(seconds=5)


class OperatorConfiguration(Configuration):
    """The configuration of the operator's jobs: where the database is. Their role is importer_operator."""

    database_url: DatabaseUrl = Field(
        description="postgresql://HOST:PORT/DATABASE; the role is importer_operator with the secret "
        "database_password_operator, unless the address holds credentials"
    )

    @property
    def database_dsn(self) -> str:
        """The URL with role and password."""
        url = self.with_credentials(self.database_url, "importer_operator", "database_password_operator")
        return url.get_secret_value()


def sweep_blobs(
    settled_days: Annotated[
        float, typer.Option(min=0, help="Only what belongs to mails that were settled this many days ago or longer.")
    ] = 7,
) -> None:
    """Remove stored bytes that nothing needs any more; for a nightly timer.

    Safe to repeat, beside the running services. Raw mails, images of tickets, and whatever belongs to a mail that is
    undecided, quarantined or has an open dead letter stay. Works as importer_operator: reads IMPORTER_DATABASE_URL and
    the secret database_password_operator.
    """
    removed = asyncio.run(_sweep(OperatorConfiguration.load().database_dsn, timedelta(days=settled_days)))
    typer.echo(f"{removed} blobs removed.")


async def _sweep(dsn: str, settled_for: timedelta) -> int:
    pool = await open_pool(dsn, application_name="helpdesk-importer sweep-blobs", max_size=1, patience=_PATIENCE)
    try:
        blobs = PostgresBlobs(pool)
        removed = 0
        while gone := await blobs.remove_unneeded(settled_for=settled_for, at_most=_AT_ONCE):
            removed += gone
        return removed
    finally:
        await pool.close()


COMMANDS: Final = {"sweep-blobs": sweep_blobs}
