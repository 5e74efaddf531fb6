"""PostgreSQL: version, schema, roles, grants, logins, the clock, ticket numbers. Reads as importer_console."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Final

import asyncpg

from services.console.doctor.clocks import compared
from services.console.doctor.configuration import DoctorConfiguration
from services.console.doctor.findings import Finding, failure, warning, well
from services.console.output import in_words
from services.console.texts import N_
from shared.database.differences import Difference, differences_of
from shared.database.grants import expected_grants, grants_of, statement_of
from shared.database.migrate import OLDEST_SERVER, newest_revision
from shared.database.objects import Kind, expected_objects
from shared.database.pool import REQUIRED_REVISION, Connection
from shared.database.roles import ROLES
from shared.errors import Misconfigured, Outage
from shared.sentences import Sentence
from shared.standing.database import in_the_way
from shared.standing.needs import number_needs
from shared.standing.recorded import ticket_numbers

PART: Final = "PostgreSQL"
_MIGRATE: Final = Sentence("run helpdesk-importer migrate")
_LOCKED: Final = Sentence("The rest cannot be seen while a session has locked a table: status and doctor name it.")
_GIB: Final = 1024**3
_NAMED: Final = 3
_TOLD: Final = 20
"""Of so many objects one by one."""
_TOO_MIGHTY: Final = (
    "SELECT rolname FROM pg_roles WHERE rolname = ANY($1) AND (rolsuper OR rolcreaterole OR rolcreatedb)"
)
_MISSING: Final = (
    "SELECT name FROM unnest($1::text[]) name WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)"
)
_EXPIRED: Final = "SELECT rolname FROM pg_roles WHERE rolname = ANY($1) AND rolvaliduntil < now() ORDER BY 1"
_COLLATION: Final = """
SELECT datcollversion IS NOT NULL AND datcollversion IS DISTINCT FROM pg_database_collation_actual_version(oid)
FROM pg_database WHERE datname = current_database()
"""
_TABLES_GONE: Final = "SELECT name FROM unnest($1::text[]) name WHERE to_regclass(name) IS NULL"
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
                "lock_timeout": "2s",
                "TimeZone": "UTC",
            },
        )
    except (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError) as error:
        raise Misconfigured(
            Sentence(
                "The database refuses the login (%(error)s): %(migrate)s, which sets the passwords.",
                error=str(error),
                migrate=_MIGRATE,
            )
        ) from error
    except asyncpg.InvalidCatalogNameError as error:
        raise Misconfigured(
            Sentence(
                "%(error)s: create it, owned by importer_owner, and %(migrate)s.", error=str(error), migrate=_MIGRATE
            )
        ) from error
    except ssl.SSLError as error:
        raise Misconfigured(
            Sentence("There is no safe connection to it (%(error)s): see its certificate.", error=str(error))
        ) from error
    except asyncpg.TooManyConnectionsError as error:
        raise Outage(Sentence("It takes no more connections: raise max_connections, or see who holds them.")) from error
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        raise Outage(
            Sentence("The database does not answer (%(error)s): see whether it runs, and its log.", error=str(error))
        ) from error


async def examine_server(configuration: DoctorConfiguration) -> AsyncIterator[Finding]:
    """Version, size, clock."""
    connection = await connected(configuration)
    try:
        version = (await connection.fetchval("SHOW server_version")).partition(" ")[0]
        number = await connection.fetchval("SELECT current_setting('server_version_num')::int")
        if number < OLDEST_SERVER:
            yield failure(
                PART,
                Sentence(
                    "It is version %(version)s, and %(oldest)s is the oldest that does: upgrade it.",
                    version=version,
                    oldest=15,
                ),
            )
        else:
            size = await connection.fetchval("SELECT pg_database_size(current_database())")
            yield well(
                PART,
                Sentence(
                    "It answers, version %(version)s; the database takes %(size)s GiB.",
                    version=version,
                    size=f"{size / _GIB:.2f}",
                ),
            )
        asked = datetime.now(UTC)
        theirs = await connection.fetchval("SELECT clock_timestamp()")
        yield compared(PART, theirs, asked + (datetime.now(UTC) - asked) / 2)
        if trouble := await in_the_way(connection):
            yield failure(PART, trouble)
        if await connection.fetchval(_COLLATION):
            name = await connection.fetchval("SELECT quote_ident(current_database())")
            yield failure(
                PART,
                Sentence(
                    "Its operating system sorts otherwise than when its indexes were made, so that it may not find "
                    "what is there: while the services are stopped REINDEX DATABASE %(name)s, then ALTER DATABASE "
                    "%(name)s REFRESH COLLATION VERSION.",
                    name=name,
                ),
            )
    finally:
        connection.terminate()


async def examine_schema(configuration: DoctorConfiguration) -> AsyncIterator[Finding]:
    """Revision, rights of the roles, numbers of tickets."""
    connection = await connected(configuration)
    try:
        try:
            revision = await connection.fetchval(_REVISION)
        except (asyncpg.UndefinedTableError, asyncpg.InsufficientPrivilegeError):
            yield failure("schema", Sentence("The database has none of ours: %(migrate)s.", migrate=_MIGRATE))
            return
        newest = newest_revision()
        if int(revision) < int(REQUIRED_REVISION):
            yield failure(
                "schema",
                Sentence(
                    "It is at revision %(revision)s, this version needs %(needed)s: %(migrate)s.",
                    revision=revision,
                    needed=REQUIRED_REVISION,
                    migrate=_MIGRATE,
                ),
            )
            return
        if int(revision) < int(newest):
            yield warning(
                "schema",
                Sentence(
                    "It is at revision %(revision)s, and %(newest)s waits: run helpdesk-importer migrate --finish, "
                    "when no older version runs any more.",
                    revision=revision,
                    newest=newest,
                ),
            )
        elif int(revision) > int(newest):
            yield warning(
                "schema",
                Sentence(
                    "It is at revision %(revision)s, and this program is older (%(newest)s): upgrade it.",
                    revision=revision,
                    newest=newest,
                ),
            )
        else:
            yield well(
                "schema", Sentence("It is at revision %(revision)s, the newest of this version.", revision=revision)
            )
            async for finding in _grants(connection):
                yield finding
            async for finding in _objects(connection):
                yield finding
        async for finding in _numbers(connection):
            yield finding
    except asyncpg.LockNotAvailableError as error:
        raise Outage(_LOCKED) from error
    finally:
        connection.terminate()


async def _grants(connection: Connection) -> AsyncIterator[Finding]:
    missing_roles = [row["name"] for row in await connection.fetch(_MISSING, list(ROLES))]
    if missing_roles:
        yield failure(
            "roles", Sentence("There is no %(roles)s: %(migrate)s.", roles=", ".join(missing_roles), migrate=_MIGRATE)
        )
    for row in await connection.fetch(_TOO_MIGHTY, list(ROLES)):
        role = row["rolname"]
        yield warning(
            "roles",
            Sentence("%(role)s may do too much: ALTER ROLE %(role)s NOSUPERUSER NOCREATEROLE NOCREATEDB.", role=role),
        )
    for row in await connection.fetch(_EXPIRED, list(ROLES)):
        role = row["rolname"]
        yield failure(
            "roles",
            Sentence(
                "The password of %(role)s has an end, which is past: ALTER ROLE %(role)s VALID UNTIL 'infinity'.",
                role=role,
            ),
        )
    granted, expected = await grants_of(connection), expected_grants()
    if lacking := sorted(expected - granted):
        yield failure(
            "grants",
            Sentence(
                "Our roles lack rights (%(count)s): %(which)s. Grant them as importer_owner.",
                count=len(lacking),
                which=_some(lacking),
            ),
        )
    if beyond := sorted(granted - expected):
        yield warning(
            "grants",
            Sentence(
                "Our roles have more rights than needed (%(count)s): %(which)s. Revoke them.",
                count=len(beyond),
                which=_some(beyond),
            ),
        )
    if granted == expected:
        yield well("grants", Sentence("The roles have their %(count)s rights, and no others.", count=len(expected)))


async def _objects(connection: Connection) -> AsyncIterator[Finding]:
    different = await differences_of(connection)
    for each in different[:_TOLD]:
        yield (failure if each.is_grave else warning)("objects", each.sentence)
    if more := different[_TOLD:]:
        tell = failure if any(each.is_grave for each in more) else warning
        yield tell(
            "objects", Sentence("So it is with %(count)s more: helpdesk-importer doctor --sql.", count=len(more))
        )
    if not different:
        count = len(expected_objects())
        yield well("objects", Sentence("The %(count)s objects of the schema are as they were made.", count=count))


async def script(configuration: DoctorConfiguration) -> list[str]:
    """What brings back objects and rights of the schema, for psql: remarks and statements, in order; none: all is well.

    Raises Outage, and Misconfigured where the schema is not of the revision that this version knows.
    """
    connection = await connected(configuration)
    try:
        revision = await connection.fetchval(_REVISION)
        if revision != newest_revision():
            raise Misconfigured(
                Sentence(
                    "The schema is at revision %(revision)s, and this version knows the objects of %(newest)s.",
                    revision=revision,
                    newest=newest_revision(),
                )
            )
        different = await differences_of(connection)
        lacking = sorted(expected_grants() - await grants_of(connection))
        gone = [row["name"] for row in await connection.fetch(_TABLES_GONE, _tables())]
    except asyncpg.LockNotAvailableError as error:
        raise Outage(_LOCKED) from error
    except (asyncpg.UndefinedTableError, asyncpg.InsufficientPrivilegeError) as error:
        raise Misconfigured(Sentence("The database has none of ours: %(migrate)s.", migrate=_MIGRATE)) from error
    finally:
        connection.terminate()
    for_owner, for_superuser = ([each for each in different if each.by_superuser is who] for who in (False, True))
    grants = [statement_of(grant) for grant in lacking if _is_of(grant) not in gone]
    lines = [*_lines(for_owner), *(f"{grant};" for grant in grants)]
    return [
        *(["SET ROLE importer_owner;", *lines] if lines else []),
        *(["RESET ROLE;", *_lines(for_superuser)] if for_superuser else []),
    ]


def _is_of(grant: str) -> str:
    """The table of a right, or of a column that it is for."""
    _, _, kind, name = grant.split(" ", 3)
    return name.rpartition(".")[0] if kind == "column" else name


def _tables() -> list[str]:
    return [name for kind, name in expected_objects() if kind is Kind.TABLE]


def _lines(different: list[Difference]) -> Iterator[str]:
    for each in different:
        yield f"-- {in_words(each.sentence)}"
        if each.statement:
            yield f"{each.statement};"


async def _numbers(connection: Connection) -> AsyncIterator[Finding]:
    wanting = list(number_needs(await ticket_numbers(connection)))
    for need in wanting:
        yield (warning if need.key == "aliases" else failure)("ticket numbers", need.english, need.dutch)
    if not wanting:
        yield well("ticket numbers", Sentence("The pattern finds the newest ticket, the next one and all old numbers."))


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
            yield failure(
                "logins",
                Sentence(
                    "PostgreSQL refuses %(role)s with the secret %(secret)s: %(migrate)s, which sets it.",
                    role=role,
                    secret=secret,
                    migrate=_MIGRATE,
                ),
            )
        else:
            connection.terminate()
            taken += 1
    if taken:
        all_of_them = N_("Logins that PostgreSQL takes: %(count)s.")
        of_some = N_("Logins that PostgreSQL takes: %(count)s; secrets that are not at hand: %(others)s.")
        yield well("logins", Sentence(of_some if without else all_of_them, count=taken, others=without))


def _some(names: list[str]) -> str:
    named = ", ".join(names[:_NAMED])
    if len(names) <= _NAMED:
        return named
    return Sentence("%(named)s and %(more)s more", named=named, more=len(names) - _NAMED)
