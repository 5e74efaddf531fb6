"""Whether this process may read mailboxes and send mail from this database, or whether that is another's copy.

The database keeps for which server, database and secret `installation_id` it was confirmed (the table `installation`).
Elsewhere, and after it was brought back to an earlier moment, fetchers take no mailbox and notifiers no mail until a
person says `helpdesk-importer installation confirm`. Their statements ask the database each time, so that they stop and
go on without a restart; `Installation` presents the secret now and then, so that people are told.
"""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import suppress
from typing import Final

import structlog
from pydantic import SecretStr

from shared.database.pool import Pool, connection
from shared.errors import TryAgain

NO_SECRET: Final = b""
"""What a process presents that has no such secret: a copy of the cluster's files is then not told apart."""
PERIOD_SECONDS: Final = 5
HELD: Final = (
    "This database is not confirmed for this installation ({}): no mailbox is read and no mail is sent. "
    "helpdesk-importer installation show says why, installation confirm what would then happen."
)

_PRESENT: Final = "SELECT present_installation($1)"

log = structlog.get_logger(__name__)


def presented(secret: SecretStr | None) -> bytes:
    """What a process with this secret `installation_id` presents: its SHA-256; NO_SECRET without one."""
    return NO_SECRET if secret is None else hashlib.sha256(secret.get_secret_value().encode()).digest()


class Installation:
    """Presents this process to the database until it is told to stop."""

    def __init__(self, pool: Pool, presents: bytes) -> None:
        self._pool = pool
        self._presents = presents
        self._differs: list[str] = []

    async def run(self, stop: asyncio.Event) -> None:
        """Present it every PERIOD_SECONDS; an outage is waited out, since others tell of it."""
        while not stop.is_set():
            with suppress(TryAgain):
                await self.present()
            with suppress(TimeoutError):
                async with asyncio.timeout(PERIOD_SECONDS):
                    await stop.wait()

    async def present(self) -> None:
        """Present it once, and log what is news. Raises TryAgain."""
        async with connection(self._pool) as acquired:
            differs: list[str] = await acquired.fetchval(_PRESENT, self._presents)
        if differs and differs != self._differs:
            log.warning("installation_not_confirmed", differs=differs)
        elif self._differs and not differs:
            log.info("installation_confirmed")
        self._differs = differs

    def note(self) -> str | None:
        """The sentence for /health/ready while this process is kept from its work; None while it is not."""
        return HELD.format(", ".join(self._differs)) if self._differs else None
