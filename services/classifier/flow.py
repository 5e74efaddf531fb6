"""The way of one mail through the classifier.

    settings → raw bytes (claim check) → read in a child process → scan images → ask the database → facts
    → store images → publish

A mail beyond its sender's number an hour ends here for now: the fetcher publishes it again when its turn has come.

What the database does of that is done for all mails that wait at once (`shared.batches`).

Each step can be done again: ids are made of the mail's own, blobs of their bytes, so a mail that is delivered twice
gives the same message twice. A crash anywhere before the acknowledgement leaves blobs that are tied to the mail and
found again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Final

import structlog

from services.classifier import repository
from services.classifier.frequent_senders import FrequentSenders
from services.classifier.reading.frames import Mode
from services.classifier.reading.limits import DEFAULT_LIMITS
from services.classifier.reading.mime.safe_text import safe_line
from services.classifier.reading.pool import MailExhausted, RawMailBytes, ReaderPool
from services.classifier.reading.values import ReadingSettings, ReadMail
from services.classifier.repository import HelpdeskSettings
from services.classifier.rules.facts import Asked, Known, Mailbox, ask, choose_bodies, classify
from services.classifier.rules.flood import budget_of
from services.classifier.rules.withheld import without_images
from services.classifier.scanner import Scanner
from services.classifier.slow_senders import SlowSenders
from services.classifier.storing import Store
from shared.batches import Batches
from shared.blobs import claim_check
from shared.blobs.store import BlobStore
from shared.broker.publish import Publisher
from shared.broker.wire import Delivery
from shared.database.pool import Pool
from shared.errors import HandleAlone
from shared.messages import INLINE_LIMIT, ClassifiedMail, RawMail, Reason, ReasonId

LARGEST_MAIL: Final = 256 * 1024 * 1024
"""Bytes of a mail that is held in memory; of a larger one (the limit of D17 was raised above it) the head is read."""

SECONDS_AMONG_OTHERS: Final = 3
"""Seconds of processor time of a mail for which others wait: ten times what a large one takes, save many pictures."""

PATIENCE_SECONDS: Final = 0.25
"""How long a mail waits for the company of others: about as long as those that come after it wait for the readers."""

_log = structlog.get_logger(__name__)


class TakesLong(HandleAlone):
    """The mail, or one of its sender's not long ago, is not read in SECONDS_AMONG_OTHERS."""


class Classifier:
    """Handles deliveries of `mail.raw`; `large_at_once` mails above INLINE_LIMIT are in memory at a time.

    A mail that is handled alone may take `alone_seconds` of processor time; the others less (`TakesLong`).
    """

    def __init__(
        self,
        *,
        pool: Pool,
        blobs: BlobStore,
        readers: ReaderPool,
        publisher: Publisher,
        number_pattern: str,
        large_at_once: int,
        alone_seconds: float,
        scanner: Scanner | None = None,
    ) -> None:
        self._in_hand = 0
        # One by one mails would never meet, neither before the readers nor from their hands: a fourth of what is in
        # hand goes to the readers together, a half goes on together, and they have the rest before them meanwhile.
        self._settings = Batches(
            partial(repository.helpdesk_settings, pool),
            what="settings",
            worth=lambda: self._in_hand // 4,
            patience_seconds=PATIENCE_SECONDS,
        )
        self._known = Batches(
            partial(repository.look_up, pool),
            what="look-ups",
            worth=lambda: self._in_hand // 2,
            patience_seconds=PATIENCE_SECONDS,
        )
        self._floods = Batches(partial(repository.hold_floods, pool), what="floods")
        self._frequent_senders = FrequentSenders()
        self._store = Store(pool, blobs)
        self._blobs = blobs
        self._readers = readers
        self._publisher = publisher
        self._number_pattern = number_pattern
        self._scanner = scanner
        self._alone_seconds = alone_seconds
        self._slow_senders = SlowSenders()
        self._large = asyncio.Semaphore(large_at_once)

    async def handle(self, delivery: Delivery) -> None:
        """Classifies one mail and publishes what it found.

        Raises Outage, TryAgain, HandleAlone and DeadLetter for the consumer.
        """
        mail = delivery.read(RawMail)
        self._in_hand += 1
        try:
            if mail.raw.size <= INLINE_LIMIT:
                await self._handle(mail, delivery)
                return
            async with self._large:
                await self._handle(mail, delivery)
        finally:
            self._in_hand -= 1

    async def hand_on(self, delivery: Delivery, error: Exception) -> bool:
        """The last resort for a mail that our own error kept from being classified: its head, saying so (D17)."""
        mail = delivery.read(RawMail)
        settings = await self._settings.of(mail.helpdesk_id)
        read = await self._read_head(mail, settings.reading, delivery.body)
        reason = Reason(id=ReasonId.OUR_ERROR, detail=type(error).__name__)
        await self._finish(mail, settings, read, (reason,))
        return True

    async def _handle(self, mail: RawMail, delivery: Delivery) -> None:
        settings = await self._settings.of(mail.helpdesk_id)
        read = await self._read(mail, settings.reading, delivery)
        await self._finish(mail, settings, read, ())

    async def _read(self, mail: RawMail, settings: ReadingSettings, delivery: Delivery) -> ReadMail:
        """The whole mail; when that cannot be, its head; when that cannot be either, nothing of it (D17)."""
        if mail.raw.size > LARGEST_MAIL:
            return await self._read_head(mail, settings, delivery.body)
        raw = self._raw(mail, delivery.body)
        if not delivery.suspect and self._slow_senders:
            head = await self._read_head(mail, settings, delivery.body)
            if self._slow_senders.sent(head):
                raise TakesLong("a mail of this sender took too long not long ago")
        mode = Mode.WHOLE if mail.complete else Mode.BEGINNING
        seconds = self._alone_seconds if delivery.suspect else min(SECONDS_AMONG_OTHERS, self._alone_seconds)
        try:
            read = await self._readers.read(raw, mail.mail_id, settings, mode, seconds=seconds)
        except MailExhausted as exhausted:
            head = await self._read_head(mail, settings, delivery.body)
            self._slow_senders.add(head)
            if not delivery.suspect:
                raise TakesLong(str(exhausted)) from exhausted
            return head
        for error in read.our_errors:
            _log.error("image_not_stored", error=error.name, exception=error.traceback)
        return read

    def _raw(self, mail: RawMail, inline: bytes) -> RawMailBytes:
        """The mail's bytes: those of the message, or out of the blob store, piece by piece, as the child takes them."""
        if inline or not mail.raw.size:
            return RawMailBytes.of(claim_check.verified(mail.raw, inline))
        return RawMailBytes(mail.raw.size, lambda: self._blobs.stream(mail.raw))

    async def _read_head(self, mail: RawMail, settings: ReadingSettings, begin: bytes) -> ReadMail:
        head = bytearray(begin[: DEFAULT_LIMITS.head_bytes])
        if not head and mail.raw.size:
            async for chunk in self._blobs.stream(mail.raw):
                head += chunk
                if len(head) >= DEFAULT_LIMITS.head_bytes:
                    break
        return await self._readers.read_head(bytes(head), mail.mail_id, settings)

    async def _finish(
        self, mail: RawMail, settings: HelpdeskSettings, read: ReadMail, more_reasons: Sequence[Reason]
    ) -> None:
        read, by_scanner = await scanned(self._scanner, read)
        more_reasons = (*more_reasons, *by_scanner)
        asked = ask(read, settings.mailbox, self._number_pattern)
        known = await self._known.of((mail.helpdesk_id, asked))
        if (until := await self._waits_until(mail, settings.mailbox, asked, known, read)) is not None:
            _log.info("mail_waits_for_its_turn", mail_id=str(mail.mail_id), until=until.isoformat())
            return
        bodies = choose_bodies(read, settings.mailbox, asked, known)
        classified = classify(mail, read, settings.mailbox, asked, known, bodies=bodies, more_reasons=more_reasons)
        classified = await self._store.stored(classified, bodies, read)
        await self._publisher.publish(classified)
        _bind_summary(classified)

    async def _waits_until(
        self, mail: RawMail, mailbox: Mailbox, asked: Asked, known: Known, read: ReadMail
    ) -> datetime | None:
        allowed = mailbox.mails_per_sender_per_hour
        if allowed is None:
            return None
        budget = budget_of(mail, asked, known, read.dmarc)
        if budget is None or not self._frequent_senders.met(budget, allowed):
            return None
        return await self._floods.of((mail.mail_id, budget))


async def scanned(scanner: Scanner | None, read: ReadMail) -> tuple[ReadMail, tuple[Reason, ...]]:
    """The mail without the images that the virus scanner speaks against, where there is one (D4)."""
    if scanner is None or not read.images:
        return read, ()
    findings = await asyncio.gather(*(scanner.scan(image.content) for image in read.images))
    withheld = {
        image.id: finding.reason for image, finding in zip(read.images, findings, strict=True) if finding is not None
    }
    if not withheld:
        return read, ()
    cleaned = await asyncio.to_thread(without_images, read, withheld)
    named = ", ".join(image.name for image in read.images if image.id in withheld)
    return cleaned, (Reason(id=ReasonId.VIRUS_FOUND, detail=safe_line(named, 200)),)


def _bind_summary(classified: ClassifiedMail) -> None:
    """Facts for the delivery's summary line; never an address, a subject or a text."""
    structlog.contextvars.bind_contextvars(
        sender_known=bool(classified.sender and (classified.sender.persons or classified.sender.employee)),
        candidates=len(classified.candidates),
        automatic=classified.automatic,
        images=len(classified.images),
        left_out=len(classified.left_out),
        reasons=[str(reason.id) for reason in classified.reasons],
    )
