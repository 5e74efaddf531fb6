"""What is known of an address, and its erasure: the contact goes, his tickets stay (issue 14)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from shared.database.pool import Connection

_FIND: Final = """
    SELECT * FROM (
        SELECT 'contact' AS what, person.id::text AS id, person.name AS name, address.address, NULL::timestamptz AS at,
            person.active::text AS detail
        FROM persons AS person LEFT JOIN person_addresses AS address ON address.person_id = person.id
        WHERE lower(address.address) = $1 OR ($2 AND strpos(lower(person.name), $1) > 0)
        UNION ALL
        SELECT 'employee', employee.id::text, employee.name, address.address, NULL, employee.active::text
        FROM employees AS employee LEFT JOIN employee_addresses AS address ON address.employee_id = employee.id
        WHERE lower(address.address) = $1 OR ($2 AND strpos(lower(employee.name), $1) > 0)
        UNION ALL
        SELECT 'ticket', number, sender_name, sender_address, reported_at, title
        FROM tickets
        WHERE lower(sender_address) = $1 OR names_address(sender_to || sender_cc, $1)
            OR ($2 AND strpos(lower(sender_name), $1) > 0)
        UNION ALL
        SELECT 'supplement', supplement.id::text, supplement.sender_name, supplement.sender_address,
            supplement.reported_at, ticket.number
        FROM supplements AS supplement JOIN tickets AS ticket ON ticket.id = supplement.ticket_id
        WHERE lower(supplement.sender_address) = $1 OR names_address(supplement.sender_to || supplement.sender_cc, $1)
            OR ($2 AND strpos(lower(supplement.sender_name), $1) > 0)
        UNION ALL
        SELECT 'mail', mail_id::text, sender_name, sender_address, received_at, outcome FROM imported_mails
        WHERE lower(sender_address) = $1 OR ($2 AND strpos(lower(sender_name), $1) > 0)
        UNION ALL
        SELECT 'mail out', id::text, recipient_name, recipient_address, created_at, state FROM notifications
        WHERE lower(recipient_address) = $1 OR ($2 AND strpos(lower(recipient_name), $1) > 0)
        UNION ALL
        SELECT 'sender rule', id::text, NULL, pattern, created_at, verdict FROM sender_rules
        WHERE kind = 'address' AND pattern = $1) AS known
    ORDER BY what, at DESC NULLS FIRST LIMIT $3"""

_ERASE: Final = "SELECT erase_person($1)"


@dataclass(frozen=True, slots=True)
class Known:
    """A thing that names a person; `detail` is its state, title or ticket."""

    what: str
    id: str
    name: str | None
    address: str | None
    at: datetime | None
    detail: str | None


async def find(connection: Connection, asked: str, limit: int) -> list[Known]:
    """Where an address stands, or (without an @) a part of a name, in any case."""
    typed = asked.strip().lower()
    rows = await connection.fetch(_FIND, typed, "@" not in typed, limit)
    return [Known(**row) for row in rows]


async def erase(connection: Connection, address: str) -> dict[str, Any]:
    """Erase what is personal of this address, as importer_operator; how much of what.

    Refused by the database for the contact that stands in for unknown senders, and while a mail of his is on its way.
    """
    told: dict[str, Any] = await connection.fetchval(_ERASE, address)
    return told
