"""Sessions, one-time links and failed logins: rows of the database, by the hash of what a browser holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from services.console.web.tokens import hash_of, new_token
from shared.database.pool import Connection

LONGEST_SESSION: Final = timedelta(hours=12)
"""However busy; without a request it ends after an hour (`visitors`)."""
TRIES: Final = 10
"""Failed logins with one name, or from one address, within a quarter of an hour: then none is tried for a while."""
TRIES_OF_AN_ADDRESS: Final = 50
"""Many people may come from one address."""

_BEGIN: Final = """
    INSERT INTO web_sessions (token_hash, user_id, ends_at, by_groups) VALUES ($1, $2, now() + $3::interval, $4)"""
_END: Final = "DELETE FROM web_sessions WHERE token_hash = $1"
_END_ALL: Final = "DELETE FROM web_sessions WHERE user_id = $1"
_SWEEP: Final = "DELETE FROM web_sessions WHERE ends_at < now() OR seen_at < now() - interval '1 hour'"
_USER: Final = "SELECT id, password_hash FROM web_users WHERE lower(name) = lower($1) AND active"
_TRIES: Final = "SELECT count(*) FROM web_login_tries WHERE subject = $1 AND tried_at > now() - interval '15 minutes'"
_TRIED: Final = "INSERT INTO web_login_tries (subject) SELECT unnest($1::bytea[])"
_FORGET: Final = "DELETE FROM web_login_tries WHERE tried_at < now() - interval '1 hour'"
_INVITED: Final = """
    SELECT users.id, users.name FROM web_invitations AS invitations JOIN web_users AS users ON users.id = user_id
    WHERE token_hash = $1 AND ends_at > now() AND users.active"""
_USE: Final = """
    DELETE FROM web_invitations WHERE token_hash = $1 AND ends_at > now()
        AND user_id IN (SELECT id FROM web_users WHERE active)
    RETURNING user_id"""
_SET_PASSWORD: Final = "UPDATE web_users SET password_hash = $2 WHERE id = $1"  # noqa: S105 - a statement


@dataclass(frozen=True, slots=True)
class User:
    """Who may log in by a password; `password_hash` is None until one was chosen."""

    id: int
    password_hash: str | None


@dataclass(frozen=True, slots=True)
class Invited:
    """Whom a one-time link is for."""

    id: int
    name: str


async def begin(connection: Connection, user_id: int, earlier: str | None, *, by_groups: bool = False) -> str:
    """A new session; its token. What the browser held before (`earlier`) ends: nobody plants a session in advance.

    `by_groups`: the provider has just named his groups, and what they give him counts in it.
    """
    if earlier is not None:
        await end(connection, earlier)
    await connection.execute(_SWEEP)
    token = new_token()
    await connection.execute(_BEGIN, hash_of(token), user_id, LONGEST_SESSION, by_groups)
    return token


async def end(connection: Connection, token: str) -> None:
    """End a session."""
    await connection.execute(_END, hash_of(token))


async def user_named(connection: Connection, name: str) -> User | None:
    """The user who logs in by this name, in any case of letters."""
    row = await connection.fetchrow(_USER, name)
    return None if row is None else User(**row)


async def may_try(connection: Connection, name: str, address: str) -> bool:
    """Whether there were few failed logins with this name and from this address; the name need not exist."""
    with_name: int = await connection.fetchval(_TRIES, _name(name))
    from_address: int = await connection.fetchval(_TRIES, _address(address))
    return with_name < TRIES and from_address < TRIES_OF_AN_ADDRESS


async def note_failure(connection: Connection, name: str, address: str) -> None:
    """Count a failed login."""
    await connection.execute(_FORGET)
    await connection.execute(_TRIED, [_name(name), _address(address)])


async def invited(connection: Connection, token: str) -> Invited | None:
    """Whom the link is for; None where it was used, has ended or never was."""
    row = await connection.fetchrow(_INVITED, hash_of(token))
    return None if row is None else Invited(**row)


async def use_invitation(connection: Connection, token: str, password_hash: str) -> int | None:
    """Give the user of the link this password and end his sessions; his id, None where the link cannot be used."""
    user_id: int | None = await connection.fetchval(_USE, hash_of(token))
    if user_id is not None:
        await connection.execute(_SET_PASSWORD, user_id, password_hash)
        await connection.execute(_END_ALL, user_id)
    return user_id


def _name(name: str) -> bytes:
    return hash_of(f"name {name.strip().lower()}")


def _address(address: str) -> bytes:
    return hash_of(f"address {address}")
