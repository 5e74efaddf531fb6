"""Whose turn it is, and what is recorded of a check: the SQL on `mailbox_states`.

Several fetchers share the mailboxes by leases. Times are the database's own, since the fetchers' clocks may differ.
Raises Outage and TryAgain as `shared.database.pool` does.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import asyncpg

from services.fetcher.login import Login
from services.fetcher.mailboxes.protocol import MailboxAccess
from services.fetcher.repository.access import ACCESS, LOGIN, Opened, opened
from services.fetcher.rules.backlog import Chosen, ReadAgain, Waiting
from services.fetcher.rules.due import Roles
from services.fetcher.rules.following import Following, Reached
from services.fetcher.rules.problem import Problem, ProblemKind
from shared.database.installation import NO_SECRET
from shared.database.logins import STANDING, record_refused, record_taken
from shared.database.pool import Pool, connection
from shared.dialogue import Told
from shared.logins import LoginStanding
from shared.messages import ImportChoice
from shared.sealing import Keyring

_SERVER: Final = """
    (settings.mailbox_kind || CASE settings.mailbox_kind
        WHEN 'maildir' THEN '' ELSE ' ' || lower(coalesce(settings.server, '')) END)"""
"""What a mailbox shares with others that fail when it does: a mail server, or the disk of all Maildirs."""

_IS_DUE: Final = """
    (state.next_check_at <= now() AND state.lease_until <= now()
        OR state.last_check_at > now() + interval '1 minute'
            AND (state.lease_until <= now() OR state.lease_until > now() + interval '1 hour'))"""
"""Its turn has come and nobody has it. What was last checked in the future is due too: the database's clock was ahead,
and until that moment came again nobody would look. No lease may be longer than an hour."""

_CLAIM: Final = f"""
    WITH due AS (
        SELECT state.helpdesk_id
        FROM mailbox_states AS state JOIN importer_settings AS settings USING (helpdesk_id)
        WHERE settings.enabled AND settings.paused_since IS NULL AND installation_confirmed($6)
            AND {_IS_DUE}
            AND state.helpdesk_id <> ALL($3) AND {_SERVER} <> ALL($5)
        ORDER BY state.next_check_at
        LIMIT $4
        FOR UPDATE OF state SKIP LOCKED),
    claimed AS (
        UPDATE mailbox_states AS state SET lease_holder = $1, lease_until = now() + $2
        FROM due WHERE state.helpdesk_id = due.helpdesk_id
        RETURNING state.helpdesk_id, state.failed_checks, state.next_check_at,
            state.backlog_choice, state.backlog_chosen_at, state.backlog_chosen_until, state.after_import_failures,
            state.after_import_resumes_at, state.after_import_problem, state.after_import_settings_version,
            state.sync_state, state.read_again_from, state.read_again_until, state.read_again_silent)
    SELECT helpdesk_id, {_SERVER} AS mail_server, {ACCESS}, {STANDING}, generation, check_interval_seconds,
        max_mail_bytes, import_from, old_mail_days, backlog_limit, after_import, after_import_folder,
        read_mail_from, sync_state, read_again_from, read_again_until, read_again_silent, settings.row_version,
        failed_checks, now() AS claimed_at, after_import_failures, after_import_problem,
        after_import_resumes_at > now() AS after_import_rests,
        after_import_settings_version IS NOT DISTINCT FROM settings.row_version AS after_import_failed_so,
        backlog_choice, backlog_chosen_at, backlog_chosen_until,
        (SELECT active FROM persons WHERE id = default_contact_id) AS default_contact_active,
        (SELECT active FROM employees WHERE id = default_employee_id) AS default_employee_active,
        (SELECT active FROM statuses WHERE id = imported_status_id AND flag = 'imported') AS imported_status_active
    FROM claimed JOIN importer_settings AS settings USING (helpdesk_id) {LOGIN}
    ORDER BY next_check_at"""  # noqa: S608 - nothing but our own columns
"""Take the mailboxes whose turn has come, the longest overdue first, and lease them; others pass over them.

None from a database that was not confirmed for us: it may be a copy."""

_WAKE: Final = f"""
    UPDATE mailbox_states AS state SET next_check_at = now()
    FROM importer_settings AS settings
    WHERE settings.helpdesk_id = state.helpdesk_id AND settings.enabled AND {_SERVER} = $1
        AND state.problem_kind = $2 AND state.next_check_at > now()"""  # noqa: S608 - nothing but our own columns

_RENEW: Final = """
    UPDATE mailbox_states AS state SET lease_until = now() + $3
    FROM unnest($2::bigint[], $4::integer[]) AS held (helpdesk_id, generation)
        JOIN importer_settings AS settings USING (helpdesk_id, generation)
    WHERE state.helpdesk_id = held.helpdesk_id AND state.lease_holder = $1 AND settings.enabled
        AND settings.paused_since IS NULL AND installation_confirmed($5)
    RETURNING state.helpdesk_id"""
"""Keep the leases of checks in progress. A mailbox that was switched off, paused, or became another, or whose
database is not confirmed, is not renewed; nor is a lease that has been given back, by whatever order the statements of
one fetcher arrive in: it has no holder."""

_FINISH: Final = """
    WITH before AS (
        SELECT state.helpdesk_id, state.problem, state.problem_since, state.quiet_checks, state.quiet_ms,
            state.quiet_longest_ms, settings.row_version, state.problem_kind,
            state.last_check_at IS NULL OR $11::integer > 0 OR $12::integer > 0 AS did_something,
            state.problem IS DISTINCT FROM $7::text AS differs
        FROM mailbox_states AS state JOIN importer_settings AS settings USING (helpdesk_id)
        WHERE state.helpdesk_id = $2 AND state.lease_holder = $1 AND settings.generation = $3
        FOR UPDATE OF state),
    alike AS (
        UPDATE mailbox_checks SET problem = $7, alike = alike + 1
        WHERE (SELECT differs AND NOT did_something AND problem_kind = $9::text FROM before)
            AND id = (
                SELECT id FROM (
                    SELECT id, at, problem_kind FROM mailbox_checks WHERE helpdesk_id = $2
                    ORDER BY at DESC, id DESC LIMIT 1) AS newest
                WHERE problem_kind = $9::text AND at > now() - interval '1 hour')
        RETURNING id),
    now_told AS (
        SELECT before.*, did_something OR differs AND NOT EXISTS (SELECT FROM alike) AS is_told FROM before),
    told AS (
        INSERT INTO mailbox_checks (helpdesk_id, took_ms, unread, taken_in, filed, problem_kind, problem, problem_ended,
            quiet_checks, quiet_ms, quiet_longest_ms)
        SELECT helpdesk_id, $13::integer, $10::integer, $11::integer, $12::integer, $9::text, $7,
            CASE WHEN $7::text IS NULL THEN problem_since END, quiet_checks, quiet_ms, quiet_longest_ms
        FROM now_told WHERE is_told)
    UPDATE mailbox_states AS state SET
        last_check_at = now(),
        last_successful_check_at = CASE WHEN $4 THEN now() ELSE last_successful_check_at END,
        next_check_at = CASE WHEN now_told.row_version = $8 THEN now() + $5 ELSE now() END,
        failed_checks = $6,
        failed_dialogue = coalesce($14::jsonb, state.failed_dialogue),
        failed_dialogue_at = CASE WHEN $14::jsonb IS NULL THEN state.failed_dialogue_at ELSE now() END,
        problem = $7,
        problem_kind = $9,
        problem_since = CASE
            WHEN $7::text IS NULL THEN NULL WHEN now_told.problem_kind = $9 THEN now_told.problem_since ELSE now() END,
        quiet_checks = CASE WHEN is_told THEN 0 ELSE now_told.quiet_checks + 1 END,
        quiet_ms = CASE WHEN is_told THEN 0 ELSE now_told.quiet_ms + $13 END,
        quiet_longest_ms = CASE WHEN is_told THEN 0 ELSE greatest(now_told.quiet_longest_ms, $13) END
    FROM now_told WHERE state.helpdesk_id = now_told.helpdesk_id"""
"""Record a check, and tell of it in the mailbox's log where there is something to tell: a year of checks that find
nothing is a number, and so are those of an hour that one kind of problem kept from their mail, whatever time or id its
sentence has. The dialogue of a failed check stays until another fails. «Since» stays while the kind stays the same.
Settings that were changed meanwhile get their turn at once."""

_PUT_OFF: Final = """
    UPDATE mailbox_states SET next_check_at = now() + $3
    WHERE helpdesk_id = $2 AND lease_holder = $1"""

_RECORD_AFTER_IMPORT: Final = """
    UPDATE mailbox_states AS state SET
        after_import_failures = $4,
        after_import_resumes_at = CASE WHEN $4 = 0 THEN NULL ELSE now() + $5 END,
        after_import_problem = $6,
        after_import_settings_version = CASE WHEN $4 = 0 THEN NULL ELSE $7::bigint END
    FROM importer_settings AS settings
    WHERE state.helpdesk_id = $2 AND state.lease_holder = $1
        AND settings.helpdesk_id = $2 AND settings.generation = $3"""

_RECORD_BACKLOG: Final = """
    UPDATE mailbox_states AS state SET
        backlog_waiting = $4, backlog_oldest_at = $5, backlog_newest_at = $6,
        backlog_choice = CASE WHEN backlog_chosen_at = $7 THEN NULL ELSE backlog_choice END,
        backlog_chosen_at = CASE WHEN backlog_chosen_at = $7 THEN NULL ELSE backlog_chosen_at END,
        backlog_chosen_until = CASE WHEN backlog_chosen_at = $7 THEN NULL ELSE backlog_chosen_until END
    FROM importer_settings AS settings
    WHERE state.helpdesk_id = $2 AND state.lease_holder = $1
        AND settings.helpdesk_id = $2 AND settings.generation = $3"""
"""What waits after a check that saw all unread mail (D18). A choice made during that check stays for the next one."""

_RECORD_REACHED: Final = """
    UPDATE mailbox_states AS state SET sync_state = $4
    FROM importer_settings AS settings
    WHERE state.helpdesk_id = $2 AND state.lease_holder = $1
        AND settings.helpdesk_id = $2 AND settings.generation = $3"""
"""How far a mailbox was followed. Another mailbox (generation) begins without, by a trigger."""

_READ_AGAIN: Final = """
    UPDATE mailbox_states AS state
    SET read_again_from = NULL, read_again_until = NULL, read_again_silent = false
    FROM importer_settings AS settings
    WHERE state.helpdesk_id = $2 AND state.lease_holder = $1 AND state.read_again_until = $4
        AND settings.helpdesk_id = $2 AND settings.generation = $3"""
"""All of a mailbox was read again; not for a restore that came after the claim."""

_RELEASE: Final = """
    UPDATE mailbox_states SET lease_holder = NULL, lease_until = '-infinity'
    WHERE helpdesk_id = ANY($2) AND lease_holder = $1"""
"""A lease that is given back has no holder: else a renewal on its way revives it, and the mailbox stands still."""

_CHANGED: Final = """
    UPDATE mailbox_states SET next_check_at = now()
    WHERE helpdesk_id = $1 AND failed_checks = 0 AND next_check_at > now()"""
"""Something arrived: it is this mailbox's turn, unless it waits after a failure."""

_UNCHANGED: Final = """
    SELECT helpdesk_id FROM importer_settings
        JOIN unnest($1::bigint[], $2::bigint[]) AS open (helpdesk_id, row_version) USING (helpdesk_id, row_version)
    WHERE enabled AND installation_confirmed($3)"""

_STATES: Final = """
    SELECT helpdesk_id, last_check_at, last_successful_check_at, problem_kind, failed_checks, after_import_failures,
        backlog_waiting
    FROM mailbox_states JOIN importer_settings USING (helpdesk_id) WHERE enabled AND paused_since IS NULL"""


@dataclass(frozen=True, slots=True)
class AfterImportStanding:
    """How marking, moving and deleting went: checks in a row in which they failed, and why they did in the last."""

    failures: int = 0
    problem: str | None = None
    rests: bool = False
    """They are not tried now."""


@dataclass(frozen=True, slots=True)
class ClaimedMailbox:
    """A mailbox whose turn it is, leased to us, with its settings as of `claimed_at`."""

    helpdesk_id: int
    generation: int
    settings_version: int
    server: str
    """What other mailboxes share with it: the mail server, or the disk of all Maildirs."""
    access: MailboxAccess
    roles: Roles
    check_interval: timedelta
    max_mail_bytes: int
    import_from: datetime | None
    old_mail_days: int
    backlog_limit: int
    after_import: str
    after_import_folder: str | None
    failed_checks: int
    claimed_at: datetime
    after_import_standing: AfterImportStanding = AfterImportStanding()
    login: LoginStanding | None = None
    """None: it needs none, or has none yet."""
    unreadable_secret: bool = False
    """None of our keys opens its password or certificate, and `access` is without."""
    chosen: Chosen | None = None
    """What a person chose for the old mails that waited, not yet carried out (SPEC D18)."""
    following: Following | None = None
    """Where the look for read mail begins; None: unread mail alone is imported (SPEC W1)."""
    read_again: ReadAgain | None = None
    """What is taken in once more, since the database was brought back to an earlier moment."""
    was_followed: bool = False
    """It is known how far the mailbox was followed."""


@dataclass(frozen=True, slots=True)
class Went:
    """What a check came to, for the mailbox's log."""

    took: timedelta = timedelta(0)
    unread: int = 0
    taken_in: int = 0
    filed: int = 0
    """Mails of earlier checks that were marked read, moved or deleted."""
    dialogue: Sequence[Told] = ()
    """Of a check that failed: what was asked of the mail server last, and what came."""


@dataclass(frozen=True, slots=True)
class MailboxState:
    """What the ledger of checks says of a mailbox that is on and not paused."""

    helpdesk_id: int
    last_check_at: datetime | None
    last_successful_check_at: datetime | None
    problem_kind: str | None
    failed_checks: int
    after_import_failures: int
    backlog_waiting: int


class MailboxRepository:
    """The mailboxes, as one fetcher sees them. `holder` names this process in leases, and no other one ever.

    `keyring` opens their passwords and certificates; `presents` is what tells our installation from a copy's.
    """

    def __init__(self, pool: Pool, holder: str, keyring: Keyring, presents: bytes = NO_SECRET) -> None:
        self._pool = pool
        self._holder = holder
        self._keyring = keyring
        self._presents = presents

    async def claim(
        self, lease: timedelta, at_most: int, *, busy: Collection[int] = (), full: Collection[str] = ()
    ) -> list[ClaimedMailbox]:
        """Lease up to `at_most` mailboxes whose turn has come, the longest overdue first.

        None of `busy` (helpdesks), and none at the servers that are `full`.
        """
        async with connection(self._pool) as acquired:
            rows = await acquired.fetch(_CLAIM, self._holder, lease, list(busy), at_most, list(full), self._presents)
            return [_claimed(row, await opened(acquired, row, self._keyring)) for row in rows]

    async def renew(self, lease: timedelta, held: Mapping[int, int]) -> set[int]:
        """Keep the leases of `held` (helpdesk → generation); the ones that are still ours, still on, still the same."""
        async with connection(self._pool) as acquired:
            rows = await acquired.fetch(_RENEW, self._holder, list(held), lease, list(held.values()), self._presents)
        return {row["helpdesk_id"] for row in rows}

    async def finish(
        self,
        mailbox: ClaimedMailbox,
        *,
        succeeded: bool,
        next_check_after: timedelta,
        failed_checks: int,
        problem: Problem | None,
        login: Login = Login.NOT_TRIED,
        went: Went = Went(),
    ) -> None:
        """Record a check and end the lease; nothing when it was lost, no record when the mailbox became another one.

        A refused login rests as long as the mailbox; one that was changed meanwhile was not the one that was refused.
        """
        async with connection(self._pool) as acquired:
            if login is Login.REFUSED and mailbox.login is not None and problem is not None:
                await record_refused(acquired, mailbox.login, problem.sentence, next_check_after)
            async with acquired.transaction():
                await acquired.execute(
                    _FINISH, self._holder, mailbox.helpdesk_id, mailbox.generation, succeeded, next_check_after,
                    failed_checks, None if problem is None else problem.sentence, mailbox.settings_version,
                    None if problem is None else problem.kind, went.unread, went.taken_in, went.filed,
                    went.took // timedelta(milliseconds=1), went.dialogue or None,
                )  # fmt: skip
                await acquired.execute(_RELEASE, self._holder, [mailbox.helpdesk_id])
            if login is Login.TAKEN and mailbox.login is not None and mailbox.login.refused_logins:
                await record_taken(acquired, mailbox.login)

    async def put_off(self, mailbox: ClaimedMailbox, delay: timedelta) -> None:
        """Give the mailbox back unchecked: its turn comes after `delay`. What is known of it stays as it is."""
        async with connection(self._pool) as acquired, acquired.transaction():
            await acquired.execute(_PUT_OFF, self._holder, mailbox.helpdesk_id, delay)
            await acquired.execute(_RELEASE, self._holder, [mailbox.helpdesk_id])

    async def record_after_import(
        self, mailbox: ClaimedMailbox, standing: AfterImportStanding, resumes_after: timedelta
    ) -> None:
        """Record how marking, moving and deleting went in a check of this mailbox."""
        async with connection(self._pool) as acquired:
            await acquired.execute(
                _RECORD_AFTER_IMPORT, self._holder, mailbox.helpdesk_id, mailbox.generation,
                standing.failures, resumes_after, standing.problem, mailbox.settings_version,
            )  # fmt: skip

    async def record_backlog(self, mailbox: ClaimedMailbox, waiting: Waiting | None) -> None:
        """Record what waits for a person, and that the choice which this check knew has been carried out."""
        async with connection(self._pool) as acquired:
            await acquired.execute(
                _RECORD_BACKLOG, self._holder, mailbox.helpdesk_id, mailbox.generation,
                0 if waiting is None else waiting.count,
                None if waiting is None else waiting.oldest_at,
                None if waiting is None else waiting.newest_at,
                None if mailbox.chosen is None else mailbox.chosen.at,
            )  # fmt: skip

    async def record_reached(self, mailbox: ClaimedMailbox, reached: Reached | None) -> None:
        """Record how far this mailbox was followed; None: it is not any more."""
        written = None
        if reached is not None:
            written = json.dumps(
                {"since": reached.since.isoformat(), "until": reached.until.isoformat(), "state": reached.state}
            )
        async with connection(self._pool) as acquired:
            await acquired.execute(_RECORD_REACHED, self._holder, mailbox.helpdesk_id, mailbox.generation, written)

    async def record_read_again(self, mailbox: ClaimedMailbox) -> None:
        """All of what `mailbox.read_again` asks for was looked at."""
        if mailbox.read_again is not None:
            async with connection(self._pool) as acquired:
                await acquired.execute(
                    _READ_AGAIN, self._holder, mailbox.helpdesk_id, mailbox.generation, mailbox.read_again.until
                )

    async def release(self, helpdesk_ids: Collection[int]) -> None:
        """End leases without a check, so that another fetcher need not wait for them to run out."""
        async with connection(self._pool) as acquired:
            await acquired.execute(_RELEASE, self._holder, list(helpdesk_ids))

    async def wake(self, server: str) -> None:
        """The server answers again: the mailboxes that waited for it have their turn."""
        async with connection(self._pool) as acquired:
            await acquired.execute(_WAKE, server, ProblemKind.UNREACHABLE)

    async def changed(self, helpdesk_id: int) -> None:
        """Mail arrived: give the mailbox its turn."""
        async with connection(self._pool) as acquired:
            await acquired.execute(_CHANGED, helpdesk_id)

    async def unchanged(self, versions: Mapping[int, int]) -> set[int]:
        """Which of these mailboxes (helpdesk → version of its settings) may be read, with those very settings."""
        async with connection(self._pool) as acquired:
            rows = await acquired.fetch(_UNCHANGED, list(versions), list(versions.values()), self._presents)
        return {row["helpdesk_id"] for row in rows}

    async def states(self) -> list[MailboxState]:
        """Every mailbox that is on."""
        async with connection(self._pool) as acquired:
            return [MailboxState(**row) for row in await acquired.fetch(_STATES)]


def _claimed(row: asyncpg.Record, login: Opened) -> ClaimedMailbox:
    return ClaimedMailbox(
        helpdesk_id=row["helpdesk_id"],
        generation=row["generation"],
        settings_version=row["row_version"],
        server=row["mail_server"],
        access=login.access,
        login=login.standing,
        unreadable_secret=login.unreadable,
        roles=Roles(
            default_contact_active=row["default_contact_active"],
            default_employee_active=row["default_employee_active"],
            imported_status_active=row["imported_status_active"],
        ),
        check_interval=timedelta(seconds=row["check_interval_seconds"]),
        max_mail_bytes=row["max_mail_bytes"],
        import_from=row["import_from"],
        old_mail_days=row["old_mail_days"],
        backlog_limit=row["backlog_limit"],
        after_import=row["after_import"],
        after_import_folder=row["after_import_folder"],
        failed_checks=row["failed_checks"],
        claimed_at=row["claimed_at"],
        after_import_standing=_after_import(row),
        chosen=chosen_of(row),
        following=_following(row),
        read_again=_read_again(row),
        was_followed=row["sync_state"] is not None,
    )


def _read_again(row: asyncpg.Record) -> ReadAgain | None:
    if row["read_again_from"] is None:
        return None
    return ReadAgain(row["read_again_from"], row["read_again_until"], silent=row["read_again_silent"])


def _following(row: asyncpg.Record) -> Following | None:
    if row["read_again_from"] is not None:
        return Following.again(_reached(row["sync_state"]), row["read_again_from"])
    if row["read_mail_from"] is None:
        return None
    return Following.after(_reached(row["sync_state"]), row["read_mail_from"], timedelta(days=row["old_mail_days"]))


def _reached(written: str | None) -> Reached | None:
    """What `record_reached` wrote; None where another version wrote something else."""
    if written is None:
        return None
    try:
        told = json.loads(written)
        since, until = datetime.fromisoformat(told["since"]), datetime.fromisoformat(told["until"])
        return Reached(since, until, str(told["state"]))
    except (ValueError, TypeError, KeyError):
        return None


def _after_import(row: asyncpg.Record) -> AfterImportStanding:
    """A change of the settings may have mended it: then nothing rests."""
    rests = bool(row["after_import_rests"] and row["after_import_failed_so"])
    return AfterImportStanding(row["after_import_failures"], row["after_import_problem"], rests=rests)


def chosen_of(row: asyncpg.Record) -> Chosen | None:
    """What a person chose for old mail, of a row of `mailbox_states`."""
    if row["backlog_choice"] is None:
        return None
    return Chosen(ImportChoice(row["backlog_choice"]), row["backlog_chosen_at"], row["backlog_chosen_until"])
