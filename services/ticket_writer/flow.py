"""The story of a classified mail: lock, load, decide, write, announce.

What waits at the same time is written in one transaction (`shared.batches`): mails that have nothing in common at once,
by the same statements; one that shares a ticket, a sender or a content with a mail before it after that one.

What a crash leaves behind at each step, and what comes of it:

    before the commit              nothing; the message comes again
    committed, not published       the outcome; the message comes again and the same event is published, or the
                                   sweeper does it
    published, not acknowledged    all; the message comes again, the same event is published once more and its
                                   consumers know it by its id
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import structlog

from services.ticket_writer.over_limit import OverLimit
from services.ticket_writer.repository import Repository
from services.ticket_writer.rules.columns import all_reasons, claims_of_other_helpdesks
from services.ticket_writer.rules.facts import Facts
from services.ticket_writer.rules.limits import with_more_to_unknown
from services.ticket_writer.rules.new_ticket import new_ticket
from services.ticket_writer.rules.outcome import (
    Decision,
    Duplicate,
    NewTicket,
    Quarantined,
    Supplement,
    decide_outcome,
)
from services.ticket_writer.rules.recipients import Notification
from services.ticket_writer.rules.record import Record
from services.ticket_writer.rules.safe_bodies import readings, unsafe_readings
from services.ticket_writer.rules.summaries import Burst, after, begins_summary, in_burst, may_be_summarised, together
from services.ticket_writer.rules.supplement import supplement
from services.ticket_writer.storing import ToStore
from services.ticket_writer.writing import Message, Writing
from shared.batches import Batches
from shared.blobs.claim_check import check_out
from shared.blobs.store import BlobStore
from shared.broker.publish import Publisher
from shared.broker.wire import Delivery
from shared.errors import DeadLetter
from shared.messages import Bodies, ClassifiedMail, Outcome, TicketEvent
from shared.portal.counted_addresses import counted_address
from shared.portal.history import also_in_other_helpdesk, followed_by_new_ticket
from shared.portal.mail_limits import LIMIT_REASONS
from shared.portal.reasons import NotSentReason

PATIENCE_SECONDS: Final = 0.02
"""How long mails that are ready wait for those that are being looked at, or for as many as came together before."""
RECORDING_PATIENCE_SECONDS: Final = 0.1
"""How long published events wait to be recorded as such, with those of the other mails in hand: nobody waits for it."""
CHECKED_ON_LOOP: Final = 16 * 1024
"""Characters of html that take less than a thread would."""


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
        self._writing = Batches(
            self.write_all, what="writing", patience_seconds=PATIENCE_SECONDS, as_many_as_before=True
        )

    async def write(self, mail: ClassifiedMail, classified_at: datetime | None) -> Written:
        """The mail's outcome, written in one transaction with those that wait, unless an earlier delivery did that.

        A quarantined mail that a person replays gets another outcome (D7), as does a dead letter that comes again.
        """
        with self._writing.coming():
            bodies = await self._checked(mail)
        return await self._writing.of(Message(mail, bodies, classified_at))

    async def _checked(self, mail: ClassifiedMail) -> Bodies:
        bodies = await check_out(self._blobs, mail.bodies)
        large = sum(len(body.html) for body in readings(bodies).values()) > CHECKED_ON_LOOP
        unsafe = await asyncio.to_thread(unsafe_readings, mail, bodies) if large else unsafe_readings(mail, bodies)
        if unsafe:
            raise UnsafeHtml(
                f"the html of {', '.join(unsafe)} is not as the classifier writes it, and might run on staff's "
                "screens: see where the message came from; one of an earlier version is read again by a replay"
            )
        return bodies

    async def write_all(self, messages: Sequence[Message]) -> list[Written]:
        """The outcomes of mails in one transaction, as if they had come one after the other; all or none is written."""
        written: list[Written] = []
        async with self._repository.writing([message.mail for message in messages]) as writing:
            while len(written) < len(messages):
                together = await writing.independent(messages[len(written) :], first=not written)
                written += await _write_at_once(writing, together)
        return written


class Flow:
    """Handles deliveries of `mail.classified`."""

    def __init__(self, writer: Writer, repository: Repository, publisher: Publisher) -> None:
        self._writer = writer
        self._repository = repository
        self._publisher = publisher
        self._over_limit = OverLimit()
        self._published = Batches(
            self._mark_published, what="recording events", patience_seconds=RECORDING_PATIENCE_SECONDS
        )

    async def handle(self, delivery: Delivery) -> None:
        """Give the mail its outcome and tell the notifier; a copy of a message changes nothing and tells it again."""
        with self._published.coming():
            event = await self._write_and_tell(delivery)
        if event is not None:
            await self._published.of(event)

    async def _write_and_tell(self, delivery: Delivery) -> TicketEvent | None:
        written = await self._writer.write(delivery.read(ClassifiedMail), delivery.timestamp)
        structlog.contextvars.bind_contextvars(outcome=written.outcome.value)
        if written.event is not None:
            self._over_limit.count(written.event.helpdesk_id, written.over_limit)
            await self._publisher.publish(written.event)
        return written.event

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


@dataclass(frozen=True, slots=True)
class Decided:
    """What a mail is to become; `record` for a ticket or supplement."""

    message: Message
    facts: Facts
    decision: Decision
    record: Record | None


async def _write_at_once(writing: Writing, messages: Sequence[Message]) -> list[Written]:
    """Write mails that have nothing in common."""
    earlier = await writing.earlier([message.mail for message in messages])
    standing = {
        message.mail.mail_id: before.outcome
        for message, before in zip(messages, earlier, strict=True)
        if before is not None and before.stands_against(message.mail.replay)
    }
    known = await writing.events([message.mail for message in messages if message.mail.mail_id in standing])
    written = {mail_id: Written(outcome, known.get(mail_id)) for mail_id, outcome in standing.items()}
    open_ = [message for message in messages if message.mail.mail_id not in standing]
    if open_:
        decided = await decide(writing, open_)
        stored = [
            ToStore(each.message.mail, each.record, each.message.classified_at) for each in decided if each.record
        ]
        events = await writing.add(stored)
        for each in decided:
            mail_id = each.message.mail.mail_id
            written[mail_id] = await _finish(writing, each, events.get(mail_id))
    return [written[message.mail.mail_id] for message in messages]


async def decide(writing: Writing, messages: Sequence[Message]) -> list[Decided]:
    """Decide one after the other, write nothing; what a helpdesk's mails count in is counted on from mail to mail."""
    counting = _Counting(writing)
    decided = []
    for message, loaded in zip(messages, await writing.load_facts([each.mail for each in messages]), strict=True):
        facts = counting.counted_on(loaded)
        record: Record | None = None
        match decision := decide_outcome(message.mail, facts):
            case NewTicket():
                record = await counting.count(new_ticket(message.mail, message.bodies, facts, decision), facts)
            case Supplement():
                record = await counting.count(supplement(message.mail, message.bodies, facts, decision), facts)
        decided.append(Decided(message, facts, decision, record))
    return decided


async def _finish(writing: Writing, decided: Decided, event: TicketEvent | None) -> Written:
    """Write what other tickets are told, or that the mail became none; return what it became."""
    message, mail, facts, decision = decided.message, decided.message.mail, decided.facts, decided.decision
    if decided.record is not None and event is not None:
        await _tell_others(writing, decided, decided.record, event)
        reasons = (notification.not_sent for notification in decided.record.notifications)
        limits = tuple(reason for reason in reasons if reason in LIMIT_REASONS)
        return Written(decided.record.outcome, event, limits)
    if isinstance(decision, Duplicate):
        await writing.settle_duplicate(message, decision, all_reasons(mail, facts, [decision.reason]))
        return Written(Outcome.DUPLICATE)
    if isinstance(decision, Quarantined):
        await writing.settle_quarantined(message, all_reasons(mail, facts, [decision.reason]))
        return Written(Outcome.QUARANTINE)
    raise AssertionError("a ticket or supplement has a record and an event")


async def _tell_others(writing: Writing, decided: Decided, record: Record, event: TicketEvent) -> None:
    """In the history of tickets that the same mail became through other mailboxes, and of the one that this follows."""
    mail, facts, decision = decided.message.mail, decided.facts, decided.decision
    employee_id = record.history_by_employee_id
    others = {claim.ticket_id for claim in claims_of_other_helpdesks(mail, facts, event.ticket_id)}
    if others:
        entry = also_in_other_helpdesk(event.ticket_number, facts.mailbox.name)
        await writing.note_in_history(mail.mail_id, sorted(others), entry, employee_id)
    if isinstance(decision, NewTicket) and decision.follows is not None and facts.ticket is not None:
        entry = followed_by_new_ticket(event.ticket_number)
        await writing.note_in_history(mail.mail_id, [facts.ticket.ticket_id], entry, employee_id)


class _Counting:
    """What the mails of a helpdesk count in together, from mail to mail of those that are written at once."""

    def __init__(self, writing: Writing) -> None:
        self._writing = writing
        self._to_unknown: Counter[int] = Counter()
        self._written: dict[tuple[int, str], Burst] = {}
        self._planned: dict[tuple[int, str], Burst] = {}
        """By helpdesk and what mails to the employee are counted by: what is written, and what is decided since."""

    def counted_on(self, facts: Facts) -> Facts:
        """The facts of a mail with what those before it planned (D10)."""
        return with_more_to_unknown(facts, self._to_unknown[facts.mailbox.helpdesk_id])

    async def count(self, record: Record, facts: Facts) -> Record:
        """The record, a mail to an employee who is flooded with them collected or collecting (M2, M3)."""
        is_supplement = record.outcome is Outcome.SUPPLEMENT
        where = facts.ticket if is_supplement and facts.ticket is not None else facts.mailbox
        notifications = []
        for notification in record.notifications:
            decided = await self._in_burst(notification, record, where.helpdesk_id, where.mails.summary_after)
            self._to_unknown[where.helpdesk_id] += decided.is_to_unknown
            notifications.append(decided)
        return replace(record, notifications=tuple(notifications))

    async def _in_burst(
        self, notification: Notification, record: Record, helpdesk_id: int, summary_after: int | None
    ) -> Notification:
        address = notification.address
        if summary_after is None or address is None or not may_be_summarised(notification):
            return notification
        counted = counted_address(address)
        written = self._written.get((helpdesk_id, counted)) or await self._writing.burst(helpdesk_id, counted)
        planned = self._planned.get((helpdesk_id, counted), Burst())
        if begins_summary(together(written, planned), summary_after):
            written = await self._writing.burst_alone(helpdesk_id, counted)
        decided = in_burst(notification, together(written, planned), summary_after)
        self._written[helpdesk_id, counted] = written
        self._planned[helpdesk_id, counted] = after(planned, decided, decided.id_for(record.mail_id))
        return decided
