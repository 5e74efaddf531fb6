"""What the fetcher counts. The label is the helpdesk's id, since a helpdesk has one mailbox.

    importer_mailbox_last_check_timestamp_seconds             gauge    last check, whoever did it
    importer_mailbox_last_successful_check_timestamp_seconds  gauge    S8: alert on its age
    importer_mailbox_problem                                  gauge    1 while the settings show a problem, else 0
    importer_mailbox_failed_checks                            gauge    checks in a row that failed
    importer_mailbox_unread                                   gauge    unread mails that this process's last check saw
    importer_mailbox_waiting                                  gauge    old mails of those that wait for a person (D18)
    importer_mailbox_fetched_total                            counter  mails that this process took in
    importer_mailbox_failures_total                           counter  checks and mails that failed, by kind of error
    importer_mailbox_check_seconds                            histogram  how long a check took
    importer_republished_total                                counter  mails without outcome that were published again

The first four are read from the database, so that every fetcher tells the same and a dead one is noticed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

import structlog
from prometheus_client import Counter, Gauge, Histogram

from services.fetcher.flow import Findings
from services.fetcher.repository.mailboxes import MailboxRepository, MailboxState
from shared.errors import TryAgain

PERIOD_SECONDS: Final = 15
_HELPDESK: Final = ["helpdesk_id"]

log = structlog.get_logger(__name__)

last_check = Gauge(
    "importer_mailbox_last_check_timestamp_seconds", "When the mailbox was last checked, by any fetcher", _HELPDESK
)
last_successful_check = Gauge(
    "importer_mailbox_last_successful_check_timestamp_seconds", "When a check of the mailbox last succeeded", _HELPDESK
)
problem = Gauge("importer_mailbox_problem", "1 while the settings show a problem of the mailbox", _HELPDESK)
failed_checks = Gauge("importer_mailbox_failed_checks", "Checks in a row that failed", _HELPDESK)
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
    waiting.labels(label).set(findings.waiting.count if findings.waiting else 0)
    fetched.labels(label).inc(findings.taken_in)
    failures.labels(label, "MailUnreadable").inc(findings.unreadable)


async def show_states(repository: MailboxRepository, stop: asyncio.Event) -> None:
    """Show the state of all mailboxes until `stop` is set; in an outage the last known one stays."""
    while not stop.is_set():
        try:
            record_states(await repository.states())
        except TryAgain as trouble:
            log.warning("metrics.not_refreshed", error=str(trouble))
        try:
            async with asyncio.timeout(PERIOD_SECONDS):
                await stop.wait()
        except TimeoutError:
            continue


def record_states(states: Sequence[MailboxState]) -> None:
    """Show the mailboxes that are on, and no others any more."""
    for gauge in (last_check, last_successful_check, problem, failed_checks):
        gauge.clear()
    for state in states:
        label = str(state.helpdesk_id)
        if state.last_check_at is not None:
            last_check.labels(label).set(state.last_check_at.timestamp())
        if state.last_successful_check_at is not None:
            last_successful_check.labels(label).set(state.last_successful_check_at.timestamp())
        problem.labels(label).set(state.has_problem)
        failed_checks.labels(label).set(state.failed_checks)
