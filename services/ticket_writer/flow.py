"""The story of a classified mail: lock, load, decide, write, announce.

What waits at the same time is written in one transaction, mail after mail (`shared.batches`).

What a crash leaves behind at each step, and what comes of it:

    before the commit              nothing; the message comes again
    committed, not published       the outcome; the message comes again and the same event is published, or the
                                   sweeper does it
    published, not acknowledged    all; the message comes again, the same event is published once more and its
                                   consumers know it by its id
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from services.ticket_writer.over_limit import OverLimit
from services.ticket_writer.repository import Message, Repository, Writing
from services.ticket_writer.rules.columns import all_reasons, claims_of_other_helpdesks
from services.ticket_writer.rules.facts import Facts
from services.ticket_writer.rules.limits import LIMIT_REASONS
from services.ticket_writer.rules.new_ticket import new_ticket
from services.ticket_writer.rules.outcome import (
    Duplicate,
    NewTicket,
    Quarantined,
    Supplement,
    decide_outcome,
)
from services.ticket_writer.rules.record import Record
from services.ticket_writer.rules.safe_bodies import unsafe_readings
from services.ticket_writer.rules.summaries import in_burst, may_be_summarised
from services.ticket_writer.rules.supplement import supplement
from shared.batches import Batches
from shared.blobs.claim_check import check_out
from shared.blobs.store import BlobStore
from shared.broker.publish import Publisher
from shared.broker.wire import Delivery
from shared.errors import DeadLetter
from shared.messages import Bodies, ClassifiedMail, Outcome, TicketEvent
from shared.portal.history import also_in_other_helpdesk, followed_by_new_ticket
from shared.portal.reasons import NotSentReason


class UnsafeHtml(DeadLetter):
    """A message holds html that is not sanitised: no classifier of ours wrote it, or one of another version."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a mail became; `event` tells of a ticket or supplement, and is None for the other outcomes."""

    outcome: Outcome
    event: TicketEvent | None = None
    over_limit: tuple[NotSentReason, ...] = ()
    """The limits that keep mails about it from being sent (D10): one for each such mail."""


class Writer:
    """Gives mails their outcome."""

    def __init__(self, repository: Repository, blobs: BlobStore) -> None:
        self._repository = repository
        self._blobs = blobs
        self._writing = Batches(self.write_all, what="writing")

    async def write(self, mail: ClassifiedMail, classified_at: datetime | None) -> Written:
        """The mail's outcome, written in one transaction with those that wait, unless an earlier delivery did that.

        A quarantined mail that a person replays gets another outcome (D7), as does a dead letter that comes again.
        """
        bodies = await check_out(self._blobs, mail.bodies)
        if unsafe := await asyncio.to_thread(unsafe_readings, mail, bodies):
            raise UnsafeHtml(
                f"the html of {', '.join(unsafe)} is not as the classifier writes it, and might run on staff's "
                "screens: see where the message came from; one of an earlier version is read again by a replay"
            )
        return await self._writing.of(Message(mail, bodies, classified_at))

    async def write_all(self, messages: Sequence[Message]) -> list[Written]:
        """The outcomes of mails in one transaction, as if they had come one after the other; all or none is written."""
        async with self._repository.writing(messages) as writings:
            return [await _write(*each) for each in zip(writings, messages, strict=True)]


class Flow:
    """Handles deliveries of `mail.classified`."""

    def __init__(self, writer: Writer, repository: Repository, publisher: Publisher) -> None:
        self._writer = writer
        self._repository = repository
        self._publisher = publisher
        self._over_limit = OverLimit()
        self._published = Batches(self._mark_published, what="recording events")

    async def handle(self, delivery: Delivery) -> None:
        """Give the mail its outcome and tell the notifier; a copy of a message changes nothing and tells it again."""
        written = await self._writer.write(delivery.read(ClassifiedMail), delivery.timestamp)
        structlog.contextvars.bind_contextvars(outcome=written.outcome.value)
        if written.event is not None:
            self._over_limit.count(written.event.helpdesk_id, written.over_limit)
            await self._publisher.publish(written.event)
            await self._published.of(written.event)

    async def _mark_published(self, events: Sequence[TicketEvent]) -> list[None]:
        await self._repository.mark_published(events)
        return [None for _ in events]

    async def is_done(self, delivery: Delivery, _: Exception) -> bool:
        """Whether a message that is given up needs nobody: its mail has its outcome, and the sweeper tells of that."""
        mail = delivery.read(ClassifiedMail)
        return await self._repository.has_its_outcome(mail.mail_id, mail.replay)

    async def record_dead_letter(self, delivery: Delivery, reason: str) -> None:
        """Record in the ledger that this message is parked, where it says of which mail it is."""
        if delivery.mail_id is not None:
            await self._repository.record_dead_letter(delivery.mail_id, delivery.queue, reason)


async def _write(writing: Writing, message: Message) -> Written:
    earlier = await writing.lock_mail()
    if earlier is not None and earlier.stands_against(message.mail.replay):
        return Written(earlier.outcome, await writing.event())
    return await _decide_and_write(writing, message.mail, message.bodies)


async def _decide_and_write(writing: Writing, mail: ClassifiedMail, bodies: Bodies) -> Written:
    facts = await writing.load_facts()
    decision = decide_outcome(mail, facts)
    match decision:
        case NewTicket():
            written = await _add(writing, mail, facts, record := new_ticket(mail, bodies, facts, decision))
            if decision.follows is not None and facts.ticket is not None and written.event is not None:
                entry = followed_by_new_ticket(written.event.ticket_number)
                await writing.note_in_history([facts.ticket.ticket_id], entry, record.history_by_employee_id)
            return written
        case Supplement():
            return await _add(writing, mail, facts, supplement(mail, bodies, facts, decision))
        case Duplicate():
            await writing.settle_duplicate(decision, all_reasons(mail, facts, [decision.reason]))
            return Written(Outcome.DUPLICATE)
        case Quarantined():
            await writing.settle_quarantined(all_reasons(mail, facts, [decision.reason]))
            return Written(Outcome.QUARANTINE)


async def _add(writing: Writing, mail: ClassifiedMail, facts: Facts, record: Record) -> Written:
    """Write the record; tickets that the same mail became through other mailboxes name this one, as it does them."""
    record = await _in_bursts(writing, record, facts)
    event = await writing.add(record)
    others = {claim.ticket_id for claim in claims_of_other_helpdesks(mail, facts, event.ticket_id)}
    if others:
        entry = also_in_other_helpdesk(event.ticket_number, facts.mailbox.name)
        await writing.note_in_history(sorted(others), entry, record.history_by_employee_id)
    reasons = (notification.not_sent for notification in record.notifications)
    return Written(record.outcome, event, tuple(reason for reason in reasons if reason in LIMIT_REASONS))


async def _in_bursts(writing: Writing, record: Record, facts: Facts) -> Record:
    """The record, a mail to an employee who is flooded with them collected or collecting (M2, M3)."""
    if record.outcome is Outcome.TICKET or facts.ticket is None:
        helpdesk_id, policy = facts.mailbox.helpdesk_id, facts.mailbox.mails
    else:
        helpdesk_id, policy = facts.ticket.helpdesk_id, facts.ticket.mails
    after = policy.summary_after
    if after is None:
        return record
    notifications = []
    for notification in record.notifications:
        if may_be_summarised(notification) and notification.address is not None:
            burst = await writing.burst(helpdesk_id, notification.address, after)
            notifications.append(in_burst(notification, burst, after))
        else:
            notifications.append(notification)
    return replace(record, notifications=tuple(notifications))
