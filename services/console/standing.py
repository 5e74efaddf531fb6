"""How the importer stands, at one glance, and what of it needs a person: pure, for `helpdesk-importer status`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.console.idle import many
from services.console.progress import (
    AccountProgress,
    LoginProgress,
    MailboxProgress,
    TicketNumbers,
    Unconfirmed,
    Undelivered,
    Unfinished,
)
from services.console.queues import WorkInQueue
from shared.logins import ending
from shared.portal.delivery import DELIVERY, DeliveryReason

NEEDS_A_PERSON: Final = (
    DeliveryReason.NO_ACCOUNT,
    DeliveryReason.LOGIN_REFUSED,
    DeliveryReason.NOT_ALLOWED,
    DeliveryReason.NOT_SECURE,
    DeliveryReason.OUR_ERROR,
    DeliveryReason.REFUSED,
    DeliveryReason.GAVE_UP,
)
"""What no further try cures. An address that a server does not know is a matter for its ticket, not for us."""

LOGIN_PROBLEMS: Final = frozenset({"login-refused", "login-expired"})
"""Kinds of a mailbox's problem that are its login's."""
NAMED: Final = 3
"""So many who use a login are named in a sentence."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What the database and RabbitMQ say `at` a moment; `broker_trouble` says why where `queues` is None."""

    at: datetime
    schema_revision: str
    mailboxes: tuple[MailboxProgress, ...]
    outcomes_of_a_day: Mapping[str, int]
    unfinished: Unfinished
    notifications: Mapping[str, int]
    undelivered: tuple[Undelivered, ...]
    unconfirmed: tuple[Unconfirmed, ...]
    accounts: tuple[AccountProgress, ...]
    logins: tuple[LoginProgress, ...]
    queues: tuple[WorkInQueue, ...] | None
    ticket_numbers: TicketNumbers
    tickets_that_threads_would_have_saved: Mapping[str, int]
    """By helpdesk, of the last thirty days (D8)."""
    broker_trouble: str = ""

    def needs_a_person(self) -> Iterator[str]:
        """A sentence for each thing that does not get right by itself, with what to do."""
        if self.queues is None:
            yield self.broker_trouble
        for queue in self.queues or ():
            if not queue.consumers:
                yield f"Nobody reads the queue {queue.queue}: {queue.reader} does not run."
        yield from self._mailboxes()
        yield from self._logins()
        yield from self._numbers()
        parked = max(self.unfinished.dead_letters, sum(queue.dead for queue in self.queues or ()))
        if parked:
            yield f"{many(parked, 'mail')} could not be handled: helpdesk-importer dead-letters list."
        for cause in self.undelivered:
            yield f"{many(cause.count, 'mail')} of {cause.helpdesk} not sent: {_explained(cause.reason)}"
        yield from self._floods()

    def _floods(self) -> Iterator[str]:
        for flood in self.unconfirmed:
            yield (
                f"{many(flood.count, 'unknown sender')} got no confirmation from {flood.helpdesk} since "
                f"{flood.since.astimezone():%Y-%m-%d %H:%M}: it sends {flood.per_hour} an hour at most. Forged mail is "
                "for the mail server to stop; for real senders: helpdesks set, --unknown-senders-per-hour."
            )

    def _mailboxes(self) -> Iterator[str]:
        told_once = {helpdesk for login in self.logins if _refused_for_several(login) for helpdesk in login.mailboxes}
        for mailbox in self.mailboxes:
            by_login = mailbox.problem_kind in LOGIN_PROBLEMS and mailbox.helpdesk in told_once
            if mailbox.enabled and mailbox.problem is not None and not by_login:
                yield f"The mailbox of {mailbox.helpdesk}: {mailbox.problem}"

    def _logins(self) -> Iterator[str]:
        for login in self.logins:
            users = [
                *(f"mailbox of {name}" for name in login.mailboxes),
                *(f"account {name}" for name in login.accounts),
            ]
            if not users:
                continue
            who = f"The login {login.login} ({_some(users)})" if login.is_shared else f"The {users[0]}"
            if login.refused_since is not None and (login.is_shared or login.accounts):
                cure = "logins" if login.is_shared else "accounts"
                yield (
                    f"{who}: its login is refused since {login.refused_since.astimezone():%Y-%m-%d %H:%M} "
                    f"({login.problem}). It is seldom tried, so that it is not locked: set it right with {cure} set, "
                    "set-password or set-certificate."
                )
            if sentence := ending(login.expires_at, self.at):
                yield f"{who}: {sentence}"

    def _numbers(self) -> Iterator[str]:
        numbers = self.ticket_numbers
        cure = "set IMPORTER_TICKET_NUMBER_PATTERN so that it finds it, and start the classifier again."
        if numbers.newest_is_found is False:
            yield (
                f"Answers to ticket {numbers.newest_number} become new tickets: the pattern of ticket numbers "
                f"({numbers.pattern}) does not find it; {cure}"
            )
        elif not numbers.next_is_found:
            yield (
                f"Answers to the next ticket, {numbers.next_number}, would become new tickets: the pattern of ticket "
                f"numbers ({numbers.pattern}) does not find it; {cure}"
            )
        if numbers.aliases_not_found:
            yield (
                f"{many(numbers.aliases_not_found, 'old number', 'old numbers')} of tickets (such as "
                f"{numbers.alias_not_found}) not found by the pattern of ticket numbers ({numbers.pattern}): {cure}"
            )


def _refused_for_several(login: LoginProgress) -> bool:
    return login.is_shared and login.refused_since is not None


def _some(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")


def _explained(reason: str) -> str:
    """The Dutch sentence of a delivery's trouble, with its remedy."""
    explanation = DELIVERY[DeliveryReason(reason)]
    return f"{explanation.sentence} {explanation.remedy}".rstrip()
