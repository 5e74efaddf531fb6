"""What people ask of ticket_writer in the web console: what would become of a mail that they try.

It is locked, loaded and decided as any other, by the same rules on the same rows, in a transaction that is rolled back.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from services.ticket_writer.explain.fields import facts_of, said
from services.ticket_writer.flow import Decided, decide
from services.ticket_writer.repository import Repository
from services.ticket_writer.rules.author import IncompleteSettings
from services.ticket_writer.rules.columns import all_reasons
from services.ticket_writer.rules.outcome import Duplicate, NewTicket, Quarantined, Supplement
from services.ticket_writer.rules.recipients import Notification
from services.ticket_writer.rules.record import Record, TicketColumns
from services.ticket_writer.writing import Message
from shared.answering import Answer, Question
from shared.explaining import NO_SETTINGS, MailInFile
from shared.messages import Bodies, Outcome, Reason
from shared.portal.reasons import explain, explanation_of

MOST_SHOWN: Final = 20_000
"""Characters of what was said that an answer has."""


def answers(repository: Repository) -> Mapping[str, Answer]:
    """The questions that ticket_writer answers (`shared.answering`)."""

    async def tried(question: Question) -> dict[str, Any]:
        given = MailInFile.model_validate(question.arguments)
        bodies = given.mail.bodies
        if not isinstance(bodies, Bodies):
            raise TypeError("the facts of a mail that is tried have its bodies inside")
        try:
            async with repository.trying(given.mail) as writing:
                (decided,) = await decide(writing, [Message(given.mail, bodies, datetime.now(UTC))])
        except IncompleteSettings:
            return {"ok": False, "problem": "", "trouble": NO_SETTINGS}
        return _answer(given, bodies, decided)

    return {"try": tried}


def _answer(given: MailInFile, bodies: Bodies, decided: Decided) -> dict[str, Any]:
    text = said(bodies)
    return {
        "ok": True,
        **_became(decided),
        **facts_of(given, {"text": text[:MOST_SHOWN]}),
        "dmarc": given.mail.dmarc.value,
        "text_is_whole": len(text) <= MOST_SHOWN,
    }


def _became(decided: Decided) -> dict[str, Any]:
    """Outcome and ticket, with all that would be written beside it."""
    found: dict[str, Any]
    match decision := decided.decision:
        case Duplicate():
            claims = {claim.ticket_id: claim.ticket_number for claim in decided.facts.claims}
            number = claims.get(decision.ticket_id)
            return {**_outcome(Outcome.DUPLICATE, _reasons_of(decided, decision.reason)), "ticket": number}
        case Quarantined():
            return _outcome(Outcome.QUARANTINE, _reasons_of(decided, decision.reason))
        case Supplement():
            found = {"ticket": decision.ticket.number, "ticket_helpdesk": decision.ticket.helpdesk_name}
        case NewTicket():
            found = {"follows": decision.follows}
    if decided.record is None:
        raise AssertionError("a ticket or supplement has a record")
    return {**_outcome(decided.record.outcome, decided.record.reasons), **found, **_written(decided.record)}


def _written(record: Record) -> dict[str, Any]:
    columns = record.columns
    by_employee = None if isinstance(columns, TicketColumns) else columns.informant_employee_id
    contact = columns.contact_id if isinstance(columns, TicketColumns) else columns.informant_person_id
    return {
        "contact_id": contact,
        "employee_id": record.sender.sender_employee_id or by_employee,
        "is_known": record.sender.sender_person_id is not None or record.sender.sender_employee_id is not None,
        "needs_review": columns.needs_review,
        "notifications": [_notification(each) for each in record.notifications],
    }


def _notification(notification: Notification) -> dict[str, Any]:
    return {
        "kind": notification.kind.value,
        "name": notification.name,
        "address": notification.address,
        "not_sent": None if notification.not_sent is None else notification.not_sent.value,
    }


def _reasons_of(decided: Decided, first: Reason) -> tuple[Reason, ...]:
    return all_reasons(decided.message.mail, decided.facts, [first])


def _outcome(outcome: Outcome, reasons: tuple[Reason, ...]) -> dict[str, Any]:
    """An outcome that leads to no ticket and tells nobody, unless more is said."""
    return {
        "outcome": outcome.value,
        "reasons": [
            {
                "id": str(reason.id),
                "detail": reason.detail,
                "sentence": explain(reason),
                "remedy": explanation_of(reason).remedy,
            }
            for reason in reasons
        ],
        "ticket": None,
        "ticket_helpdesk": None,
        "follows": None,
        "contact_id": None,
        "employee_id": None,
        "is_known": False,
        "needs_review": False,
        "notifications": [],
    }
