"""What the database has recorded of the work: mailboxes, logins, mails under way, mails out, what waits for a person.

Every moment is the database's clock. Who calls it needs a role that may read all of this: `importer_console`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.database.pool import Connection
from shared.portal.delivery import DeliveryReason
from shared.portal.reasons import NotSentReason
from shared.standing.importing import Import, imports
from shared.standing.quarantine import WAITS_FOR_A_PERSON
from shared.standing.work import Work, long_work

THREADS_COUNTED: Final = timedelta(days=30)
"""How far back the tickets are counted that threads would have saved."""
SERVER_AWAY_AFTER: Final = timedelta(minutes=5)
"""How long a mail out waits for a server that does not answer before that needs a person."""
LATE_AFTER: Final = timedelta(minutes=2)
"""How long after its time a mailbox may be left before that needs a person."""
OUTCOME_WITHIN: Final = timedelta(minutes=30)
"""How long after it was published a mail may be without an outcome before that needs a person."""

_MAILBOXES: Final = """
SELECT helpdesk.name AS helpdesk, settings.enabled, state.last_successful_check_at, state.last_check_at,
       CASE WHEN state.last_check_at > now() + $1::interval THEN now()
           ELSE nullif(greatest(state.next_check_at, login.probe_at), '-infinity') END AS next_check_at, state.problem,
       state.problem_since, state.backlog_waiting, state.problem_kind, login.refused_since AS login_refused_since,
       settings.login_expires_at, settings.server, settings.paused_since,
       (state.next_check_at > '-infinity' AND state.next_check_at < now() - $1::interval AND state.lease_until < now()
               OR state.last_check_at > now() + $1::interval)  -- the clock was set back: its time seems far off
           AND settings.paused_since IS NULL
           AND coalesce(login.probe_at < now(), true) AS is_late
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

_INSTALLATION: Final = "SELECT * FROM installation_standing()"

IS_HELD: Final = """(EXISTS (SELECT FROM outgoing_holds hold
        WHERE hold.helpdesk_id IS NULL OR hold.helpdesk_id = notification.helpdesk_id)
    OR (SELECT differs FROM installation_standing()) <> '{}')"""
"""Whether a person holds the mail out of which the row is called `notification`, or the database is not confirmed."""

_UNFINISHED: Final = f"""
WITH planned AS (
    SELECT (next_try_at > now() OR {IS_HELD}) AND coalesce(lease_until <= now(), true) AS later
    FROM notifications notification WHERE state = 'planned')
SELECT
    (SELECT count(*) FROM imported_mails mail WHERE awaits_outcome AND NOT EXISTS (
        SELECT FROM dead_letters WHERE mail_id = mail.mail_id AND resolved_at IS NULL)
        AND NOT EXISTS (SELECT FROM held_mails WHERE mail_id = mail.mail_id AND held_until > now())
        ) AS without_outcome,
    (SELECT count(*) FROM imported_mails mail
     WHERE event_published_at IS NULL AND outcome IN ('ticket', 'supplement') AND NOT EXISTS (
        SELECT FROM dead_letters WHERE mail_id = mail.mail_id AND resolved_at IS NULL)) AS untold,
    (SELECT count(*) FROM planned WHERE later IS NOT TRUE) AS mails_due,
    (SELECT count(*) FROM planned WHERE later) AS mails_later,
    (SELECT count(*) FROM dead_letters WHERE resolved_at IS NULL) AS dead_letters
"""  # noqa: S608 - nothing but our own columns

_OUTCOMES: Final = """
SELECT outcome, date_trunc('minute', outcome_at) AS minute, count(*)
FROM imported_mails WHERE outcome_at > now() - interval '1 day' GROUP BY 1, 2
"""

_UNDECIDED: Final = f"""
-- $1 within what time an outcome is due
WITH parked AS (SELECT DISTINCT mail_id FROM dead_letters WHERE resolved_at IS NULL), overdue AS (
    SELECT helpdesk_id, count(*), min(coalesce(published_at, fetched_at)) AS since FROM imported_mails mail
    WHERE awaits_outcome AND coalesce(published_at, fetched_at) < now() - $1::interval
      AND NOT EXISTS (SELECT FROM parked WHERE mail_id = mail.mail_id)
      AND NOT EXISTS (SELECT FROM held_mails WHERE mail_id = mail.mail_id AND held_until > now() - $1::interval)
    GROUP BY helpdesk_id)
SELECT helpdesk.id AS helpdesk_id, helpdesk.name AS helpdesk,
    quarantined.count AS quarantined, quarantined.since AS quarantined_since,
    tickets.count + supplements.count AS to_review, least(tickets.since, supplements.since) AS to_review_since,
    coalesce(overdue.count, 0) AS overdue, overdue.since AS overdue_since
FROM helpdesks helpdesk
LEFT JOIN overdue ON overdue.helpdesk_id = helpdesk.id
CROSS JOIN LATERAL (
    SELECT count(*), min(outcome_at) AS since FROM imported_mails mail
    WHERE mail.helpdesk_id = helpdesk.id AND {WAITS_FOR_A_PERSON}
) AS quarantined
CROSS JOIN LATERAL (
    SELECT count(*), min(reported_at) AS since FROM tickets WHERE helpdesk_id = helpdesk.id AND needs_review
) AS tickets
CROSS JOIN LATERAL (
    SELECT count(*), min(reported_at) AS since FROM supplements WHERE helpdesk_id = helpdesk.id AND needs_review
) AS supplements
ORDER BY helpdesk.name
"""  # noqa: S608 - nothing but our own words

_HELD: Final = """
SELECT helpdesk.name AS helpdesk, hold.held_since, hold.reason,
    (SELECT count(*) FROM notifications WHERE state = 'planned'
        AND (hold.helpdesk_id IS NULL OR notifications.helpdesk_id = hold.helpdesk_id)) AS mails
FROM outgoing_holds hold LEFT JOIN helpdesks helpdesk ON helpdesk.id = hold.helpdesk_id ORDER BY hold.held_since
"""

_COMPARED: Final = """
SELECT finished_at AS at, coalesce((told ->> 'left')::integer, 0) AS left FROM nightly_jobs
WHERE job = 'reconcile' AND finished_at IS NOT NULL
"""

_SERVERS_AWAY: Final = """
-- $1 the reason, $2 how long it may last
SELECT coalesce(account.host, 'graph') AS server, count(*), min(notification.created_at) AS since,
    array_agg(DISTINCT helpdesk.name ORDER BY helpdesk.name) AS helpdesks
FROM notifications notification
JOIN helpdesks helpdesk ON helpdesk.id = notification.helpdesk_id
JOIN outgoing_accounts account ON account.id = helpdesk.outgoing_account_id
WHERE notification.state = 'planned' AND notification.reason = $1
GROUP BY 1 HAVING min(notification.created_at) < now() - $2::interval ORDER BY 1
"""

_MAILS_OUT_BY_STATE: Final = """
SELECT state, count(*) FROM (
    SELECT CASE WHEN next_try_at > now() THEN 'waiting' ELSE state END AS state FROM notifications
    WHERE state = 'planned'
    UNION ALL
    SELECT state FROM notifications
    WHERE state <> 'planned' AND coalesce(sent_at, created_at) > now() - interval '1 day') AS mails
GROUP BY 1
"""
"""Those still to be sent, whatever their age; of the others, those of the last day."""

_WAITING_FOR_A_PERSON: Final = """
SELECT helpdesk.name AS helpdesk, reason, count(*), min(created_at) AS since
FROM helpdesks helpdesk CROSS JOIN LATERAL (
    SELECT reason, created_at FROM notifications WHERE helpdesk_id = helpdesk.id AND state = 'planned'
    UNION ALL
    SELECT reason, created_at FROM notifications
    WHERE helpdesk_id = helpdesk.id AND state = 'failed' AND created_at > now() - interval '4 days') AS mail
WHERE reason = ANY($1::text[])
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

_FLOODS: Final = """
SELECT helpdesk.name AS helpdesk, settings.mails_per_sender_per_hour AS per_hour, count(*),
    count(DISTINCT lower(mail.sender_address)) AS senders,
    mode() WITHIN GROUP (ORDER BY lower(mail.sender_address)) AS sender,
    min(mail.held_at) AS since, max(mail.held_until) AS until
FROM held_mails mail JOIN helpdesks helpdesk ON helpdesk.id = mail.helpdesk_id
JOIN importer_settings settings ON settings.helpdesk_id = mail.helpdesk_id
WHERE mail.held_until > now() GROUP BY helpdesk.id, settings.helpdesk_id ORDER BY helpdesk.name
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
    server: str | None = None
    """«Server» (SPEC S4); None: the cloud's own."""
    paused_since: datetime | None = None
    """Since when a person keeps it from being read."""
    is_late: bool = False
    """Whether no fetcher took it up LATE_AFTER its time."""


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


@dataclass(frozen=True, slots=True)
class Flood:
    """Mails of a helpdesk that wait for their sender's turn; `sender` is the address that most of them have."""

    helpdesk: str
    per_hour: int | None
    count: int
    senders: int
    sender: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Undecided:
    """What of one helpdesk waits for a person: mails, tickets and supplements; each since when the oldest does."""

    helpdesk_id: int
    helpdesk: str
    quarantined: int
    """Mails in quarantine that wait for a person (`shared.standing.quarantine`)."""
    quarantined_since: datetime | None
    to_review: int
    """Tickets and supplements that a person should look at (SPEC D13, D20)."""
    to_review_since: datetime | None
    overdue: int
    """Mails without an outcome OUTCOME_WITHIN after they were published."""
    overdue_since: datetime | None


@dataclass(frozen=True, slots=True)
class ServerAway:
    """Mails out that wait for a server that does not answer."""

    server: str
    count: int
    since: datetime
    """When the oldest of them was decided."""
    helpdesks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What the mails of the last 24 hours became, and how many of them in each minute."""

    of_a_day: Mapping[str, int]
    by_minute: Mapping[datetime, int]


@dataclass(frozen=True, slots=True)
class Held:
    """Mail out that a person holds; `helpdesk` None: that of all."""

    helpdesk: str | None
    held_since: datetime
    reason: str
    mails: int


@dataclass(frozen=True, slots=True)
class InstallationStanding:
    """Whether fetchers and notifiers may work: nothing differs from what was confirmed."""

    differs: tuple[str, ...]
    """Of server, database, key, restored."""
    since: datetime | None
    """Since when, while something does."""
    confirmed_at: datetime | None
    """None: not yet; the first start confirms it."""
    restored_to: datetime | None
    """The moment that the database was brought back to, until a person has confirmed it."""

    @property
    def is_held(self) -> bool:
        """Whether no mailbox is read and no mail is sent."""
        return bool(self.differs)


@dataclass(frozen=True, slots=True)
class Compared:
    """The last whole comparison (`reconcile`): when, and how many differences it left for a person."""

    at: datetime
    left: int


@dataclass(frozen=True, slots=True)
class Recorded:
    """All of it, `at` a moment of the database's clock."""

    at: datetime
    schema_revision: str
    installation: InstallationStanding
    mailboxes: tuple[MailboxProgress, ...]
    outcomes: Outcomes
    unfinished: Unfinished
    notifications: Mapping[str, int]
    undelivered: tuple[Undelivered, ...]
    servers_away: tuple[ServerAway, ...]
    unconfirmed: tuple[Unconfirmed, ...]
    undecided: tuple[Undecided, ...]
    held: tuple[Held, ...]
    accounts: tuple[AccountProgress, ...]
    logins: tuple[LoginProgress, ...]
    ticket_numbers: TicketNumbers
    tickets_that_threads_would_have_saved: Mapping[str, int]
    """By helpdesk, of the last thirty days (D8)."""
    floods: tuple[Flood, ...] = ()
    compared: Compared | None = None
    """None: there was no comparison yet."""
    imports: tuple[Import, ...] = ()

    @property
    def work(self) -> Work | None:
        """Long work of which the end is known: not while a mailbox is being imported, which holds more than came."""
        is_told = any(each.taken_in for each in self.imports)
        return None if is_told else long_work(self.outcomes.by_minute, self.unfinished.without_outcome, self.at)


async def recorded(connection: Connection, undelivered_for: Sequence[DeliveryReason]) -> Recorded:
    """All of it; of what is not delivered, that which one of these reasons keeps."""
    return Recorded(
        at=await now(connection),
        schema_revision=await schema_revision(connection),
        installation=await installation(connection),
        mailboxes=tuple(await mailboxes(connection)),
        outcomes=await outcomes(connection),
        unfinished=await unfinished(connection),
        notifications=await mails_out_by_state(connection),
        undelivered=tuple(await undelivered(connection, list(undelivered_for))),
        servers_away=tuple(await servers_away(connection)),
        unconfirmed=tuple(await unconfirmed(connection)),
        undecided=tuple(await undecided(connection)),
        held=tuple(await held(connection)),
        accounts=tuple(await accounts(connection)),
        logins=tuple(await logins(connection)),
        ticket_numbers=await ticket_numbers(connection),
        tickets_that_threads_would_have_saved=await tickets_of_threads(connection),
        floods=tuple(await floods(connection)),
        compared=await compared(connection),
        imports=tuple(await imports(connection)),
    )


async def now(connection: Connection) -> datetime:
    """The database's clock."""
    moment: datetime = await connection.fetchval("SELECT clock_timestamp()")
    return moment


async def schema_revision(connection: Connection) -> str:
    """The revision of the schema that the database has."""
    revision: str = await connection.fetchval("SELECT version_num FROM public.alembic_version")
    return revision


async def installation(connection: Connection) -> InstallationStanding:
    """Whether this database was confirmed for where it is."""
    (row,) = await connection.fetch(_INSTALLATION)
    return InstallationStanding(**{**row, "differs": tuple(row["differs"])})


async def mailboxes(connection: Connection) -> list[MailboxProgress]:
    """Every mailbox that has settings, on or off."""
    return [MailboxProgress(**row) for row in await connection.fetch(_MAILBOXES, LATE_AFTER)]


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


async def unfinished(connection: Connection) -> Unfinished:
    """What of the mails taken in is not done yet."""
    (row,) = await connection.fetch(_UNFINISHED)
    return Unfinished(**row)


async def outcomes(connection: Connection) -> Outcomes:
    """What the mails of the last 24 hours became."""
    of_a_day: dict[str, int] = {}
    by_minute: dict[datetime, int] = {}
    for outcome, minute, count in await connection.fetch(_OUTCOMES):
        of_a_day[outcome] = of_a_day.get(outcome, 0) + count
        by_minute[minute] = by_minute.get(minute, 0) + count
    return Outcomes(of_a_day, by_minute)


async def floods(connection: Connection) -> list[Flood]:
    """Every helpdesk of which mails wait for their sender's turn."""
    return [Flood(**row) for row in await connection.fetch(_FLOODS)]


async def undecided(connection: Connection) -> list[Undecided]:
    """Every helpdesk, with what of it waits for a person."""
    return [Undecided(**row) for row in await connection.fetch(_UNDECIDED, OUTCOME_WITHIN)]


async def held(connection: Connection) -> list[Held]:
    """What mail out a person holds, the oldest hold first, and how many mails wait behind it."""
    return [Held(**row) for row in await connection.fetch(_HELD)]


async def compared(connection: Connection) -> Compared | None:
    """The last whole comparison; None while there was none."""
    row = await connection.fetchrow(_COMPARED)
    return None if row is None else Compared(**row)


async def servers_away(connection: Connection) -> list[ServerAway]:
    """Mail servers for which mails out have waited longer than SERVER_AWAY_AFTER."""
    rows = await connection.fetch(_SERVERS_AWAY, DeliveryReason.SERVER_AWAY.value, SERVER_AWAY_AFTER)
    return [ServerAway(**{**row, "helpdesks": tuple(row["helpdesks"])}) for row in rows]


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
