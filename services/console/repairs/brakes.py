"""What a person stops and lets go: a mailbox that is paused, mail out that is held. The audit log has who and when."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Final

from services.console.audit import Kind, record
from shared.database.pool import Connection

_PAUSE: Final = """
    UPDATE importer_settings SET paused_since = coalesce(paused_since, now()), paused_reason = $2
    WHERE helpdesk_id = $1 RETURNING true"""
_RESUME: Final = """
    WITH resumed AS (UPDATE importer_settings SET paused_since = NULL, paused_reason = ''
        WHERE helpdesk_id = $1 AND paused_since IS NOT NULL RETURNING helpdesk_id)
    UPDATE mailbox_states SET next_check_at = now() FROM resumed
    WHERE mailbox_states.helpdesk_id = resumed.helpdesk_id RETURNING true"""

_HOLD: Final = """
    INSERT INTO outgoing_holds (helpdesk_id, reason) VALUES ($1, $2)
    ON CONFLICT (coalesce(helpdesk_id, 0)) DO NOTHING RETURNING true"""
_RELEASE: Final = "DELETE FROM outgoing_holds WHERE helpdesk_id IS NOT DISTINCT FROM $1 RETURNING true"
_DISCARD: Final = "SELECT discard_held_mails($1, $2)"


async def pause(connection: Connection, helpdesk_id: int, reason: str) -> bool:
    """Keep a mailbox from being read from now on; False when the helpdesk has no settings."""
    return bool(await connection.fetchval(_PAUSE, helpdesk_id, reason))


async def resume(connection: Connection, helpdesk_id: int) -> bool:
    """Have it read again, at once; whether it was paused."""
    return bool(await connection.fetchval(_RESUME, helpdesk_id))


async def hold(connection: Connection, helpdesk_id: int | None, reason: str) -> bool:
    """Hold the mail out of a helpdesk, or of all (None); False when it is held already."""
    return bool(await connection.fetchval(_HOLD, helpdesk_id, reason))


async def release(connection: Connection, helpdesk_id: int | None) -> bool:
    """Let it go; whether it was held (by its own hold: that of all is let go by itself)."""
    return bool(await connection.fetchval(_RELEASE, helpdesk_id))


async def discard(connection: Connection, helpdesk_id: int | None, ids: Sequence[uuid.UUID] | None, reason: str) -> int:
    """Never send these held mails (None: all of them); how many. What is not held, or in hand, is left alone."""
    discarded: int = await connection.fetchval(_DISCARD, helpdesk_id, None if ids is None else list(ids))
    if discarded:
        told = {"mails": discarded, "reason": reason}
        await record(connection, Kind.REPAIR, "discarded", "notifications", helpdesk_id=helpdesk_id, told=told)
    return discarded
