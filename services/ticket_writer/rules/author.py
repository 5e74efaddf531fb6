"""Who wrote the mail, as the ticket or supplement records it (SPEC N2, A5, A11, D12, S5)."""

from __future__ import annotations

from dataclasses import dataclass

from services.ticket_writer.rules.facts import Contact, Facts
from shared.errors import DeadLetter
from shared.messages import Reason, ReasonId


class IncompleteSettings(DeadLetter):
    """The helpdesk's importer settings lack what every ticket needs: fill them in, then replay the mail."""


@dataclass(frozen=True, slots=True)
class Author:
    """The sender: a contact, an employee, or neither (unknown). `reasons` say how that was found.

    `organisation_id` is that of an unknown sender's domain, if one is known by it.
    """

    contact: Contact | None
    employee_id: int | None
    reasons: tuple[Reason, ...]
    organisation_id: int | None = None

    @property
    def person_id(self) -> int | None:
        """The sender as contact; None for an employee or an unknown sender."""
        return None if self.contact is None else self.contact.person_id

    @property
    def is_unknown(self) -> bool:
        """Whether nobody knows the sender; S5 stands in for him on a ticket."""
        return self.contact is None and self.employee_id is None


def identify_author(facts: Facts) -> Author:
    """The sender among those who have his address (D12).

    An address that is both a contact's and an employee's is the contact's. Of several contacts: active before
    inactive, then a participant of the ticket, then the oldest (the order in which they come). An employee who left is
    still known as employee: his mail is no customer's.
    """
    if facts.sender.contacts:
        return _contact(facts)
    if facts.sender.employee is not None:
        return Author(None, facts.sender.employee.employee_id, (Reason(id=ReasonId.EMPLOYEE),))
    unknown = Reason(id=ReasonId.UNKNOWN_SENDER)
    if facts.sender.organisation_id is None:
        return Author(None, None, (unknown,))
    by_domain = Reason(id=ReasonId.ORGANISATION_BY_DOMAIN)
    return Author(None, None, (unknown, by_domain), organisation_id=facts.sender.organisation_id)


def default_contact(facts: Facts) -> Contact:
    """S5, who stands in for an unknown sender; raises IncompleteSettings when the mailbox's helpdesk has none."""
    if facts.mailbox.default_contact is None:
        raise IncompleteSettings(
            f"helpdesk «{facts.mailbox.name}» has no «Standaard contactpersoon» (S5): set one, then replay this mail"
        )
    return facts.mailbox.default_contact


def default_employee(facts: Facts) -> int:
    """S6, the user who creates and supplements; raises IncompleteSettings when the mailbox's helpdesk has none."""
    if facts.mailbox.default_employee_id is None:
        raise IncompleteSettings(
            f"helpdesk «{facts.mailbox.name}» has no «Standaard werknemer» (S6): set one, then replay this mail"
        )
    return facts.mailbox.default_employee_id


def _contact(facts: Facts) -> Author:
    participants = facts.ticket.participants if facts.ticket is not None else frozenset()
    chosen = min(  # the first of equals: they come oldest first
        facts.sender.contacts, key=lambda contact: (not contact.active, contact.person_id not in participants)
    )
    reasons = [Reason(id=ReasonId.CONTACT_KNOWN if chosen.active else ReasonId.CONTACT_INACTIVE)]
    if len(facts.sender.contacts) > 1:
        reasons.append(Reason(id=ReasonId.SEVERAL_CONTACTS, detail=str(len(facts.sender.contacts))))
    return Author(chosen, None, tuple(reasons))
