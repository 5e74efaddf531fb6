"""Limits on mails out (SPEC D10): FreeScout's table, so that two machines that answer each other come to rest.

To a customer, per address: 10 mails in 180 minutes, and 2 when they answer mails with one and the same subject.
To unknown addresses in one domain: 30 in 180 minutes, so that a machine that answers from another address each time
comes to rest too; not in the domains of providers, where strangers have nothing to do with each other.
To unknown senders of one helpdesk: 100 an hour (its setting), whatever their addresses: senders are forged for
nothing, and each confirmation carries a title that a stranger wrote to whom he likes. Writers that work at the same
moment do not see each other's mails here, so that as many more may go as there are writers; the other limits are exact.
To staff, per address and ticket: 10 in 180 minutes; a manager of a busy helpdesk gets mail about every ticket, and the
subjects of one conversation are all alike.

As in Zammad, none for 60 days to a customer's address that a server said not to know (5.1.1), when it refused our mail
or in a delivery report later.

What counts as one address and one domain: `counted`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from shared.portal.reasons import NotSentReason


@dataclass(frozen=True, slots=True)
class MailLimits:
    """At most so many mails within `period`, counted before the one that is decided now.

    `unknown_period` is that of a helpdesk's own limit on mails to unknown senders.
    """

    period: timedelta = timedelta(minutes=180)
    in_all: int = 10
    same_subject: int = 2
    in_domain: int = 30
    unknown_period: timedelta = timedelta(hours=1)
    after_unknown_recipient: timedelta = timedelta(days=60)


LIMITS: Final = MailLimits()
LIMIT_REASONS: Final = (
    NotSentReason.OVER_LIMIT,
    NotSentReason.OVER_LIMIT_SAME_SUBJECT,
    NotSentReason.OVER_LIMIT_IN_DOMAIN,
    NotSentReason.OVER_LIMIT_UNKNOWN_SENDERS,
)
"""What `notifications.reason` says of a mail that met one of the limits."""


@dataclass(frozen=True, slots=True)
class Sent:
    """Mails out to the sender's address (M4) within the limits' period: all of them, and those about the same subject.

    `in_domain`: those to unknown addresses in an unknown sender's domain (0 for a known one); `to_unknown`: those of
    this helpdesk to any unknown sender within the last hour, None for a known one. `unknown_recipient`: the last days,
    a server said that it does not know the address.
    """

    in_all: int = 0
    same_subject: int = 0
    in_domain: int = 0
    to_unknown: int | None = None
    unknown_recipient: bool = False


def over_limit_for_address(
    sent: Sent, unknown_senders_per_hour: int, limits: MailLimits = LIMITS
) -> NotSentReason | None:
    """Why a customer gets no mail now; None when he may get one. `unknown_senders_per_hour`: the helpdesk's setting."""
    if sent.unknown_recipient:
        return NotSentReason.UNKNOWN_RECIPIENT
    if sent.in_all >= limits.in_all:
        return NotSentReason.OVER_LIMIT
    if sent.same_subject >= limits.same_subject:
        return NotSentReason.OVER_LIMIT_SAME_SUBJECT
    if sent.in_domain >= limits.in_domain:
        return NotSentReason.OVER_LIMIT_IN_DOMAIN
    if sent.to_unknown is not None and sent.to_unknown >= unknown_senders_per_hour:
        return NotSentReason.OVER_LIMIT_UNKNOWN_SENDERS
    return None


def over_limit_for_ticket(sent_about_ticket: int, limits: MailLimits = LIMITS) -> NotSentReason | None:
    """Why an employee gets no mail about this ticket now; None when he may get one."""
    return NotSentReason.OVER_LIMIT if sent_about_ticket >= limits.in_all else None
