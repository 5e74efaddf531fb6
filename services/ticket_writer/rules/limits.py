"""Limits on mails out (SPEC D10): FreeScout's table, so that two machines that answer each other come to rest.

To a customer, per address: 10 mails in 180 minutes, and 2 when they answer mails with one and the same subject.
To unknown addresses in one domain: 30 in 180 minutes, so that a machine that answers from another address each time
comes to rest too; not in the domains of providers, where strangers have nothing to do with each other.
To staff, per address and ticket: 10 in 180 minutes; a manager of a busy helpdesk gets mail about every ticket, and the
subjects of one conversation are all alike.

As in Zammad, none for 60 days to a customer's address that a server said not to know (5.1.1), when it refused our mail
or in a delivery report later.

Addresses count in lower case and without what follows a plus sign: a machine that answers from an address of its own
each time (`no-reply+8a7f@`) is one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from services.ticket_writer.rules.facts import Sent
from shared.messages import ClassifiedMail
from shared.portal.mail_provider import is_mail_provider
from shared.portal.reasons import NotSentReason


@dataclass(frozen=True, slots=True)
class MailLimits:
    """At most so many mails within `period`, counted before the one that is decided now."""

    period: timedelta = timedelta(minutes=180)
    in_all: int = 10
    same_subject: int = 2
    in_domain: int = 30
    after_unknown_recipient: timedelta = timedelta(days=60)


LIMITS: Final = MailLimits()
_TAG: Final = re.compile(r"\+[^@]*@")


def limit_key(address: str) -> str:
    """What mails to an address are counted by; `notifications.recipient_key` is made in the same way."""
    return _TAG.sub("@", address.lower())


def limited_domain(mail: ClassifiedMail) -> str | None:
    """The domain of an unknown sender to which mails are counted together; None where they are not."""
    if mail.sender is None or mail.sender.persons or mail.sender.employee is not None:
        return None
    domain = limit_key(mail.sender.mailbox.address).rpartition("@")[2]
    return None if is_mail_provider(domain) else domain


def over_limit_for_address(sent: Sent, limits: MailLimits = LIMITS) -> NotSentReason | None:
    """Why a customer gets no mail now; None when he may get one."""
    if sent.unknown_recipient:
        return NotSentReason.UNKNOWN_RECIPIENT
    if sent.in_all >= limits.in_all:
        return NotSentReason.OVER_LIMIT
    if sent.same_subject >= limits.same_subject:
        return NotSentReason.OVER_LIMIT_SAME_SUBJECT
    if sent.in_domain >= limits.in_domain:
        return NotSentReason.OVER_LIMIT_IN_DOMAIN
    return None


def over_limit_for_ticket(sent_about_ticket: int, limits: MailLimits = LIMITS) -> NotSentReason | None:
    """Why an employee gets no mail about this ticket now; None when he may get one."""
    return NotSentReason.OVER_LIMIT if sent_about_ticket >= limits.in_all else None
