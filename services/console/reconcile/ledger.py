"""The ledger beside tickets, supplements, notifications and pictures: what the database says of itself.

A mail's outcome, its ticket and its notifications are written in one transaction, so that these differ at no moment;
what is done after it (marking, moving, telling the notifier) is a difference only when it is older than `grace`. One
statement looks at a page of mails and names the kinds of differences (`Kind`). Everything runs as importer_reconciler.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any, Final

import asyncpg

from services.console.reconcile.differences import Difference
from services.console.reconcile.kinds import Kind
from services.console.reconcile.pages import pages
from services.console.texts import N_
from shared.database.pool import Pool, connection
from shared.sentences import Sentence

NO_MAIL: Final = uuid.UUID(int=0)

_SAYS: Final = N_("The ledger says: %(outcome)s.")
_NONE_YET: Final = N_("The ledger says: none yet.")
_RAW: Final = N_("They are those of the raw mail.")
_MAILBOX: Final = N_("The mailbox: %(problem)s")
_IS_A: Final = {"ticket": N_("It is a ticket."), "supplement": N_("It is a supplement.")}
_WHICH_MAIL: Final = N_("It is the %(kind)s mail.")

_MAILS: Final = """
-- $1, $2 the first and the last mail of a page, $3 grace, $4 a helpdesk or null
SELECT mail.mail_id, mail.helpdesk_id, mail.received_at, mail.outcome, ticket.number AS ticket, settings.problem,
    array_remove(ARRAY[
        CASE WHEN mail.outcome = 'ticket' AND made.id IS DISTINCT FROM mail.ticket_id THEN 'ticket-missing' END,
        CASE WHEN mail.outcome = 'supplement' AND added.id IS DISTINCT FROM mail.supplement_id
            THEN 'supplement-missing' END,
        CASE WHEN mail.outcome = 'duplicate' AND original.outcome IS DISTINCT FROM 'ticket'
            AND original.outcome IS DISTINCT FROM 'supplement' THEN 'original-missing' END,
        CASE WHEN made.id IS NOT NULL AND added.id IS NOT NULL THEN 'made-twice'
            WHEN made.id IS NOT NULL AND mail.outcome IS DISTINCT FROM 'ticket'
                OR added.id IS NOT NULL AND mail.outcome IS DISTINCT FROM 'supplement'
            THEN 'outcome-is-another' END,
        CASE WHEN mail.published_at IS NOT NULL AND mail.marked_read_at IS NULL AND settings.is_read
            AND mail.published_at < now() - $3::interval THEN 'mail-not-marked' END,
        CASE WHEN mail.acted_at IS NULL AND mail.complete AND mail.outcome IN ('ticket', 'supplement', 'duplicate')
            AND settings.is_read AND settings.after_import <> 'mark-read'
            AND mail.outcome_at < now() - $3::interval THEN 'mail-not-filed' END,
        CASE WHEN mail.outcome IN ('ticket', 'supplement') AND mail.event_published_at IS NULL
            AND mail.outcome_at < now() - $3::interval AND NOT parked.is_so THEN 'event-not-announced' END,
        CASE WHEN mail.outcome IN ('ticket', 'supplement') AND coalesce(told.about, 0) = 0
            THEN 'notification-missing' END,
        CASE WHEN told.about_another THEN 'notification-of-another' END,
        CASE WHEN told.perhaps_twice THEN 'perhaps-sent-twice' END,
        CASE WHEN mail.raw_sha256 IS NOT NULL AND NOT EXISTS (SELECT FROM blobs WHERE sha256 = mail.raw_sha256)
            THEN 'bytes-missing' END
    ], NULL) AS kinds
FROM imported_mails AS mail
LEFT JOIN tickets AS ticket ON ticket.id = mail.ticket_id
LEFT JOIN tickets AS made ON made.mail_id = mail.mail_id
LEFT JOIN supplements AS added ON added.mail_id = mail.mail_id
LEFT JOIN imported_mails AS original ON original.mail_id = mail.duplicate_of
CROSS JOIN LATERAL (
    SELECT EXISTS (SELECT FROM dead_letters WHERE mail_id = mail.mail_id AND resolved_at IS NULL) AS is_so) AS parked
LEFT JOIN LATERAL (
    SELECT count(*) FILTER (WHERE kind <> 'ticket-added-customer') AS about,
        bool_or(ticket_id IS DISTINCT FROM mail.ticket_id) AS about_another,
        bool_or(state = 'sent' AND doubtful_tries > 0 AND sent_at > now() - interval '1 day') AS perhaps_twice
    FROM notifications WHERE mail_id = mail.mail_id HAVING count(*) > 0) AS told ON true
LEFT JOIN LATERAL (
    SELECT after_import, state.problem,
        enabled AND paused_since IS NULL AND generation = mail.generation AND folder = mail.folder
            AND mail.force_number = 0 AS is_read
    FROM importer_settings JOIN mailbox_states AS state USING (helpdesk_id)
    WHERE helpdesk_id = mail.helpdesk_id) AS settings ON true
WHERE mail.mail_id BETWEEN $1 AND $2 AND ($4::bigint IS NULL OR mail.helpdesk_id = $4)
"""

_MADE_BY_NO_MAIL: Final = """
-- $1, $2 the first and the last ticket of a page, $3 a helpdesk or null
SELECT made.id, made.number AS ticket, made.helpdesk_id, made.mail_id, made.what
FROM (
    SELECT id, number, helpdesk_id, mail_id, 'ticket' AS what FROM tickets WHERE id BETWEEN $1 AND $2
    UNION ALL
    SELECT ticket.id, number, supplement.helpdesk_id, supplement.mail_id, 'supplement'
    FROM supplements AS supplement JOIN tickets AS ticket ON ticket.id = ticket_id WHERE ticket_id BETWEEN $1 AND $2
) AS made
WHERE made.mail_id IS NOT NULL AND ($3::bigint IS NULL OR made.helpdesk_id = $3)
  AND NOT EXISTS (SELECT FROM imported_mails WHERE imported_mails.mail_id = made.mail_id)
"""

_PICTURES: Final = """
-- $1, $2 the first and the last ticket of a page, $3 a helpdesk or null
SELECT ticket.number AS ticket, ticket.helpdesk_id, missing.mail_id, missing.pictures
FROM pictures_not_there($1, $2) AS missing JOIN tickets AS ticket ON ticket.id = missing.ticket_id
WHERE $3::bigint IS NULL OR ticket.helpdesk_id = $3
"""

_NOTIFICATIONS: Final = """
-- $1 grace, $2 a helpdesk or null, $3 how many at most: a claim that ran out and is due later; what nobody takes
SELECT planned.id, planned.mail_id, planned.helpdesk_id, ticket.number AS ticket, planned.kind AS mail, planned.since,
    CASE WHEN planned.is_left THEN 'claim-of-nobody' ELSE 'notification-overdue' END AS kind
FROM (
    SELECT id, mail_id, helpdesk_id, ticket_id, kind, lease_until,
        lease_until < now() - $1::interval AND next_try_at > now() AS is_left,
        coalesce(next_try_at, created_at) AS since
    FROM notifications WHERE state = 'planned') AS planned
LEFT JOIN tickets AS ticket ON ticket.id = planned.ticket_id
WHERE (planned.is_left OR planned.since < now() - $1::interval
        AND coalesce(planned.lease_until < now() - $1::interval, true))
  AND ($2::bigint IS NULL OR planned.helpdesk_id = $2)
  AND NOT EXISTS (SELECT FROM outgoing_holds AS hold
      WHERE hold.helpdesk_id IS NULL OR hold.helpdesk_id = planned.helpdesk_id)
ORDER BY planned.since LIMIT $3
"""

MOST_OF_NOTIFICATIONS: Final = 10_000


async def of_mails(
    pool: Pool, grace: timedelta, helpdesk_id: int | None
) -> AsyncIterator[tuple[int, Sequence[Difference]]]:
    """How many mails each page has, and what differs about them."""
    async for first, last, count in pages(pool, "imported_mails", "mail_id", NO_MAIL):
        async with connection(pool) as acquired:
            rows = await acquired.fetch(_MAILS, first, last, grace, helpdesk_id)
        yield count, [_of_mail(row, Kind(kind)) for row in rows for kind in row["kinds"]]


def _of_mail(row: asyncpg.Record, kind: Kind) -> Difference:
    detail = {
        Kind.NOT_ITS_OUTCOME: Sentence(_SAYS, outcome=row["outcome"]) if row["outcome"] else Sentence(_NONE_YET),
        Kind.BYTES_MISSING: Sentence(_RAW),
    }.get(kind, "")
    if kind in {Kind.NOT_MARKED, Kind.NOT_FILED} and row["problem"]:
        detail = Sentence(_MAILBOX, problem=row["problem"])
    return Difference(kind, row["helpdesk_id"], row["mail_id"], row["ticket"], since=row["received_at"], detail=detail)


async def of_tickets(pool: Pool, helpdesk_id: int | None) -> AsyncIterator[tuple[int, Sequence[Difference]]]:
    """How many tickets each page has, and what differs about them and their supplements."""
    async for first, last, count in pages(pool, "tickets", "id", 0):
        async with connection(pool) as acquired:
            orphans = await acquired.fetch(_MADE_BY_NO_MAIL, first, last, helpdesk_id)
            pictures = await acquired.fetch(_PICTURES, first, last, helpdesk_id)
        yield count, [*map(_orphan, orphans), *map(_without_picture, pictures)]


def _orphan(row: asyncpg.Record) -> Difference:
    return Difference(
        Kind.NO_LEDGER_ROW, row["helpdesk_id"], row["mail_id"], row["ticket"], detail=Sentence(_IS_A[row["what"]])
    )


def _without_picture(row: asyncpg.Record) -> Difference:
    return Difference(Kind.PICTURE_MISSING, row["helpdesk_id"], row["mail_id"], row["ticket"], count=row["pictures"])


async def of_notifications(pool: Pool, grace: timedelta, helpdesk_id: int | None) -> Sequence[Difference]:
    """Planned notifications that nobody takes."""
    async with connection(pool) as acquired:
        rows: list[Any] = await acquired.fetch(_NOTIFICATIONS, grace, helpdesk_id, MOST_OF_NOTIFICATIONS)
    return [
        Difference(
            Kind(row["kind"]), row["helpdesk_id"], row["mail_id"], row["ticket"], row["since"], str(row["id"]),
            Sentence(_WHICH_MAIL, kind=row["mail"]),
        )
        for row in rows
    ]  # fmt: skip
