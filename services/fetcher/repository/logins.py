"""The logins in use, at whatever mailbox or outgoing account: what the fetcher shows and announces of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shared.database.pool import Pool, connection

_IN_USE: Final = """
    SELECT login.id, login.name, login.expires_at, state.refused_logins
    FROM logins AS login JOIN login_states AS state ON state.login_id = login.id
    WHERE EXISTS (SELECT FROM importer_settings WHERE login_id = login.id AND enabled)
        OR EXISTS (SELECT FROM outgoing_accounts WHERE login_id = login.id)"""

_TELL_ENDING: Final = """
    UPDATE login_states SET expiry_told_on = current_date
    WHERE login_id = $1 AND expiry_told_on IS DISTINCT FROM current_date"""
"""One fetcher a day tells it."""


@dataclass(frozen=True, slots=True)
class LoginInUse:
    """A login that a mailbox which is on, or an outgoing account, uses."""

    id: int
    name: str
    expires_at: datetime | None
    refused_logins: int


class LoginRepository:
    """The logins, as one fetcher sees them."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def in_use(self) -> list[LoginInUse]:
        """Every login in use."""
        async with connection(self._pool) as acquired:
            return [LoginInUse(**row) for row in await acquired.fetch(_IN_USE)]

    async def tell_ending(self, login_id: int) -> bool:
        """Whether nobody told today that this login ends; then it counts as told."""
        async with connection(self._pool) as acquired:
            return bool(await acquired.execute(_TELL_ENDING, login_id) == "UPDATE 1")
