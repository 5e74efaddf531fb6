"""What keeps a PostgreSQL that answers from taking what we write: it is read-only, or a session holds a lock.

Any role may ask this: of the sessions of others it sees the number, the user and what it calls itself.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from shared.database.pool import Connection
from shared.sentences import Sentence

WAITS_AT_LEAST: Final = timedelta(seconds=3)
"""How long a session of ours waits for another before a person hears of it."""

_READ_ONLY: Final = """
SELECT pg_is_in_recovery() AS is_standby, current_setting('default_transaction_read_only')::boolean AS is_set
"""

_IN_THE_WAY: Final = """
-- $1 the shortest wait
WITH waiting AS (
    SELECT wait.pid, wait.waitstart AS since FROM pg_locks wait JOIN pg_stat_activity session USING (pid)
    WHERE NOT wait.granted AND wait.waitstart < clock_timestamp() - $1::interval
      AND session.datname = current_database() AND session.usename LIKE 'importer\\_%'
), blocking AS (
    SELECT blocker AS pid, min(since) AS since FROM waiting, unnest(pg_blocking_pids(waiting.pid)) AS blocker
    WHERE blocker NOT IN (SELECT pid FROM pg_locks WHERE NOT granted)
    GROUP BY blocker
    UNION ALL
    -- before anybody waits for it, or between two tries: what holds a whole table against those who write
    SELECT lock.pid, NULL FROM pg_locks lock
    JOIN pg_class ON pg_class.oid = lock.relation JOIN pg_stat_activity session ON session.pid = lock.pid
    WHERE lock.granted AND lock.database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND pg_class.relnamespace = to_regnamespace('helpdesk') AND pg_class.relkind = 'r'
      AND lock.mode = ANY('{AccessExclusiveLock,ExclusiveLock,ShareRowExclusiveLock,ShareLock}')
      AND (session.usename NOT LIKE 'importer\\_%' OR session.usename = 'importer_owner')
)
SELECT session.pid, session.usename AS user, session.application_name AS program, min(blocking.since) AS since
FROM blocking JOIN pg_stat_activity session USING (pid)
GROUP BY 1, 2, 3 ORDER BY 4 NULLS LAST, 1 LIMIT 1
"""


async def in_the_way(connection: Connection) -> str:
    """Why it takes nothing, or not all, with what to do; empty where nothing is in the way."""
    return await read_only(connection) or await locked(connection)


async def read_only(connection: Connection) -> str:
    """Why it takes no changes at all; empty where it does."""
    (state,) = await connection.fetch(_READ_ONLY)
    if state["is_standby"]:
        return Sentence("It is a standby, which takes nothing: let the address lead to the primary.")
    if state["is_set"]:
        return Sentence(
            "It takes no changes: default_transaction_read_only is on. Whoever set it switches it off when he is done "
            "(ALTER SYSTEM, ALTER DATABASE or ALTER ROLE … RESET default_transaction_read_only)."
        )
    return ""


async def locked(connection: Connection) -> str:
    """Which session holds a lock against us; the one for which we wait longest, of several."""
    session = await connection.fetchrow(_IN_THE_WAY, WAITS_AT_LEAST)
    if session is None:
        return ""
    values = {"pid": session["pid"], "who": f"{session['user']}, {session['program'] or '?'}"}
    since: datetime | None = session["since"]
    if since is None:
        return Sentence(
            "Session %(pid)s (%(who)s) has locked a table of ours: have its transaction ended, or end it with "
            "SELECT pg_terminate_backend(%(pid)s).",
            **values,
        )
    return Sentence(
        "Session %(pid)s (%(who)s) holds a lock that the importer has waited for since %(since)s: have its transaction "
        "ended, or end it with SELECT pg_terminate_backend(%(pid)s).",
        since=f"{since.astimezone():%H:%M:%S}",
        **values,
    )
