"""Brings a database to a revision of the schema: `migrate` up, `downgrade` down, under an advisory lock."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from shared.database.roles import close_database, ensure_roles, set_passwords
from shared.errors import ImporterError, Misconfigured, Outage
from shared.sentences import Sentence

LOCK: Final = 0x68_65_6C_70_64_65_73_6B  # "helpdesk": who holds it migrates, the others wait
OLDEST_SERVER: Final = 150_000

_TAKE_LOCK: Final = f"SELECT pg_try_advisory_lock({LOCK})"
_TURN_SECONDS: Final = 0.2
"""Between tries. A statement that waited for the lock would hold a snapshot all the while, and the migration whose turn
it is could not build an index concurrently: that waits for every snapshot."""


class WouldLoseData(ImporterError):
    """A downgrade would destroy rows: restore a backup instead, or say that the data may go."""


def _alembic() -> Config:
    config = Config()
    config.set_main_option("script_location", "shared.database:migrations")
    return config


def newest_revision() -> str:
    """The number of the newest revision that this code brings."""
    head = ScriptDirectory.from_config(_alembic()).get_current_head()
    if head is None:
        raise AssertionError("there is no revision in shared/database/migrations")
    return head


def newest_before() -> str:
    """The newest revision that services of the version before survive: the second halves at the end wait."""
    revisions = list(ScriptDirectory.from_config(_alembic()).walk_revisions())  # the newest first
    return next(each.revision for each in revisions if getattr(each.module, "half", "before") != "after")


async def migrate(
    url: str,
    *,
    password: str | None = None,
    to: str | None = None,
    finish: bool = False,
    passwords: Mapping[str, str] | None = None,
) -> str:
    """Bring the database at `url` (as its owner) up to a revision; the one that it has then.

    That is the newest for a database without any, and with `finish`; else `newest_before`, or `to`. A database that is
    there or further stays as it is. `passwords` (role → password) lets those roles log in. Waits for another migration
    of the same database. Raises Outage when the server does not answer, Misconfigured when the login or the server
    cannot do it.
    """
    reached = ""

    def upgrade(connection: Connection) -> None:
        nonlocal reached
        config = _alembic()
        config.attributes["connection"] = connection
        target = to or (newest_revision() if finish or _present(connection) is None else newest_before())
        command.upgrade(config, target)
        reached = _present(connection) or ""

    await _run(url, password, upgrade, with_roles=passwords or {})
    return reached


def _present(connection: Connection) -> str | None:
    """The revision that the database is at; None: it has no schema of ours yet."""
    revision = MigrationContext.configure(connection, opts={"version_table_schema": "public"}).get_current_revision()
    connection.commit()
    return revision


async def downgrade(url: str, *, to: str, password: str | None = None, lose_data: bool = False) -> None:
    """Take the database back to revision `to` (`base`: none). WouldLoseData when rows would go, unless `lose_data`."""

    def take_back(connection: Connection) -> None:
        connection.execute(
            text("SELECT set_config('helpdesk.lose_data', :answer, false)"), {"answer": "yes" if lose_data else "no"}
        )
        connection.commit()
        config = _alembic()
        config.attributes["connection"] = connection
        command.downgrade(config, to)

    await _run(url, password, take_back)


async def _run(
    url: str,
    password: str | None,
    steps: Callable[[Connection], None],
    *,
    with_roles: Mapping[str, str] | None = None,
) -> None:
    async def connect() -> asyncpg.Connection:
        return await asyncpg.connect(
            url, password=password, server_settings={"application_name": "helpdesk-importer migrate"}
        )

    try:
        await _prepare(await connect(), with_roles, partial(_refused, url))
        engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
        try:
            async with engine.connect() as connection:

                async def take_lock() -> bool:
                    taken = bool((await connection.execute(text(_TAKE_LOCK))).scalar_one())
                    await connection.commit()
                    return taken

                await _until_it_is_our_turn(take_lock)
                await connection.run_sync(steps)
        finally:
            await engine.dispose()
    except (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError) as error:
        refused = Sentence(
            "The database refuses the login of its owner: %(why)s. Check the URL and password.", why=str(error)
        )
        raise Misconfigured(refused) from error
    except asyncpg.InvalidCatalogNameError as error:
        missing = Sentence("%(why)s. Create it first, owned by importer_owner.", why=str(error))
        raise Misconfigured(missing) from error
    except asyncpg.ObjectNotInPrerequisiteStateError as error:
        raise WouldLoseData(f"{error}. {error.hint or ''}".strip()) from error
    except asyncpg.InsufficientPrivilegeError as error:
        denied = Sentence("%(why)s. Migrations run as the owner of the database, importer_owner.", why=str(error))
        raise Misconfigured(denied) from error
    except CommandError as error:
        unknown = Sentence(
            "%(why)s. The newest revision of this version is %(newest)s.", why=str(error), newest=newest_revision()
        )
        raise Misconfigured(unknown) from error
    except ssl.SSLError as error:
        unsafe = Sentence(
            "No safe connection to the database: %(why)s. Check sslmode and its certificate.", why=str(error)
        )
        raise Misconfigured(unsafe) from error
    except (OSError, asyncpg.CannotConnectNowError) as error:
        silent = Sentence(
            "The database does not answer: %(why)s. Is it running, and is its address right?", why=str(error)
        )
        raise Outage(silent) from error


async def _until_it_is_our_turn(take_lock: Callable[[], Awaitable[bool]]) -> None:
    while not await take_lock():  # noqa: ASYNC110 - another process holds it, and PostgreSQL tells of no release
        await asyncio.sleep(_TURN_SECONDS)


async def _refused(url: str, passwords: Mapping[str, str]) -> list[str]:
    """The roles that cannot log in with their password. The others need no CREATEROLE, which the owner loses."""
    refused = []
    for role, password in passwords.items():
        try:
            connection = await asyncpg.connect(url, user=role, password=password)
        except (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError):
            refused.append(role)
        else:
            await connection.close()
    return refused


async def _prepare(
    connection: asyncpg.Connection,
    with_roles: Mapping[str, str] | None,
    refused: Callable[[Mapping[str, str]], Awaitable[list[str]]],
) -> None:
    try:
        version = await connection.fetchval("SELECT current_setting('server_version_num')::int")
        if version < OLDEST_SERVER:
            old = Sentence("PostgreSQL 15 or later is needed; this server is %(version)s.", version=version // 10_000)
            raise Misconfigured(old)
        encoding = await connection.fetchval("SHOW server_encoding")
        if encoding != "UTF8":
            other = Sentence(
                "The database must be encoded in UTF8, not %(encoding)s: create it anew.", encoding=encoding
            )
            raise Misconfigured(other)
        if not await connection.fetchval(
            "SELECT pg_has_role(datdba, 'MEMBER') FROM pg_database WHERE datname = current_database()"
        ):
            raise Misconfigured(
                Sentence("This login does not own the database: migrations run as its owner, importer_owner.")
            )
        if with_roles is not None:
            await _until_it_is_our_turn(lambda: connection.fetchval(_TAKE_LOCK))  # it ends with this connection
            await ensure_roles(connection)
            await set_passwords(connection, {role: with_roles[role] for role in await refused(with_roles)})
            await close_database(connection)
    finally:
        await connection.close()
