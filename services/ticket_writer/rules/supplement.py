"""A supplement to a ticket, field by field (SPEC A1–A12, D12, D16)."""

from __future__ import annotations

from services.ticket_writer.rules.author import default_contact, default_employee, identify_author
from services.ticket_writer.rules.columns import (
    all_reasons,
    body_columns,
    entries_about,
    images_of,
    sender_columns,
    sender_for_people,
)
from services.ticket_writer.rules.delivery_report import DeliveryReport, delivery_report
from services.ticket_writer.rules.effect import (
    effect_on_ticket,
    effect_while_held,
    entries_about_effect,
    is_held,
    nature_of,
)
from services.ticket_writer.rules.facts import Facts, TicketFacts
from services.ticket_writer.rules.needs_review import reasons_for_review
from services.ticket_writer.rules.outcome import Supplement
from services.ticket_writer.rules.recipients import notifications_of_supplement
from services.ticket_writer.rules.record import Record, SupplementColumns, TicketChange
from services.ticket_writer.rules.verdict import judge
from shared.messages import Bodies, Body, ClassifiedMail, Outcome, Reason, ReasonId
from shared.portal.history import Entry, delivery_reported, followed_merge, supplemented_by_import


def supplement(mail: ClassifiedMail, bodies: Bodies, facts: Facts, decision: Supplement) -> Record:
    """The supplement that a mail becomes, and what it changes in its ticket, with all that comes with it.

    Raises IncompleteSettings when the mailbox's helpdesk lacks S6, or S5 where it has to stand in.
    """
    ticket = decision.ticket
    author = identify_author(facts)
    verdict = judge(mail, ticket, author)
    nature = nature_of(mail, author)
    held = is_held(ticket, verdict)
    effect = effect_while_held(ticket) if held else effect_on_ticket(nature, ticket)
    review = reasons_for_review(mail, facts, verdict)
    report = delivery_report(mail, facts.reported)
    employee_id = default_employee(facts)
    person_id = author.person_id
    if person_id is None and author.employee_id is None:
        person_id = default_contact(facts).person_id
    columns = SupplementColumns(
        ticket_id=ticket.ticket_id,  # A2
        reported_at=mail.received_at,  # A3
        informant_person_id=person_id,  # A5
        informant_employee_id=author.employee_id,  # A5
        mail_subject=mail.subject,
        visible_to_customer=effect.visible_to_customer and not _is_internal(facts),  # A7, D6
        expanded=effect.status.expanded,  # A7
        status_id=effect.status.id,  # A8
        priority_id=ticket.priority_id,  # A9
        executor_id=None if ticket.executor is None else ticket.executor.employee_id,  # A9
        planned_at=ticket.planned_at,  # A9
        deadline_at=effect.deadline_at,  # A10
        recalculate_deadline=ticket.recalculate_deadline,  # A9
        time_needed_hours=ticket.time_needed_hours,  # A9
        created_at=facts.mailbox.decided_at,  # A11
        created_by_person_id=person_id,  # A11
        created_by_employee_id=author.employee_id,  # A11
        changed_at=facts.mailbox.decided_at,  # A12
        changed_by_employee_id=employee_id,  # A12
        automatic=None if mail.automatic is None else mail.automatic.value,
        verdict=verdict.as_json(),
        needs_review=bool(review),
        held_for_review=held,
        by_employee=nature.by_employee,
    )
    shown, cut = _shown(bodies, mail, ticket)
    return Record(
        mail_id=mail.mail_id,
        outcome=Outcome.SUPPLEMENT,
        columns=columns,
        change=TicketChange(effect.status.id, effect.deadline_at, effect.completed_at),
        sender=sender_columns(mail, author),
        body=body_columns(shown, bodies.whole),  # A6
        images=images_of(mail, shown),  # W4, D16
        left_out=mail.left_out,
        history=(
            supplemented_by_import(sender_for_people(mail)),  # A1
            *entries_about_effect(ticket, effect),
            *_followed(ticket),
            *_reported(report),
            *entries_about(mail, facts, ticket.ticket_id),
        ),
        history_by_employee_id=employee_id,
        notifications=notifications_of_supplement(mail, facts, ticket),
        reasons=all_reasons(
            mail, facts, decision.reasons, author.reasons, review, cut, marker=_of_marker(mail, bodies)
        ),
        report=report,
    )


def _is_internal(facts: Facts) -> bool:
    """Whether this is a report on a mail of ours that was an employee's: nothing for the customer (D6)."""
    return facts.reported is not None and facts.reported.to_employee


def _shown(bodies: Bodies, mail: ClassifiedMail, ticket: TicketFacts) -> tuple[Body, tuple[Reason, ...]]:
    """What the supplement shows (A6), and that it was trimmed, where the ticket's helpdesk wants that.

    Where nothing stands above the marker everything is shown (D16); and all of what a machine says.
    """
    nothing_above = any(reason.id is ReasonId.NOTHING_ABOVE_MARKER for reason in mail.reasons)
    if bodies.trimmed is None or not ticket.trim_replies or nothing_above or mail.automatic is not None:
        return bodies.above_marker or bodies.whole, ()
    return bodies.trimmed, (Reason(id=ReasonId.REPLY_TRIMMED),)


def _followed(ticket: TicketFacts) -> tuple[Entry, ...]:
    if not ticket.merged or ticket.named_number is None:
        return ()
    return (followed_merge(ticket.named_number),)


def _reported(report: DeliveryReport | None) -> tuple[Entry, ...]:
    if report is None:
        return ()
    return (delivery_reported(report.recipient, report.action, report.status, report.diagnostic),)


def _of_marker(mail: ClassifiedMail, bodies: Bodies) -> Reason | None:
    """What became of the marker (S7, D16): a reading above it, or the classifier's word that nothing stood there."""
    if bodies.above_marker is not None:
        return Reason(id=ReasonId.ABOVE_MARKER)
    return next((reason for reason in mail.reasons if reason.id is ReasonId.NOTHING_ABOVE_MARKER), None)
