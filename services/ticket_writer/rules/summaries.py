"""When mails to an employee become one (SPEC M2, M3, D10): a burst of tickets and supplements must not flood him.

The first mails go by themselves, at once: as many as the helpdesk says, within a period. The next one stays planned for
that period and collects those that follow; its mail tells of them all. So nothing waits longer than the period, and
when the burst is over the next mail goes by itself again.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from services.ticket_writer.rules.recipients import Notification
from shared.messages import NotificationKind
from shared.portal.reasons import NotSentReason

PERIOD: Final = timedelta(minutes=10)
"""Within which mails are counted, and for which they are collected."""


@dataclass(frozen=True, slots=True)
class Burst:
    """What an employee gets from a helpdesk: mails of the last PERIOD, and the one that collects others now, if any."""

    mails: int = 0
    collecting: uuid.UUID | None = None


def may_be_summarised(notification: Notification) -> bool:
    """Whether it is a mail to an employee that is to be sent."""
    return notification.not_sent is None and notification.kind is not NotificationKind.TICKET_ADDED_CUSTOMER


def begins_summary(burst: Burst, summary_after: int | None) -> bool:
    """Whether the next mail collects those that follow it; `summary_after` is the helpdesk's, None: never."""
    return summary_after is not None and burst.collecting is None and burst.mails >= summary_after


def in_burst(notification: Notification, burst: Burst, summary_after: int | None) -> Notification:
    """The notification as the burst has it: told of by the one that collects, collecting itself, or as it is."""
    if burst.collecting is not None:
        return replace(notification, not_sent=NotSentReason.IN_SUMMARY, summary_id=burst.collecting)
    if begins_summary(burst, summary_after):
        return replace(notification, collects_for=PERIOD)
    return notification


def together(written: Burst, planned: Burst) -> Burst:
    """The burst of which some mails are written, and others only planned."""
    return Burst(written.mails + planned.mails, planned.collecting or written.collecting)


def after(burst: Burst, notification: Notification, notification_id: uuid.UUID) -> Burst:
    """The burst once this mail to the employee counts in it."""
    if notification.not_sent is not None and notification.summary_id is None:
        return burst
    collecting = notification_id if notification.collects_for is not None else burst.collecting
    return Burst(burst.mails + 1, collecting)
