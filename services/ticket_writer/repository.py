"""The database as ticket_writer uses it: facts in, one record out for each mail, all mails of a batch in a transaction.

The mails of a batch are written one after the other: each sees what those before it became, as if they had come alone.
Locks are taken in one order, those of a whole batch before its first mail, so that writers never wait for each other in
a circle:

1. advisory locks on the content keys, the Message-IDs and the senders' addresses, ascending;
2. the mails' rows in the ledger;
3. the tickets' rows;
4. the row of the notification that a delivery report is about; or that of one that collects the mails to an employee,
   and before the first of them an advisory lock on his address.

All row locks are FOR NO KEY UPDATE: foreign keys to a locked row (a note in the history of another ticket, a duplicate
of another mail) do not wait. Each lock is taken by a statement before the one that reads under it, since a statement
sees what was committed before it began. A conflict all the same (with a person at the screen) is TryAgain.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import asyncpg

from services.ticket_writer import queries
from services.ticket_writer.loading import claims, mailbox_facts, sender_facts, ticket_facts
from services.ticket_writer.rules.counted import counted_address
from services.ticket_writer.rules.delivery_report import DeliveryReport
from services.ticket_writer.rules.facts import Facts, SentNotification, TicketFacts
from services.ticket_writer.rules.limits import LIMITS, is_unknown, limited_domain
from services.ticket_writer.rules.outcome import Duplicate, own_message_of
from services.ticket_writer.rules.record import Record
from services.ticket_writer.rules.summaries import PERIOD, Burst, begins_summary
from services.ticket_writer.storing import ledger_row, record_parameters
from shared.database.pool import Connection, Pool, connection, transaction
from shared.errors import DeadLetter, TryAgain
from shared.messages import AutomaticKind, Bodies, ClassifiedMail, Outcome, Reason, TicketEvent
from shared.portal.history import Entry

EVENTS_AT_ONCE: Final = 100


class UnknownMail(DeadLetter):
    """The ledger has no row of this mail: it comes from another installation, or its row was removed."""


class TicketJustMerged(TryAgain):
    """The ticket was merged while we waited for it; the next try follows it."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """What became of a mail before; `decided_replay` is None when that was a dead letter's doing."""

    outcome: Outcome
    decided_replay: int | None

    def stands_against(self, replay: int) -> bool:
        """Whether a message of this replay changes nothing: the outcome is final, or of this replay or a later one."""
        decided = self.decided_replay is not None and replay <= self.decided_replay
        return self.outcome is not Outcome.QUARANTINE or decided


@dataclass(frozen=True, slots=True)
class Message:
    """A classified mail with its bodies at hand, and when it was classified."""

    mail: ClassifiedMail
    bodies: Bodies
    classified_at: datetime | None


class Writing:
    """One mail, in the transaction of its batch."""

    def __init__(self, connection: Connection, mail: ClassifiedMail, classified_at: datetime | None) -> None:
        self._connection = connection
        self._mail = mail
        self._classified_at = classified_at

    async def lock_mail(self) -> Earlier | None:
        """Lock the mail's identity and its row; what became of it before, None when it has no outcome yet."""
        row = await self._connection.fetchrow(queries.LOCK_MAIL, self._mail.mail_id, _advisory_locks(self._mail))
        if row is None:
            raise UnknownMail(f"the ledger does not know mail {self._mail.mail_id}: see where the message came from")
        if (row["helpdesk_id"], row["raw_sha256"].hex()) != (self._mail.helpdesk_id, self._mail.raw.sha256):
            raise UnknownMail(
                f"the message tells another helpdesk or other bytes of mail {self._mail.mail_id} than the ledger: see "
                "where it came from"
            )
        return _earlier(row)

    async def load_facts(self) -> Facts:
        """Lock the ticket that the mail leads to, if any, and read all that a decision stands on."""
        mail = self._mail
        ticket, gone_numbers = await self._lock_ticket()
        row = await self._connection.fetchrow(
            queries.MAILBOX_FACTS,
            mail.helpdesk_id,
            _persons(mail),
            None if mail.sender is None or mail.sender.employee is None else mail.sender.employee.employee_id,
            counted_address(_sender_address(mail)),
            mail.subject,
            bytes.fromhex(mail.content_key.key),
            bytes.fromhex(mail.content_key.text_digest),
            mail.message_id,
            LIMITS.period,
            LIMITS.after_unknown_recipient,
            None if mail.sender is None else mail.sender.organisation_id,
            limited_domain(mail),
            LIMITS.unknown_period if is_unknown(mail) else None,
        )
        if row is None:
            raise UnknownMail(f"helpdesk {mail.helpdesk_id} has no importer settings: see where the message came from")
        return Facts(
            mailbox=mailbox_facts(mail.helpdesk_id, row),
            sender=sender_facts(mail, row),
            ticket=ticket,
            gone_numbers=gone_numbers,
            claims=claims(row),
            same_message_id_differs=row["same_message_id_differs"],
            reported=await self._lock_notification(),
        )

    async def event(self) -> TicketEvent | None:
        """The event of what the mail became before, the same as then; None for a duplicate or quarantined mail."""
        row = await self._connection.fetchrow(queries.EVENT_OF_MAIL, self._mail.mail_id)
        return None if row is None else _event(row)

    async def burst(self, helpdesk_id: int, address: str, summary_after: int) -> Burst:
        """What an employee gets from a helpdesk now; what collects his mails goes on doing so until we have committed.

        Whoever finds that the next mail is to collect others is the only one who does: another waits for his commit.
        """
        counted = counted_address(address)
        burst = await self._burst(helpdesk_id, counted)
        if not begins_summary(burst, summary_after):
            return burst
        await self._connection.execute(queries.LOCK_BURST, _lock_key(f"summary:{helpdesk_id}:{counted}"))
        return await self._burst(helpdesk_id, counted)

    async def _burst(self, helpdesk_id: int, counted: str) -> Burst:
        row = await self._one(queries.BURST, helpdesk_id, counted, PERIOD)
        return Burst(row["mails"], row["collecting"])

    async def add(self, record: Record) -> TicketEvent:
        """Write a ticket or supplement with all that comes with it, and the mail's outcome; its event."""
        query = queries.ADD_TICKET if record.outcome is Outcome.TICKET else queries.ADD_SUPPLEMENT
        written = await self._one(query, *record_parameters(self._mail, record, self._classified_at))
        if record.report is not None:
            await self._record(record.report)
        return _event(written)

    async def settle_duplicate(self, duplicate: Duplicate, reasons: tuple[Reason, ...]) -> None:
        """Write that the mail is a duplicate, of which mail, and on which ticket that one is."""
        await self._settle(
            ledger_row(
                self._mail,
                Outcome.DUPLICATE,
                reasons,
                self._classified_at,
                duplicate_of=duplicate.of,
                ticket_id=duplicate.ticket_id,
            )
        )

    async def settle_quarantined(self, reasons: tuple[Reason, ...]) -> None:
        """Write that the mail is set aside."""
        await self._settle(ledger_row(self._mail, Outcome.QUARANTINE, reasons, self._classified_at))

    async def note_in_history(self, ticket_ids: Sequence[int], entry: Entry, employee_id: int) -> None:
        """Write the same entry in the history of other tickets."""
        await self._connection.execute(
            queries.NOTE_IN_HISTORY,
            ticket_ids,
            entry.kind,
            entry.description,
            entry.details,
            employee_id,
            self._mail.mail_id,
        )

    async def _lock_ticket(self) -> tuple[TicketFacts | None, tuple[str, ...]]:
        """The ticket, locked, and the numbers tried before it that are of no ticket any more."""
        mail = self._mail
        numbers = tuple(candidate.number for candidate in mail.candidates)
        own_message_id = own_message_of(mail)
        if not numbers and own_message_id is None:
            return None, ()
        arrived_at = mail.received_at if mail.automatic is None else None  # what a machine says opens nothing
        named = await self._connection.fetchrow(queries.LOCK_TICKET, numbers, own_message_id, arrived_at)
        if named is None:
            return None, numbers
        if named["merged_into_id"] is not None:
            raise TicketJustMerged(
                f"ticket {named['id']} was merged into another a moment ago", after=timedelta(seconds=1)
            )
        row = await self._one(
            queries.TICKET_FACTS,
            named["id"],
            _sender_address(mail),
            _persons(mail),
            LIMITS.period,
            mail.received_at.date(),
            None if named["number"] is None else arrived_at,
        )
        return ticket_facts(row, named_number=named["number"], merged=named["merged"]), tuple(named["gone"])

    async def _lock_notification(self) -> SentNotification | None:
        """The notification that a delivery report is about, locked; None for other mail."""
        if self._mail.automatic is not AutomaticKind.BOUNCE or self._mail.own_message_id is None:
            return None
        row = await self._connection.fetchrow(queries.LOCK_NOTIFICATION, self._mail.own_message_id)
        return None if row is None else SentNotification(**row)

    async def _record(self, report: DeliveryReport) -> None:
        await self._connection.execute(
            queries.REPORT_DELIVERY,
            report.notification_id,
            report.action,
            report.status,
            report.diagnostic,
            self._mail.received_at,
            self._mail.mail_id,
            report.reason,
        )

    async def _settle(self, row: dict[str, object]) -> None:
        key = self._mail.content_key
        await self._connection.execute(
            queries.SETTLE_WITHOUT_TICKET,
            self._mail.mail_id,
            row,
            bytes.fromhex(key.key),
            bytes.fromhex(key.text_digest),
        )

    async def _one(self, query: str, *parameters: Any) -> asyncpg.Record:
        row = await self._connection.fetchrow(query, *parameters)
        if row is None:
            raise RuntimeError("a row that this transaction has locked is gone")
        return row


class Repository:
    """The database of ticket_writer."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @asynccontextmanager
    async def writing(self, messages: Sequence[Message]) -> AsyncIterator[tuple[Writing, ...]]:
        """A transaction for these mails. Raises Outage, and TryAgain on a conflict, as `shared.database.pool` does."""
        async with transaction(self._pool) as acquired:
            if len(messages) > 1:
                await _lock_all(acquired, [message.mail for message in messages])
            yield tuple(Writing(acquired, message.mail, message.classified_at) for message in messages)

    async def mark_published(self, events: Sequence[TicketEvent]) -> None:
        """Record that the broker has these events."""
        async with connection(self._pool) as acquired:
            await acquired.execute(queries.EVENTS_PUBLISHED, [event.mail_id for event in events])

    @asynccontextmanager
    async def left_behind(self, age: timedelta) -> AsyncIterator[tuple[TicketEvent, ...]]:
        """Events that are `age` old and not recorded as published; recorded so when the block ends without error.

        Their rows are locked meanwhile, and rows that another replica has locked are passed over.
        """
        async with transaction(self._pool) as acquired:
            rows = await acquired.fetch(queries.UNPUBLISHED_EVENTS, age, EVENTS_AT_ONCE)
            events = tuple(_event(row) for row in rows)
            yield events
            await acquired.execute(queries.EVENTS_PUBLISHED, [event.mail_id for event in events])

    async def check(self) -> None:
        """Raise Outage when the database does not answer."""
        async with connection(self._pool) as acquired:
            await acquired.execute("SELECT")

    async def has_its_outcome(self, mail_id: uuid.UUID, replay: int) -> bool:
        """Whether a message of this replay would change nothing (`Earlier.stands_against`)."""
        async with connection(self._pool) as acquired:
            row = await acquired.fetchrow(queries.OUTCOME_OF_MAIL, mail_id)
        earlier = None if row is None else _earlier(row)
        return earlier is not None and earlier.stands_against(replay)

    async def record_dead_letter(self, mail_id: uuid.UUID, queue: str, reason: str) -> None:
        """Record in the ledger that a message of this mail is parked (D7)."""
        async with connection(self._pool) as acquired:
            await acquired.execute(queries.RECORD_DEAD_LETTER, mail_id, queue, reason)


def _earlier(row: asyncpg.Record) -> Earlier | None:
    return None if row["outcome"] is None else Earlier(Outcome(row["outcome"]), row["decided_replay"])


async def _lock_all(connection: Connection, mails: Sequence[ClassifiedMail]) -> None:
    """All that the mails will lock one by one, in the order of the module's docstring."""
    await connection.execute(queries.LOCK_IDENTITIES, sorted({key for mail in mails for key in _advisory_locks(mail)}))
    await connection.execute(queries.LOCK_MAILS, [mail.mail_id for mail in mails])
    numbers = {candidate.number for mail in mails for candidate in mail.candidates}
    message_ids = {message_id for mail in mails if (message_id := own_message_of(mail)) is not None}
    if numbers or message_ids:
        await connection.execute(queries.LOCK_TICKETS, sorted(numbers), sorted(message_ids))


def _event(row: asyncpg.Record) -> TicketEvent:
    return TicketEvent(
        mail_id=row["mail_id"],
        event_id=uuid.uuid5(row["mail_id"], f"event:{row['outcome']}"),
        outcome=Outcome(row["outcome"]),
        helpdesk_id=row["helpdesk_id"],
        ticket_id=row["ticket_id"],
        ticket_number=row["number"],
        supplement_id=row["supplement_id"],
        committed_at=row["outcome_at"],
        notification_ids=tuple(row["notification_ids"]),
    )


def _persons(mail: ClassifiedMail) -> list[int]:
    return [] if mail.sender is None else [person.person_id for person in mail.sender.persons]


def _sender_address(mail: ClassifiedMail) -> str:
    return "" if mail.sender is None else mail.sender.mailbox.address.lower()


def _advisory_locks(mail: ClassifiedMail) -> list[int]:
    """Keys for what mails have in common: their content and Message-ID (D13), and the limits of an address (D10).

    Two different things may share a key by chance, and then wait for each other once: that is all. The unknown senders
    of a helpdesk have none: all of them would wait for each other, and the limit on them need not be exact.
    """
    sender = counted_address(_sender_address(mail))
    names = [f"content:{mail.content_key.key}", f"message-id:{mail.message_id}", f"address:{sender}"]
    if (domain := limited_domain(mail)) is not None:
        names.append(f"domain:{domain}")
    return sorted({_lock_key(name) for name in names})


def _lock_key(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode("utf-8", "replace")).digest()[:8], signed=True)
