"""Whom the provider's person is here, and what his groups give him there.

He is the user who is bound to him, at his first login the one of that name, or, where the settings say so and a group
of his gives rights, a user who is made then. At each login his groups become those that the provider names: what they
give is read from there (`visitors`), and each that comes or goes is a row of the audit log.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

import asyncpg

from services.console import users
from services.console.web.openid.groups import NONE, Groups, Unknown
from shared.database.pool import Connection

_BOUND: Final = "SELECT id, active, name FROM web_users WHERE openid_issuer = $1 AND openid_subject = $2"
_BIND: Final = """
    UPDATE web_users SET openid_issuer = $1, openid_subject = $2
    WHERE lower(name) = lower($3) AND active AND openid_subject IS NULL"""
_MATTER: Final = "SELECT EXISTS (SELECT FROM web_group_rights WHERE issuer = $1)"
_MAPPED: Final = """
    SELECT coalesce(array_agg(DISTINCT group_name), '{}') FROM web_group_rights
    WHERE issuer = $1 AND group_name = ANY($2::text[])"""
_LEAVE: Final = "DELETE FROM web_memberships WHERE user_id = $1 AND group_name <> ALL($2::text[])"
_ENTER: Final = """
    INSERT INTO web_memberships (user_id, group_name) SELECT $1::bigint, unnest($2::text[]) ON CONFLICT DO NOTHING"""
_BY_HAND: Final = """
    SELECT operator OR EXISTS (SELECT FROM web_rights WHERE user_id = $1) FROM web_users WHERE id = $1"""
_IN_HIS_NAME: Final = "SELECT set_config('helpdesk.actor', $1, true)"


class Stays(Enum):
    """Why a person whom the provider knows does not come in."""

    NO_USER = "no user of this person may come in"
    NO_RIGHTS = "no group of his gives rights, and nobody gave him any"
    TOO_MANY_GROUPS = "he is in more groups than the provider names, and nobody gave him rights"
    UNREADABLE_GROUPS = "his groups cannot be read, and nobody gave him rights"


_WITHOUT_GROUPS: Final = {Unknown.TOO_MANY: Stays.TOO_MANY_GROUPS, Unknown.UNREADABLE: Stays.UNREADABLE_GROUPS}


@dataclass(frozen=True, slots=True)
class Person:
    """Who logged in at the provider; `name` is what he is called there, None where it does not vouch for it."""

    issuer: str
    subject: str
    name: str | None


def person_of(claims: Mapping[str, Any], claim: str) -> Person:
    """The person of claims that were believed; an address counts where the provider says that it checked it."""
    name = claims.get(claim)
    vouched = claim != "email" or claims.get("email_verified") is True
    usable = isinstance(name, str) and vouched and "\0" not in name
    return Person(claims["iss"], claims["sub"], str(name) if usable else None)


async def groups_matter(connection: Connection, issuer: str) -> bool:
    """Whether a group of this provider gives rights."""
    matter: bool = await connection.fetchval(_MATTER, issuer)
    return matter


async def come_in(
    connection: Connection, person: Person, groups: Groups, *, makes_users: bool, language: str
) -> int | Stays:
    """The id of his user, who has now the groups that the provider names; or why he stays out.

    Where they are not known, those of whoever stays out for it stay as they were; who has rights by hand comes in with
    those alone.
    """
    known = NONE if isinstance(groups, Unknown) else groups
    mapped: list[str] = await connection.fetchval(_MAPPED, person.issuer, sorted(known))
    user = await _user_of(connection, person)
    if user is None and isinstance(groups, Unknown) and makes_users:
        return _WITHOUT_GROUPS[groups]
    if user is None and makes_users and mapped:
        user = await _made(connection, person, language)
    if user is None or not user["active"]:
        return Stays.NO_USER
    by_hand = await connection.fetchval(_BY_HAND, user["id"])
    if isinstance(groups, Unknown) and not by_hand:
        return _WITHOUT_GROUPS[groups]
    await connection.execute(_IN_HIS_NAME, user["name"])
    await connection.execute(_LEAVE, user["id"], mapped)
    await connection.execute(_ENTER, user["id"], mapped)
    return int(user["id"]) if by_hand or mapped else Stays.NO_RIGHTS


async def _user_of(connection: Connection, person: Person) -> asyncpg.Record | None:
    bound = await connection.fetchrow(_BOUND, person.issuer, person.subject)
    if bound is None and person.name is not None:
        await connection.execute(_BIND, person.issuer, person.subject, person.name)
        bound = await connection.fetchrow(_BOUND, person.issuer, person.subject)
    return bound


async def _made(connection: Connection, person: Person, language: str) -> asyncpg.Record | None:
    """A new user of his name; None where the provider vouches for none, or another here has it."""
    name = "" if person.name is None else person.name.strip()
    if not 1 <= len(name) <= users.LONGEST_NAME or not name.isprintable():
        return None
    await connection.execute(_IN_HIS_NAME, name)
    if await users.add(connection, name, language, operator=False) is None:
        return None
    await connection.execute(_BIND, person.issuer, person.subject, name)
    return await connection.fetchrow(_BOUND, person.issuer, person.subject)
