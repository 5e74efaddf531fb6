"""A change of what a person sets up, for the command line and the web console alike: check, look up, refuse, write.

A value is checked by its kind (`value_of`), a name becomes an id (`column_of`), and then a row is added or changed in
the caller's transaction. BadValue says what belongs there; what the database refuses is its own to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import SecretStr

from services.console import holidays, logins, repository
from services.console.fields import BadValue, Children, Reference, Several, joined
from services.console.resources import CALENDARS, IMPORTER, RESOURCES, Field, Resource
from services.console.texts import _
from shared.database.pool import Connection
from shared.database.sealing_keys import published_key
from shared.standing import recorded

LONGEST_PASSWORD: Final = 4096
FORGOTTEN: Final[Mapping[str, Any]] = {
    "password_encrypted": None,
    "secret_expires_on": None,
    "certificate_encrypted": None,
    "certificate_expires_at": None,
}
"""The columns of a mailbox, an account or a login without any secret."""


class StillNeeded(BadValue):
    """An importer that is on stands on what was to go out of use (SPEC D14); `helpdesks` are their names."""

    def __init__(self, resource: Resource, key: str, helpdesks: list[str]) -> None:
        sentence = _(
            "The importer of %(helpdesks)s is on and needs this %(thing)s (%(key)s): "
            "switch it off, or give it another one first."
        )
        super().__init__(sentence % {"helpdesks": joined(helpdesks), "thing": _(resource.name), "key": key})
        self.helpdesks = helpdesks


def value_of(field: Field, typed: Any) -> Any:
    """What was typed, as the kind of the field makes it; BadValue says what belongs there."""
    kind = field.kind
    if isinstance(kind, Children):
        return [row for one in typed if one for row in kind.parse(one)]
    if isinstance(kind, Several):
        return [kind.parse(one) for one in typed if one]
    if isinstance(typed, bool):
        return typed
    if not typed.strip():
        if field.required or not field.clearable:
            raise BadValue(_("it cannot be empty"))
        return None
    return kind.parse(typed)


async def column_of(connection: Connection, field: Field, value: Any, helpdesk_id: int | None) -> Any:
    """The column's value: of a reference the id, in the helpdesk's own things alone; NotOne where it names no one."""
    if isinstance(field.kind, Reference) and value is not None:
        return await repository.find(connection, RESOURCES[field.kind.resource], value, helpdesk_id)
    return value


async def password_columns(connection: Connection, password: SecretStr) -> dict[str, Any]:
    """The columns that hold this password, sealed for the services alone, and no other secret (S3)."""
    return {**FORGOTTEN, "password_encrypted": (await published_key(connection)).seal(password)}


async def add(
    connection: Connection,
    resource: Resource,
    columns: Mapping[str, Any],
    children: Mapping[str, Any],
    helpdesk_id: int | None = None,
) -> int | None:
    """Add a row with its children (rows by field name); its id, where it has one."""
    place = {} if helpdesk_id is None else {"helpdesk_id": helpdesk_id}
    made = await logins.insert(connection, resource, {**columns, **place}, {})
    if made is not None:
        await _write_children(connection, resource, made, children)
        await _check(connection, resource, {"id": made})
    return made


async def change(
    connection: Connection,
    resource: Resource,
    place: Mapping[str, Any],
    columns: Mapping[str, Any],
    children: Mapping[str, Any],
    *,
    secret: Mapping[str, Any],
    key: str,
) -> bool:
    """Change the row at `place` and replace the children that are given; False where there is no such row.

    `key` is how the person calls it. Raises StillNeeded for what goes out of use.
    """
    if columns.get("active") is False and (
        needing := await repository.importers_in_need(connection, resource, place.get("id", 0))
    ):
        raise StillNeeded(resource, key, needing)
    if (columns or secret) and not await logins.change(connection, resource, place, columns, secret):
        return False
    await _write_children(connection, resource, place.get("id", 0), children)
    await _check(connection, resource, place)
    return True


async def change_importer(
    connection: Connection, helpdesk_id: int, columns: Mapping[str, Any], secret: Mapping[str, Any]
) -> None:
    """Change the «e-Mail importer» settings of a helpdesk, or save its first; the mailbox is checked soon."""
    place = {"helpdesk_id": helpdesk_id}
    if not await logins.change(connection, IMPORTER, place, columns, secret):
        await logins.insert(connection, IMPORTER, {**place, **columns}, secret)
    await repository.check_soon(connection, helpdesk_id)


async def _check(connection: Connection, resource: Resource, place: Mapping[str, Any]) -> None:
    """Refuse what is wrong with the row as a whole, before it is committed."""
    if resource is CALENDARS:
        row = await repository.row(connection, resource, place)
        holidays.refuse_unknown(row, (await recorded.now(connection)).year)


async def _write_children(connection: Connection, resource: Resource, owner: int, children: Mapping[str, Any]) -> None:
    for field in resource.fields:
        if isinstance(field.kind, Children) and field.name in children:
            await repository.replace_children(connection, field.kind, owner, children[field.name])
