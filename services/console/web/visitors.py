"""Who asks, and what he may see and do: the one place in which rights for each helpdesk are decided.

Queries get the helpdesks of a visitor as a parameter (`helpdesks`), so that rows of others never leave the database.
Rights come from a person here (`web_rights`) and from groups of the provider where he logged in, and the more counts.
In a session that began otherwise (a password) those of groups do not: nobody said then that he is in them still.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

import asyncpg

from shared.database.pool import Connection

_USER: Final = """
    SELECT users.id, users.name, users.operator, users.language, users.time_zone, sessions.by_groups
    FROM web_sessions AS sessions JOIN web_users AS users ON users.id = sessions.user_id
    WHERE sessions.token_hash = $1 AND sessions.ends_at > now() AND sessions.seen_at > now() - interval '1 hour'
        AND users.active"""
_ABSENT: Final = """
    SELECT id, name, operator, language, time_zone, true AS by_groups FROM web_users WHERE id = $1 AND active"""
_OPERATOR_BY_GROUP: Final = """
    SELECT EXISTS (SELECT FROM web_rights_by_group WHERE user_id = $1 AND role = 'operator')"""
_SEEN: Final = """
    UPDATE web_sessions SET seen_at = now() WHERE token_hash = $1 AND seen_at < now() - interval '1 minute'"""
_RIGHTS: Final = """
    SELECT helpdesks.id AS helpdesk_id, helpdesks.name AS helpdesk,
        $2 OR coalesce(bool_or(given.role = 'administrator'), false) AS administrator,
        $2 OR coalesce(bool_or(given.role = 'administrator' OR given.personal_data), false) AS personal_data
    FROM helpdesks LEFT JOIN (
        SELECT helpdesk_id, role, personal_data FROM web_rights WHERE user_id = $1
        UNION ALL
        SELECT helpdesk_id, role, personal_data FROM web_rights_by_group WHERE user_id = $1 AND $3
    ) AS given ON given.helpdesk_id = helpdesks.id OR given.helpdesk_id IS NULL
    WHERE $2 OR given.role IS NOT NULL
    GROUP BY helpdesks.id, helpdesks.name
    ORDER BY helpdesks.name"""


class Need(Enum):
    """What a page needs of a visitor for a helpdesk."""

    LOOK = "look"
    PERSONAL_DATA = "personal-data"
    CHANGE = "change"


@dataclass(frozen=True, slots=True)
class Right:
    """What a visitor may do for a helpdesk."""

    helpdesk_id: int
    helpdesk: str
    administrator: bool
    personal_data: bool

    def is_enough_for(self, need: Need) -> bool:
        """Whether it covers the need."""
        match need:
            case Need.LOOK:
                return True
            case Need.PERSONAL_DATA:
                return self.personal_data
            case Need.CHANGE:
                return self.administrator


@dataclass(frozen=True, slots=True)
class Visitor:
    """A user who is logged in; an `operator` administers all helpdesks."""

    user_id: int
    name: str
    operator: bool
    language: str
    time_zone: str
    rights: tuple[Right, ...]

    def helpdesks(self, need: Need, chosen: int | None = None) -> list[int]:
        """The ids of the helpdesks for which he may do that; of `chosen` alone, where one is chosen."""
        return [
            right.helpdesk_id
            for right in self.rights
            if right.is_enough_for(need) and chosen in (None, right.helpdesk_id)
        ]

    def may(self, need: Need, helpdesk: str) -> bool:
        """Whether he may do that for the helpdesk of this name."""
        return any(right.helpdesk == helpdesk and right.is_enough_for(need) for right in self.rights)

    def without_personal_data(self) -> frozenset[str]:
        """Names of the helpdesks of whose mails he sees no sender, subject or text."""
        return frozenset(right.helpdesk for right in self.rights if not right.personal_data)


async def visitor_of(connection: Connection, token_hash: bytes) -> Visitor | None:
    """The user of the session, None where it has ended or there is none."""
    user = await connection.fetchrow(_USER, token_hash)
    if user is None:
        return None
    await connection.execute(_SEEN, token_hash)
    return await _visitor(connection, user)


async def visitor_named(connection: Connection, user_id: int) -> Visitor | None:
    """The user of this id with the rights that he has now, logged in or not; None where he may not come in.

    His groups are those of his last login at the provider.
    """
    user = await connection.fetchrow(_ABSENT, user_id)
    return None if user is None else await _visitor(connection, user)


async def _visitor(connection: Connection, user: asyncpg.Record) -> Visitor:
    by_groups = user["by_groups"]
    operator = user["operator"] or (by_groups and await connection.fetchval(_OPERATOR_BY_GROUP, user["id"]))
    rights = await connection.fetch(_RIGHTS, user["id"], operator, by_groups)
    return Visitor(
        user_id=user["id"],
        name=user["name"],
        operator=operator,
        language=user["language"],
        time_zone=user["time_zone"],
        rights=tuple(Right(**right) for right in rights),
    )
