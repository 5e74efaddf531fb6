"""Users of the console with their rights and sessions, as operators see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.console.users import Role
from shared.database.pool import Connection

_USERS: Final = """
    SELECT users.id, users.name, users.operator, users.active, users.has_password, users.created_at,
        users.openid_issuer,
        (SELECT count(*) FROM web_rights AS rights WHERE rights.user_id = users.id) AS helpdesks,
        (SELECT count(*) FROM web_rights_by_group AS given WHERE given.user_id = users.id) AS by_group,
        coalesce(sessions.count, 0) AS sessions, sessions.seen_at
    FROM web_users AS users LEFT JOIN (
        SELECT user_id, count(*) AS count, max(seen_at) AS seen_at FROM web_sessions
        WHERE ends_at > now() AND seen_at > now() - interval '1 hour' GROUP BY user_id
    ) AS sessions ON sessions.user_id = users.id
    WHERE $1::bigint IS NULL OR users.id = $1
    ORDER BY lower(users.name)"""
_RIGHTS: Final = """
    SELECT helpdesks.id AS helpdesk_id, helpdesks.name AS helpdesk, rights.role, coalesce(rights.personal_data, false)
        AS personal_data
    FROM helpdesks LEFT JOIN web_rights AS rights ON rights.helpdesk_id = helpdesks.id AND rights.user_id = $1
    ORDER BY helpdesks.name"""
_BY_GROUP: Final = """
    SELECT rights.group_name AS "group", rights.called, helpdesks.name AS helpdesk, rights.role, rights.personal_data
    FROM web_rights_by_group AS had JOIN web_group_rights AS rights ON rights.id = had.right_id
        LEFT JOIN helpdesks ON helpdesks.id = rights.helpdesk_id
    WHERE had.user_id = $1
    ORDER BY helpdesks.name NULLS FIRST, 1"""

NOTHING: Final = "nothing"
CHOICES: Final[Mapping[str, tuple[Role, bool] | None]] = {
    NOTHING: None,
    "viewer": ("viewer", False),
    "viewer-with-personal-data": ("viewer", True),
    "administrator": ("administrator", False),
}
"""What a user may do for a helpdesk, as a page offers it: the role, and whether a viewer sees personal data."""


@dataclass(frozen=True, slots=True)
class User:
    """A user; `by_group` counts the rights that come from groups.

    `sessions` are those that are open, `seen_at` is when one of them last asked for a page.
    """

    id: int
    name: str
    operator: bool
    active: bool
    has_password: bool
    created_at: datetime
    openid_issuer: str | None
    helpdesks: int
    by_group: int
    sessions: int
    seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class RightOf:
    """What a user may do for a helpdesk: `choice` is a key of CHOICES."""

    helpdesk_id: int
    helpdesk: str
    choice: str


@dataclass(frozen=True, slots=True)
class RightByGroup:
    """What a group of his gives a user: `helpdesk` is None for all, `choice` is a key of CHOICES or `operator`."""

    group: str
    helpdesk: str | None
    choice: str


async def rights_by_group(connection: Connection, user_id: int) -> list[RightByGroup]:
    """What his groups give him, as they were at his last login at the provider."""
    return [
        RightByGroup(
            row["called"] or row["group"], row["helpdesk"], choice_of(row["role"], personal_data=row["personal_data"])
        )
        for row in await connection.fetch(_BY_GROUP, user_id)
    ]


async def users(connection: Connection) -> list[User]:
    """All, by name."""
    return [User(**row) for row in await connection.fetch(_USERS, None)]


async def user(connection: Connection, user_id: int) -> User | None:
    """One of them."""
    row = await connection.fetchrow(_USERS, user_id)
    return None if row is None else User(**row)


async def rights(connection: Connection, user_id: int) -> list[RightOf]:
    """For each helpdesk, by name, what he may."""
    return [
        RightOf(row["helpdesk_id"], row["helpdesk"], choice_of(row["role"], personal_data=row["personal_data"]))
        for row in await connection.fetch(_RIGHTS, user_id)
    ]


def choice_of(role: str | None, *, personal_data: bool) -> str:
    """The key of CHOICES of what somebody may; `operator` is its own."""
    if role is None:
        return NOTHING
    return "viewer-with-personal-data" if role == "viewer" and personal_data else role
