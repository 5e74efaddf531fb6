"""What the settings' pages read beside the rows themselves: people to choose, what a service answered, what changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from services.console.resources import Resource
from shared.database.pool import Connection

MOST_PEOPLE: Final = 10
FEWEST_TYPED: Final = 2
"""Letters of a name or address, before anybody is looked for."""

PEOPLE: Final = {
    "contact": """
        SELECT person.id, person.name, min(address.address) AS address
        FROM persons AS person LEFT JOIN person_addresses AS address ON address.person_id = person.id
        WHERE person.active AND (strpos(lower(person.name), lower($1)) > 0 OR person.id IN (
            SELECT person_id FROM person_addresses WHERE strpos(address_key, lower($1)) > 0))
        GROUP BY person.id ORDER BY person.name, person.id LIMIT $2""",
    "employee": """
        SELECT employee.id, employee.name, min(address.address) AS address
        FROM employees AS employee LEFT JOIN employee_addresses AS address ON address.employee_id = employee.id
        WHERE employee.active AND (strpos(lower(employee.name), lower($1)) > 0 OR employee.id IN (
            SELECT employee_id FROM employee_addresses WHERE strpos(address_key, lower($1)) > 0))
        GROUP BY employee.id ORDER BY employee.name, employee.id LIMIT $2""",
}
_ASK: Final = """
    INSERT INTO service_questions (service, question, helpdesk_id, asked_by) SELECT $1, $2, $3, $4
    WHERE NOT EXISTS (SELECT FROM service_questions WHERE helpdesk_id = $3 AND question = $2 AND answered_at IS NULL
        AND asked_at > now() - interval '3 minutes')"""
_LAST: Final = """
    SELECT question, asked_at, answered_at, answer, asked_at < now() - interval '3 minutes' AS is_late
    FROM service_questions WHERE helpdesk_id = $1 AND service = 'fetcher' ORDER BY id DESC LIMIT 1"""
_HOLD: Final = "SELECT held_since, reason FROM outgoing_holds WHERE helpdesk_id = $1"
_NAMES: Final = "SELECT id, name FROM {table} WHERE id = ANY($1)"
_BEFORE: Final = "SELECT {columns} FROM jsonb_populate_record(NULL::helpdesk.{table}, $1) AS was"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody to choose."""

    id: int
    name: str
    address: str | None

    @property
    def typed(self) -> str:
        """What names him, and nobody else where he has an address of his own."""
        return self.address or str(self.id)


@dataclass(frozen=True, slots=True)
class Asked:
    """The last question to the fetcher, and its answer; `is_late`: nobody answers."""

    question: str
    asked_at: datetime
    answered_at: datetime | None
    answer: dict[str, Any] | None
    is_late: bool


@dataclass(frozen=True, slots=True)
class Hold:
    """Why and since when the mail out of a helpdesk is held."""

    held_since: datetime
    reason: str


async def people(connection: Connection, resource: str, typed: str) -> list[Person]:
    """Those in use of whom a piece of the name or of an address was typed."""
    return [Person(**row) for row in await connection.fetch(PEOPLE[resource], typed, MOST_PEOPLE)]


async def ask_fetcher(connection: Connection, question: str, helpdesk_id: int, asked_by: str) -> None:
    """Ask, unless the same is being asked already."""
    await connection.execute(_ASK, "fetcher", question, helpdesk_id, asked_by)


async def last_asked(connection: Connection, helpdesk_id: int) -> Asked | None:
    """The last question of the last hour."""
    row = await connection.fetchrow(_LAST, helpdesk_id)
    return None if row is None else Asked(**row)


async def hold_of(connection: Connection, helpdesk_id: int) -> Hold | None:
    """The hold of a helpdesk's own mail."""
    row = await connection.fetchrow(_HOLD, helpdesk_id)
    return None if row is None else Hold(**row)


async def names_of(connection: Connection, resource: Resource, ids: Sequence[int]) -> dict[int, str]:
    """The names of rows."""
    rows = await connection.fetch(_NAMES.format(table=resource.table), list(ids))
    return {row["id"]: row["name"] for row in rows}


async def typed_before(
    connection: Connection, resource: Resource, columns: Sequence[str], before: Mapping[str, Any]
) -> dict[str, Any]:
    """These columns as an entry of the audit log has them, each as a value of its column's type."""
    statement = _BEFORE.format(columns=", ".join(f"was.{column}" for column in columns), table=resource.table)
    row = await connection.fetchrow(statement, dict(before))
    return {} if row is None else dict(row)
