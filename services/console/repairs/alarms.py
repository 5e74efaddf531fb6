"""Who administers a helpdesk, planned maintenance, and the alarms that go on: what people ask and set."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.database.pool import Connection

_ALARMS: Final = """
    SELECT alarm.id, cause, key, helpdesks, first_seen_at AS since, last_seen_at, ended_at, english AS text, dutch,
        (SELECT min(told_at) FROM alarm_tellings WHERE alarm_id = alarm.id AND event = 'began') AS told_at
    FROM alarms AS alarm WHERE ended_at IS NULL OR ($1 AND ended_at > now() - interval '7 days')
    ORDER BY first_seen_at DESC LIMIT 1000"""

_ADD: Final = "INSERT INTO helpdesk_administrators (helpdesk_id, employee_id) VALUES ($1, $2) ON CONFLICT DO NOTHING"
_REMOVE: Final = "DELETE FROM helpdesk_administrators WHERE helpdesk_id = $1 AND employee_id = $2 RETURNING true"
_ADMINISTRATORS: Final = """
    SELECT helpdesk.name AS helpdesk, employee.name AS employee, employee.active,
        (SELECT address FROM employee_addresses WHERE employee_id = employee.id ORDER BY position LIMIT 1) AS address
    FROM helpdesk_administrators AS administrator
        JOIN helpdesks AS helpdesk ON helpdesk.id = administrator.helpdesk_id
        JOIN employees AS employee ON employee.id = administrator.employee_id
    ORDER BY 1, 2"""

_PLAN: Final = """
    INSERT INTO maintenance_windows (helpdesk_id, starts_at, ends_at, reason)
    SELECT $1, starts_at, starts_at + $3::interval, $4
    FROM (SELECT coalesce($2::timestamptz, now()) AS starts_at) AS given
    RETURNING id, ends_at"""
_END: Final = """
    UPDATE maintenance_windows SET ends_at = greatest(clock_timestamp(), starts_at + interval '1 second')
    WHERE id = $1 AND ends_at > now() RETURNING true"""
_WINDOWS: Final = """
    SELECT silent.id, helpdesk.name AS helpdesk, starts_at, ends_at, reason
    FROM maintenance_windows AS silent LEFT JOIN helpdesks AS helpdesk ON helpdesk.id = silent.helpdesk_id
    WHERE ends_at > now() ORDER BY starts_at"""


@dataclass(frozen=True, slots=True)
class AlarmRow:
    """An alarm as people see it; `told_at` None: nobody was told of it yet."""

    id: int
    cause: str
    key: str
    helpdesks: tuple[str, ...]
    since: datetime
    last_seen_at: datetime
    ended_at: datetime | None
    told_at: datetime | None
    text: str
    """In English."""
    dutch: str


@dataclass(frozen=True, slots=True)
class Administrator:
    """An employee who is told of a helpdesk's alarms, at his first address; None: he has none, so he hears nothing."""

    helpdesk: str
    employee: str
    active: bool
    address: str | None


@dataclass(frozen=True, slots=True)
class Maintenance:
    """When alarms are silent; `helpdesk` None: those of all."""

    id: int
    helpdesk: str | None
    starts_at: datetime
    ends_at: datetime
    reason: str


async def alarms(connection: Connection, *, ended_too: bool) -> list[AlarmRow]:
    """Those that go on; with `ended_too` those of the last seven days as well."""
    rows = await connection.fetch(_ALARMS, ended_too)
    return [AlarmRow(**{**row, "helpdesks": tuple(row["helpdesks"])}) for row in rows]


async def add_administrator(connection: Connection, helpdesk_id: int, employee_id: int) -> None:
    """Tell this employee too; nothing when he is told already."""
    await connection.execute(_ADD, helpdesk_id, employee_id)


async def remove_administrator(connection: Connection, helpdesk_id: int, employee_id: int) -> bool:
    """Tell him no more; whether he was told."""
    return bool(await connection.fetchval(_REMOVE, helpdesk_id, employee_id))


async def administrators(connection: Connection) -> list[Administrator]:
    """Those of all helpdesks."""
    return [Administrator(**row) for row in await connection.fetch(_ADMINISTRATORS)]


async def plan_maintenance(
    connection: Connection, helpdesk_id: int | None, starts_at: datetime | None, lasts: timedelta, reason: str
) -> tuple[int, datetime]:
    """Keep alarms silent for so long from then (None: now); the window's id and its end."""
    row = await connection.fetchrow(_PLAN, helpdesk_id, starts_at, lasts, reason)
    assert row is not None  # noqa: S101 - an INSERT returns its row
    return row["id"], row["ends_at"]


async def end_maintenance(connection: Connection, window: int) -> bool:
    """End a window now; whether there was one that went on or lay ahead."""
    return bool(await connection.fetchval(_END, window))


async def maintenance(connection: Connection) -> list[Maintenance]:
    """Windows that go on or lie ahead."""
    return [Maintenance(**row) for row in await connection.fetch(_WINDOWS)]
