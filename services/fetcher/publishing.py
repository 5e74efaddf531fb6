"""Publishing mails that are stored: in a window, confirmed, and recorded as such."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.fetcher.concurrently import Attempts, attempt_all
from services.fetcher.repository.ledger import Ledger
from shared.blobs.store import BlobStore
from shared.broker.envelope import travels_inline
from shared.broker.publish import Publisher
from shared.messages import INLINE_LIMIT, MailId, RawMail


@dataclass(frozen=True, slots=True)
class StoredMail:
    """A mail that is stored; `payload` is the mail itself where it is small enough to travel, else empty."""

    envelope: RawMail
    payload: bytes

    @property
    def mail_id(self) -> MailId:
        """The mail's identity."""
        return MailId(self.envelope.mail_id)


class MailPublisher:
    """Publishes to `mail.raw`."""

    def __init__(self, publisher: Publisher, ledger: Ledger, blobs: BlobStore) -> None:
        self._publisher = publisher
        self._ledger = ledger
        self._blobs = blobs

    async def load(self, envelope: RawMail) -> StoredMail:
        """The mail with its payload out of the blob store. Raises BlobError when it is not there as it was stored."""
        payload = await self._blobs.read(envelope.raw, limit=INLINE_LIMIT) if travels_inline(envelope) else b""
        return StoredMail(envelope, payload)

    async def publish(self, mails: Sequence[StoredMail]) -> Attempts[StoredMail, None]:
        """Publish these mails, in their order; each that was confirmed is recorded, whatever became of the others."""
        attempts = await attempt_all(mails, self._publish)
        if attempts.done:
            await self._ledger.published([mail.mail_id for mail, _ in attempts.done])
        return attempts

    async def _publish(self, mail: StoredMail) -> None:
        await self._publisher.publish(mail.envelope, payload=mail.payload)
