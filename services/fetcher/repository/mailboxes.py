"""Whose turn it is, and what is recorded of a check: the SQL on `mailbox_states`.

Several fetchers share the mailboxes by leases. Times are the database's own, since the fetchers' clocks may differ.
Raises Outage and TryAgain as `shared.database.pool` does.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import asyncpg
from pydantic import SecretStr

from services.fetcher.mailboxes.protocol import MailboxAccess
from services.fetcher.rules.backlog import Chosen, Waiting
from services.fetcher.rules.due import Roles
from services.fetcher.rules.problem import Problem
from shared.database.pool import Pool, connection, transaction
from shared.messages import ImportChoice
from shared.sealing import CannotOpen, Keyring

_CLAIM: Final = """
    WITH due AS (
        SELECT state.helpdesk_id
        FROM mailbox_states AS state JOIN importer_settings AS settings USING (helpdesk_id)
        WHERE settings.enabled AND state.next_check_at <= now() AND state.lease_until <= now()
            AND coalesce(state.login_rests_until <= now(), true) AND state.helpdesk_id <> ALL($3)
        ORDER BY state.next_check_at
        LIMIT $4
        FOR UPDATE OF state SKIP LOCKED),
    claimed AS (
        UPDATE mailbox_states AS state SET lease_holder = $1, lease_until = now() + $2
        FROM due WHERE state.helpdesk_id = due.helpdesk_id
        RETURNING state.helpdesk_id, state.failed_checks, state.refused_logins, state.next_check_at,
            state.backlog_choice, state.backlog_chosen_at, state.backlog_chosen_until)
    SELECT helpdesk_id, mailbox_kind, server, username, password_encrypted, certificate_encrypted, tenant, cloud,
        ca_file, allow_unencrypted, impersonate, mailbox_address, folder, generation, check_interval_seconds,
        max_mail_bytes, import_from, old_mail_days, backlog_limit, after_import, after_import_folder,
        settings.row_version, failed_checks, refused_logins, now() AS claimed_at,
        backlog_choice, backlog_chosen_at, backlog_chosen_until,
        (SELECT active FROM persons WHERE id = default_contact_id) AS default_contact_active,
        (SELECT active FROM employees WHERE id = default_employee_id) AS default_employee_active,
        (SELECT active FROM statuses WHERE id = imported_status_id AND flag = 'imported') AS imported_status_active
    FROM claimed JOIN importer_settings AS settings USING (helpdesk_id)
    ORDER BY next_check_at"""
"""Take the mailboxes whose turn has come, the longest overdue first, and lease them; others pass over them."""

_RESTING: Final = """
    SELECT mailbox_kind, server, username, password_encrypted, certificate_encrypted, tenant, cloud, ca_file,
        allow_unencrypted, impersonate, mailbox_address, folder, problem, login_rests_until - now() AS left
    FROM mailbox_states JOIN importer_settings USING (helpdesk_id)
    WHERE login_rests_until > now() AND username IS NOT NULL AND tenant IS NULL"""
"""Logins that were refused and that nobody tries now: as a rule none. An app is not locked, and may be refused at one
mailbox alone."""

_RENEW: Final = """
    UPDATE mailbox_states AS state SET lease_until = now() + $3
    FROM unnest($2::bigint[], $4::integer[]) AS held (helpdesk_id, generation)
        JOIN importer_settings AS settings USING (helpdesk_id, generation)
    WHERE state.helpdesk_id = held.helpdesk_id AND state.lease_holder = $1 AND settings.enabled
    RETURNING state.helpdesk_id"""
"""Keep the leases of checks in progress. A mailbox that was switched off, or became another, is not renewed; nor is a
lease that has been given back, by whatever order the statements of one fetcher arrive in: it has no holder."""

_FINISH: Final = """
    UPDATE mailbox_states AS state SET
        last_check_at = now(),
        last_successful_check_at = CASE WHEN $4 THEN now() ELSE last_successful_check_at END,
        next_check_at = CASE WHEN settings.row_version = $8 THEN now() + $5 ELSE now() END,
        failed_checks = $6,
        problem = $7,
        problem_kind = $9,
        problem_since = CASE
            WHEN $7::text IS NULL THEN NULL WHEN problem = $7 THEN problem_since ELSE now() END,
        refused_logins = CASE said.login
            WHEN 'refused' THEN refused_logins + 1 WHEN 'taken' THEN 0 ELSE refused_logins END,
        refused_since = CASE said.login
            WHEN 'refused' THEN coalesce(refused_since, now()) WHEN 'taken' THEN NULL ELSE refused_since END,
        login_rests_until = CASE said.login
            WHEN 'refused' THEN now() + $5 WHEN 'taken' THEN NULL ELSE login_rests_until END
    FROM importer_settings AS settings
        CROSS JOIN LATERAL (SELECT CASE WHEN settings.row_version = $8 THEN $10::text END AS login) AS said
    WHERE state.helpdesk_id = $2 AND state.lease_holder = $1
        AND settings.helpdesk_id = $2 AND settings.generation = $3"""
"""Record a check. «Since» stays while the sentence stays the same. Settings that were changed meanwhile get their turn
at once, and no login is counted against them."""

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
    WHERE enabled"""

_TO_TRY: Final = """
    SELECT kind, mailbox_kind, server, username, password_encrypted, certificate_encrypted, tenant, cloud, ca_file,
        allow_unencrypted, impersonate, mailbox_address, folder, row_version, problem, problem_since, refused_logins,
        refused_since, login_rests_until, coalesce(login_rests_until > now(), false) AS login_rests, login_expires_at
    FROM importer_settings JOIN mailbox_states USING (helpdesk_id)
    WHERE helpdesk_id = $1 AND mailbox_kind IS NOT NULL"""

_LOGIN_REFUSED: Final = """
    UPDATE mailbox_states SET refused_logins = refused_logins + 1, refused_since = coalesce(refused_since, now()),
        login_rests_until = greatest(login_rests_until, now() + $3)
    FROM importer_settings AS settings
    WHERE mailbox_states.helpdesk_id = $1 AND settings.helpdesk_id = $1 AND settings.row_version = $2"""

_LOGIN_TAKEN: Final = """
    UPDATE mailbox_states SET refused_logins = 0, refused_since = NULL, login_rests_until = NULL, next_check_at = now()
    FROM importer_settings AS settings
    WHERE mailbox_states.helpdesk_id = $1 AND settings.helpdesk_id = $1 AND settings.row_version = $2
        AND refused_logins > 0"""

_TELL_ENDING: Final = """
    UPDATE mailbox_states SET expiry_told_on = current_date
    WHERE helpdesk_id = $1 AND expiry_told_on IS DISTINCT FROM current_date"""
"""One fetcher a day tells it."""

_STATES: Final = """
    SELECT helpdesk_id, last_check_at, last_successful_check_at, problem_kind, failed_checks, refused_logins,
        login_expires_at, backlog_waiting
    FROM mailbox_states JOIN importer_settings USING (helpdesk_id) WHERE enabled"""


class Login(StrEnum):
    """What a check learnt about the login."""

    TAKEN = "taken"
    REFUSED = "refused"
    NOT_TRIED = "not-tried"


Credentials = tuple[str, str, str, str | None, str | None]
"""Kind, server, user name, tenant and secret."""


@dataclass(frozen=True, slots=True)
class RefusedElsewhere:
    """A login that was refused at some mailbox: it rests so long, and with this problem there."""

    login: Credentials = field(repr=False)
    problem: str
    rests_for: timedelta


@dataclass(frozen=True, slots=True)
class ClaimedMailbox:
    """A mailbox whose turn it is, leased to us, with its settings as of `claimed_at`."""

    helpdesk_id: int
    generation: int
    settings_version: int
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
    refused_logins: int
    claimed_at: datetime
    unreadable_secret: bool = False
    """None of our keys opens its password or certificate, and `access` is without."""
    refused_elsewhere: RefusedElsewhere | None = None
    """Another helpdesk's mailbox has the very same login, and it was refused there and rests."""
    chosen: Chosen | None = None
    """What a person chose for the old mails that waited, not yet carried out (SPEC D18)."""


@dataclass(frozen=True, slots=True)
class MailboxToTry:
    """A mailbox that a person wants to try: how to log in, and how that went before."""

    helpdesk_id: int
    settings_version: int
    access: MailboxAccess
    unreadable_secret: bool
    kind_is_chosen: bool
    """A person chose its kind; else «Server» and the login tell it."""
    problem: str | None
    problem_since: datetime | None
    refused_logins: int
    refused_since: datetime | None
    login_rests_until: datetime | None
    login_rests: bool
    """It was refused, and nobody should try it now."""
    login_expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class MailboxState:
    """What the ledger of checks says of a mailbox that is on."""

    helpdesk_id: int
    last_check_at: datetime | None
    last_successful_check_at: datetime | None
    problem_kind: str | None
    failed_checks: int
    refused_logins: int
    login_expires_at: datetime | None
    backlog_waiting: int


class MailboxRepository:
    """The mailboxes, as one fetcher sees them. `holder` names this process in leases, and no other one ever.

    `keyring` opens their passwords and certificates.
    """

    def __init__(self, pool: Pool, holder: str, keyring: Keyring) -> None:
        self._pool = pool
        self._holder = holder
        self._keyring = keyring

    async def claim(self, lease: timedelta, at_most: int, *, busy: Collection[int] = ()) -> list[ClaimedMailbox]:
        """Lease up to `at_most` mailboxes whose turn has come, the longest overdue first, but none of `busy`."""
        async with connection(self._pool) as acquired:
            rows = await acquired.fetch(_CLAIM, self._holder, lease, list(busy), at_most)
            resting = await acquired.fetch(_RESTING) if rows else []
        refused = [
            RefusedElsewhere(login_of(access), row["problem"] or "", row["left"])
            for row in resting
            for access, unreadable in (_opened(row, self._keyring),)
            if not unreadable
        ]
        return [_claimed(row, self._keyring, refused) for row in rows]

    async def renew(self, lease: timedelta, held: Mapping[int, int]) -> set[int]:
        """Keep the leases of `held` (helpdesk → generation); the ones that are still ours, still on, still the same."""
        async with connection(self._pool) as acquired:
            rows = await acquired.fetch(_RENEW, self._holder, list(held), lease, list(held.values()))
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
    ) -> None:
        """Record a check and end the lease; nothing when it was lost, no record when the mailbox became another one.

        A refused login rests as long as the mailbox; one that was changed meanwhile was not the one that was refused.
        """
        async with transaction(self._pool) as acquired:
            await acquired.execute(
                _FINISH, self._holder, mailbox.helpdesk_id, mailbox.generation, succeeded, next_check_after,
                failed_checks, None if problem is None else problem.sentence, mailbox.settings_version,
                None if problem is None else problem.kind, login,
            )  # fmt: skip
            await acquired.execute(_RELEASE, self._holder, [mailbox.helpdesk_id])

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

    async def release(self, helpdesk_ids: Collection[int]) -> None:
        """End leases without a check, so that another fetcher need not wait for them to run out."""
        async with connection(self._pool) as acquired:
            await acquired.execute(_RELEASE, self._holder, list(helpdesk_ids))

    async def changed(self, helpdesk_id: int) -> None:
        """Mail arrived: give the mailbox its turn."""
        async with connection(self._pool) as acquired:
            await acquired.execute(_CHANGED, helpdesk_id)

    async def unchanged(self, versions: Mapping[int, int]) -> set[int]:
        """Which of these mailboxes (helpdesk → version of its settings) are on, with those very settings."""
        async with connection(self._pool) as acquired:
            rows = await acquired.fetch(_UNCHANGED, list(versions), list(versions.values()))
        return {row["helpdesk_id"] for row in rows}

    async def states(self) -> list[MailboxState]:
        """Every mailbox that is on."""
        async with connection(self._pool) as acquired:
            return [MailboxState(**row) for row in await acquired.fetch(_STATES)]

    async def tell_ending(self, helpdesk_id: int) -> bool:
        """Whether nobody told today that this mailbox's login ends; then it counts as told."""
        async with connection(self._pool) as acquired:
            return bool(await acquired.execute(_TELL_ENDING, helpdesk_id) == "UPDATE 1")

    async def ping(self) -> None:
        """Raise Outage when the database does not answer."""
        async with connection(self._pool) as acquired:
            await acquired.fetchval("SELECT 1")


async def mailbox_to_try(pool: Pool, helpdesk_id: int, keyring: Keyring) -> MailboxToTry | None:
    """The mailbox of a helpdesk, on or off; None when nothing tells its kind yet."""
    async with connection(pool) as acquired:
        row = await acquired.fetchrow(_TO_TRY, helpdesk_id)
    if row is None:
        return None
    access, unreadable_secret = _opened(row, keyring)
    return MailboxToTry(
        helpdesk_id=helpdesk_id,
        settings_version=row["row_version"],
        access=access,
        unreadable_secret=unreadable_secret,
        kind_is_chosen=row["kind"] is not None,
        problem=row["problem"],
        problem_since=row["problem_since"],
        refused_logins=row["refused_logins"],
        refused_since=row["refused_since"],
        login_rests_until=row["login_rests_until"],
        login_rests=row["login_rests"],
        login_expires_at=row["login_expires_at"],
    )


async def record_login_refused(pool: Pool, tried: MailboxToTry, rest: timedelta) -> None:
    """Count a refusal: nobody tries this login for so long, unless it was changed meanwhile."""
    async with connection(pool) as acquired:
        await acquired.execute(_LOGIN_REFUSED, tried.helpdesk_id, tried.settings_version, rest)


async def record_login_taken(pool: Pool, tried: MailboxToTry) -> None:
    """A login that was refused before is taken again: the mailbox has its turn."""
    async with connection(pool) as acquired:
        await acquired.execute(_LOGIN_TAKEN, tried.helpdesk_id, tried.settings_version)


def _opened(row: asyncpg.Record, keyring: Keyring) -> tuple[MailboxAccess, bool]:
    """How to log in, and whether no key of ours opens its secret, which is left out then."""
    try:
        return _access(row, keyring), False
    except CannotOpen:
        return _access(row, None), True


def _access(row: asyncpg.Record, keyring: Keyring | None) -> MailboxAccess:
    """How to log in; without `keyring` only where the mailbox is. Raises CannotOpen."""

    def secret(column: str) -> SecretStr | None:
        return keyring.open(row[column]) if keyring is not None and row[column] is not None else None

    return MailboxAccess(
        kind=row["mailbox_kind"],
        server=row["server"],
        folder=row["folder"],
        address=row["mailbox_address"],
        username=row["username"],
        password=secret("password_encrypted"),
        tenant=row["tenant"],
        certificate=secret("certificate_encrypted"),
        cloud=row["cloud"],
        ca_file=row["ca_file"],
        impersonate=row["impersonate"],
        allow_unencrypted=row["allow_unencrypted"],
    )


def login_of(access: MailboxAccess) -> Credentials:
    """What a server sees of a login, whichever mailbox is opened with it."""
    secret = access.password or access.certificate
    server, username = (access.server or "").lower(), (access.username or "").lower()
    return (access.kind, server, username, access.tenant, None if secret is None else secret.get_secret_value())


def _claimed(row: asyncpg.Record, keyring: Keyring, refused: Sequence[RefusedElsewhere]) -> ClaimedMailbox:
    access, unreadable_secret = _opened(row, keyring)
    same = [each for each in refused if access.username is not None and each.login == login_of(access)]
    return ClaimedMailbox(
        helpdesk_id=row["helpdesk_id"],
        generation=row["generation"],
        settings_version=row["row_version"],
        access=access,
        unreadable_secret=unreadable_secret,
        refused_elsewhere=max(same, key=lambda each: each.rests_for, default=None),
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
        refused_logins=row["refused_logins"],
        claimed_at=row["claimed_at"],
        chosen=_chosen(row),
    )


def _chosen(row: asyncpg.Record) -> Chosen | None:
    if row["backlog_choice"] is None:
        return None
    return Chosen(ImportChoice(row["backlog_choice"]), row["backlog_chosen_at"], row["backlog_chosen_until"])
