"""Loads the sample organisation and its earlier tickets into an empty, migrated database."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import asyncpg

from shared.errors import ImporterError

_HERE: Final = Path(__file__).parent
ORGANISATION: Final = _HERE / "organisation.sql"
EARLIER_TICKETS: Final = _HERE / "earlier_tickets.sql"


class NotEmpty(ImporterError):
    """The database has helpdesks already: the demonstration never touches somebody's data."""


async def load_organisation(console_url: str, *, mailboxes: Path, smtp_port: int) -> None:
    """Load organisation.sql as role importer_console; the Maildirs are folders of `mailboxes`. Raises NotEmpty."""
    connection = await asyncpg.connect(console_url)
    try:
        if await connection.fetchval("SELECT EXISTS (SELECT FROM helpdesk.helpdesks)"):
            raise NotEmpty("This database holds helpdesks already. The demonstration needs an empty one: `make demo`.")
        async with connection.transaction():
            await connection.execute("SELECT set_config('demo.mailboxes', $1, true)", str(mailboxes))
            await connection.execute("SELECT set_config('demo.smtp_port', $1, true)", str(smtp_port))
            await connection.execute(ORGANISATION.read_text(encoding="utf-8"))
    finally:
        await connection.close()


async def load_earlier_tickets(owner_url: str) -> None:
    """Load earlier_tickets.sql as the owner: no service and no console makes tickets of before the importer."""
    connection = await asyncpg.connect(owner_url)
    try:
        async with connection.transaction():
            await connection.execute(EARLIER_TICKETS.read_text(encoding="utf-8"))
    finally:
        await connection.close()
