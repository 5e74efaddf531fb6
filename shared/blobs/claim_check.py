"""The claim check (DESIGN 3): what is too large for a message waits in the blob store, and is fetched here alone."""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from typing import Final

from shared.blobs.store import BlobDamaged, BlobStore
from shared.database.pool import Connection
from shared.messages import INLINE_LIMIT, BlobReference, Bodies, StoredBody

BODIES_LIMIT: Final = 64 * 1024 * 1024
"""Bytes of the JSON of both readings of a body that a consumer is ready to hold."""


def verified(reference: BlobReference, inline: bytes) -> bytes:
    """The bytes that a message carried. Raises BlobDamaged when they are not those of the reference."""
    if len(inline) != reference.size or hashlib.sha256(inline).hexdigest() != reference.sha256:
        raise BlobDamaged(f"The message's own bytes are not those of blob {reference.sha256}: publish the mail again.")
    return inline


async def check_in(store: BlobStore, connection: Connection, mail_id: uuid.UUID, bodies: Bodies) -> Bodies | StoredBody:
    """`bodies` as they may travel: themselves, or a claim check when their JSON is above INLINE_LIMIT."""
    encoded = (await asyncio.to_thread(bodies.model_dump_json)).encode("utf-8")
    if len(encoded) <= INLINE_LIMIT:
        return bodies
    return StoredBody(reference=await store.put(connection, mail_id, encoded))


async def check_out(store: BlobStore, bodies: Bodies | StoredBody) -> Bodies:
    """The bodies of a message, fetched when it holds a claim check on them. Raises what `BlobStore.read` raises."""
    if isinstance(bodies, Bodies):
        return bodies
    encoded = await store.read(bodies.reference, limit=BODIES_LIMIT)
    return await asyncio.to_thread(Bodies.model_validate_json, encoded)
