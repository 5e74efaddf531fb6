"""A batch of mails in one transaction: locks, facts, records (the SQL is `queries`).

Locks are taken in one order, all before the first fact is read, so that writers never wait for each other in a circle:

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
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import asyncpg

from services.ticket_writer import queries
from services.ticket_writer.loading import array_literal, claims, mailbox_facts, sender_facts, ticket_facts
from services.ticket_writer.rules.delivery_report import DeliveryReport
from services.ticket_writer.rules.facts import Facts, SentNotification, TicketFacts
from services.ticket_writer.rules.limits import is_unknown, limited_domain
from services.ticket_writer.rules.outcome import Duplicate, own_message_of
from services.ticket_writer.rules.summaries import PERIOD, Burst
from services.ticket_writer.storing import ToStore, ledger_row, parameters
from shared.database.pool import Connection
from shared.errors import DeadLetter, TryAgain
from shared.messages import AutomaticKind, Bodies, ClassifiedMail, Outcome, Reason, TicketEvent
from shared.portal.counted_addresses import counted_address
from shared.portal.history import Entry
from shared.portal.mail_limits import LIMITS

_AFTER_MERGE: Final = timedelta(seconds=1)
_ADD: Final = {
    frozenset({Outcome.TICKET}): queries.ADD_TICKETS,
    frozenset({Outcome.SUPPLEMENT}): queries.ADD_SUPPLEMENTS,
    frozenset({Outcome.TICKET, Outcome.SUPPLEMENT}): queries.ADD_BOTH,
}


class UnknownMail(DeadLetter):
    """The ledger has no row of this mail: it comes from another installation, or its row was removed."""


class TicketJustMerged(TryAgain):
    """The ticket was merged while we waited for it; the next try follows it."""


@dataclass(frozen=True, slots=True)
class Message:
    """A classified mail with its bodies at hand, and when it was classified."""

    mail: ClassifiedMail
    bodies: Bodies
    classified_at: datetime | None


@dataclass(frozen=True, slots=True)
class Earlier:
    """What became of a mail before; `decided_replay` is None when that was a dead letter's doing."""

    outcome: Outcome
    decided_replay: int | None

    @classmethod
    def of(cls, row: asyncpg.Record) -> Earlier | None:
        """From a row of the ledger; None for a mail without an outcome."""
        return None if row["outcome"] is None else cls(Outcome(row["outcome"]), row["decided_replay"])

    def stands_against(self, replay: int) -> bool:
        """Whether a message of this replay changes nothing: the outcome is final, or of this replay or a later one."""
        decided = self.decided_replay is not None and replay <= self.decided_replay
        return self.outcome is not Outcome.QUARANTINE or decided


@dataclass(frozen=True, slots=True)
class _Named:
    """A ticket, locked, to which a number or a mail of ours leads: itself, or the one that it was merged into."""

    ticket_id: int
    merged: bool


class Writing:
    """The mails of a batch, in the transaction of `connection`. `lock` comes first."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._tickets: dict[str, _Named] = {}
        """By number, and by Message-ID of a mail of ours, which no number can be (it has an @)."""

    async def lock(self, mails: Sequence[ClassifiedMail]) -> None:
        """Take all locks that the order of the module's docstring has before the first fact."""
        keys = sorted({key for mail in mails for key in _advisory_locks(mail)})
        await self._connection.execute(queries.LOCK_IDENTITIES, keys)
        await self._connection.execute(queries.LOCK_MAILS, [mail.mail_id for mail in mails])
        await self._lock_tickets(mails)

    async def independent(self, messages: Sequence[Message], *, first: bool) -> Sequence[Message]:
        """The first of these messages, up to one that has something in common with another before it.

        Not `first`: some of the batch are written, and what they became may be named.
        """
        if not first:
            await self._lock_tickets([message.mail for message in messages])
        seen: set[Hashable] = set()
        for index, message in enumerate(messages):
            keys = self._keys(message.mail)
            if seen and (keys & seen or _reports(message.mail) or self._names_what_is_not(message.mail)):
                return messages[:index]
            seen |= keys
            if _reports(message.mail):  # it may say of any address that nobody is there
                return messages[: index + 1]
        return messages

    def _keys(self, mail: ClassifiedMail) -> set[Hashable]:
        """What this mail's outcome stands on and changes: identity, sender, tickets."""
        tickets = {("ticket", self._tickets[name].ticket_id) for name in _names(mail) if name in self._tickets}
        return {mail.mail_id, *_advisory_locks(mail), *tickets}

    def _names_what_is_not(self, mail: ClassifiedMail) -> bool:
        """Whether it names a ticket that is not there (yet): a mail before it may become that."""
        return any(name not in self._tickets for name in _names(mail))

    async def _lock_tickets(self, mails: Sequence[ClassifiedMail]) -> None:
        numbers = {candidate.number for mail in mails for candidate in mail.candidates}
        message_ids = {message_id for mail in mails if (message_id := own_message_of(mail)) is not None}
        if not numbers and not message_ids:
            return
        for row in await self._connection.fetch(queries.LOCK_TICKETS, sorted(numbers), sorted(message_ids)):
            if row["merged_into_id"] is not None:
                raise TicketJustMerged(f"ticket {row['id']} was merged into another a moment ago", after=_AFTER_MERGE)
            self._tickets[row["number"] or row["message_id"]] = _Named(row["id"], row["merged"])

    async def earlier(self, mails: Sequence[ClassifiedMail]) -> list[Earlier | None]:
        """What became of each mail before; None for one without an outcome. UnknownMail where the ledger disagrees."""
        fetched = await self._connection.fetch(queries.LOCK_MAILS, [mail.mail_id for mail in mails])
        rows = {row["mail_id"]: row for row in fetched}
        for mail in mails:
            row = rows.get(mail.mail_id)
            if row is None:
                raise UnknownMail(
                    f"the ledger does not know mail {mail.mail_id}: if the database was brought back to an earlier "
                    "moment, say so (helpdesk-importer installation restored), and mail since then is imported again; "
                    "else see who published this"
                )
            raw = row["raw_sha256"]  # None: it was decided so long ago that its bytes were removed
            if row["helpdesk_id"] != mail.helpdesk_id or (raw is not None and raw.hex() != mail.raw.sha256):
                raise UnknownMail(
                    f"the message tells another helpdesk or other bytes of mail {mail.mail_id} than the ledger: see "
                    "where it came from"
                )
        return [Earlier.of(rows[mail.mail_id]) for mail in mails]

    async def load_facts(self, mails: Sequence[ClassifiedMail]) -> list[Facts]:
        """All that the decision about each mail stands on."""
        tickets = await self._load_tickets(mails)
        rows = {
            row["place"]: row
            for row in await self._connection.fetch(
                queries.MAILBOX_FACTS,
                LIMITS.period,
                LIMITS.after_unknown_recipient,
                LIMITS.unknown_period,
                [mail.helpdesk_id for mail in mails],
                [array_literal(_persons(mail)) for mail in mails],
                [_employee(mail) for mail in mails],
                [counted_address(_sender_address(mail)) for mail in mails],
                [mail.subject for mail in mails],
                [bytes.fromhex(mail.content_key.key) for mail in mails],
                [bytes.fromhex(mail.content_key.text_digest) for mail in mails],
                [mail.message_id for mail in mails],
                [None if mail.sender is None else mail.sender.organisation_id for mail in mails],
                [limited_domain(mail) for mail in mails],
                [is_unknown(mail) for mail in mails],
            )
        }
        return [
            await self._facts(mail, rows.get(place), ticket)
            for place, (mail, ticket) in enumerate(zip(mails, tickets, strict=True), start=1)
        ]

    async def _facts(self, mail: ClassifiedMail, row: asyncpg.Record | None, ticket: TicketFacts | None) -> Facts:
        if row is None:
            raise UnknownMail(f"helpdesk {mail.helpdesk_id} has no importer settings: see where the message came from")
        return Facts(
            mailbox=mailbox_facts(mail.helpdesk_id, row),
            sender=sender_facts(mail, row),
            ticket=ticket,
            gone_numbers=self._gone(mail, ticket),
            claims=claims(row),
            same_message_id_differs=row["same_message_id_differs"],
            reported=await self._lock_notification(mail),
        )

    async def _load_tickets(self, mails: Sequence[ClassifiedMail]) -> list[TicketFacts | None]:
        """The ticket of each mail: the first that exists, after those that have been closed for too long.

        One that has been closed for too long only where no other is named, so that an answer finds the ticket that goes
        on from it.
        """
        asked = [
            (index, mail, name, self._tickets[name])
            for index, mail in enumerate(mails)
            for name in _names(mail)
            if name in self._tickets
        ]
        if not asked:
            return [None for _ in mails]
        rows = {
            row["place"]: row
            for row in await self._connection.fetch(
                queries.TICKET_FACTS,
                LIMITS.period,
                [named.ticket_id for _, _, _, named in asked],
                [_sender_address(mail) for _, mail, _, _ in asked],
                [array_literal(_persons(mail)) for _, mail, _, _ in asked],
                [mail.received_at.date() for _, mail, _, _ in asked],
                [_reopens_until(mail, name) for _, mail, name, _ in asked],
            )
        }
        by_mail: dict[int, list[TicketFacts]] = defaultdict(list)
        for place, (index, mail, name, named) in enumerate(asked, start=1):
            number = None if name == own_message_of(mail) else name
            by_mail[index].append(ticket_facts(rows[place], named_number=number, merged=named.merged))
        return [
            min(by_mail[index], key=lambda ticket: ticket.closed_too_long, default=None) for index in range(len(mails))
        ]

    def _gone(self, mail: ClassifiedMail, ticket: TicketFacts | None) -> tuple[str, ...]:
        """The numbers tried before the ticket's that are of no ticket any more."""
        numbers = [candidate.number for candidate in mail.candidates]
        if ticket is not None:
            numbers = [] if ticket.named_number is None else numbers[: numbers.index(ticket.named_number)]
        return tuple(number for number in numbers if number not in self._tickets)

    async def _lock_notification(self, mail: ClassifiedMail) -> SentNotification | None:
        """The notification that a delivery report is about, locked; None for other mail."""
        if not _reports(mail):
            return None
        row = await self._connection.fetchrow(queries.LOCK_NOTIFICATION, mail.own_message_id)
        return None if row is None else SentNotification(**row)

    async def events(self, mails: Sequence[ClassifiedMail]) -> Mapping[uuid.UUID, TicketEvent]:
        """The events of what these mails became before, the same as then; none of a duplicate or quarantined one."""
        if not mails:
            return {}
        rows = await self._connection.fetch(queries.EVENTS_OF_MAILS, [mail.mail_id for mail in mails])
        return {row["mail_id"]: event_of(row) for row in rows}

    async def burst(self, helpdesk_id: int, counted: str) -> Burst:
        """What an employee gets from a helpdesk now, by what mails to him are counted by.

        What collects his mails goes on doing so until we have committed.
        """
        row = await self._connection.fetchrow(queries.BURST, helpdesk_id, counted, PERIOD)
        return Burst() if row is None else Burst(row["mails"], row["collecting"])

    async def burst_alone(self, helpdesk_id: int, counted: str) -> Burst:
        """The same, for whoever is about to begin a summary: until he commits, another waits here."""
        await self._connection.execute(queries.LOCK_BURST, _lock_key(f"summary:{helpdesk_id}:{counted}"))
        return await self.burst(helpdesk_id, counted)

    async def add(self, stored: Sequence[ToStore]) -> Mapping[uuid.UUID, TicketEvent]:
        """Write tickets and supplements with all that comes with them, and the mails' outcomes; their events."""
        if not stored:
            return {}
        query = _ADD[frozenset(each.record.outcome for each in stored)]
        rows = await self._connection.fetch(query, *parameters(stored))
        events = {row["mail_id"]: event_of(row) for row in rows}
        if len(events) != len(stored):
            raise RuntimeError("a row that this transaction has locked is gone")
        for each in stored:
            if each.record.report is not None:
                await self._record(each.mail, each.record.report)
        return events

    async def settle_duplicate(self, message: Message, duplicate: Duplicate, reasons: tuple[Reason, ...]) -> None:
        """Write that the mail is a duplicate, of which mail, and on which ticket that one is."""
        row = ledger_row(
            message.mail,
            Outcome.DUPLICATE,
            reasons,
            message.classified_at,
            duplicate_of=duplicate.of,
            ticket_id=duplicate.ticket_id,
        )
        await self._settle(message.mail, row)

    async def settle_quarantined(self, message: Message, reasons: tuple[Reason, ...]) -> None:
        """Write that the mail is set aside."""
        await self._settle(message.mail, ledger_row(message.mail, Outcome.QUARANTINE, reasons, message.classified_at))

    async def note_in_history(self, mail_id: uuid.UUID, tickets: Sequence[int], entry: Entry, employee_id: int) -> None:
        """Write the same entry in the history of other tickets."""
        await self._connection.execute(
            queries.NOTE_IN_HISTORY, tickets, entry.kind, entry.description, entry.details, employee_id, mail_id
        )

    async def _record(self, mail: ClassifiedMail, report: DeliveryReport) -> None:
        await self._connection.execute(
            queries.REPORT_DELIVERY,
            report.notification_id,
            report.action,
            report.status,
            report.diagnostic,
            mail.received_at,
            mail.mail_id,
            report.reason,
        )

    async def _settle(self, mail: ClassifiedMail, row: dict[str, object]) -> None:
        key = mail.content_key
        await self._connection.execute(
            queries.SETTLE_WITHOUT_TICKET, mail.mail_id, row, bytes.fromhex(key.key), bytes.fromhex(key.text_digest)
        )


def event_of(row: asyncpg.Record) -> TicketEvent:
    """The event of a mail that is a ticket or supplement: the same whenever it is made."""
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


def _reports(mail: ClassifiedMail) -> bool:
    """Whether the mail reports on the delivery of one of ours."""
    return mail.automatic is AutomaticKind.BOUNCE and mail.own_message_id is not None


def _names(mail: ClassifiedMail) -> Iterable[str]:
    """What may lead to the mail's ticket, the surest first."""
    own_message_id = own_message_of(mail)
    numbers = (candidate.number for candidate in mail.candidates)
    return numbers if own_message_id is None else (own_message_id, *numbers)


def _reopens_until(mail: ClassifiedMail, name: str) -> datetime | None:
    """The arrival of a mail for which a ticket may have been closed too long; what a machine says opens nothing."""
    return None if mail.automatic is not None or name == own_message_of(mail) else mail.received_at


def _persons(mail: ClassifiedMail) -> list[int]:
    return [] if mail.sender is None else [person.person_id for person in mail.sender.persons]


def _employee(mail: ClassifiedMail) -> int | None:
    return None if mail.sender is None or mail.sender.employee is None else mail.sender.employee.employee_id


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
