"""A service that is asked one thing, as a process of its own: `python -m services.NAME QUESTION …` (DESIGN 14).

    sys.exit(answer("fetcher", lambda asked: try_mailbox(asked, helpdesk_id)))

Who asks is `services.console`, which may not read what the service may. The answer is one JSON object on standard
output, in which `ok` says how it ended; exit codes: 0 ok, 1 not (the answer says why, or standard error does), 78 bad
configuration.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import structlog
from pydantic import Field, SecretStr

from shared import acting
from shared.configuration import Configuration, DatabaseUrl, ServiceName
from shared.database.pool import Pool, open_pool
from shared.errors import ImporterError, Misconfigured

_PATIENCE: Final = timedelta(seconds=5)

Answer = dict[str, Any]


class AskedConfiguration(Configuration):
    """What the process needs to know: the database, as its service."""

    service: ServiceName
    database_url: DatabaseUrl = Field(
        description="postgresql://HOST:PORT/DATABASE; the role is importer_SERVICE with the secret "
        "database_password_SERVICE, unless the address holds credentials"
    )

    @property
    def database_dsn(self) -> SecretStr:
        """The URL with role and password."""
        return self.with_credentials(self.database_url, f"importer_{self.service}", f"database_password_{self.service}")


@dataclass(frozen=True, slots=True)
class Asked:
    """What an answer is found with: the configuration with its secrets, and one connection to the database."""

    configuration: Configuration
    pool: Pool


def answer(service: ServiceName, find: Callable[[Asked], Awaitable[Answer]]) -> int:
    """Print what `find` answers; the exit code."""
    # standard output is for the answer alone: what happens on the way is in it, or in the error
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        answer = asyncio.run(_found(service, find))
    except ImporterError as error:
        sys.stderr.write(f"{error}\n")
        return os.EX_CONFIG if isinstance(error, Misconfigured) else 1
    sys.stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")
    return os.EX_OK if answer["ok"] else 1


def told_at(moment: datetime | None) -> str | None:
    """A moment as an answer tells it: in UTC, to the second (RFC 3339)."""
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


async def _found(service: ServiceName, find: Callable[[Asked], Awaitable[Answer]]) -> Answer:
    configuration = AskedConfiguration.load(service=service)
    acting.as_person(acting.named_by_environment())
    pool = await open_pool(
        configuration.database_dsn.get_secret_value(),
        application_name=f"{service} asked",
        max_size=1,
        patience=_PATIENCE,
    )
    async with pool:
        return await find(Asked(configuration, pool))
