"""Rows of the queries as facts for the rules."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, TypeVar

import asyncpg

from services.ticket_writer.rules.facts import (
    Claim,
    Contact,
    Employee,
    MailboxFacts,
    MailPolicy,
    SenderFacts,
    TicketFacts,
)
from shared.messages import ClassifiedMail
from shared.portal.calendars import Calendar, Hours
from shared.portal.mail_limits import Sent
from shared.portal.status import Status, StatusCategory

Day = TypeVar("Day", int, date)


def mailbox_facts(helpdesk_id: int, row: asyncpg.Record) -> MailboxFacts:
    """The mailbox's helpdesk, from a row of MAILBOX_FACTS."""
    employees = _employees(row)
    contact = row["default_contact"]
    return MailboxFacts(
        helpdesk_id=helpdesk_id,
        name=row["name"],
        decided_at=row["decided_at"],
        default_contact=None if contact is None else _contact(contact),
        default_employee_id=row["default_employee_id"],
        imported_status_id=row["imported_status_id"],
        recalculate_deadline=row["recalculate_deadline"],
        mails=_policy(row),
        old_mail_days=row["old_mail_days"],
        confirm_to_employees=row["confirm_to_employees"],
        unknown_senders_per_hour=row["unknown_senders_per_hour"],
        ticket_type_id=row["default_ticket_type_id"],
        priority_id=row["default_priority_id"],
        environment_id=row["default_environment_id"],
        ticket_manager=employees.get(row["default_ticket_manager_id"]),
        executor=employees.get(row["default_executor_id"]),
        own_addresses=frozenset(row["own_addresses"]),
    )


def sender_facts(mail: ClassifiedMail, row: asyncpg.Record) -> SenderFacts:
    """Who has the sender's address now, from a row of MAILBOX_FACTS: whoever was removed meanwhile is not in it."""
    employee = None if mail.sender is None else mail.sender.employee
    return SenderFacts(
        contacts=tuple(_contact(contact) for contact in row["contacts"] or ()),
        employee=None if employee is None else _employees(row).get(employee.employee_id),
        organisation_id=row["sender_organisation_id"],
        sent=Sent(
            in_all=row["in_all"],
            same_subject=row["same_subject"],
            in_domain=row["in_domain"],
            to_unknown=row["to_unknown"],
            unknown_recipient=row["unknown_recipient"],
        ),
    )


def claims(row: asyncpg.Record) -> tuple[Claim, ...]:
    """The tickets that have this content already, from a row of MAILBOX_FACTS."""
    return tuple(Claim(**{**claim, "mail_id": uuid.UUID(claim["mail_id"])}) for claim in row["claims"] or ())


def ticket_facts(row: asyncpg.Record, *, named_number: str | None, merged: bool) -> TicketFacts:
    """The locked ticket, from a row of TICKET_FACTS, with how it was found."""
    return TicketFacts(
        ticket_id=row["id"],
        number=row["number"],
        helpdesk_id=row["helpdesk_id"],
        helpdesk_name=row["helpdesk_name"],
        contact_id=row["contact_id"],
        organisation_id=row["organisation_id"],
        status=_status(row["status"]),
        portal_status=None if row["portal_status"] is None else _status(row["portal_status"]),
        calendar=Calendar(
            time_zone=row["time_zone"],
            weekly=_hours((weekday, (opens, closes)) for weekday, opens, closes in row["hours"] or ()),
            exceptions=_hours(
                (date.fromisoformat(day), None if opens is None else (opens, closes))
                for day, opens, closes in row["exceptions"] or ()
            ),
            holiday_country=row["holiday_country"],
            open_holidays=frozenset(row["open_holidays"]),
            closed_holidays=frozenset(row["closed_holidays"]),
        ),
        mails=_policy(row),
        recalculate_deadline=row["recalculate_deadline"],
        deadline_at=row["deadline_at"],
        planned_at=row["planned_at"],
        completed_at=row["completed_at"],
        priority_id=row["priority_id"],
        resolution_minutes=row["resolution_minutes"],
        time_needed_hours=row["time_needed_hours"],
        executor=None if row["executor"] is None else _employee(row["executor"]),
        named_number=named_number,
        merged=merged,
        closed_too_long=row["closed_too_long"],
        participants=frozenset(row["participants"]),
        sender_took_part=row["sender_took_part"],
        treat_employee_as_customer=row["treat_employee_as_customer"],
        hold_strangers=row["hold_strangers"],
        trim_replies=row["trim_replies"],
        sent=row["sent"] or {},
    )


def array_literal(ids: Iterable[int]) -> str:
    """An array of ids as one text: side by side with others, arrays of different length fit into no array."""
    return f"{{{','.join(map(str, ids))}}}"


def _hours(days: Iterable[tuple[Day, tuple[int, int] | None]]) -> Mapping[Day, tuple[Hours, ...]]:
    """Openings by day, in minutes after midnight; a day without any is closed."""
    by_day: dict[Day, tuple[Hours, ...]] = {}
    for day, opening in days:
        by_day[day] = by_day.get(day, ()) + (() if opening is None else (Hours(*opening),))
    return by_day


def _policy(row: asyncpg.Record) -> MailPolicy:
    return MailPolicy(row["send_import_mails"], row["fallback_recipient"], row["summary_after"])


def _status(row: Mapping[str, Any]) -> Status:
    return Status(
        id=row["id"],
        name=row["name"],
        category=StatusCategory(row["category"]),
        visible_to_customer=row["visible_to_customer"],
        expanded=row["expanded"],
    )


def _contact(row: Mapping[str, Any]) -> Contact:
    return Contact(row["id"], row["organisation_id"], row["active"])


def _employee(row: Mapping[str, Any]) -> Employee:
    return Employee(row["id"], row["name"], row["active"], row["address"])


def _employees(row: asyncpg.Record) -> dict[int | None, Employee]:
    return {each["id"]: _employee(each) for each in row["employees"] or ()}
