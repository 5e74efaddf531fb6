"""What a delivery report says of a mail of ours, kept with that notification (SPEC D6; RFC 3464, RFC 3463).

Only a failure makes the notification failed, and that is final: a report of a delay or a delivery that comes after it
changes nothing. An address that does not exist is then left alone for as long as one that our own server refused.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from services.ticket_writer.rules.facts import SentNotification
from shared.messages import AutomaticKind, BouncedRecipient, ClassifiedMail
from shared.portal.delivery import UNKNOWN_RECIPIENT_CODES, DeliveryReason

DIAGNOSTIC_LIMIT: Final = 1000
"""Characters of a server's words that are kept."""
_STATUS: Final = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")


class Action(StrEnum):
    """What became of the mail (RFC 3464 §2.3.3)."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    EXPANDED = "expanded"


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """A report on one notification; `status` and `diagnostic` are '' where it names none."""

    notification_id: uuid.UUID
    recipient: str
    action: Action
    status: str
    diagnostic: str

    @property
    def reason(self) -> DeliveryReason | None:
        """Why the notification failed; None where it did not."""
        if self.action is not Action.FAILED:
            return None
        unknown = self.status in UNKNOWN_RECIPIENT_CODES
        return DeliveryReason.UNKNOWN_RECIPIENT if unknown else DeliveryReason.BOUNCED


def delivery_report(mail: ClassifiedMail, sent: SentNotification | None) -> DeliveryReport | None:
    """What `mail` reports on the notification `sent`; None when it reports on none, or that one failed before."""
    if mail.automatic is not AutomaticKind.BOUNCE or sent is None or sent.has_failed:
        return None
    about = _about(mail.bounced, sent.address)
    status = _STATUS.match(about.status.strip())
    code = "" if status is None else status[0]
    return DeliveryReport(
        notification_id=sent.notification_id,
        recipient=sent.address,
        action=_action(about.action.strip().lower(), code),
        status=code,
        diagnostic=about.diagnostic[:DIAGNOSTIC_LIMIT],
    )


def _about(bounced: tuple[BouncedRecipient, ...], address: str) -> BouncedRecipient:
    """The report's word on our recipient; where it names him otherwise (forwarded, rewritten), its first."""
    own = (each for each in bounced if each.recipient.lower() == address.lower())
    return next(own, None) or next(iter(bounced), BouncedRecipient(recipient=address))


def _action(said: str, status: str) -> Action:
    """The action as said, else by the status code's class; a report that says neither is of a failure."""
    if said in set(Action):
        return Action(said)
    return {"2": Action.DELIVERED, "4": Action.DELAYED}.get(status[:1], Action.FAILED)
