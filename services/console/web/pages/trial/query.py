"""A mail that somebody tries: his question about it, which holds the mail until the classifier has read it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from shared.database.pool import Connection

_ASK: Final = """
    INSERT INTO service_questions (service, question, helpdesk_id, asked_by, mail)
    VALUES ('classifier', 'try', $1, $2, $3)"""
_FORGET: Final = "DELETE FROM service_questions WHERE question = 'try' AND helpdesk_id = $1 AND asked_by = $2"
_LAST: Final = """
    SELECT service, asked_at, answered_at, answer,
        answered_at IS NULL AND asked_at < now() - interval '3 minutes' AS is_late
    FROM service_questions WHERE helpdesk_id = $1 AND question = 'try' AND asked_by = $2 ORDER BY id DESC LIMIT 1"""
_NAMES: Final = """
    SELECT (SELECT name FROM persons WHERE id = $1) AS contact,
        (SELECT name FROM employees WHERE id = $2) AS employee"""


@dataclass(frozen=True, slots=True)
class Tried:
    """The mail that somebody tried last; `service` has it in hand, `is_late`: nobody answers."""

    service: str
    asked_at: datetime
    answered_at: datetime | None
    answer: dict[str, Any] | None
    is_late: bool


async def ask(connection: Connection, helpdesk_id: int, asked_by: str, mail: bytes) -> None:
    """Ask what would become of a mail, in the place of what he asked before. `connection` is in a transaction."""
    await forget(connection, helpdesk_id, asked_by)
    await connection.execute(_ASK, helpdesk_id, asked_by, mail)


async def forget(connection: Connection, helpdesk_id: int, asked_by: str) -> None:
    """Remove what he asked, and the answer."""
    await connection.execute(_FORGET, helpdesk_id, asked_by)


async def last(connection: Connection, helpdesk_id: int, asked_by: str) -> Tried | None:
    """What he asked in the last hour, its answer with the names of the contact and the employee."""
    row = await connection.fetchrow(_LAST, helpdesk_id, asked_by)
    if row is None:
        return None
    tried = Tried(**row)
    if tried.answer is not None and tried.answer["ok"]:
        names = await connection.fetchrow(_NAMES, tried.answer["contact_id"], tried.answer["employee_id"])
        tried.answer.update(names or {})
    return tried
