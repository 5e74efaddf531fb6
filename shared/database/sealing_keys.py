"""The public key that secrets are sealed for, as the database tells it to whoever writes one."""

from __future__ import annotations

from typing import Final

from shared.database.pool import Connection
from shared.errors import Misconfigured
from shared.sealing import SealingKey
from shared.sentences import Sentence

_PUBLISH: Final = """
    INSERT INTO helpdesk.sealing_keys (key_id, public_key, published_at) VALUES ($1, $2, clock_timestamp())
    ON CONFLICT (key_id) DO UPDATE SET published_at = excluded.published_at
    WHERE sealing_keys.published_at < (SELECT max(published_at) FROM helpdesk.sealing_keys)"""

_PUBLISHED: Final = "SELECT public_key FROM helpdesk.sealing_keys ORDER BY published_at DESC LIMIT 1"


async def publish(connection: Connection, key: SealingKey) -> None:
    """Make this the key that is sealed for, as the owner; nothing when it is that already."""
    await connection.execute(_PUBLISH, key.id, key.raw)


async def published_key(connection: Connection) -> SealingKey:
    """The key to seal for. Misconfigured when none was published yet."""
    raw = await connection.fetchval(_PUBLISHED)
    if raw is None:
        untold = Sentence(
            "The database tells no key that secrets are sealed for: run helpdesk-importer migrate where the secret "
            "encryption_keys is, so that it publishes the public one."
        )
        raise Misconfigured(untold)
    return SealingKey(raw)
