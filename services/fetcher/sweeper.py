"""Publishes again what was stored and awaits its outcome (DESIGN 1): a message may be lost, a mail may not.

Mails that were not confirmed yet (a crash, a broker that was away, an import that a person forced, a replay) at once;
confirmed ones after an hour, doubling to a day; none with an open dead letter. `rules.republish` holds the delays.
"""

from __future__ import annotations

import asyncio
from typing import Final

import structlog

from services.fetcher import metrics
from services.fetcher.concurrently import attempt_all
from services.fetcher.publishing import MailPublisher
from services.fetcher.repository.ledger import Ledger
from services.fetcher.rules.batches import WINDOW
from shared.blobs.store import BlobError
from shared.errors import TryAgain
from shared.messages import MailId

PERIOD_SECONDS: Final = 5
"""A person who forced or replayed a mail waits for this."""

log = structlog.get_logger(__name__)


class Sweeper:
    """Sweeps the ledger; several fetchers may do so at once."""

    def __init__(self, ledger: Ledger, publisher: MailPublisher) -> None:
        self._ledger = ledger
        self._publisher = publisher

    async def run(self, stop: asyncio.Event) -> None:
        """Sweep now and then until `stop` is set; an outage is waited out."""
        while not stop.is_set():
            try:
                while await self.sweep() == WINDOW and not stop.is_set():
                    pass
            except TryAgain as trouble:
                log.warning("sweep_interrupted", error=str(trouble))
            try:
                async with asyncio.timeout(PERIOD_SECONDS):
                    await stop.wait()
            except TimeoutError:
                continue

    async def sweep(self) -> int:
        """Publish up to a window of mails that are due; how many were due. Raises TryAgain, Outage."""
        due = await self._ledger.claim_to_republish(WINDOW)
        loaded = await attempt_all(due, self._publisher.load)
        published = await self._publisher.publish([mail for _, mail in loaded.done])
        for mail, _ in published.done:
            log.info("mail_republished", mail_id=str(mail.mail_id))
        metrics.republished.inc(len(published.done))
        for envelope, error in loaded.failed:
            if not isinstance(error, BlobError):
                raise error
            await self._ledger.dead_letter(MailId(envelope.mail_id), str(error))
            log.error("mail_dead_letter", mail_id=str(envelope.mail_id), reason=str(error))
        published.raise_first()
        return len(due)
