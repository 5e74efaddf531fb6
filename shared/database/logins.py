"""How logins stand: refused or taken, at rest, the same as another. One rule for fetcher and notifier.

A login is refused or taken at whatever mailbox or account uses it. Two that name the same account with the same secret
bear the same fingerprint, which the service that opens them stores (`shared.sealing.Keyring.fingerprint`): what is said
of one is said of both. Every moment is the database's clock. Raises Outage and TryAgain as `shared.database.pool` does.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final

import asyncpg

from shared.database.pool import Connection
from shared.logins import LoginStanding

STANDING: Final = """
    login_state.refused_logins, login_state.refused_since, login_state.probe_at, login_state.problem AS refusal,
    CASE WHEN login_state.probe_at > now() THEN login_state.probe_at - now() END AS rests_for,
    login_state.fingerprint, login.row_version AS login_version, login.expires_at AS login_expires_at"""
"""The columns that `standing` reads, of rows of `logins` and `login_states` under these names, or of neither."""

_NOTE: Final = """
    UPDATE login_states SET fingerprint = $2, (refused_logins, refused_since, probe_at, problem) = (
        SELECT refused_logins, refused_since, probe_at, problem FROM (
            SELECT refused_logins, refused_since, probe_at, problem FROM login_states WHERE login_id = $1
            UNION ALL
            SELECT refused_logins, refused_since, probe_at, problem FROM login_states
            WHERE fingerprint = $2 AND login_id <> $1) AS same
        ORDER BY probe_at DESC NULLS LAST LIMIT 1)
    WHERE login_id = $1 AND fingerprint IS DISTINCT FROM $2
    RETURNING CASE WHEN probe_at > now() THEN probe_at - now() END AS rests_for, problem AS refusal, refused_logins,
        refused_since, probe_at"""
"""A login that is the same as another one rests as that one does."""

_REFUSED: Final = """
    UPDATE login_states SET refused_logins = refused_logins + 1, refused_since = coalesce(refused_since, now()),
        probe_at = greatest(probe_at, now() + $3), problem = $4
    WHERE (login_id = $1 OR fingerprint = (SELECT fingerprint FROM login_states WHERE login_id = $1))
        AND EXISTS (SELECT FROM logins WHERE id = $1 AND row_version = $2)"""
"""Nothing where the login was changed meanwhile: that was another one."""

_TAKEN: Final = """
    UPDATE login_states SET refused_logins = 0, refused_since = NULL, probe_at = NULL, problem = NULL
    WHERE refused_logins > 0
        AND (login_id = $1 OR fingerprint = (SELECT fingerprint FROM login_states WHERE login_id = $1))
        AND EXISTS (SELECT FROM logins WHERE id = $1 AND row_version = $2)"""


def standing(row: asyncpg.Record) -> LoginStanding | None:
    """The login of a row with `login_id` and the columns of STANDING; None where it has none."""
    if row["login_id"] is None:
        return None
    return LoginStanding(
        id=row["login_id"],
        version=row["login_version"],
        refused_logins=row["refused_logins"],
        refused_since=row["refused_since"],
        probe_at=row["probe_at"],
        rests_for=row["rests_for"],
        refusal=row["refusal"] or "",
        expires_at=row["login_expires_at"],
        fingerprint=row["fingerprint"],
    )


async def note_fingerprint(connection: Connection, login: LoginStanding, fingerprint: bytes) -> LoginStanding:
    """Store whose login this is, as its secret tells; as it stands then, since the same one may rest already."""
    row = await connection.fetchrow(_NOTE, login.id, fingerprint)
    if row is None:
        return login
    return replace(
        login,
        refused_logins=row["refused_logins"],
        refused_since=row["refused_since"],
        probe_at=row["probe_at"],
        rests_for=row["rests_for"],
        refusal=row["refusal"] or "",
        fingerprint=fingerprint,
    )


async def record_refused(connection: Connection, login: LoginStanding, refusal: str, rest: timedelta) -> None:
    """A server refused it: nobody tries it, nor one that is the same, for `rest`."""
    await connection.execute(_REFUSED, login.id, login.version, rest, refusal)


async def record_taken(connection: Connection, login: LoginStanding) -> None:
    """A server took it: it rests no longer, and what waited for it has its turn (a trigger)."""
    await connection.execute(_TAKEN, login.id, login.version)
