"""What the database says of the work: mailboxes, mails under way, mails out, dead letters. The SQL of status and idle.

Every moment is the database's clock. All functions take a connection with the role `importer_console`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.database.pool import Connection
from shared.portal.reasons import NotSentReason

THREADS_COUNTED: Final = timedelta(days=30)
"""How far back the tickets are counted that threads would have saved."""

_MAILBOXES: Final = """
SELECT helpdesk.name AS helpdesk, settings.enabled, state.last_successful_check_at, state.last_check_at,
       nullif(greatest(state.next_check_at, login.probe_at), '-infinity') AS next_check_at, state.problem,
       state.problem_since, state.backlog_waiting, state.problem_kind, login.refused_since AS login_refused_since,
       settings.login_expires_at
FROM importer_settings settings
JOIN helpdesks helpdesk ON helpdesk.id = settings.helpdesk_id
JOIN mailbox_states state ON state.helpdesk_id = settings.helpdesk_id
LEFT JOIN login_states login ON login.login_id = settings.login_id
ORDER BY helpdesk.name
"""

_THREADS: Final = """
SELECT helpdesk.name AS helpdesk, count(*) AS count
FROM imported_mails mail JOIN helpdesks helpdesk ON helpdesk.id = mail.helpdesk_id
WHERE mail.outcome = 'ticket' AND mail.received_at > now() - $1::interval
  AND mail.reasons @> '[{"id": "thread-not-followed"}]'
GROUP BY helpdesk.name
"""

_NUMBERS: Final = "SELECT * FROM ticket_number_standing()"

_ACCOUNTS: Final = """
SELECT account.name AS account, login.refused_since AS login_refused_since, login.probe_at AS login_rests_until,
       login.problem AS refusal, account.login_expires_at
FROM outgoing_accounts account LEFT JOIN login_states login ON login.login_id = account.login_id
ORDER BY account.name
"""

_LOGINS: Final = """
SELECT login.name AS login, state.refused_since, state.probe_at, state.problem, login.expires_at,
    ARRAY(SELECT helpdesk.name FROM importer_settings settings JOIN helpdesks helpdesk ON helpdesk.id = helpdesk_id
          WHERE login_id = login.id AND enabled ORDER BY 1) AS mailboxes,
    ARRAY(SELECT name FROM outgoing_accounts WHERE login_id = login.id ORDER BY 1) AS accounts
FROM logins login JOIN login_states state ON state.login_id = login.id
ORDER BY login.name
"""

_CHECK_SOON: Final = """
UPDATE mailbox_states state SET next_check_at = now()
FROM importer_settings settings
WHERE settings.helpdesk_id = state.helpdesk_id AND settings.enabled AND state.next_check_at > now()
  AND NOT EXISTS (SELECT FROM login_states WHERE login_id = settings.login_id AND probe_at > now())
"""
"""Every mailbox that is on. One whose login was refused rests nevertheless: asking again could lock the account
(services.fetcher.rules.backoff). It is asked when its login is changed."""

_UNFINISHED: Final = """
WITH planned AS (
    SELECT next_try_at > now() AND coalesce(lease_until <= now(), true) AS later
    FROM notifications WHERE state = 'planned')
SELECT
    (SELECT count(*) FROM imported_mails mail WHERE awaits_outcome AND NOT EXISTS (
        SELECT FROM dead_letters WHERE mail_id = mail.mail_id AND resolved_at IS NULL)) AS without_outcome,
    (SELECT count(*) FROM imported_mails mail
     WHERE event_published_at IS NULL AND outcome IN ('ticket', 'supplement') AND NOT EXISTS (
        SELECT FROM dead_letters WHERE mail_id = mail.mail_id AND resolved_at IS NULL)) AS untold,
    (SELECT count(*) FROM planned WHERE later IS NOT TRUE) AS mails_due,
    (SELECT count(*) FROM planned WHERE later) AS mails_later,
    (SELECT count(*) FROM dead_letters WHERE resolved_at IS NULL) AS dead_letters
"""

_MAILS_DUE: Final = """
SELECT notification.kind, notification.recipient_address, ticket.number AS ticket
FROM notifications notification JOIN tickets ticket ON ticket.id = notification.ticket_id
WHERE notification.state = 'planned'
  AND (notification.next_try_at > now() AND coalesce(notification.lease_until <= now(), true)) IS NOT TRUE
ORDER BY notification.created_at LIMIT $1
"""

_OUTCOMES_OF_A_DAY: Final = """
SELECT outcome, count(*) FROM imported_mails WHERE outcome_at > now() - interval '1 day' GROUP BY outcome
"""

_MAILS_OUT_BY_STATE: Final = """
SELECT CASE WHEN state <> 'planned' THEN state WHEN next_try_at > now() THEN 'waiting' ELSE 'planned' END AS state,
       count(*)
FROM notifications WHERE state = 'planned' OR coalesce(sent_at, created_at) > now() - interval '1 day'
GROUP BY 1
"""
"""Those still to be sent, whatever their age; of the others, those of the last day."""

_WAITING_FOR_A_PERSON: Final = """
SELECT helpdesk.name AS helpdesk, notification.reason, count(*), min(notification.created_at) AS since
FROM notifications notification JOIN helpdesks helpdesk ON helpdesk.id = notification.helpdesk_id
WHERE reason = ANY($1::text[])
  AND (state = 'planned' OR state = 'failed' AND notification.created_at > now() - interval '4 days')
GROUP BY 1, 2 ORDER BY 1, 2
"""
"""Mail is given up after 72 hours: what failed is shown for at least a day."""

_UNCONFIRMED: Final = """
SELECT helpdesk.name AS helpdesk, helpdesk.unknown_senders_per_hour AS per_hour, count(*),
    min(notification.created_at) AS since
FROM notifications notification JOIN helpdesks helpdesk ON helpdesk.id = notification.helpdesk_id
WHERE notification.state = 'not-sent' AND notification.reason = $1
  AND notification.created_at > now() - interval '1 day'
GROUP BY helpdesk.id ORDER BY helpdesk.name
"""


@dataclass(frozen=True, slots=True)
class MailboxProgress:
    """A mailbox: whether it is on, and how its checks went (SPEC S8)."""

    helpdesk: str
    enabled: bool
    last_successful_check_at: datetime | None
    last_check_at: datetime | None
    next_check_at: datetime | None
    """None: as soon as a fetcher runs. Not before a login that was refused has rested."""
    problem: str | None
    problem_since: datetime | None
    backlog_waiting: int
    """Old mails that wait for a person's choice (SPEC D18)."""
    problem_kind: str | None = None
    login_refused_since: datetime | None = None
    """Since when the server refuses the login, whatever the problem is now; None: it does not."""
    login_expires_at: datetime | None = None
    """When the client secret or certificate ends; None: not known."""


@dataclass(frozen=True, slots=True)
class AccountProgress:
    """An outgoing account: how its login stands."""

    account: str
    login_refused_since: datetime | None
    login_rests_until: datetime | None
    refusal: str | None
    login_expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class LoginProgress:
    """A login: how it stands, and who uses it."""

    login: str
    refused_since: datetime | None
    probe_at: datetime | None
    problem: str | None
    expires_at: datetime | None
    mailboxes: tuple[str, ...]
    """Helpdesks whose mailbox is on."""
    accounts: tuple[str, ...]

    @property
    def is_shared(self) -> bool:
        """Whether more than one uses it."""
        return len(self.mailboxes) + len(self.accounts) > 1


@dataclass(frozen=True, slots=True)
class TicketNumbers:
    """The installation's pattern, and which numbers it does not find; `newest_number` is None without any ticket."""

    pattern: str
    newest_number: str | None
    newest_is_found: bool | None
    next_number: str
    next_is_found: bool
    aliases_not_found: int
    alias_not_found: str | None
    """One of them."""


@dataclass(frozen=True, slots=True)
class MailDue:
    """A notification that is due, or in a notifier's hands."""

    kind: str
    recipient_address: str
    ticket: str


@dataclass(frozen=True, slots=True)
class Unfinished:
    """How much is under way, and how much waits."""

    without_outcome: int
    untold: int
    """Tickets and supplements of which the notifier has not been told."""
    mails_due: int
    mails_later: int
    """Notifications that wait for another try."""
    dead_letters: int


@dataclass(frozen=True, slots=True)
class Undelivered:
    """Notifications of a helpdesk that one cause keeps from being delivered."""

    helpdesk: str
    reason: str
    count: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """Unknown senders of a helpdesk who got no confirmation within a day, since `per_hour` of them had got theirs."""

    helpdesk: str
    per_hour: int
    count: int
    since: datetime


async def now(connection: Connection) -> datetime:
    """The database's clock."""
    moment: datetime = await connection.fetchval("SELECT clock_timestamp()")
    return moment


async def schema_revision(connection: Connection) -> str:
    """The revision of the schema that the database has."""
    revision: str = await connection.fetchval("SELECT version_num FROM public.alembic_version")
    return revision


async def mailboxes(connection: Connection) -> list[MailboxProgress]:
    """Every mailbox that has settings, on or off."""
    return [MailboxProgress(**row) for row in await connection.fetch(_MAILBOXES)]


async def tickets_of_threads(connection: Connection) -> Mapping[str, int]:
    """By helpdesk, the tickets of the last THREADS_COUNTED that following threads would have saved (SPEC D8)."""
    return {row["helpdesk"]: row["count"] for row in await connection.fetch(_THREADS, THREADS_COUNTED)}


async def ticket_numbers(connection: Connection) -> TicketNumbers:
    """The newest number and the aliases, held against the pattern by which numbers are found (SPEC D1)."""
    (row,) = await connection.fetch(_NUMBERS)
    return TicketNumbers(**row)


async def accounts(connection: Connection) -> list[AccountProgress]:
    """Every outgoing account."""
    return [AccountProgress(**row) for row in await connection.fetch(_ACCOUNTS)]


async def logins(connection: Connection) -> list[LoginProgress]:
    """Every login."""
    logins = await connection.fetch(_LOGINS)
    return [
        LoginProgress(**{**row, "mailboxes": tuple(row["mailboxes"]), "accounts": tuple(row["accounts"])})
        for row in logins
    ]


async def check_soon(connection: Connection) -> None:
    """Give every mailbox that is on its turn now, but none that rests since its login was refused."""
    await connection.execute(_CHECK_SOON)


async def unfinished(connection: Connection) -> Unfinished:
    """What of the mails taken in is not done yet."""
    (row,) = await connection.fetch(_UNFINISHED)
    return Unfinished(**row)


async def mails_due(connection: Connection, at_most: int) -> list[MailDue]:
    """Notifications that are due, the oldest first."""
    return [MailDue(**row) for row in await connection.fetch(_MAILS_DUE, at_most)]


async def outcomes_of_a_day(connection: Connection) -> Mapping[str, int]:
    """What the mails of the last 24 hours became."""
    return {row["outcome"]: row["count"] for row in await connection.fetch(_OUTCOMES_OF_A_DAY)}


async def mails_out_by_state(connection: Connection) -> Mapping[str, int]:
    """Notifications to be sent (planned, or waiting for another try), and those of the last 24 hours by their state."""
    return {row["state"]: row["count"] for row in await connection.fetch(_MAILS_OUT_BY_STATE)}


async def undelivered(connection: Connection, reasons: list[str]) -> list[Undelivered]:
    """What one of `reasons` keeps from being sent, or has made fail in the last days."""
    return [Undelivered(**row) for row in await connection.fetch(_WAITING_FOR_A_PERSON, reasons)]


async def unconfirmed(connection: Connection) -> list[Unconfirmed]:
    """Helpdesks that met their limit on confirmations to unknown senders in the last day."""
    rows = await connection.fetch(_UNCONFIRMED, NotSentReason.OVER_LIMIT_UNKNOWN_SENDERS.value)
    return [Unconfirmed(**row) for row in rows]
