"""The login of the operator's jobs: importer_operator, who alone may remove what nothing needs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

from pydantic import Field

from services.console.texts import N_
from shared.configuration import Configuration, DatabaseUrl
from shared.database.pool import Pool, open_pool

_PATIENCE: Final = timedelta(seconds=5)


class OperatorConfiguration(Configuration):
    """The configuration of the operator's jobs: where the database is. Their role is importer_operator."""

    database_url: DatabaseUrl = Field(
        description=N_(
            "postgresql://HOST:PORT/DATABASE; the role is importer_operator with the secret "
            "database_password_operator, unless the address holds credentials"
        )
    )

    @property
    def database_dsn(self) -> str:
        """The URL with role and password."""
        url = self.with_credentials(self.database_url, "importer_operator", "database_password_operator")
        return url.get_secret_value()


@asynccontextmanager
async def open_as_operator(name: str = "helpdesk-importer", *, connections: int = 1) -> AsyncIterator[Pool]:
    """A pool as importer_operator, closed at the end. Raises Misconfigured, or Outage after five seconds."""
    dsn = OperatorConfiguration.load().database_dsn
    pool = await open_pool(dsn, application_name=name, max_size=connections, patience=_PATIENCE)
    try:
        yield pool
    finally:
        await pool.close()
