"""Helpdesks, people and tickets of a test's own, put into the shared database as a helpdesk application would."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Final

from deploy.demo.maildir import Maildir
from shared.database.pool import Connection, Pool
from tests.acceptance.pipeline import Pipeline

_BY_NAME: Final = {
    "portal_supplement_status": "statuses",
    "default_priority": "priorities",
    "default_ticket_type": "ticket_types",
    "default_environment": "environments",
    "default_ticket_manager": "employees",
    "default_executor": "employees",
    "calendar": "calendars",
    "group": "helpdesk_groups",
    "default_employee": "employees",
    "default_contact": "persons",
    "status": "statuses",
    "priority": "priorities",
    "executor": "employees",
    "ticket_manager": "employees",
    "contact": "persons",
}
"""Columns that a test fills with a name; in the database they are ids, with `_id` behind the column's name."""
_OF_A_HELPDESK: Final = frozenset({"statuses", "priorities", "ticket_types", "environments"})

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Desk:
    """A helpdesk with a mailbox of its own, called like its folder."""

    id: int
    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Cast:
    """People whom no other test has: as they stand in a From header."""

    number: int
    organisation_id: int
    contact_id: int

    @property
    def senders(self) -> dict[str, str]:
        """Who can write: a contact, his colleague, an employee, somebody unknown."""
        n = self.number
        return {
            "contact": f"Klant {n} <klant{n}@bedrijf{n}.example>",
            "colleague": f"Collega {n} <collega{n}@bedrijf{n}.example>",
            "employee": f"Medewerker {n} <medewerker{n}@oosterdam-services.example>",
            "stranger": f"Vreemde {n} <vreemde{n}@elders{n}.example>",
        }


async def open_desk(pipeline: Pipeline, **settings: Any) -> Desk:
    """A helpdesk like ICT-servicedesk of the sample organisation, with these columns otherwise (S1–S8, M1, D1–D20).

    Columns are of `helpdesks` or `importer_settings`; those in _BY_NAME take a name. `imported_status` renames the
    status with the flag «geïmporteerd» (M5), `templates` gives subjects by kind.
    """
    number = next(_numbers)
    name, folder = f"Helpdesk {number}", f"desk{number}"
    address = f"desk{number}@oosterdam-services.example"
    Maildir(pipeline.mailboxes / folder)
    async with pipeline.connection.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL search_path = helpdesk, public")
        new = await connection.fetchval(_CLONE_HELPDESK, name, address)
        for statement in _CLONE_LISTS:
            await connection.execute(statement, new)
        await connection.execute(_CLONE_DEFAULTS, new)
        if (status := settings.pop("imported_status", None)) is not None:
            await connection.execute(
                "UPDATE statuses SET name = $2 WHERE helpdesk_id = $1 AND flag = 'imported'", new, status
            )
        for kind, subject in settings.pop("templates", {}).items():
            await connection.execute(
                "INSERT INTO templates (helpdesk_id, kind, subject) VALUES ($1, $2, $3)", new, kind, subject
            )
        await connection.execute(_CLONE_SETTINGS, new, str(pipeline.mailboxes / folder), address)
        await _change(connection, new, settings)
    return Desk(new, folder, address)


async def change_desk(pipeline: Pipeline, desk: Desk, **settings: Any) -> None:
    """Give a helpdesk other settings; the names are those of `open_desk`."""
    async with pipeline.connection.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL search_path = helpdesk, public")
        await _change(connection, desk.id, settings)


async def invite(pipeline: Pipeline) -> Cast:
    """A new organisation with a contact and his colleague, and an employee."""
    n = next(_numbers)
    async with pipeline.connection.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL search_path = helpdesk, public")
        organisation = await connection.fetchval(
            "INSERT INTO organisations (name) VALUES ($1) RETURNING id", f"Bedrijf {n}"
        )
        contact = await add_contact(connection, organisation, f"Klant {n}", f"klant{n}@bedrijf{n}.example")
        await add_contact(connection, organisation, f"Collega {n}", f"collega{n}@bedrijf{n}.example")
        await add_employee(connection, f"Medewerker {n}", f"medewerker{n}@oosterdam-services.example")
    return Cast(n, organisation, contact)


async def add_contact(
    connection: Connection | Pool,
    organisation_id: int,
    name: str,
    address: str,
    *,
    active: bool = True,
) -> int:
    """A contact with one address; his id."""
    return int(
        await connection.fetchval(
            """WITH person AS (INSERT INTO helpdesk.persons (organisation_id, name, active) VALUES ($1, $2, $4)
                               RETURNING id)
               INSERT INTO helpdesk.person_addresses (person_id, address) SELECT id, $3 FROM person
               RETURNING person_id""",
            organisation_id,
            name,
            address,
            active,
        )
    )


async def add_employee(connection: Connection | Pool, name: str, address: str) -> None:
    """An employee with one address."""
    await connection.execute(
        """WITH employee AS (INSERT INTO helpdesk.employees (name) VALUES ($1) RETURNING id)
           INSERT INTO helpdesk.employee_addresses (employee_id, address) SELECT id, $2 FROM employee""",
        name,
        address,
    )


async def add_ticket(pipeline: Pipeline, desk: Desk, cast: Cast, **columns: Any) -> str:
    """A ticket of the contact, as the portal would have made it; its number.

    `columns` are of `tickets` or in _BY_NAME; `alias` is an old number of it, `merged_into` the number of its target.
    """
    alias, target = columns.pop("alias", None), columns.pop("merged_into", None)
    given = {"status": "In behandeling", "executor": "Tom Jansen", "title": "Een eerder ticket"} | columns
    async with pipeline.connection.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL search_path = helpdesk, public")
        values = {
            "organisation_id": cast.organisation_id,
            "contact_id": cast.contact_id,
            **await _ids(connection, desk.id, given),
        }
        names = ", ".join(values)
        places = ", ".join(f"${position}" for position in range(2, len(values) + 2))
        row = await connection.fetchrow(
            f"""INSERT INTO tickets (helpdesk_id, reported_at, created_by_employee_id, changed_by_employee_id, {names})
                SELECT $1, now(), employee.id, employee.id, {places}
                FROM employees AS employee WHERE employee.name = 'Marieke de Boer' RETURNING id, number""",  # noqa: S608
            desk.id,
            *values.values(),
        )
        assert row is not None
        if alias is not None:
            await connection.execute("INSERT INTO ticket_numbers (number, ticket_id) VALUES ($1, $2)", alias, row["id"])
        if target is not None:
            await connection.execute(
                "UPDATE tickets SET merged_into_id = (SELECT id FROM tickets WHERE number = $2) WHERE id = $1",
                row["id"],
                target,
            )
    return str(row["number"])


def mail_left_in(pipeline: Pipeline, desk: Desk) -> list[Path]:
    """The unread mail of a desk's mailbox."""
    return Maildir(pipeline.mailboxes / desk.name).unread()


async def _change(connection: Connection | Pool, helpdesk_id: int, settings: Mapping[str, Any]) -> None:
    values = await _ids(connection, helpdesk_id, settings)
    for column, value in values.items():
        of_helpdesk = await connection.fetchval(
            """SELECT EXISTS (SELECT FROM information_schema.columns WHERE table_schema = 'helpdesk'
                              AND table_name = 'helpdesks' AND column_name = $1)""",
            column,
        )
        table, key = ("helpdesks", "id") if of_helpdesk else ("importer_settings", "helpdesk_id")
        await connection.execute(f"UPDATE {table} SET {column} = $2 WHERE {key} = $1", helpdesk_id, value)  # noqa: S608


async def _ids(connection: Connection | Pool, helpdesk_id: int, given: Mapping[str, Any]) -> dict[str, Any]:
    """The columns with names replaced by ids."""
    columns: dict[str, Any] = {}
    for column, value in given.items():
        if column not in _BY_NAME:
            columns[column] = value
            continue
        columns[f"{column}_id"] = None
        if value is not None:
            table = _BY_NAME[column]
            where = "AND helpdesk_id = $2" if table in _OF_A_HELPDESK else "AND $2::bigint IS NOT NULL"
            found = await connection.fetchval(
                f"SELECT id FROM {table} WHERE name = $1 {where}",  # noqa: S608 - our own names
                value,
                helpdesk_id,
            )
            assert found is not None, f"no {value!r} in {table}"
            columns[f"{column}_id"] = found
    return columns


_CLONE_HELPDESK: Final = """
    INSERT INTO helpdesks (name, calendar_id, default_ticket_manager_id, default_executor_id, recalculate_deadline,
                           outgoing_account_id, sender_name, sender_address, ticket_url, summary_after)
    SELECT $1, calendar_id, default_ticket_manager_id, default_executor_id, recalculate_deadline,
           outgoing_account_id, $1, $2, ticket_url, summary_after
    FROM helpdesks WHERE name = 'ICT-servicedesk' RETURNING id"""

_CLONE_LISTS: Final = tuple(
    f"INSERT INTO {table} (helpdesk_id, {columns}) SELECT $1, {columns} FROM {table}"  # noqa: S608 - our own names
    " WHERE helpdesk_id = (SELECT id FROM helpdesks WHERE name = 'ICT-servicedesk')"
    for table, columns in {
        "statuses": "name, category, position, flag, visible_to_customer, expanded",
        "ticket_types": "name",
        "priorities": "name, position, resolution_minutes",
        "environments": "name",
    }.items()
)

_CLONE_DEFAULTS: Final = """
    UPDATE helpdesks SET
        default_ticket_type_id = (SELECT id FROM ticket_types WHERE helpdesk_id = $1 AND name = 'Incident'),
        default_priority_id = (SELECT id FROM priorities WHERE helpdesk_id = $1 AND name = 'Normaal'),
        default_environment_id = (SELECT id FROM environments WHERE helpdesk_id = $1),
        portal_supplement_status_id = (SELECT id FROM statuses WHERE helpdesk_id = $1 AND name = 'Reactie van klant')
    WHERE id = $1"""

_CLONE_SETTINGS: Final = """
    INSERT INTO importer_settings (helpdesk_id, enabled, kind, server, mailbox_address, default_contact_id,
                                   default_employee_id, marker, check_interval_seconds)
    SELECT $1, true, 'maildir', $2, $3, default_contact_id, default_employee_id, marker, 10
    FROM importer_settings JOIN helpdesks ON id = helpdesk_id WHERE name = 'ICT-servicedesk'"""
