"""Users of the web console, as the command line and operators in the console itself add them; no password is read.

A user chooses his password himself, by a link that can be used once. One operator by hand always stays: rights by group
are the provider's to take, and without him nobody could give them back here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from services.console.web.tokens import hash_of, new_token
from shared.database.pool import Connection
from shared.errors import ImporterError

Role = Literal["administrator", "viewer"]

LINK_LASTS: Final = timedelta(days=2)
LONGEST_NAME: Final = 254

_ADD: Final = """
    INSERT INTO web_users (name, operator, language) VALUES ($1, $2, $3)
    ON CONFLICT (lower(name)) DO NOTHING RETURNING id"""
_FIND: Final = "SELECT id FROM web_users WHERE lower(name) = lower($1)"
_GIVE: Final = """
    INSERT INTO web_rights (user_id, helpdesk_id, role, personal_data) VALUES ($1, $2, $3, $4)
    ON CONFLICT (user_id, helpdesk_id) DO UPDATE SET role = excluded.role, personal_data = excluded.personal_data"""
_TAKE: Final = "DELETE FROM web_rights WHERE user_id = $1 AND helpdesk_id = $2 RETURNING true"
_FORGET: Final = "DELETE FROM web_invitations WHERE user_id = $1"
_INVITE: Final = "INSERT INTO web_invitations (token_hash, user_id, ends_at) VALUES ($1, $2, now() + $3::interval)"
_ACTIVE: Final = "UPDATE web_users SET active = $2 WHERE id = $1"
_OPERATOR: Final = "UPDATE web_users SET operator = $2 WHERE id = $1"
_OPERATORS: Final = "SELECT id FROM web_users WHERE operator AND active ORDER BY id FOR UPDATE"
_UNBIND: Final = "UPDATE web_users SET openid_issuer = NULL, openid_subject = NULL WHERE id = $1"
_END: Final = "DELETE FROM web_sessions WHERE user_id = $1"
_LIST: Final = """
    SELECT users.name, users.operator, users.has_password, users.active, users.created_at,
        ARRAY(SELECT helpdesks.name || ': ' || rights.role || CASE WHEN rights.personal_data
                AND rights.role = 'viewer' THEN ' with personal data' ELSE '' END
            FROM web_rights AS rights JOIN helpdesks ON helpdesks.id = rights.helpdesk_id
            WHERE rights.user_id = users.id ORDER BY 1) AS rights,
        ARRAY(SELECT memberships.group_name FROM web_memberships AS memberships
            WHERE memberships.user_id = users.id ORDER BY 1) AS groups
    FROM web_users AS users ORDER BY lower(users.name)"""


@dataclass(frozen=True, slots=True)
class User:
    """Who may use the web console; `rights` are sentences, a helpdesk each, beside those that come from `groups`."""

    name: str
    operator: bool
    has_password: bool
    active: bool
    created_at: datetime
    rights: tuple[str, ...]
    groups: tuple[str, ...]


class NoOperatorByHand(ImporterError):
    """Nobody would be left, or is there, who administers everything by hand: groups alone give it, and may take it."""


async def add(connection: Connection, name: str, language: str, *, operator: bool) -> int | None:
    """A new user; his id, None where there is one of that name."""
    user_id: int | None = await connection.fetchval(_ADD, name, operator, language)
    return user_id


async def find(connection: Connection, name: str) -> int | None:
    """The id of the user of that name, in any case of letters."""
    user_id: int | None = await connection.fetchval(_FIND, name)
    return user_id


async def give(connection: Connection, user_id: int, helpdesk_id: int, role: Role, *, personal_data: bool) -> None:
    """A right for a helpdesk, in place of the one that he has."""
    await connection.execute(_GIVE, user_id, helpdesk_id, role, personal_data)


async def take(connection: Connection, user_id: int, helpdesk_id: int) -> bool:
    """Take the right for a helpdesk away; False where he had none."""
    return bool(await connection.fetchval(_TAKE, user_id, helpdesk_id))


async def invite(connection: Connection, user_id: int) -> str:
    """The secret part of a link by which he chooses a password, once, within LINK_LASTS; earlier links end."""
    token = new_token()
    await connection.execute(_FORGET, user_id)
    await connection.execute(_INVITE, hash_of(token), user_id, LINK_LASTS)
    return token


async def set_active(connection: Connection, user_id: int, *, active: bool) -> None:
    """Let him in, or not any more: his sessions and links end at once. Raises NoOperatorByHand."""
    if not active:
        await _require_another_operator(connection, user_id)
    await connection.execute(_ACTIVE, user_id, active)
    if not active:
        await end_sessions(connection, user_id)
        await connection.execute(_FORGET, user_id)


async def set_operator(connection: Connection, user_id: int, *, operator: bool) -> None:
    """Let him administer all helpdesks, users and servers, or what his rights say alone. Raises NoOperatorByHand."""
    if not operator:
        await _require_another_operator(connection, user_id)
    await connection.execute(_OPERATOR, user_id, operator)


async def unbind(connection: Connection, user_id: int) -> None:
    """Forget who he is at the provider of OpenID Connect, and log him out: whoever has his name there next is he."""
    await connection.execute(_UNBIND, user_id)
    await end_sessions(connection, user_id)


async def end_sessions(connection: Connection, user_id: int) -> None:
    """Log him out everywhere."""
    await connection.execute(_END, user_id)


async def users(connection: Connection) -> list[User]:
    """All, by name."""
    rows = await connection.fetch(_LIST)
    return [User(**{**row, "rights": tuple(row["rights"]), "groups": tuple(row["groups"])}) for row in rows]


async def _require_another_operator(connection: Connection, user_id: int) -> None:
    """Of two who unmake each other, the second waits here and finds himself the last."""
    if [row["id"] for row in await connection.fetch(_OPERATORS)] == [user_id]:
        raise NoOperatorByHand
