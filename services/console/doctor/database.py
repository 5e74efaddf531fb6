"""PostgreSQL: version, schema, roles, grants, logins, the clock, ticket numbers. Reads as importer_console."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Final

import asyncpg

from services.console.doctor.clocks import compared
from services.console.doctor.configuration import DoctorConfiguration
from services.console.doctor.findings import Finding, failure, warning, well
from shared.counted import many
from shared.database.grants import expected_grants, grants_of
from shared.database.migrate import OLDEST_SERVER, newest_revision
from shared.database.pool import REQUIRED_REVISION, Connection
from shared.database.roles import ROLES
from shared.errors import Misconfigured, Outage
from shared.standing.needs import number_needs
from shared.standing.recorded import ticket_numbers

PART: Final = "PostgreSQL"
_MIGRATE: Final = "run helpdesk-importer migrate"
_GIB: Final = 1024**3
_NAMED: Final = 3
_TOO_MIGHTY: Final = (
    "SELECT rolname FROM pg_roles WHERE rolname = ANY($1) AND (rolsuper OR rolcreaterole OR rolcreatedb)"
)
_MISSING: Final = (
    "SELECT name FROM unnest($1::text[]) name WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)"
)
_REVISION: Final = "SELECT version_num FROM public.alembic_version"


async def connected(configuration: DoctorConfiguration, dsn: str | None = None) -> asyncpg.Connection:
    """A connection as importer_console, or as `dsn` says, whatever the schema is. Raises Outage and Misconfigured."""
    try:
        return await asyncpg.connect(
            dsn or configuration.database_dsn.get_secret_value(),
            timeout=10,
            server_settings={
                "application_name": "helpdesk-importer doctor",
                "search_path": "helpdesk",
                "TimeZone": "UTC",
            },
        )
    except (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError) as error:
        raise Misconfigured(
            f"The database refuses the login ({error}): {_MIGRATE}, which sets the passwords."
        ) from error
    except asyncpg.InvalidCatalogNameError as error:
        raise Misconfigured(f"{error}: create it, owned by importer_owner, and {_MIGRATE}.") from error
    except ssl.SSLError as error:
        raise Misconfigured(f"There is no safe connection to it ({error}): see its certificate.") from error
    except asyncpg.TooManyConnectionsError as error:
        raise Outage("It takes no more connections: raise max_connections, or see who holds them.") from error
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        raise Outage(f"The database does not answer ({error}): see whether it runs, and its log.") from error


async def examine_server(configuration: DoctorConfiguration) -> AsyncIterator[Finding]:
    """Version, size, clock."""
    connection = await connected(configuration)
    try:
        version = (await connection.fetchval("SHOW server_version")).partition(" ")[0]
        number = await connection.fetchval("SELECT current_setting('server_version_num')::int")
        if number < OLDEST_SERVER:
            yield failure(PART, f"It is version {version}, and 15 is the oldest that does: upgrade it.")
        else:
            size = await connection.fetchval("SELECT pg_database_size(current_database())")
            yield well(PART, f"It answers, version {version}; the database takes {size / _GIB:.2f} GiB.")
        asked = datetime.now(UTC)
        theirs = await connection.fetchval("SELECT clock_timestamp()")
        yield compared(PART, theirs, asked + (datetime.now(UTC) - asked) / 2)
        if await connection.fetchval("SELECT pg_is_in_recovery()"):
            yield failure(PART, "It is a standby, which takes nothing: let the address lead to the primary.")
    finally:
        connection.terminate()


async def examine_schema(configuration: DoctorConfiguration) -> AsyncIterator[Finding]:
    """Revision, rights of the roles, numbers of tickets."""
    connection = await connected(configuration)
    try:
        try:
            revision = await connection.fetchval(_REVISION)
        except (asyncpg.UndefinedTableError, asyncpg.InsufficientPrivilegeError):
            yield failure("schema", f"The database has none of ours: {_MIGRATE}.")
            return
        newest = newest_revision()
        if int(revision) < int(REQUIRED_REVISION):
            yield failure(
                "schema", f"It is at revision {revision}, this version needs {REQUIRED_REVISION}: {_MIGRATE}."
            )
            return
        if int(revision) < int(newest):
            yield warning(
                "schema",
                f"It is at revision {revision}, and {newest} waits: {_MIGRATE} --finish, when no older "
                "version runs any more.",
            )
        elif int(revision) > int(newest):
            yield warning("schema", f"It is at revision {revision}, and this program is older ({newest}): upgrade it.")
        else:
            yield well("schema", f"It is at revision {revision}, the newest of this version.")
            async for finding in _grants(connection):
                yield finding
        async for finding in _numbers(connection):
            yield finding
    finally:
        connection.terminate()


async def _grants(connection: Connection) -> AsyncIterator[Finding]:
    missing_roles = [row["name"] for row in await connection.fetch(_MISSING, list(ROLES))]
    if missing_roles:
        yield failure("roles", f"There is no {', '.join(missing_roles)}: {_MIGRATE}.")
    for row in await connection.fetch(_TOO_MIGHTY, list(ROLES)):
        role = row["rolname"]
        yield warning("roles", f"{role} may do too much: ALTER ROLE {role} NOSUPERUSER NOCREATEROLE NOCREATEDB.")
    granted, expected = await grants_of(connection), expected_grants()
    if lacking := sorted(expected - granted):
        yield failure(
            "grants",
            f"{many(len(lacking), 'right')} of our roles lack: {_some(lacking)}. Grant them as importer_owner.",
        )
    if beyond := sorted(granted - expected):
        yield warning("grants", f"{many(len(beyond), 'right')} more than needed: {_some(beyond)}. Revoke them.")
    if granted == expected:
        yield well("grants", f"The roles have their {len(expected)} rights, and no others.")


async def _numbers(connection: Connection) -> AsyncIterator[Finding]:
    wanting = list(number_needs(await ticket_numbers(connection)))
    for need in wanting:
        yield (warning if need.key == "aliases" else failure)("ticket numbers", need.english)
    if not wanting:
        yield well("ticket numbers", "The pattern finds the newest ticket, the next one and all old numbers.")


async def examine_logins(configuration: DoctorConfiguration) -> AsyncIterator[Finding]:
    """Whether each role whose secret is at hand may log in with it."""
    taken, without = 0, 0
    for role, secret in ROLES.items():
        login = configuration.login_to_database(role, secret)
        if login is None:
            without += 1
            continue
        try:
            connection = await connected(configuration, login.get_secret_value())
        except Misconfigured:
            yield failure("logins", f"PostgreSQL refuses {role} with the secret {secret}: {_MIGRATE}, which sets it.")
        else:
            connection.terminate()
            taken += 1
    if taken:
        yield well("logins", f"PostgreSQL takes {many(taken, 'role')} with their secrets{_others(without)}.")


def _others(without: int) -> str:
    return f"; {many(without, 'secret')} of others are not at hand" if without else ""


def _some(names: list[str]) -> str:
    return ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
