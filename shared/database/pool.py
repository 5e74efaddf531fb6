"""The pool of connections to PostgreSQL, and what a trouble with it means to the caller.

    pool = await open_pool(url, application_name="classifier")
    async with transaction(pool) as connection:
        await connection.execute(…)

Names are found in schema `helpdesk`; jsonb comes and goes as Python objects. A database that is away becomes `Outage`;
a conflict with another transaction, a migration meanwhile or a statement that takes too long `TryAgain`, a right or an
object that was taken away `SchemaLacks`; everything else stays asyncpg's. Whatever the server says to a new connection
of a pool that has worked is an outage: a role that may not log in for a while, a certificate that is being replaced, a
full disk.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypeAlias

import asyncpg
import structlog
from asyncpg.pool import PoolConnectionProxy

from shared.acting import actor
from shared.errors import Misconfigured, Outage, TryAgain
from shared.sentences import Sentence, said_by

if TYPE_CHECKING:
    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]
    Pool: TypeAlias = asyncpg.Pool[asyncpg.Record]
else:
    Connection = asyncpg.Connection | PoolConnectionProxy
    Pool = asyncpg.Pool

REQUIRED_REVISION: Final = "0046"
"""The oldest schema that this code runs on; newer ones are made to be survived (migrations come in halves)."""

_SAME_PLANS: Final[dict[str, str]] = {
    "plan_cache_mode": "force_generic_plan",
    # a plan made while a table is empty would go through all of it, and be kept until somebody analyses the table
    "enable_seqscan": "off",
}

_WRITE_TO_THE_LOG: Final = "SELECT pg_logical_emit_message(true, 'helpdesk-importer', '')"

_TAKES_NO_CHANGES: Final = "SELECT current_setting('transaction_read_only')::boolean"

_IN_THE_NAME_OF: Final = "SELECT set_config('helpdesk.actor', $1, true)"

_DELAYS: Final = (0.2, 0.5, 1.0, 2.0, 5.0)
"""Seconds between the attempts to reach the database at the start; the last one repeats."""

_AWAY: Final = (
    asyncpg.PostgresConnectionError,  # class 08
    asyncpg.OperatorInterventionError,  # class 57: shut down, starting up, terminated by an administrator
    asyncpg.TooManyConnectionsError,
    asyncpg.DiskFullError,
    asyncpg.OutOfMemoryError,
    asyncpg.PostgresSystemError,  # class 58: the server's disk cannot be read or written
    asyncpg.ReadOnlySQLTransactionError,  # a standby answers: the server is failing over
)
_LACKING: Final = (
    asyncpg.InsufficientPrivilegeError,
    asyncpg.UndefinedTableError,
    asyncpg.UndefinedColumnError,
    asyncpg.UndefinedFunctionError,
    asyncpg.UndefinedObjectError,
    asyncpg.InvalidColumnReferenceError,  # ON CONFLICT on what no constraint keeps unique any more
)
_CONFLICTS: Final = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError, asyncpg.LockNotAvailableError)

Waiting: TypeAlias = Callable[[int, float, Outage], None]
"""Hears that the database does not answer: which attempt it was, seconds until the next, and why."""

log = structlog.get_logger(__name__)


class SchemaLacks(TryAgain):
    """A right or an object that the schema had is gone: no message is to blame, and none is given up for it."""


def log_waiting(attempt: int, delay: float, outage: Outage) -> None:
    """Log it."""
    log.warning("database_waiting", attempt=attempt, retry_in_seconds=delay, problem=str(outage))


async def open_pool(
    url: str,
    *,
    application_name: str,
    password: str | None = None,
    min_size: int = 1,
    max_size: int = 10,
    statement_timeout: timedelta = timedelta(seconds=30),
    patience: timedelta | None = None,
    same_plans: bool = False,
    waiting: Waiting = log_waiting,
) -> Pool:
    """A pool on the database at `url`, once it answers and its schema is new enough.

    With `same_plans` each statement is planned once for all its parameters: for those who ask the same for each mail,
    of which planning would be the greater part. Not for lists with filters that may be left out.

    A database that does not answer is waited for, for ever or for `patience` (then Outage); `waiting` hears of each
    attempt that failed, which is logged if nothing is given.
    Misconfigured: it refuses the login, does not exist, or has an older schema than this code needs.
    """
    deadline = None if patience is None else asyncio.get_running_loop().time() + patience.total_seconds()
    attempt = 0
    while True:
        try:
            return await _open(
                url,
                application_name=application_name,
                password=password,
                min_size=min_size,
                max_size=max_size,
                statement_timeout=statement_timeout,
                same_plans=same_plans,
            )
        except Outage as outage:
            delay = _DELAYS[min(attempt, len(_DELAYS) - 1)]
            attempt += 1
            if deadline is not None and asyncio.get_running_loop().time() + delay > deadline:
                raise
            waiting(attempt, delay, outage)
            await asyncio.sleep(delay)


async def _open(
    url: str,
    *,
    application_name: str,
    password: str | None,
    min_size: int,
    max_size: int,
    statement_timeout: timedelta,
    same_plans: bool,
) -> Pool:
    milliseconds = int(statement_timeout.total_seconds() * 1000)
    try:
        with _outages():
            pool = await asyncpg.create_pool(
                url,
                password=password,
                min_size=min_size,
                max_size=max_size,
                init=_use_python_objects_for_json,
                reset=_keep_as_it_is,
                timeout=10,
                # The server ends a slow statement itself; this ends one whose answer never arrives.
                command_timeout=statement_timeout.total_seconds() + 15,
                server_settings={
                    "application_name": application_name,
                    "search_path": "helpdesk",
                    "statement_timeout": str(milliseconds),
                    "idle_in_transaction_session_timeout": str(2 * milliseconds),
                    "TimeZone": "UTC",
                    "jit": "off",  # it pays for reports; ours are estimated large and are done in a millisecond
                    **(_SAME_PLANS if same_plans else {}),
                },
            )
    except (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError) as error:
        refused = Sentence("The database refuses the login: %(why)s. Check the role and its password.", why=str(error))
        raise Misconfigured(refused) from error
    except asyncpg.InternalServerError as error:  # class XX: it cannot write its own files, on a full disk
        raise Outage(Sentence("The database cannot serve: %(why)s.", why=str(error))) from error
    except asyncpg.InvalidCatalogNameError as error:
        missing = Sentence("%(why)s. Create it, then run `helpdesk-importer migrate`.", why=str(error))
        raise Misconfigured(missing) from error
    except ssl.SSLError as error:
        raise Misconfigured(
            Sentence("No safe connection to the database: %(why)s. Check sslmode, and its certificate.", why=str(error))
        ) from error
    try:
        async with transaction(pool) as connection:
            await _check_schema(connection)
    except BaseException:
        pool.terminate()
        raise
    return pool


async def _keep_as_it_is(_: Connection) -> None:
    """No statement of ours changes its session: asyncpg's four statements at each return would undo nothing.

    A transaction that was left open is rolled back by asyncpg before this.
    """


async def _use_python_objects_for_json(connection: Connection) -> None:
    await connection.set_type_codec("jsonb", schema="pg_catalog", encoder=json.dumps, decoder=json.loads)


async def _check_schema(connection: Connection) -> None:
    revision: str | None = None
    if await connection.fetchval("SELECT to_regclass('public.alembic_version') IS NOT NULL"):
        revision = await connection.fetchval("SELECT version_num FROM public.alembic_version")
    if revision is None or int(revision) < int(REQUIRED_REVISION):
        older = Sentence(
            "The database's schema is at revision %(revision)s, this version needs %(needed)s. "
            "Run `helpdesk-importer migrate` first.",
            revision=revision or Sentence("none"),
            needed=REQUIRED_REVISION,
        )
        raise Misconfigured(older)


@asynccontextmanager
async def transaction(pool: Pool) -> AsyncIterator[Connection]:
    """A connection of the pool inside a transaction: committed at the end, rolled back on an error.

    Where a person acts (`shared.acting`), the audit log of the database records what it changes in his name. Raises
    Outage when the database is away, TryAgain on a conflict with another transaction or a statement timeout.
    """
    async with connection(pool) as acquired, acquired.transaction():
        if (person := actor()) is not None:
            await acquired.execute(_IN_THE_NAME_OF, person)
        yield acquired


@asynccontextmanager
async def connection(pool: Pool) -> AsyncIterator[Connection]:
    """A connection of the pool, each statement for itself. Raises what `transaction` raises."""
    with _outages(), _refusals():
        acquired = await pool.acquire()
    try:
        with _conflicts(), _outages_of(acquired):
            yield acquired
    finally:
        with _outages():
            await pool.release(acquired)


async def check_takes_changes(pool: Pool) -> None:
    """For /health/ready and consumers: raise Outage while the database is away, or answers and takes no changes.

    A locked table is none of it: the service has other work meanwhile, and `status` names who locks it.
    """
    async with connection(pool) as acquired:
        if await acquired.fetchval(_TAKES_NO_CHANGES):
            raise Outage(
                Sentence("The database takes no changes: it is a standby, or default_transaction_read_only is on.")
            )


async def confirm_found(connection: Connection) -> None:
    """Return (in a transaction: let its commit return) once a synchronous standby has all that we have seen.

    A commit whose wait for the standby was cut off stands on the primary alone, where everybody sees it. Who finds
    such a row written needs write nothing, and so would wait for nothing: this is for who then lets go of what the row
    was made of (acknowledges a message, marks or removes a mail). Locking or changing the row does as well.
    """
    await connection.execute(_WRITE_TO_THE_LOG)


def _what(error: Exception) -> str:
    """Its sentence, or its name where it has none."""
    return said_by(error) or type(error).__name__


@contextmanager
def _refusals() -> Iterator[None]:
    """While a pool that has worked connects anew: what would be a wrong setting at the start is not one now."""
    try:
        yield
    except (ssl.SSLError, asyncpg.PostgresError, Misconfigured) as error:
        raise Outage(Sentence("The database lets nobody in: %(why)s.", why=_what(error))) from error


@contextmanager
def _outages() -> Iterator[None]:
    """While connecting: whatever the network or the server says is an outage."""
    try:
        yield
    except ssl.SSLError:
        raise
    except ConnectionError as error:
        if "rejected SSL upgrade" in str(error):  # asyncpg's words
            without_tls = Sentence(
                "The database offers no TLS, which is required on the way to it: switch `ssl` on there."
            )
            raise Misconfigured(without_tls) from error
        raise Outage(Sentence("The database does not answer: %(why)s.", why=_what(error))) from error
    except asyncpg.TooManyConnectionsError as error:
        full = Sentence(
            "The database takes no more connections (%(why)s): see who holds so many, or raise max_connections.",
            why=_what(error),
        )
        raise Outage(full) from error
    except (OSError, *_AWAY) as error:
        raise Outage(Sentence("The database does not answer: %(why)s.", why=_what(error))) from error


@contextmanager
def _outages_of(acquired: PoolConnectionProxy[asyncpg.Record]) -> Iterator[None]:
    """While working: what the server says, a lost connection, or no answer in time; not any OSError of the caller."""
    try:
        yield
    except (*_AWAY, ConnectionError, TimeoutError) as error:
        if isinstance(error, BrokenPipeError) and not _is_lost(acquired):
            raise  # the caller's own output has no reader
        if isinstance(error, asyncpg.QueryCanceledError):
            raise TryAgain(Sentence("The database ended a statement: %(why)s.", why=str(error))) from error
        raise Outage(Sentence("The database is away: %(why)s.", why=_what(error))) from error
    except asyncpg.InternalClientError as error:
        # QUIRK: the server's goodbye reached an idle connection just before our statement: its state is out of step
        raise Outage(Sentence("The connection to the database was lost: %(why)s.", why=str(error))) from error
    except asyncpg.InterfaceError as error:
        if _is_lost(acquired):
            raise Outage(Sentence("The connection to the database was lost: %(why)s.", why=str(error))) from error
        raise


def _is_lost(acquired: PoolConnectionProxy[asyncpg.Record]) -> bool:
    try:
        return acquired.is_closed()
    except asyncpg.InterfaceError:  # asyncpg has taken the broken connection out of the pool itself
        return True


@contextmanager
def _conflicts() -> Iterator[None]:
    try:
        yield
    except asyncpg.InvalidCachedStatementError as error:  # asyncpg has forgotten its prepared statements with that
        raise TryAgain(f"The schema was changed by a migration: {error}.", after=timedelta(0)) from error
    except _LACKING as error:
        lacking = Sentence(
            "The schema lacks what it was made with (%(why)s): see helpdesk-importer doctor.", why=str(error)
        )
        raise SchemaLacks(lacking) from error
    except _CONFLICTS as error:
        raise TryAgain(f"Another transaction was in the way: {error}.", after=timedelta(0)) from error
