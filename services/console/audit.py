"""What the audit log of the database says: who changed which setting, repaired what, looked at which raw mail.

Triggers write it, whoever changes a row; `record` is for deeds that no row shows. Nobody can change it.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from shared.database.pool import Connection

_LIST: Final = """
    SELECT entry.id, entry.at, entry.actor, entry.database_role AS role, entry.tool, entry.kind, entry.deed,
        entry.thing, entry.thing_id, helpdesk.name AS helpdesk, entry.mail_id, entry.before, entry.after
    FROM audit_log AS entry LEFT JOIN helpdesks AS helpdesk ON helpdesk.id = entry.helpdesk_id
    WHERE ($1::text IS NULL OR entry.kind = $1)
        AND ($2::timestamptz IS NULL OR entry.at >= $2)
        AND ($3::timestamptz IS NULL OR entry.at < $3)
        AND ($4::text IS NULL OR strpos(lower(entry.actor), lower($4)) > 0)
        AND ($5::text IS NULL OR entry.thing = $5)
        AND ($6::bigint IS NULL OR entry.helpdesk_id = $6)
        AND ($7::uuid IS NULL OR entry.mail_id = $7)
        AND ($9::bigint[] IS NULL OR entry.helpdesk_id = ANY($9))
        AND ($10::timestamptz IS NULL OR (entry.at, entry.id) < ($10, $11::bigint))
        AND ($12::text IS NULL OR entry.thing_id = $12)
    ORDER BY entry.at DESC, entry.id DESC LIMIT $8"""

_RECORD: Final = "SELECT record_audit($1, $2, $3, $4, $5, $6, NULL, $7)"


class Kind(StrEnum):
    """What a row tells of."""

    SETTINGS = "settings"
    REPAIR = "repair"
    RAW_MAIL = "raw-mail"
    REMOVAL = "removal"
    INSTALLATION = "installation"


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the log. `before` and `after` hold what changed, by column; None: there was, or is, nothing.

    `actor` is who the tool said it was, None where it said nobody; `role` is who logged in at the database.
    """

    id: int
    at: datetime
    actor: str | None
    role: str
    tool: str
    kind: str
    deed: str
    thing: str
    thing_id: str | None
    helpdesk: str | None
    mail_id: uuid.UUID | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Filter:
    """Which rows are listed; None takes all. `actor` is a part of the name, in any case; `until` is left out itself.

    `within` are the helpdesks of which they are told, `after` the moment and id of the row that the last page ended
    with.
    """

    kind: Kind | None = None
    since: datetime | None = None
    until: datetime | None = None
    actor: str | None = None
    thing: str | None = None
    thing_id: str | None = None
    helpdesk_id: int | None = None
    mail_id: uuid.UUID | None = None
    within: Sequence[int] | None = None
    after: tuple[datetime, int] | None = None
    limit: int = 50


async def entries(connection: Connection, wanted: Filter) -> list[Entry]:
    """The newest rows that answer to the filter."""
    rows = await connection.fetch(
        _LIST, wanted.kind, wanted.since, wanted.until, wanted.actor, wanted.thing, wanted.helpdesk_id,
        wanted.mail_id, wanted.limit, wanted.within, *(wanted.after or (None, None)), wanted.thing_id,
    )  # fmt: skip
    return [Entry(**row) for row in rows]


async def record(
    connection: Connection,
    kind: Kind,
    deed: str,
    thing: str,
    *,
    thing_id: str | None = None,
    helpdesk_id: int | None = None,
    mail_id: uuid.UUID | None = None,
    told: dict[str, Any] | None = None,
) -> None:
    """Record a deed that no row of a table shows, in the transaction of the caller; `told` is what it comes to."""
    await connection.execute(_RECORD, kind, deed, thing, thing_id, helpdesk_id, mail_id, told)
