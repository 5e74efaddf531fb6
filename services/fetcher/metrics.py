"""What the fetcher counts. The label is the helpdesk's id, since a helpdesk has one mailbox.

    importer_mailbox_last_check_timestamp_seconds             gauge    last check, whoever did it
    importer_mailbox_last_successful_check_timestamp_seconds  gauge    S8: alert on its age
    importer_mailbox_problem                                  gauge    1 while the settings show a problem, else 0
    importer_mailbox_problem_kind                             gauge    1 for the kind of that problem (rules.problem)
    importer_mailbox_failed_checks                            gauge    checks in a row that failed
    importer_mailbox_after_import_failures                    gauge    checks in a row in which marking or moving failed
    importer_mailbox_waiting                                  gauge    old mails that wait for a person's choice (D18)
    importer_login_refused_logins                             gauge    refusals since it was taken or changed, by login
    importer_login_expires_timestamp_seconds                  gauge    end of its client secret or certificate, if known
    importer_mails_without_outcome                            gauge    mails of all mailboxes that await their outcome
    importer_oldest_mail_without_outcome_timestamp_seconds    gauge    when the oldest of them was taken in; 0: none
    importer_dead_letters_open                                gauge    dead letters that wait for a person
    importer_mailbox_unread                                   gauge    unread mails that this process's last check saw
    importer_mailbox_fetched_total                            counter  mails that this process took in
    importer_mailbox_failures_total                           counter  checks and mails that failed, by kind of error
    importer_mailbox_check_seconds                            histogram  how long a check took
    importer_republished_total                                counter  mails without outcome that were published again

The first twelve are read from the database, so that every fetcher tells the same and a dead one is noticed. A login
that ends within 30 days is told in the log too, once a day: `login_ends`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import structlog
from prometheus_client import Counter, Gauge, Histogram

from services.fetcher.flow import Findings
from services.fetcher.repository.ledger import Ledger, Unfinished
from services.fetcher.repository.logins import LoginInUse, LoginRepository
from services.fetcher.repository.mailboxes import MailboxRepository, MailboxState
from shared.errors import TryAgain
from shared.logins import ending

PERIOD_SECONDS: Final = 15
_HELPDESK: Final = ["helpdesk_id"]
_LOGIN: Final = ["login_id", "login"]

log = structlog.get_logger(__name__)

last_check = Gauge(
    "importer_mailbox_last_check_timestamp_seconds", "When the mailbox was last checked, by any fetcher", _HELPDESK
)
last_successful_check = Gauge(
    "importer_mailbox_last_successful_check_timestamp_seconds", "When a check of the mailbox last succeeded", _HELPDESK
)
problem = Gauge("importer_mailbox_problem", "1 while the settings show a problem of the mailbox", _HELPDESK)
problem_kind = Gauge("importer_mailbox_problem_kind", "1 for the kind of the mailbox's problem", [*_HELPDESK, "kind"])
refused_logins = Gauge(
    "importer_login_refused_logins", "How often the login was refused since it was taken or changed", _LOGIN
)
login_expires = Gauge(
    "importer_login_expires_timestamp_seconds",
    "When the client secret or certificate of the login ends, where that is known",
    _LOGIN,
)
failed_checks = Gauge("importer_mailbox_failed_checks", "Checks in a row that failed", _HELPDESK)
after_import_failures = Gauge(
    "importer_mailbox_after_import_failures",
    "Checks in a row in which what was imported could not be marked, moved or deleted",
    _HELPDESK,
)
without_outcome = Gauge("importer_mails_without_outcome", "Mails of all mailboxes that await their outcome")
oldest_without_outcome = Gauge(
    "importer_oldest_mail_without_outcome_timestamp_seconds",
    "When the oldest mail that awaits its outcome was taken in; 0 when there is none",
)
dead_letters_open = Gauge("importer_dead_letters_open", "Dead letters that wait for a person")
unread = Gauge("importer_mailbox_unread", "Unread mails that this process's last check saw", _HELPDESK)
waiting = Gauge("importer_mailbox_waiting", "Old mails that wait for a person's choice", _HELPDESK)
fetched = Counter("importer_mailbox_fetched_total", "Mails that this process took in", _HELPDESK)
failures = Counter(
    "importer_mailbox_failures_total", "Checks and mails that failed, by kind of error", [*_HELPDESK, "kind"]
)
check_seconds = Histogram("importer_mailbox_check_seconds", "How long a check took", _HELPDESK)
republished = Counter("importer_republished_total", "Mails without outcome that were published again")


def record_findings(helpdesk_id: int, findings: Findings) -> None:
    """Count what a check found, whether it succeeded or not."""
    label = str(helpdesk_id)
    unread.labels(label).set(findings.unread)
    fetched.labels(label).inc(findings.taken_in)
    failures.labels(label, "MailUnreadable").inc(findings.unreadable)


async def show_states(
    mailboxes: MailboxRepository, logins: LoginRepository, ledger: Ledger, stop: asyncio.Event
) -> None:
    """Show how all mailboxes, logins and mails stand until `stop` is set; in an outage what was known last stays."""
    while not stop.is_set():
        try:
            record_states(await mailboxes.states())
            in_use = await logins.in_use()
            record_logins(in_use)
            await tell_endings(logins, in_use, datetime.now(UTC))
            record_unfinished(await ledger.unfinished())
        except TryAgain as trouble:
            log.warning("metrics_not_refreshed", error=str(trouble))
        try:
            async with asyncio.timeout(PERIOD_SECONDS):
                await stop.wait()
        except TimeoutError:
            continue


def record_states(states: Sequence[MailboxState]) -> None:
    """Show the mailboxes that are on, and no others any more."""
    for gauge in (
        last_check, last_successful_check, problem, problem_kind, failed_checks, after_import_failures, waiting,
    ):  # fmt: skip
        gauge.clear()
    for state in states:
        label = str(state.helpdesk_id)
        if state.last_check_at is not None:
            last_check.labels(label).set(state.last_check_at.timestamp())
        if state.last_successful_check_at is not None:
            last_successful_check.labels(label).set(state.last_successful_check_at.timestamp())
        problem.labels(label).set(state.problem_kind is not None)
        if state.problem_kind is not None:
            problem_kind.labels(label, state.problem_kind).set(1)
        failed_checks.labels(label).set(state.failed_checks)
        after_import_failures.labels(label).set(state.after_import_failures)
        waiting.labels(label).set(state.backlog_waiting)


def record_logins(logins: Sequence[LoginInUse]) -> None:
    """Show the logins in use, and no others any more."""
    refused_logins.clear()
    login_expires.clear()
    for login in logins:
        refused_logins.labels(str(login.id), login.name).set(login.refused_logins)
        if login.expires_at is not None:
            login_expires.labels(str(login.id), login.name).set(login.expires_at.timestamp())


async def tell_endings(repository: LoginRepository, logins: Sequence[LoginInUse], now: datetime) -> None:
    """Tell in the log of the logins that end soon, each once a day whichever fetcher does it."""
    for login in logins:
        sentence = ending(login.expires_at, now)
        if sentence is not None and await repository.tell_ending(login.id):
            log.warning("login_ends", login=login.name, login_id=login.id, problem=sentence)


def record_unfinished(unfinished: Unfinished) -> None:
    """Show what awaits its outcome."""
    without_outcome.set(unfinished.mails)
    oldest_without_outcome.set(0 if unfinished.oldest_at is None else unfinished.oldest_at.timestamp())
    dead_letters_open.set(unfinished.dead_letters)
