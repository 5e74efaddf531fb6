"""Whom the provider's person is here: the user who is bound to him, or at his first login the one of that name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from shared.database.pool import Connection

_BOUND: Final = "SELECT id, active FROM web_users WHERE openid_issuer = $1 AND openid_subject = $2"
_BIND: Final = """
    UPDATE web_users SET openid_issuer = $1, openid_subject = $2
    WHERE lower(name) = lower($3) AND active AND openid_subject IS NULL"""


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


async def user_of(connection: Connection, person: Person) -> int | None:
    """The id of his user, None where he has none who may come in."""
    bound = await connection.fetchrow(_BOUND, person.issuer, person.subject)
    if bound is None and person.name is not None:
        await connection.execute(_BIND, person.issuer, person.subject, person.name)
        bound = await connection.fetchrow(_BOUND, person.issuer, person.subject)
    return bound["id"] if bound is not None and bound["active"] else None
