"""What the notifier reads and writes in the database: its own columns of `notifications`, in statements of their own.

States of a row, and what a crash leaves: `services.notifier.flow`. Every moment is the database's clock.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import asyncpg

from services.notifier.notification import (
    Account,
    Notification,
    Quoted,
    Security,
    Sender,
    Written,
)
from shared.database.installation import NO_SECRET
from shared.database.logins import (
    STANDING,
    note_fingerprint,
    record_refused,
    record_taken,
    standing,
)
from shared.database.pool import Connection, Pool, confirm_found, connection
from shared.logins import LoginStanding
from shared.messages import NotificationKind
from shared.portal.delivery import DeliveryReason
from shared.templates.facts import Body, LeftOutAttachment, OwnTemplate, SummaryEntry, TicketFacts
from shared.templates.values import BODY_LIMIT, TEXT_LIMIT, name_to_write

LEASE: Final = timedelta(seconds=120)
"""How long a claim holds that its holder does not renew: what a notifier that died had in hand waits as long."""
EVENT_LOST_AFTER: Final = timedelta(minutes=2)
"""A planned row this old that nobody has tried is taken without its event."""
REFERENCES: Final = 10
"""Earlier mails that are named in References."""

_ACCOUNT: Final = f"""
    account.id AS account_id, account.row_version AS account_version, account.kind AS account_kind, account.host,
    account.port, account.security, account.mailbox_address AS account_mailbox, account.login_id, login.ca_file,
    login.username, login.password_encrypted, login.certificate_encrypted, login.tenant,
    coalesce(login.cloud, 'global') AS cloud, {STANDING}"""
"""An account and how its login stands, as `_account` reads them, with _LOGIN."""

_LOGIN: Final = """
LEFT JOIN logins login ON login.id = account.login_id
LEFT JOIN login_states login_state ON login_state.login_id = account.login_id"""
"""The login of `outgoing_accounts account`."""

_READ: Final = f"""
SELECT claimed.*,
       {_ACCOUNT},
       helpdesk.name AS helpdesk_name, helpdesk.sender_name, helpdesk.sender_address, helpdesk.reply_to_address,
       helpdesk.ticket_url, helpdesk.quoted_to_strangers, calendar.time_zone,
       coalesce(settings.marker, '') AS marker, coalesce(settings.mailbox_address, settings.username) AS mailbox,
       own.subject AS own_subject, own.body_html AS own_html, own.body_text AS own_text,
       ticket.number, ticket.title, ticket.reported_at, ticket.deadline_at,
       organisation.name AS organisation, contact.name AS contact, status.name AS status, priority.name AS priority,
       ticket_type.name AS ticket_type, environment.name AS environment, manager.name AS manager,
       executor.name AS executor,
       left(ticket.body_html, {BODY_LIMIT + 1}) AS request_html,
       left(ticket.body_full_text, {TEXT_LIMIT + 1}) AS request_text,
       ticket.body_html = ticket.body_full_html AS request_shows_all,
       left(supplement.body_html, {BODY_LIMIT + 1}) AS supplement_html,
       left(supplement.body_full_text, {TEXT_LIMIT + 1}) AS supplement_text,
       supplement.body_html = supplement.body_full_html AS supplement_shows_all,
       supplement.reported_at AS supplemented_at,
       coalesce(supplement.mail_subject, ticket.mail_subject, '') AS mail_subject,
       mail_from.name AS mail_from_name, mail_from.address AS mail_from_address,
       mail_from.known_as AS mail_from_known_as,
       coalesce(recipient_person.name, recipient_employee.name, '') AS recipient_known_as,
       ARRAY(SELECT name FROM attachments WHERE ticket_id = ticket.id AND mail_id = claimed.mail_id
                 AND left_out_reason IS NULL ORDER BY position, id) AS images,
       ARRAY(SELECT (name, left_out_reason) FROM attachments WHERE ticket_id = ticket.id AND mail_id = claimed.mail_id
                 AND left_out_reason IS NOT NULL ORDER BY position, id) AS left_out,
       CASE claimed.kind
           WHEN 'ticket-added-customer' THEN
               ARRAY(SELECT message_id_header FROM imported_mails WHERE mail_id = claimed.mail_id)
           ELSE ARRAY(
               SELECT message_id FROM (
                   SELECT message_id, sent_at FROM notifications
                   WHERE ticket_id = ticket.id AND id <> claimed.id AND state = 'sent'
                     AND kind <> 'ticket-added-customer'
                   ORDER BY sent_at DESC LIMIT {REFERENCES}) AS earlier
               ORDER BY sent_at)
       END AS answers
FROM claimed
JOIN helpdesks helpdesk ON helpdesk.id = claimed.helpdesk_id
JOIN calendars calendar ON calendar.id = helpdesk.calendar_id
JOIN tickets ticket ON ticket.id = claimed.ticket_id
JOIN organisations organisation ON organisation.id = ticket.organisation_id
JOIN persons contact ON contact.id = ticket.contact_id
JOIN statuses status ON status.id = ticket.status_id
LEFT JOIN supplements supplement ON supplement.id = claimed.supplement_id
CROSS JOIN LATERAL (
    SELECT sender.name, sender.address, coalesce(person.name, employee.name, '')
    FROM (SELECT ticket.sender_name, ticket.sender_address, ticket.sender_person_id, ticket.sender_employee_id
              WHERE supplement.id IS NULL
          UNION ALL
          SELECT supplement.sender_name, supplement.sender_address, supplement.sender_person_id,
              supplement.sender_employee_id
              WHERE supplement.id IS NOT NULL) AS sender (name, address, person_id, employee_id)
        LEFT JOIN persons person ON person.id = sender.person_id
        LEFT JOIN employees employee ON employee.id = sender.employee_id
) AS mail_from (name, address, known_as)
LEFT JOIN persons recipient_person ON recipient_person.id = claimed.recipient_person_id
LEFT JOIN employees recipient_employee ON recipient_employee.id = claimed.recipient_employee_id
LEFT JOIN outgoing_accounts account ON account.id = helpdesk.outgoing_account_id
{_LOGIN}
LEFT JOIN importer_settings settings ON settings.helpdesk_id = claimed.helpdesk_id
LEFT JOIN templates own ON own.helpdesk_id = claimed.helpdesk_id AND own.kind = claimed.kind
LEFT JOIN priorities priority ON priority.id = ticket.priority_id
LEFT JOIN ticket_types ticket_type ON ticket_type.id = ticket.ticket_type_id
LEFT JOIN environments environment ON environment.id = ticket.environment_id
LEFT JOIN employees manager ON manager.id = ticket.ticket_manager_id
LEFT JOIN employees executor ON executor.id = ticket.executor_id
ORDER BY claimed.created_at
"""  # noqa: S608 - nothing but our own numbers

_COLUMNS: Final = """id, mail_id, kind, helpdesk_id, ticket_id, supplement_id, recipient_name, recipient_address,
    recipient_employee_id, recipient_person_id, to_stranger, created_at, tries, doubtful_tries, collects_until,
    message_id, subject, mime, draft_id"""
"""What of a notification writing and sending it takes."""

_IS_UNHELD: Final = """(lease_until IS NULL OR lease_until < now())
      AND NOT EXISTS (SELECT FROM outgoing_holds hold
          WHERE hold.helpdesk_id IS NULL OR hold.helpdesk_id = notifications.helpdesk_id)"""
_IS_FREE: Final = f"state = 'planned' AND {_IS_UNHELD}"
_IS_FREE_BY_ID: Final = f"state IS NOT DISTINCT FROM 'planned' AND {_IS_UNHELD}"
"""QUIRK: with `=`, ids are sought in the index of planned rows, among all that were so since the last vacuum."""
_IS_DUE: Final = "(next_try_at IS NULL OR next_try_at <= now())"

_CLAIM: Final = """
WITH free AS (
    SELECT id AS free_id FROM notifications
    WHERE {free} AND installation_confirmed($3)
      AND {which}
    FOR UPDATE SKIP LOCKED
), claimed AS (
    UPDATE notifications SET lease_holder = $1, lease_until = now() + $2, tries = tries + 1
    FROM free WHERE notifications.id = free_id
    RETURNING notifications.*
)
"""

_IS_NEW: Final = "tries = 0 AND mime IS NULL AND collects_until IS NULL"
"""Tried by nobody, and no summary: others may add to that until it is claimed."""

READ_NEW: Final = f"""
-- $1 notifications: those of them that are new, free and due, claimed by nobody, and all that writing them takes
WITH claimed AS (
    SELECT {_COLUMNS} FROM notifications WHERE id = ANY($1::uuid[]) AND {_IS_NEW} AND {_IS_DUE} AND {_IS_FREE_BY_ID}
)
{_READ}
"""  # noqa: S608 - nothing but our own statements

CLAIM_WRITTEN: Final = f"""
-- $1 holder, $2 lease, $3 what tells our installation from a copy's; side by side $4 notifications, $5 Message-IDs,
-- $6 subjects, $7 mails: claim what is new still, and keep with that how it was written
WITH written AS (
    SELECT * FROM unnest($4::uuid[], $5::text[], $6::text[], $7::bytea[]) AS written (id, message_id, subject, mime)
), free AS (
    SELECT id FROM notifications
    WHERE id = ANY($4::uuid[]) AND {_IS_NEW} AND {_IS_DUE} AND {_IS_FREE_BY_ID} AND installation_confirmed($3)
    FOR UPDATE SKIP LOCKED
)
UPDATE notifications SET message_id = written.message_id, subject = written.subject, mime = written.mime,
    lease_holder = $1, lease_until = now() + $2, tries = tries + 1
FROM free JOIN written USING (id)
WHERE notifications.id = free.id
RETURNING notifications.id
"""  # noqa: S608 - nothing but our own statements

CLAIM_OF_EVENTS: Final = _CLAIM.format(free=_IS_FREE_BY_ID, which=f"id = ANY($4::uuid[]) AND {_IS_DUE}") + _READ
"""Claim the free rows of events that are due, and read all that writing and sending them takes."""

CLAIM_DUE: Final = (
    _CLAIM.format(
        free=_IS_FREE,
        which="""coalesce(next_try_at, created_at + $4) <= now()
      ORDER BY next_try_at NULLS FIRST, created_at LIMIT $5""",
    )
    + _READ
)
"""Claim free rows whose next try is due, whose event was lost, or whose notifier died; as CLAIM_OF_EVENTS."""

AS_IF_PLANNED: Final = f"""
-- $1 helpdesk, $2 kind, $3 number of a ticket, $4 address: a notification that is planned nowhere
WITH claimed AS (
    SELECT gen_random_uuid() AS id, coalesce(supplement.mail_id, ticket.mail_id) AS mail_id, $2::text AS kind,
        ticket.helpdesk_id, ticket.id AS ticket_id, supplement.id AS supplement_id, 1 AS tries, 0 AS doubtful_tries,
        $4::text AS recipient_name, $4::text AS recipient_address, NULL::bigint AS recipient_person_id,
        NULL::bigint AS recipient_employee_id, false AS to_stranger, NULL::text AS message_id, NULL::text AS subject,
        NULL::bytea AS mime, NULL::text AS draft_id, now() AS created_at
    FROM tickets AS ticket LEFT JOIN LATERAL (
        SELECT id, mail_id FROM supplements
        WHERE $2 = 'supplement-added-executor' AND ticket_id = ticket.id AND mail_id IS NOT NULL
        ORDER BY reported_at DESC, id DESC LIMIT 1) AS supplement ON true
    WHERE ticket.helpdesk_id = $1 AND ticket.number = $3
        AND (supplement.id IS NOT NULL OR $2 <> 'supplement-added-executor')
)
{_READ}
"""  # noqa: S608 - nothing but our own statements

MAY_SEND: Final = """
-- $1 what tells our installation from a copy's, $2 helpdesk, $3 question
SELECT installation_confirmed($1) AS confirmed,
    EXISTS (SELECT FROM outgoing_holds WHERE helpdesk_id IS NULL OR helpdesk_id = $2) AS held,
    (SELECT count(*) FROM service_questions WHERE helpdesk_id = $2 AND question = $3) AS asked
"""

ENTRIES: Final = """
-- $1 claimed notifications that collected others: what each of them tells of, in the order in which it was decided; one
-- that is sent once more tells what the first of them told
WITH RECURSIVE earlier (summary, id, resend_of) AS (
    SELECT id, id, resend_of FROM notifications WHERE id = ANY($1::uuid[])
    UNION ALL
    SELECT summary, mail.id, mail.resend_of FROM earlier JOIN notifications AS mail ON mail.id = earlier.resend_of
)
SELECT first.summary, told.kind, ticket.number, ticket.title,
    organisation.name AS organisation, status.name AS status,
    coalesce(supplement.sender_name, ticket.sender_name) AS mail_from_name,
    coalesce(supplement.sender_address, ticket.sender_address) AS mail_from_address,
    coalesce(supplement.reported_at, ticket.reported_at) AS reported_at
FROM earlier AS first
JOIN notifications told ON told.id = first.id OR told.summary_id = first.id
JOIN tickets ticket ON ticket.id = told.ticket_id
JOIN organisations organisation ON organisation.id = ticket.organisation_id
JOIN statuses status ON status.id = ticket.status_id
LEFT JOIN supplements supplement ON supplement.id = told.supplement_id
WHERE first.resend_of IS NULL
ORDER BY told.created_at, told.id
"""

SUMMARY_TEMPLATES: Final = """
-- $1 helpdesks
SELECT helpdesk_id, subject, body_html, body_text FROM templates
WHERE helpdesk_id = ANY($1::bigint[]) AND kind = 'summary'
"""

KEEP_WRITTEN: Final = """
-- $1 holder; side by side $2 notifications, $3 Message-IDs, $4 subjects, $5 mails
UPDATE notifications SET message_id = written.message_id, subject = written.subject, mime = written.mime
FROM unnest($2::uuid[], $3::text[], $4::text[], $5::bytea[]) AS written (id, message_id, subject, mime)
WHERE notifications.id = written.id AND lease_holder = $1 AND state = 'planned' AND notifications.mime IS NULL
RETURNING notifications.id
"""

KEEP_DRAFT: Final = """
UPDATE notifications SET draft_id = $3, message_id = $4
WHERE id = $1 AND lease_holder = $2 AND state = 'planned'
"""

RECORD_SENT: Final = """
-- side by side $1 notifications and $2 what the server said
-- so is one that a person discarded when its claim had run out: it was sent after all
-- a delivery failure may be quicker than we are: it stands (ticket_writer has left its reason)
UPDATE notifications SET state = CASE report_action WHEN 'failed' THEN 'failed' ELSE 'sent' END, sent_at = now(),
    server_reply = taken.reply, reason = CASE report_action WHEN 'failed' THEN reason END,
    next_try_at = NULL, lease_holder = NULL, lease_until = NULL
FROM unnest($1::uuid[], $2::text[]) AS taken (id, reply)
WHERE notifications.id = taken.id
    AND (state = 'planned' OR state = 'not-sent' AND reason = 'discarded-by-person')
"""

RENEW: Final = """
UPDATE notifications SET lease_until = now() + $3
WHERE id = ANY($2::uuid[]) AND lease_holder = $1 AND state = 'planned'
RETURNING id
"""

GIVE_BACK: Final = """
-- due at once, since the event that told of it may be over; what was not sent was no try
UPDATE notifications SET lease_holder = NULL, lease_until = NULL, next_try_at = now(), tries = tries - 1
WHERE id = ANY($2::uuid[]) AND lease_holder = $1 AND state = 'planned'
"""

RECORD_POSTPONED: Final = """
UPDATE notifications SET reason = $3, server_reply = $4, next_try_at = now() + $5, doubtful_tries = $6,
    lease_holder = NULL, lease_until = NULL
WHERE id = $1 AND lease_holder = $2 AND state = 'planned'
"""

RECORD_FAILED: Final = """
UPDATE notifications SET state = 'failed', reason = $3, server_reply = $4, next_try_at = NULL,
    lease_holder = NULL, lease_until = NULL
WHERE id = $1 AND lease_holder = $2 AND state = 'planned'
"""

WAITING: Final = """
SELECT reason, count(*), min(created_at) AS oldest_at FROM notifications WHERE state = 'planned' GROUP BY reason
"""

ACCOUNT_TO_TRY: Final = f"SELECT {_ACCOUNT} FROM outgoing_accounts account {_LOGIN} WHERE account.id = $1"  # noqa: S608 - nothing but our own columns

RECORD_DEAD_LETTER: Final = "SELECT record_dead_letter($1, $2, $3)"


@dataclass(frozen=True, slots=True)
class Waiting:
    """Notifications that are still to be sent, with the `reason` why the last try failed; None: not tried yet."""

    reason: str | None
    count: int
    oldest_at: datetime


@dataclass(frozen=True, slots=True)
class MaySend:
    """Whether the database is this installation's, mail is held, and how often somebody `asked` within the hour."""

    confirmed: bool
    held: bool
    asked: int


class Repository:
    """The notifier's side of the database.

    `holder` names this process on the rows that it has claimed; `presents` tells our installation from a copy's, from
    which nothing is claimed.
    """

    def __init__(self, pool: Pool, holder: str, presents: bytes = NO_SECRET) -> None:
        self._pool = pool
        self._holder = holder
        self._presents = presents

    async def read_new(self, ids: Sequence[uuid.UUID]) -> list[Notification]:
        """What nobody has tried yet among `ids`, free and due, as its first try will have it; claimed by nobody."""
        async with connection(self._pool) as database:
            rows = await database.fetch(READ_NEW, list(ids))
        return [replace(_notification(row), tries=1) for row in rows]

    async def claim_written(self, mails: Sequence[tuple[uuid.UUID, Written]]) -> set[uuid.UUID]:
        """Claim what nobody has tried yet, and keep with that how it was written; which of them we have now."""
        async with connection(self._pool) as database:
            rows = await database.fetch(CLAIM_WRITTEN, self._holder, LEASE, self._presents, *_columns(mails))
        return {row["id"] for row in rows}

    async def claim_of_events(self, ids: Sequence[uuid.UUID]) -> list[Notification]:
        """Claim what is free, planned and due among `ids`. What another notifier has in hand is not returned."""
        async with connection(self._pool) as database:
            rows = await database.fetch(CLAIM_OF_EVENTS, self._holder, LEASE, self._presents, list(ids))
            return await _notifications(database, rows)

    async def claim_due(self, limit: int) -> list[Notification]:
        """Claim up to `limit` rows that are due without an event of their own, the longest due first."""
        async with connection(self._pool) as database:
            rows = await database.fetch(CLAIM_DUE, self._holder, LEASE, self._presents, EVENT_LOST_AFTER, limit)
            return await _notifications(database, rows)

    async def keep_written(self, mails: Sequence[tuple[uuid.UUID, Written]]) -> list[bool]:
        """Keep mails as they were written, each with its notification; False where the claim has been lost."""
        async with connection(self._pool) as database:
            kept = await database.fetch(KEEP_WRITTEN, self._holder, *_columns(mails))
        ids = {row["id"] for row in kept}
        return [notification_id in ids for notification_id, _ in mails]

    async def keep_draft(self, notification_id: uuid.UUID, draft_id: str, message_id: str) -> bool:
        """Keep what the mail is known by where it waits to be sent; False when the claim has been lost."""
        async with connection(self._pool) as database:
            status = await database.execute(KEEP_DRAFT, notification_id, self._holder, draft_id, message_id)
        return bool(status == "UPDATE 1")

    async def record_sent(self, replies: Sequence[tuple[uuid.UUID, str]]) -> list[None]:
        """A server has taken these, saying that: recorded even when a claim has run out meanwhile."""
        async with connection(self._pool) as database:
            status = await database.execute(RECORD_SENT, [each for each, _ in replies], [reply for _, reply in replies])
            if status != f"UPDATE {len(replies)}":
                await confirm_found(database)
        return [None for _ in replies]

    async def may_send(self, helpdesk_id: int, question: str) -> MaySend:
        """What stands against a mail of this helpdesk that somebody asked for."""
        async with connection(self._pool) as database:
            row = await database.fetchrow(MAY_SEND, self._presents, helpdesk_id, question)
        assert row is not None  # noqa: S101 - a row without FROM
        return MaySend(**row)

    async def as_if_planned(
        self, helpdesk_id: int, kind: NotificationKind, number: str, address: str
    ) -> Notification | None:
        """What would be sent of this ticket, or its newest supplement, to that address; None where there is none."""
        async with connection(self._pool) as database:
            row = await database.fetchrow(AS_IF_PLANNED, helpdesk_id, kind.value, number, address)
        return None if row is None else replace(_notification(row), recipient_name=address)

    async def renew(self, ids: Sequence[uuid.UUID]) -> set[uuid.UUID]:
        """Hold the claims on these, which are in hand, for another LEASE; those that are ours still."""
        async with connection(self._pool) as database:
            rows = await database.fetch(RENEW, self._holder, list(ids), LEASE)
        return {row["id"] for row in rows}

    async def give_back(self, ids: Sequence[uuid.UUID]) -> None:
        """End our claims on these, of which nothing was sent."""
        async with connection(self._pool) as database:
            await database.execute(GIVE_BACK, self._holder, list(ids))

    async def record_postponed(
        self, notification_id: uuid.UUID, reason: DeliveryReason, reply: str, delay: timedelta, doubtful_tries: int
    ) -> None:
        """Not now: free again, due after `delay`; so many tries may have been taken all the same."""
        async with connection(self._pool) as database:
            await database.execute(
                RECORD_POSTPONED, notification_id, self._holder, reason.value, reply, delay, doubtful_tries
            )

    async def record_failed(self, notification_id: uuid.UUID, reason: DeliveryReason, reply: str) -> None:
        """Never again."""
        async with connection(self._pool) as database:
            await database.execute(RECORD_FAILED, notification_id, self._holder, reason.value, reply)

    async def login_of(self, account: Account, fingerprint: bytes | None) -> LoginStanding | None:
        """How the account's login stands. Whose it is, as its secret tells, is stored when that is news."""
        login = account.login
        if login is None or fingerprint is None or fingerprint == login.fingerprint:
            return login
        async with connection(self._pool) as database:
            return await note_fingerprint(database, login, fingerprint)

    async def record_login_refused(self, login: LoginStanding, refusal: str, rest: timedelta) -> None:
        """The server refused the login: nobody tries it for `rest`."""
        async with connection(self._pool) as database:
            await record_refused(database, login, refusal, rest)

    async def record_login_taken(self, login: LoginStanding) -> None:
        """A login that was refused is taken again: what waited for it is due."""
        async with connection(self._pool) as database:
            await record_taken(database, login)

    async def account(self, account_id: int) -> Account | None:
        """The account of this id; None when there is none."""
        async with connection(self._pool) as database:
            row = await database.fetchrow(ACCOUNT_TO_TRY, account_id)
        return None if row is None else _account(row)

    async def record_dead_letter(self, mail_id: uuid.UUID, queue: str, reason: str) -> None:
        """An event that was parked, and why, for the ledger."""
        async with connection(self._pool) as database:
            await database.execute(RECORD_DEAD_LETTER, mail_id, queue, reason)

    async def waiting(self) -> list[Waiting]:
        """What is still to be sent, by reason."""
        async with connection(self._pool) as database:
            return [Waiting(**row) for row in await database.fetch(WAITING)]


async def _notifications(database: Connection, rows: Sequence[asyncpg.Record]) -> list[Notification]:
    """The notifications of claimed rows.

    What one has collected is read by a statement after the one that claimed it: whoever added to it had it locked, and
    has committed before the claim got it; nobody adds to it since.
    """
    collected = [row for row in rows if row["collects_until"] is not None and row["mime"] is None]
    if not collected:
        return [_notification(row) for row in rows]
    entries: dict[uuid.UUID, list[SummaryEntry]] = {}
    for entry in await database.fetch(ENTRIES, [row["id"] for row in collected]):
        entries.setdefault(entry["summary"], []).append(_entry(entry))
    templates = {
        row["helpdesk_id"]: OwnTemplate(row["subject"], row["body_html"], row["body_text"])
        for row in await database.fetch(SUMMARY_TEMPLATES, [row["helpdesk_id"] for row in collected])
    }
    return [
        _as_summary(_notification(row), entries.get(row["id"], []), templates.get(row["helpdesk_id"], OwnTemplate()))
        for row in rows
    ]


def _columns(mails: Sequence[tuple[uuid.UUID, Written]]) -> tuple[Sequence[object], ...]:
    """Side by side: notifications, Message-IDs, subjects, mails."""
    return (
        [notification_id for notification_id, _ in mails],
        [written.message_id for _, written in mails],
        [written.subject for _, written in mails],
        [written.mime for _, written in mails],
    )


def _as_summary(notification: Notification, entries: list[SummaryEntry], template: OwnTemplate) -> Notification:
    """What collected nothing is the mail that it would have been."""
    summary = replace(notification, entries=tuple(entries), template=template)
    return summary if summary.is_summary else notification


def _entry(row: asyncpg.Record) -> SummaryEntry:
    return SummaryEntry(
        kind=NotificationKind(row["kind"]),
        number=row["number"],
        title=row["title"],
        organisation=row["organisation"],
        status=row["status"],
        mail_from_name=row["mail_from_name"] or "",
        mail_from_address=row["mail_from_address"] or "",
        reported_at=row["reported_at"],
    )


def _notification(row: asyncpg.Record) -> Notification:
    return Notification(
        id=row["id"],
        mail_id=row["mail_id"],
        kind=NotificationKind(row["kind"]),
        tries=row["tries"],
        doubtful_tries=row["doubtful_tries"],
        recipient_name=name_to_write(row["recipient_name"], row["recipient_address"], row["recipient_known_as"]),
        recipient_address=row["recipient_address"],
        account=_account(row),
        sender=Sender(
            helpdesk=row["helpdesk_name"],
            name=row["sender_name"],
            address=row["sender_address"],
            reply_to=row["reply_to_address"],
            mailbox=row["mailbox"],
        ),
        marker=row["marker"],
        template=OwnTemplate(row["own_subject"], row["own_html"], row["own_text"]),
        ticket=_ticket(row),
        answers=tuple(message_id for message_id in row["answers"] if message_id),
        written=None if row["mime"] is None else Written(row["message_id"], row["subject"], row["mime"]),
        draft_id=row["draft_id"],
        quoted=Quoted(row["quoted_to_strangers"]) if row["to_stranger"] else None,
    )


def _account(row: asyncpg.Record) -> Account | None:
    if row["account_id"] is None:
        return None
    return Account(
        id=row["account_id"],
        version=row["account_version"],
        kind=row["account_kind"],
        host=row["host"] or "",
        port=row["port"] or 0,
        security=Security(row["security"]),
        ca_file=row["ca_file"],
        username=row["username"],
        password_encrypted=row["password_encrypted"],
        certificate_encrypted=row["certificate_encrypted"],
        tenant=row["tenant"],
        cloud=row["cloud"],
        mailbox_address=row["account_mailbox"],
        login=standing(row),
    )


def _ticket(row: asyncpg.Record) -> TicketFacts:
    return TicketFacts(
        number=row["number"],
        title=row["title"],
        organisation=row["organisation"],
        contact=row["contact"],
        status=row["status"],
        priority=row["priority"] or "",
        ticket_type=row["ticket_type"] or "",
        environment=row["environment"] or "",
        manager=row["manager"] or "",
        executor=row["executor"] or "",
        reported_at=row["reported_at"],
        deadline_at=row["deadline_at"],
        request=Body(row["request_html"], row["request_text"], row["request_shows_all"]),
        supplement=Body(row["supplement_html"] or "", row["supplement_text"] or "", bool(row["supplement_shows_all"])),
        supplemented_at=row["supplemented_at"],
        mail_subject=row["mail_subject"],
        mail_from_name=name_to_write(
            row["mail_from_name"] or "", row["mail_from_address"] or "", row["mail_from_known_as"]
        ),
        mail_from_address=row["mail_from_address"] or "",
        images=tuple(row["images"]),
        left_out=tuple(LeftOutAttachment(name, reason) for name, reason in row["left_out"]),
        time_zone=row["time_zone"],
        url=row["ticket_url"],
    )
