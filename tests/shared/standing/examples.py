"""Standings to judge: an importer that is well, and what is changed of it."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from shared.standing.broker import BrokerAlarm, BrokerStanding, WorkInQueue
from shared.standing.needs import Standing
from shared.standing.recorded import (
    InstallationStanding,
    MailboxProgress,
    Outcomes,
    Recorded,
    TicketNumbers,
    Undecided,
    Unfinished,
)

NOW = datetime(2026, 11, 28, 14, 2, 30, tzinfo=UTC)
QUEUES = (
    WorkInQueue("mail.raw", "classifier", 0, 0, 0, 0, 0, 1),
    WorkInQueue("mail.classified", "ticket_writer", 0, 0, 0, 0, 0, 1),
    WorkInQueue("ticket.events", "notifier", 0, 0, 0, 0, 0, 1),
)
WELL = Recorded(
    at=NOW,
    schema_revision="0017",
    installation=InstallationStanding(differs=(), since=None, confirmed_at=NOW, restored_to=None),
    mailboxes=(),
    outcomes=Outcomes({"ticket": 3}, {}),
    unfinished=Unfinished(without_outcome=0, untold=0, mails_due=0, mails_later=0, dead_letters=0),
    notifications={},
    undelivered=(),
    servers_away=(),
    unconfirmed=(),
    undecided=(),
    held=(),
    accounts=(),
    logins=(),
    ticket_numbers=TicketNumbers(
        pattern="[0-9]{7}",
        newest_number="1000001",
        newest_is_found=True,
        next_number="1000002",
        next_is_found=True,
        aliases_not_found=0,
        alias_not_found=None,
    ),
    tickets_that_threads_would_have_saved={},
)


def standing(
    *,
    alarms: tuple[BrokerAlarm, ...] = (),
    queues: tuple[WorkInQueue, ...] = QUEUES,
    missing: tuple[str, ...] = (),
    **database: Any,
) -> Standing:
    """One that is well but for this."""
    return Standing(NOW, replace(WELL, **database), BrokerStanding(queues, alarms, (), missing))


def mailbox(helpdesk: str, **changed: Any) -> MailboxProgress:
    """A mailbox that is on and well, but for this."""
    well = MailboxProgress(
        helpdesk=helpdesk,
        enabled=True,
        last_successful_check_at=NOW,
        last_check_at=NOW,
        next_check_at=NOW,
        problem=None,
        problem_since=None,
        backlog_waiting=0,
        server="mail.desk.example",
    )
    return replace(well, **changed)


def troubled(helpdesk: str, kind: str, **changed: Any) -> MailboxProgress:
    """A mailbox with a problem."""
    return mailbox(helpdesk, problem="De server antwoordt niet.", problem_kind=kind, problem_since=NOW, **changed)


def undecided(helpdesk: str, *, quarantined: int = 0, to_review: int = 0, overdue: int = 0) -> Undecided:
    """So much of a helpdesk waits."""
    return Undecided(1, helpdesk, quarantined, NOW, to_review, NOW, overdue, NOW)
