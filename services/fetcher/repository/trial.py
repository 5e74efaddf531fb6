"""A mailbox that is looked into outside of its checks: how to log in, how that went before, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from services.fetcher.mailboxes.protocol import MailboxAccess
from services.fetcher.repository.access import ACCESS, LOGIN, opened
from services.fetcher.repository.mailboxes import chosen_of
from services.fetcher.rules.backlog import BacklogRule
from shared.database.logins import STANDING, record_refused, record_taken
from shared.database.pool import Pool, connection
from shared.logins import LoginStanding
from shared.sealing import Keyring

_TO_TRY: Final = f"""
    SELECT settings.kind, settings.read_mail_from, {ACCESS}, {STANDING}, state.problem, state.problem_since,
        settings.generation, settings.import_from, settings.old_mail_days, settings.backlog_limit, now() AS at,
        state.backlog_choice, state.backlog_chosen_at, state.backlog_chosen_until
    FROM importer_settings AS settings JOIN mailbox_states AS state USING (helpdesk_id) {LOGIN}
    WHERE settings.helpdesk_id = $1 AND settings.mailbox_kind IS NOT NULL"""  # noqa: S608 - nothing but our own columns


@dataclass(frozen=True, slots=True)
class MailboxToTry:
    """A mailbox that a person wants to try: how to log in, and how that went before."""

    helpdesk_id: int
    access: MailboxAccess
    login: LoginStanding | None
    unreadable_secret: bool
    kind_is_chosen: bool
    """A person chose its kind; else «Server» and the login tell it."""
    problem: str | None
    problem_since: datetime | None
    read_mail_from: datetime | None
    """From when on mail is imported that somebody read first; None: unread mail alone."""
    generation: int
    at: datetime
    """Now, by the database's clock."""
    old_mail: BacklogRule
    """Which of its mail is left alone, or waits for a person (SPEC D18)."""


async def mailbox_to_try(pool: Pool, helpdesk_id: int, keyring: Keyring) -> MailboxToTry | None:
    """The mailbox of a helpdesk, on or off; None when nothing tells its kind yet."""
    async with connection(pool) as acquired:
        row = await acquired.fetchrow(_TO_TRY, helpdesk_id)
        if row is None:
            return None
        login = await opened(acquired, row, keyring)
    return MailboxToTry(
        helpdesk_id=helpdesk_id,
        access=login.access,
        login=login.standing,
        unreadable_secret=login.unreadable,
        kind_is_chosen=row["kind"] is not None,
        problem=row["problem"],
        problem_since=row["problem_since"],
        read_mail_from=row["read_mail_from"],
        generation=row["generation"],
        at=row["at"],
        old_mail=BacklogRule.at(
            row["at"],
            import_from=row["import_from"],
            old_mail_days=row["old_mail_days"],
            limit=row["backlog_limit"],
            chosen=chosen_of(row),
        ),
    )


async def record_login_refused(pool: Pool, login: LoginStanding, refusal: str, rest: timedelta) -> None:
    """Count a refusal: nobody tries this login for so long, unless it was changed meanwhile."""
    async with connection(pool) as acquired:
        await record_refused(acquired, login, refusal, rest)


async def record_login_taken(pool: Pool, login: LoginStanding) -> None:
    """A login that may have been refused before is taken."""
    async with connection(pool) as acquired:
        await record_taken(acquired, login)
