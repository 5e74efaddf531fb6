"""What a blob store does, whatever holds the bytes; S3 can take over behind this protocol (DESIGN 4)."""

from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator, Sequence
from datetime import timedelta
from typing import BinaryIO, Final, Protocol, TypeAlias

from shared.database.pool import Connection
from shared.errors import DeadLetter
from shared.messages import BlobReference

CHUNK_SIZE: Final = 1024 * 1024
"""Bytes of a chunk; the last one of a blob is shorter."""

Source: TypeAlias = bytes | BinaryIO
"""Where the bytes come from: in memory, or a seekable file, read from its present position to its end."""


class BlobError(DeadLetter):
    """A blob cannot be given as it was stored; trying again does not help."""


class BlobMissing(BlobError):
    """Nothing is stored under this reference: it was removed too early, or never committed."""


class BlobDamaged(BlobError):
    """What is stored is not what was put in: its size or its SHA-256 differs."""


class BlobTooLarge(BlobError):
    """The blob is larger than its reader wants to hold in memory."""


class BlobStore(Protocol):
    """Content-addressed bytes, each tied to the mails that need them."""

    async def put(self, connection: Connection, mail_id: uuid.UUID, source: Source) -> BlobReference:
        """Store `source`, unless the same bytes lie there already, and tie it to the mail.

        Takes part in the caller's transaction on `connection`: rolled back with it. The mail's row in the ledger may
        follow later in that transaction. A file is read twice, a chunk at a time, and left open.
        """
        ...

    async def put_all(self, connection: Connection, contents: Sequence[tuple[uuid.UUID, bytes]]) -> list[BlobReference]:
        """`put` for many at once: each the bytes of one blob with the mail that needs it.

        In one order for all who do so, that of their digests: two transactions never wait for each other.
        """
        ...

    def stream(self, reference: BlobReference) -> AsyncGenerator[bytes]:
        """The blob's chunks, each at most CHUNK_SIZE. What came is sound only once the iterator has ended by itself.

        Raises BlobMissing before the first chunk, BlobDamaged at the end.
        """
        ...

    async def read(self, reference: BlobReference, *, limit: int) -> bytes:
        """The whole blob, verified. Raises BlobTooLarge above `limit` bytes, BlobMissing, BlobDamaged."""
        ...

    async def remove_unneeded(self, *, settled_for: timedelta, at_most: int = 1000) -> int:
        """Remove blobs that nothing needs any more, `at_most` in one transaction; how many were removed.

        Unneeded: no mail has it as its raw bytes, no attachment shows it, and every mail it is tied to ended as ticket,
        supplement or duplicate at least `settled_for` ago, without an open dead letter. A quarantined mail keeps all,
        since it may be replayed (SPEC D7).
        """
        ...
