"""Loads the sample organisation and its earlier tickets into an empty, migrated database."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import asyncpg
from pydantic import SecretStr

from shared.database.sealing_keys import published_key
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


async def addresses_of(console_url: str, mailboxes: Mapping[str, str]) -> dict[str, str]:
    """The address of each mailbox, which is given with the name of its helpdesk."""
    connection = await asyncpg.connect(console_url)
    try:
        rows = await connection.fetch("SELECT name, sender_address FROM helpdesk.helpdesks")
    finally:
        await connection.close()
    by_helpdesk = {row["name"]: row["sender_address"] for row in rows}
    return {mailbox: by_helpdesk[helpdesk] for mailbox, helpdesk in mailboxes.items()}


async def move_mailbox(console_url: str, helpdesk: str, settings: Mapping[str, str | int]) -> None:
    """Let the importer of a helpdesk read another mailbox than its Maildir; nothing when `settings` name none."""
    columns: dict[str, Any] = {"server": None, **settings}
    if not settings:
        return
    password = columns.pop("password")
    connection = await asyncpg.connect(console_url)
    try:
        columns["password_encrypted"] = (await published_key(connection)).seal(SecretStr(str(password)))
        assigned = ", ".join(f"{column} = ${number}" for number, column in enumerate(columns, start=2))
        await connection.execute(
            f"UPDATE helpdesk.importer_settings SET {assigned}"  # noqa: S608 - our own column names
            " WHERE helpdesk_id = (SELECT id FROM helpdesk.helpdesks WHERE name = $1)",
            helpdesk,
            *columns.values(),
        )
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
