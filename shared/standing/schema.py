"""What of the schema was taken from us: rights of our roles, and what guards mail from being doubled or forgotten.

Mail that meets a missing right waits, and is counted among what has no outcome after half an hour at the earliest; a
trigger that is off or a constraint that is gone is met by nobody. The catalogue says both at once, to any role.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from shared.database.differences import GUARDS, differences_of
from shared.database.grants import expected_grants, grants_of
from shared.database.objects import frozen_revision
from shared.database.pool import Connection


@dataclass(frozen=True, slots=True)
class SchemaStanding:
    """What is missing; nothing of a schema of another revision than the one that we know."""

    rights: tuple[str, ...] = ()
    """As the table of grants has them: `importer_notifier SELECT table helpdesk.tickets`."""
    guards: tuple[str, ...] = ()
    """A sentence for each, with what to do."""


NOTHING_MISSING: Final = SchemaStanding()


async def schema_standing(connection: Connection) -> SchemaStanding:
    """How the schema stands. Takes about 35 ms: definitions of constraints and indexes are worded anew."""
    if await connection.fetchval("SELECT version_num FROM public.alembic_version") != frozen_revision():
        return NOTHING_MISSING
    rights = sorted(expected_grants() - await grants_of(connection))
    guards = [each.sentence for each in await differences_of(connection, GUARDS) if each.is_grave]
    return SchemaStanding(tuple(rights), tuple(guards))
