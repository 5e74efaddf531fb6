"""A new ticket, field by field (SPEC N1–N18, D12, D19)."""

from __future__ import annotations

from typing import Final

from services.ticket_writer.rules.author import IncompleteSettings, default_contact, default_employee, identify_author
from services.ticket_writer.rules.columns import (
    all_reasons,
    body_columns,
    entries_about,
    images_of,
    sender_columns,
    sender_for_people,
)
from services.ticket_writer.rules.facts import Employee, Facts
from services.ticket_writer.rules.needs_review import reasons_for_review
from services.ticket_writer.rules.outcome import NewTicket
from services.ticket_writer.rules.recipients import notifications_of_ticket
from services.ticket_writer.rules.record import Record, TicketColumns
from services.ticket_writer.rules.verdict import verdict_on_ticket
from shared.messages import Bodies, ClassifiedMail, Outcome, Reason, ReasonId
from shared.portal.history import created_by_import, follows_closed_ticket, named_ticket_gone

NO_SUBJECT: Final = "(geen onderwerp)"


def new_ticket(mail: ClassifiedMail, bodies: Bodies, facts: Facts, decision: NewTicket) -> Record:
    """The ticket that a mail becomes, with all that comes with it.

    The whole body is its request, whatever the marker: that is for supplements (S7). Raises IncompleteSettings when
    the helpdesk lacks S5, S6 or M5.
    """
    author = identify_author(facts)
    contact = author.contact or default_contact(facts)  # an employee is recorded as sender, with S5 as contact (D12)
    employee_id = default_employee(facts)
    review = reasons_for_review(mail, facts, None)
    no_subject = () if mail.subject.strip() else (Reason(id=ReasonId.NO_SUBJECT),)
    columns = TicketColumns(
        helpdesk_id=facts.mailbox.helpdesk_id,  # N4
        organisation_id=author.organisation_id or contact.organisation_id,  # N2
        contact_id=contact.person_id,  # N2
        created_by_employee_id=employee_id,  # N3
        created_at=facts.mailbox.decided_at,
        reported_at=mail.received_at,  # N5
        mail_subject=mail.subject,  # N7
        title=mail.subject if mail.subject.strip() else NO_SUBJECT,  # N8, D19
        ticket_type_id=facts.mailbox.ticket_type_id,  # N10
        priority_id=facts.mailbox.priority_id,  # N10
        environment_id=facts.mailbox.environment_id,  # N10
        ticket_manager_id=_id(facts.mailbox.ticket_manager),  # N12
        executor_id=_id(facts.mailbox.executor),  # N12
        status_id=_imported_status(facts),  # N15
        recalculate_deadline=facts.mailbox.recalculate_deadline,  # N17
        changed_at=facts.mailbox.decided_at,  # N18
        changed_by_employee_id=employee_id,  # N18
        automatic=None if mail.automatic is None else mail.automatic.value,
        verdict=verdict_on_ticket(mail, author),
        needs_review=bool(review),
    )
    gone = (named_ticket_gone(facts.gone_numbers),) if facts.gone_numbers else ()
    follows = () if decision.follows is None else (follows_closed_ticket(decision.follows),)
    return Record(
        mail_id=mail.mail_id,
        outcome=Outcome.TICKET,
        columns=columns,
        change=None,
        sender=sender_columns(mail, author),
        body=body_columns(bodies.whole, bodies.whole),  # N9
        images=images_of(mail, bodies.whole),  # W4, N9
        left_out=mail.left_out,
        history=(created_by_import(sender_for_people(mail)), *follows, *gone, *entries_about(mail, facts, None)),  # N1
        history_by_employee_id=employee_id,
        notifications=notifications_of_ticket(mail, facts, author),
        reasons=all_reasons(mail, facts, decision.reasons, author.reasons, no_subject, review),
    )


def _id(employee: Employee | None) -> int | None:
    return None if employee is None else employee.employee_id


def _imported_status(facts: Facts) -> int:
    if facts.mailbox.imported_status_id is None:
        raise IncompleteSettings(
            f"helpdesk «{facts.mailbox.name}» has no status with the flag «geïmporteerd» (M5): bind one, "
            "then replay this mail"
        )
    return facts.mailbox.imported_status_id
