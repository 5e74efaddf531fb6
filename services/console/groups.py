"""What the members of a provider's groups may do in the web console; the command line and operators decide it.

A group is named as the provider writes it, letter for letter. Rights that users are given by hand (`users`) stay
beside.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from services.console.users import NoOperatorByHand
from shared.database.pool import Connection

Role = Literal["operator", "administrator", "viewer"]
LONGEST: Final = 254
"""Characters of a group's name, and of what it is called here."""

_LIST: Final = """
    SELECT rights.id, rights.issuer, rights.group_name AS group, rights.called, rights.helpdesk_id,
        helpdesks.name AS helpdesk, rights.role, rights.role = 'viewer' AND rights.personal_data AS personal_data,
        (SELECT count(*) FROM web_rights_by_group AS had WHERE had.right_id = rights.id) AS members
    FROM web_group_rights AS rights LEFT JOIN helpdesks ON helpdesks.id = rights.helpdesk_id
    ORDER BY rights.issuer, lower(coalesce(nullif(rights.called, ''), rights.group_name)), rights.group_name,
        helpdesks.name NULLS FIRST"""
_GIVE: Final = """
    INSERT INTO web_group_rights (issuer, group_name, called, helpdesk_id, role, personal_data)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (issuer, group_name, helpdesk_id) DO UPDATE
        SET called = excluded.called, role = excluded.role, personal_data = excluded.personal_data"""
_TAKE: Final = "DELETE FROM web_group_rights WHERE id = $1 RETURNING true"
_OPERATOR_BY_HAND: Final = "SELECT EXISTS (SELECT FROM web_users WHERE operator AND active)"


@dataclass(frozen=True, slots=True)
class Given:
    """What the members of a group get: `helpdesk_id` is None for all helpdesks, of which an operator is always one.

    `called` is what people here call the group, where the provider has but an id for it.
    """

    issuer: str
    group: str
    called: str
    helpdesk_id: int | None
    role: Role
    personal_data: bool


@dataclass(frozen=True, slots=True)
class GroupRight:
    """One right of a group; `members` were in it when they last logged in at the provider."""

    id: int
    issuer: str
    group: str
    called: str
    helpdesk_id: int | None
    helpdesk: str | None
    role: Role
    personal_data: bool
    members: int


async def rights(connection: Connection) -> list[GroupRight]:
    """All, by provider and group."""
    return [GroupRight(**row) for row in await connection.fetch(_LIST)]


async def give(connection: Connection, given: Given) -> None:
    """A right, in place of the one that the group has for that helpdesk (or for all).

    Raises NoOperatorByHand: as long as there is none, whoever runs the provider could shut everybody out.
    """
    if given.role == "operator" and not await connection.fetchval(_OPERATOR_BY_HAND):
        raise NoOperatorByHand
    await connection.execute(
        _GIVE, given.issuer, given.group, given.called, given.helpdesk_id, given.role, given.personal_data
    )


async def take(connection: Connection, right_id: int) -> bool:
    """Take a right away from a group, at once; False where there is none of that number."""
    return bool(await connection.fetchval(_TAKE, right_id))


def is_a_name(typed: str) -> bool:
    """Whether a group can be called so: no characters that nobody sees, which would make one name look like another."""
    return 1 <= len(typed) <= LONGEST and typed.isprintable() and typed == typed.strip()
