"""The SQL of the settings commands, made from the resources' own tables and columns (never from what was typed).

Every function takes an open connection with the role `importer_console`; values travel as parameters.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import asyncpg

from services.console.fields import WEEKDAYS, BadValue, Children, Reference, joined
from services.console.resources import IMPORTER, RESOURCES, Field, Resource
from services.console.texts import _
from shared.database.pool import Connection

Row = dict[str, Any]
"""A row as a person sees it: field names and values, references as names."""

_MANY = 200
"""More names than these are not listed in an error."""


_DEFAULTS: Final = """
    SELECT attribute.attname AS name, pg_get_expr(said.adbin, said.adrelid) AS expression
    FROM pg_attrdef AS said JOIN pg_attribute AS attribute ON attribute.attrelid = said.adrelid
        AND attribute.attnum = said.adnum
    WHERE said.adrelid = $1::regclass AND attribute.attgenerated = '' AND attribute.attidentity = ''"""


class NotOne(BadValue):
    """What was typed names nothing, or several things (`several`, by id and name)."""

    def __init__(self, sentence: str, several: tuple[tuple[int, str], ...] = ()) -> None:
        super().__init__(sentence)
        self.several = several


def _column(field: Field) -> str:
    """The SQL expression that shows `field` as a person typed it."""
    kind = field.kind
    if isinstance(kind, Reference):
        other = RESOURCES[kind.resource]
        return f"(SELECT r.name FROM {other.table} r WHERE r.id = t.{field.target})"
    if isinstance(kind, Children):
        hours = "to_char(c.opens, 'HH24:MI') || '-' || to_char(c.closes, 'HH24:MI')"
        weekday = "(ARRAY['" + "','".join(WEEKDAYS) + "'])[c.weekday]"
        shown = {
            "address": "c.address",
            "hours": f"{weekday} || ' ' || {hours}",
            "special_day": f"c.day || ' ' || coalesce({hours}, 'closed')",
        }[field.name]
        order = {"address": "c.position" if kind.numbered else "c.id"}.get(field.name, ", ".join(kind.columns[:2]))
        return (
            f"(SELECT coalesce(array_agg({shown} ORDER BY {order}), '{{}}') FROM {kind.table} c "
            f"WHERE c.{kind.owner} = t.id)"
        )
    return f"t.{field.target}"


def _selection(resource: Resource) -> str:
    columns = [f'{_column(field)} AS "{field.name}"' for field in resource.fields]
    columns += [f'{expression} AS "{name}"' for name, expression in resource.facts]
    if resource.per_helpdesk:
        columns.insert(0, "(SELECT h.name FROM helpdesks h WHERE h.id = t.helpdesk_id) AS helpdesk")
    if resource.identity == "id":
        columns.insert(0, "t.id")
    return f"SELECT {', '.join(columns)} FROM {resource.table} t"


async def rows(connection: Connection, resource: Resource, helpdesk_id: int | None) -> list[Row]:
    """All rows of `resource`, of one helpdesk where it is given, in the order of their names."""
    where = "WHERE t.helpdesk_id = $1" if helpdesk_id is not None else ""
    order = "helpdesk, 1" if resource.per_helpdesk else "t.name"
    rows = await connection.fetch(
        f"{_selection(resource)} {where} ORDER BY {order}", *([] if helpdesk_id is None else [helpdesk_id])
    )
    return [dict(row) for row in rows]


async def row(connection: Connection, resource: Resource, where: Mapping[str, Any]) -> Row:
    """The one row with these column values, as `rows` shows it."""
    condition = " AND ".join(f"t.{column} = ${place}" for place, column in enumerate(where, start=1))
    row = await connection.fetchrow(f"{_selection(resource)} WHERE {condition}", *where.values())
    if row is None:
        raise BadValue(_("This %(thing)s does not exist any more.") % {"thing": _(resource.name)})
    return dict(row)


async def find(connection: Connection, resource: Resource, key: str, helpdesk_id: int | None = None) -> int:
    """The id of the one `resource` that `key` names: its id, its name (case aside), or one of its addresses.

    NotOne when there is none (it lists what there is) or when several answer to the name.
    """
    conditions = ["lower(t.name) = lower($1)", "t.id::text = $1"]
    if resource.address_table:
        owner = f"{resource.name if resource.name == 'employee' else 'person'}_id"
        conditions.append(f"t.id IN (SELECT a.{owner} FROM {resource.address_table} a WHERE a.address_key = lower($1))")
    scope, values = ("AND t.helpdesk_id = $2", [key, helpdesk_id]) if resource.per_helpdesk else ("", [key])
    candidates = await connection.fetch(
        f"SELECT t.id, t.name FROM {resource.table} t WHERE ({' OR '.join(conditions)}) {scope} ORDER BY t.id", *values
    )
    exact = [candidate for candidate in candidates if str(candidate["id"]) == key] or candidates
    if len(exact) == 1:
        return int(exact[0]["id"])
    told = {"thing": _(resource.name), "things": _(resource.plural), "key": key}
    if exact:
        raise NotOne(
            _("several %(things)s answer to %(key)r; name one by its id: %(these)s")
            % {**told, "these": _listed(exact)},
            tuple((one["id"], one["name"]) for one in exact),
        )
    where = "WHERE t.helpdesk_id = $1" if resource.per_helpdesk else ""
    known = await connection.fetch(
        f"SELECT t.id, t.name FROM {resource.table} t {where} ORDER BY t.name LIMIT {_MANY}",
        *([helpdesk_id] if resource.per_helpdesk else []),
    )
    if known:
        raise NotOne(_("there is no %(thing)s %(key)r; there are: %(these)s") % {**told, "these": _listed(known)})
    raise NotOne(_("there is no %(thing)s %(key)r; there are no %(things)s yet") % told)


async def names(connection: Connection, resource: Resource, helpdesk_id: int | None) -> list[tuple[int, str]]:
    """The id and name of each that a person can choose, by name; of things of a helpdesk, its own."""
    where = "WHERE t.helpdesk_id = $1" if resource.per_helpdesk else ""
    found = await connection.fetch(
        f"SELECT t.id, t.name FROM {resource.table} t {where} ORDER BY t.name, t.id",
        *([helpdesk_id] if resource.per_helpdesk else []),
    )
    return [(one["id"], one["name"]) for one in found]


async def defaults(connection: Connection, resource: Resource) -> Row:
    """What the columns hold where nobody chose: column and value, as the schema says; None where it says nothing."""
    said = await connection.fetch(_DEFAULTS, f"helpdesk.{resource.table}")
    if not said:
        return {}
    expressions = ", ".join(f'{one["expression"]} AS "{one["name"]}"' for one in said)
    row = await connection.fetchrow(f"SELECT {expressions}")
    return dict(row) if row is not None else {}


async def version(
    connection: Connection, resource: Resource, where: Mapping[str, Any], *, lock: bool = False
) -> int | None:
    """The version of the one row at `where`, None where there is none; `lock`: nobody else changes it meanwhile."""
    condition = " AND ".join(f"{column} = ${place}" for place, column in enumerate(where, start=1))
    locked = "FOR UPDATE" if lock else ""
    found: int | None = await connection.fetchval(
        f"SELECT row_version FROM {resource.table} WHERE {condition} {locked}", *where.values()
    )
    return found


def _listed(records: Iterable[asyncpg.Record]) -> str:
    return joined([f"{one['name']} (id {one['id']})" for one in records])


async def insert(connection: Connection, resource: Resource, values: Mapping[str, Any]) -> int | None:
    """Add one row with these columns; its id, where it has one."""
    columns = ", ".join(values)
    places = ", ".join(f"${place}" for place in range(1, len(values) + 1))
    returning = "RETURNING id" if resource.identity == "id" else ""
    made = await connection.fetchval(
        f"INSERT INTO {resource.table} ({columns}) VALUES ({places}) {returning}", *values.values()
    )
    return None if made is None else int(made)


async def update(
    connection: Connection, resource: Resource, where: Mapping[str, Any], values: Mapping[str, Any]
) -> bool:
    """Change these columns of the one row at `where`; False when there is no such row."""
    changes = ", ".join(f"{column} = ${place}" for place, column in enumerate(values, start=1))
    condition = " AND ".join(f"{column} = ${place}" for place, column in enumerate(where, start=len(values) + 1))
    done = await connection.execute(
        f"UPDATE {resource.table} SET {changes} WHERE {condition}", *values.values(), *where.values()
    )
    return done != "UPDATE 0"


async def remove(connection: Connection, resource: Resource, where: Mapping[str, Any]) -> None:
    """Delete the one row at `where`; the database refuses while another row refers to it."""
    condition = " AND ".join(f"{column} = ${place}" for place, column in enumerate(where, start=1))
    await connection.execute(f"DELETE FROM {resource.table} WHERE {condition}", *where.values())


async def replace_children(connection: Connection, kind: Children, owner: int, made: list[Any]) -> None:
    """Put these rows in the place of all that `owner` had."""
    await connection.execute(f"DELETE FROM {kind.table} WHERE {kind.owner} = $1", owner)
    columns = (kind.owner, *kind.columns)
    places = ", ".join(
        f"${place}{'::text::time' if column in ('opens', 'closes') else ''}"  # 24:00 is a time in PostgreSQL alone
        for place, column in enumerate(columns, start=1)
    )
    numbered = [(*one, place) for place, one in enumerate(made)] if kind.numbered else made
    await connection.executemany(
        f"INSERT INTO {kind.table} ({', '.join(columns)}) VALUES ({places})", [(owner, *one) for one in numbered]
    )


async def importers_in_need(connection: Connection, resource: Resource, identity: int) -> list[str]:
    """The helpdesks whose importer is on and stands on this contact, employee or status (SPEC D14)."""
    column = {"contact": "default_contact_id", "employee": "default_employee_id", "status": "imported_status_id"}
    if resource.name not in column:
        return []
    helpdesks = await connection.fetch(
        "SELECT h.name FROM importer_settings t JOIN helpdesks h ON h.id = t.helpdesk_id "
        f"WHERE t.enabled AND t.{column[resource.name]} = $1 ORDER BY h.name",
        identity,
    )
    return [helpdesk["name"] for helpdesk in helpdesks]


async def pause_of(connection: Connection, helpdesk_id: int) -> Row | None:
    """Since when and why a person keeps the mailbox from being read; None: he does not."""
    row = await connection.fetchrow(
        "SELECT paused_since AS since, paused_reason AS reason FROM importer_settings "
        "WHERE helpdesk_id = $1 AND paused_since IS NOT NULL",
        helpdesk_id,
    )
    return None if row is None else dict(row)


async def check_soon(connection: Connection, helpdesk_id: int) -> None:
    """Give the mailbox its turn now: whoever changes its settings wants to see whether they are right."""
    await connection.execute("UPDATE mailbox_states SET next_check_at = now() WHERE helpdesk_id = $1", helpdesk_id)


async def importer_settings(connection: Connection, helpdesk_id: int) -> Row:
    """The importer settings of a helpdesk with its last check (S8) and its problem; never the password (S3)."""
    expressions = [(field.name, _column(field)) for field in IMPORTER.fields] + list(IMPORTER.facts)
    columns = ", ".join(f'{expression} AS "{name}"' for name, expression in expressions)
    row = await connection.fetchrow(
        f"SELECT h.name AS helpdesk, {columns}, "
        "s.last_successful_check_at, s.problem, s.problem_since, l.refused_since AS login_refused_since, "
        "l.probe_at AS login_rests_until, t.login_expires_at "
        "FROM helpdesks h LEFT JOIN importer_settings t ON t.helpdesk_id = h.id "
        "LEFT JOIN mailbox_states s ON s.helpdesk_id = h.id "
        "LEFT JOIN login_states l ON l.login_id = t.login_id WHERE h.id = $1",
        helpdesk_id,
    )
    if row is None:
        raise BadValue(_("This helpdesk does not exist any more."))
    return dict(row)
