"""Who is to be mailed about a ticket or supplement, or why not (SPEC M1–M4, D6, D10, D11, D12, D18).

Each mail that could be sent is a notification: planned, or decided not to be sent with the first reason that holds, in
the order in which they stand in the functions below. Not sending is an outcome, and is recorded like any other.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import timedelta

from services.ticket_writer.rules.author import Author
from services.ticket_writer.rules.facts import Employee, Facts, MailPolicy, TicketFacts
from shared.messages import ClassifiedMail, DmarcResult, ImportChoice, NotificationKind
from shared.portal.counted_addresses import counted_address
from shared.portal.mail_limits import over_limit_for_address, over_limit_for_ticket
from shared.portal.reasons import NotSentReason


@dataclass(frozen=True, slots=True)
class Notification:
    """A mail about a ticket or supplement: to whom, or why it is not sent (`not_sent`)."""

    kind: NotificationKind
    name: str = ""
    address: str | None = None
    employee_id: int | None = None
    person_id: int | None = None
    not_sent: NotSentReason | None = None
    to_stranger: bool = False
    """To a sender whom nobody knows and no trusted check vouches for: it repeats little of his mail, and no link."""
    collects_for: timedelta | None = None
    """How long it waits for others to the same employee, to tell of them too (`summaries`)."""
    summary_id: uuid.UUID | None = None
    """The notification whose mail tells of it."""

    @property
    def is_to_unknown(self) -> bool:
        """Whether it counts among the mails of its helpdesk to unknown senders (D10)."""
        nobody = self.person_id is None and self.employee_id is None
        return self.kind is NotificationKind.TICKET_ADDED_CUSTOMER and self.not_sent is None and nobody

    def id_for(self, mail_id: uuid.UUID) -> uuid.UUID:
        """The notification's id: of a mail there is one of each kind, whenever it is asked for."""
        return uuid.uuid5(mail_id, f"notification:{self.kind.value}")


def notifications_of_ticket(mail: ClassifiedMail, facts: Facts, author: Author) -> tuple[Notification, ...]:
    """M2 to the ticket manager and M4 to the customer, for a new ticket."""
    manager = _to_staff(NotificationKind.TICKET_ADDED_MANAGER, facts.mailbox.ticket_manager, facts.mailbox.mails)
    notifications = [_unless(manager, _barred_for_staff(manager, mail, facts, facts.mailbox.mails, 0))]
    if mail.sender is not None:
        customer = Notification(
            NotificationKind.TICKET_ADDED_CUSTOMER,
            name=mail.sender.mailbox.name,
            address=mail.sender.mailbox.address,
            employee_id=author.employee_id,
            person_id=author.person_id,
            to_stranger=author.is_unknown and mail.dmarc is not DmarcResult.PASS,
        )
        notifications.append(_unless(customer, _barred_for_customer(mail, facts, author)))
    return tuple(notifications)


def notifications_of_supplement(mail: ClassifiedMail, facts: Facts, ticket: TicketFacts) -> tuple[Notification, ...]:
    """M3 to the executor, for a supplement. The ticket's own helpdesk decides (D15)."""
    executor = _to_staff(NotificationKind.SUPPLEMENT_ADDED_EXECUTOR, ticket.executor, ticket.mails)
    sent = ticket.sent.get(counted_address(executor.address or ""), 0)
    return (_unless(executor, _barred_for_staff(executor, mail, facts, ticket.mails, sent)),)


def _to_staff(kind: NotificationKind, employee: Employee | None, policy: MailPolicy) -> Notification:
    """To the employee; when there is nobody to mail, to the address that the helpdesk has for that (D11)."""
    reason = _unreachable(employee)
    if reason is None and employee is not None:
        return Notification(kind, employee.name, employee.address, employee_id=employee.employee_id)
    if policy.fallback_recipient is not None:
        return Notification(kind, address=policy.fallback_recipient)
    return Notification(
        kind,
        name="" if employee is None else employee.name,
        employee_id=None if employee is None else employee.employee_id,
        not_sent=reason,
    )


def _unreachable(employee: Employee | None) -> NotSentReason | None:
    if employee is None:
        return NotSentReason.NO_RECIPIENT
    if not employee.active:
        return NotSentReason.INACTIVE_RECIPIENT
    return None if employee.address else NotSentReason.NO_ADDRESS


def _barred_for_staff(
    notification: Notification, mail: ClassifiedMail, facts: Facts, policy: MailPolicy, sent_about_ticket: int
) -> NotSentReason | None:
    if (reason := _barred_for_all(mail, facts)) is not None:
        return reason
    if not policy.send_import_mails:
        return NotSentReason.MAILS_OFF
    if notification.not_sent is not None:
        return notification.not_sent
    if _wrote(notification, mail, facts):
        return NotSentReason.WROTE_THE_MAIL
    if (notification.address or "").lower() in facts.mailbox.own_addresses:
        return NotSentReason.OWN_ADDRESS
    return over_limit_for_ticket(sent_about_ticket)


def _wrote(notification: Notification, mail: ClassifiedMail, facts: Facts) -> bool:
    """Whether the recipient sent the mail, first or by forwarding it."""
    writers = [each.mailbox.address.lower() for each in (mail.sender, mail.forwarded_by) if each is not None]
    employee = facts.sender.employee  # also where the address is a contact's too, who then is the author (D12)
    return (notification.address or "").lower() in writers or (
        employee is not None and notification.employee_id == employee.employee_id
    )


def _barred_for_customer(mail: ClassifiedMail, facts: Facts, author: Author) -> NotSentReason | None:
    """M1 does not govern this mail: it is «always sent», save for what D6, D10, D12 and D18 say.

    It goes to the sender on the ticket. Of what an employee forwards that is who first sent it, and only a known
    contact is answered: people forward what they do not trust, and its sender is not to learn that it arrived.
    """
    if (reason := _barred_for_all(mail, facts)) is not None:
        return reason
    own = mail.sender is not None and mail.sender.mailbox.address.lower() in facts.mailbox.own_addresses
    employee = author.employee_id is not None and not facts.mailbox.confirm_to_employees
    stranger = author.contact is None or not author.contact.active
    barred = {
        NotSentReason.RETURN_PATH_EMPTY: mail.return_path_empty,
        NotSentReason.FORGED_SENDER: mail.dmarc is DmarcResult.FAIL,
        NotSentReason.OWN_ADDRESS: own,
        NotSentReason.EMPLOYEE: employee,
        NotSentReason.FORWARDED_STRANGER: mail.forwarded_by is not None and stranger,
    }
    first = next((reason for reason, holds in barred.items() if holds), None)
    if first is not None:
        return first
    return over_limit_for_address(facts.sender.sent, facts.mailbox.unknown_senders_per_hour)


def _barred_for_all(mail: ClassifiedMail, facts: Facts) -> NotSentReason | None:
    if mail.automatic is not None:
        return NotSentReason.AUTOMATIC
    if mail.choice is ImportChoice.IMPORT_WITHOUT_MAILS:
        return NotSentReason.WITHOUT_MAILS
    if is_old(mail, facts):
        return NotSentReason.OLD_MAIL
    return None


def is_old(mail: ClassifiedMail, facts: Facts) -> bool:
    """Whether the mail is older than the mailbox's number of days, so that it sends nothing by itself (D18)."""
    if mail.choice is ImportChoice.IMPORT:
        return False
    return facts.mailbox.decided_at - mail.received_at > timedelta(days=facts.mailbox.old_mail_days)


def _unless(notification: Notification, barred: NotSentReason | None) -> Notification:
    return notification if barred is None else replace(notification, not_sent=barred)
