"""Which login a mailbox or account uses: one that it shares, or one of its own, made of the fields beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from services.console import repository
from services.console.fields import BadValue
from services.console.resources import LOGINS, Resource
from shared.database.pool import Connection

_OF_A_LOGIN: Final = frozenset(
    {
        "username",
        "tenant",
        "cloud",
        "ca_file",
        "password_encrypted",
        "secret_expires_on",
        "certificate_encrypted",
        "certificate_expires_at",
    }
)
"""The columns beside a mailbox or account that are its login's own (a trigger writes them through)."""


async def change(
    connection: Connection,
    resource: Resource,
    place: Mapping[str, Any],
    columns: Mapping[str, Any],
    secret: Mapping[str, Any],
) -> bool:
    """Change a row and its login; False when there is no such row.

    With a login of others, `secret` is given for that one: it may then be sent where this row says. BadValue when
    fields of a login are given beside the name of one.
    """
    if "login_id" not in columns:
        return await repository.update(connection, resource, place, {**secret, **columns})
    chosen, rest = columns["login_id"], {name: value for name, value in columns.items() if name != "login_id"}
    if chosen is None:
        left = await repository.update(connection, resource, place, {"login_id": None})
        own = {**secret, **rest}
        return left and (not own or await repository.update(connection, resource, place, own))
    await _give_secret(connection, columns, secret)
    return await repository.update(connection, resource, place, columns)


async def insert(
    connection: Connection, resource: Resource, columns: Mapping[str, Any], secret: Mapping[str, Any]
) -> int | None:
    """Add a row with its login, as `change`; its id, where it has one."""
    if columns.get("login_id") is None:
        return await repository.insert(connection, resource, {**secret, **columns})
    await _give_secret(connection, columns, secret)
    return await repository.insert(connection, resource, columns)


async def _give_secret(connection: Connection, columns: Mapping[str, Any], secret: Mapping[str, Any]) -> None:
    if given := sorted(_OF_A_LOGIN & columns.keys()):
        raise BadValue(
            f"A login that is named with --login has its own {', '.join(given)}: change them with logins set."
        )
    if secret:
        await repository.update(connection, LOGINS, {"id": columns["login_id"]}, secret)
