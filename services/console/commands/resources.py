"""`add`, `list`, `show` and `set` for everything that a person sets up, made from `services.console.resources`.

Every option is checked before anything is written, and a command writes all or nothing in one transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import typer

from services.console import changes, holidays, repository
from services.console.commands.check_account import check_account
from services.console.commands.passwords import (
    set_account_certificate,
    set_account_password,
    set_login_certificate,
    set_login_password,
)
from services.console.commands.secret_options import SECRET_OPTIONS, secret_columns
from services.console.commands.signatures import Parameter, argument, as_json, command, option, options
from services.console.fields import BadValue, Children
from services.console.output import done, show_one, show_rows
from services.console.resources import (
    ACCOUNTS,
    CALENDARS,
    HELPDESKS,
    LOGINS,
    RESOURCES,
    TEMPLATES,
    Field,
    Resource,
    fields_of_template,
)
from services.console.session import with_database
from services.console.texts import _
from shared.database.pool import Connection
from shared.standing import recorded

HELPDESK = argument("helpdesk", "the helpdesk's name or id")


def parsed(fields: Sequence[Field], given: Mapping[str, Any]) -> dict[str, Any]:
    """The values that were given, by field name, each checked by its kind; BadValue names the option."""
    values: dict[str, Any] = {}
    for field in fields:
        typed = given.get(field.name)
        if typed is None or typed == []:
            continue
        try:
            values[field.name] = changes.value_of(field, typed)
        except BadValue as error:
            raise BadValue(f"--{field.option}: {error}.") from None
    return values


async def resolved(
    connection: Connection, fields: Sequence[Field], values: Mapping[str, Any], helpdesk_id: int | None
) -> dict[str, Any]:
    """The columns of the row, references looked up (a helpdesk's own things in it alone); BadValue names the option."""
    columns: dict[str, Any] = {}
    for field in fields:
        if field.name not in values or isinstance(field.kind, Children):
            continue
        try:
            columns[field.target] = await changes.column_of(connection, field, values[field.name], helpdesk_id)
        except BadValue as error:
            raise BadValue(f"--{field.option}: {error}.") from None
    return columns


async def _helpdesk(connection: Connection, key: str | None) -> int | None:
    return None if key is None else await repository.find(connection, HELPDESKS, key)


@dataclass(frozen=True, slots=True)
class ResourceCommands:
    """The four commands of one resource."""

    resource: Resource

    def group(self) -> typer.Typer:
        """The group that holds them."""
        resource = self.resource
        group = typer.Typer(
            name=resource.plural, help=f"Add, list, show and change {resource.plural}.", no_args_is_help=True
        )
        place = [HELPDESK] if resource.per_helpdesk else []
        filters = [option("helpdesk", "only those of this helpdesk")] if resource.per_helpdesk else []
        key = argument("key", "its name or its id", metavar=resource.name.upper())
        changeable = [field for field in resource.fields if field.name != resource.identity]
        secrets = SECRET_OPTIONS if resource in (ACCOUNTS, LOGINS) else ()
        described: list[tuple[str, Any, str, list[Parameter]]] = [
            ("add", self.add, f"Add {resource.with_article}.", [*place, *options(resource.fields, adding=True)]),
            ("list", self.list, f"List the {resource.plural}.", [*filters, as_json()]),
            ("show", self.show, f"Show {resource.with_article}.", [*place, key, as_json()]),
            (
                "set",
                self.change,
                f"Change {resource.with_article}: what is given changes, an empty value clears.",
                [*place, key, *options(changeable, adding=False), *secrets],
            ),
        ]
        for name, body, summary, parameters in described:
            group.command(name)(command(body, summary, parameters))
        if resource is ACCOUNTS:
            group.command("check")(check_account)
            group.command("set-password")(set_account_password)
            group.command("set-certificate")(set_account_certificate)
        elif resource is LOGINS:
            group.command("set-password")(set_login_password)
            group.command("set-certificate")(set_login_certificate)
            group.command("remove")(command(self.remove, "Remove a login that nothing uses.", [key]))
        return group

    def add(self, helpdesk: str | None = None, **given: Any) -> None:
        """Write a new row and its children."""
        values = parsed(self._fields(given.get("kind")), given)

        async def work(connection: Connection) -> None:
            helpdesk_id = await _helpdesk(connection, helpdesk)
            columns = await resolved(connection, self.resource.fields, values, helpdesk_id)
            await changes.add(connection, self.resource, columns, values, helpdesk_id)
            done(_("The %(thing)s %(key)s is added.") % self._told(given[self.resource.keys[0]]))

        with_database(work)

    def list(self, helpdesk: str | None = None, *, as_json: bool = False) -> None:
        """Show all rows."""

        async def work(connection: Connection) -> None:
            rows = await repository.rows(connection, self.resource, await _helpdesk(connection, helpdesk))
            hidden = frozenset(field.name for field in self.resource.fields if not field.listed)
            hidden |= {name for name, _sql in self.resource.facts}
            show_rows(_(self.resource.plural), rows, hidden=hidden, as_json=as_json)

        with_database(work)

    def show(self, key: str, helpdesk: str | None = None, *, as_json: bool = False) -> None:
        """Show one row."""

        async def work(connection: Connection) -> None:
            place = await self._place(connection, key, await _helpdesk(connection, helpdesk))
            row = await repository.row(connection, self.resource, place)
            if self.resource is CALENDARS:
                row["days"] = holidays.days_of(row, (await recorded.now(connection)).year)
            show_one(row, as_json=as_json)

        with_database(work)

    def change(
        self,
        key: str,
        helpdesk: str | None = None,
        *,
        with_password: bool = False,
        forget_secret: bool = False,
        **given: Any,
    ) -> None:
        """Change one row and replace the children that were given."""
        values = parsed(self._fields(key), given)
        secret = secret_columns(with_password=with_password, forget_secret=forget_secret)
        if not values and secret is None:
            sentence = _("Nothing to change was given; see: helpdesk-importer %(command)s set --help.")
            raise BadValue(sentence % {"command": self.resource.plural})

        async def work(connection: Connection) -> None:
            helpdesk_id = await _helpdesk(connection, helpdesk)
            place = await self._place(connection, key, helpdesk_id)
            scope = place["id"] if self.resource is HELPDESKS else helpdesk_id
            columns = await resolved(connection, self.resource.fields, values, scope)
            given_secret = {} if secret is None else await secret(connection)
            if not await changes.change(
                connection, self.resource, place, columns, values, secret=given_secret, key=key
            ):
                sentence = _("There is no %(thing)s %(key)r yet: %(command)s add makes it.")
                raise BadValue(sentence % self._told(key))
            done(_("The %(thing)s %(key)s is changed.") % self._told(key))

        with_database(work)

    def remove(self, key: str) -> None:
        """Remove one row that nothing refers to."""

        async def work(connection: Connection) -> None:
            await repository.remove(connection, self.resource, await self._place(connection, key, None))
            done(_("The %(thing)s %(key)s is removed.") % self._told(key))

        with_database(work)

    def _told(self, key: str) -> dict[str, str]:
        return {"thing": _(self.resource.name), "key": key, "command": self.resource.plural}

    def _fields(self, kind: str | None) -> Sequence[Field]:
        """The fields that are typed; `kind` is that of a template."""
        return fields_of_template(kind or "") if self.resource is TEMPLATES else self.resource.fields

    async def _place(self, connection: Connection, key: str, helpdesk_id: int | None) -> dict[str, Any]:
        resource = self.resource
        if resource.identity != "id":
            return {"helpdesk_id": helpdesk_id, resource.identity: resource.field(resource.identity).kind.parse(key)}
        return {"id": await repository.find(connection, resource, key, helpdesk_id)}


COMMANDS: Final = {resource.plural: ResourceCommands(resource).group() for resource in RESOURCES.values()}
