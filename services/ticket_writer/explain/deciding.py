"""What a mail becomes, by the rules of the pipeline, where the classifier's facts stand alone.

The mails of one call are taken in one after the other, so that the same content the second time is a duplicate. What
only a database would say is a stand-in that keeps out of the answer: S5, S6 and the statuses are there, no mail is old
(D18), and nobody is called a stranger to a ticket, since its participants are not known here (D20).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from services.ticket_writer.rules.columns import all_reasons
from services.ticket_writer.rules.facts import (
    Claim,
    Contact,
    Employee,
    Facts,
    MailboxFacts,
    MailPolicy,
    SenderFacts,
    TicketFacts,
)
from services.ticket_writer.rules.new_ticket import new_ticket
from services.ticket_writer.rules.outcome import Duplicate, NewTicket, Quarantined, Supplement, decide_outcome
from services.ticket_writer.rules.supplement import supplement
from shared.explaining import MailInFile
from shared.messages import Bodies, ClassifiedMail, Outcome, Reason
from shared.portal.calendars import Calendar
from shared.portal.status import Status, StatusCategory

_STAND_IN: Final = 0
"""The id of everything that only a database would know."""
_STATUS: Final = Status(_STAND_IN, "", StatusCategory.OPEN, visible_to_customer=True, expanded=False)
_OLD_AFTER_DAYS: Final = 7
_NEW_TICKET: Final = -1
"""The ticket that a mail of this call became: one that no number leads to."""


@dataclass(frozen=True, slots=True)
class Explained:
    """A mail with its outcome and every reason for it."""

    given: MailInFile
    outcome: Outcome
    reasons: tuple[Reason, ...]

    @property
    def bodies(self) -> Bodies:
        """What was said; the classifier's answer has it inside, however large."""
        return _bodies(self.given.mail)


class Decider:
    """Gives mails their outcome, in the order in which they come."""

    def __init__(self) -> None:
        self._claims: dict[str, list[tuple[str, Claim]]] = {}

    def explain(self, given: MailInFile) -> Explained:
        """The outcome of the next mail."""
        mail = given.mail
        facts = _facts(mail, self._claims_of(mail))
        decision = decide_outcome(mail, facts)
        match decision:
            case NewTicket():
                self._claim(given, _NEW_TICKET)
                return Explained(given, Outcome.TICKET, new_ticket(mail, _bodies(mail), facts, decision).reasons)
            case Supplement():
                self._claim(given, decision.ticket.ticket_id)
                return Explained(given, Outcome.SUPPLEMENT, supplement(mail, _bodies(mail), facts, decision).reasons)
            case Duplicate():
                return Explained(given, Outcome.DUPLICATE, all_reasons(mail, facts, [decision.reason]))
            case Quarantined():
                return Explained(given, Outcome.QUARANTINE, all_reasons(mail, facts, [decision.reason]))

    def _claims_of(self, mail: ClassifiedMail) -> tuple[Claim, ...]:
        known = self._claims.get(mail.content_key.key, ())
        return tuple(claim for digest, claim in known if digest == mail.content_key.text_digest)

    def _claim(self, given: MailInFile, ticket_id: int) -> None:
        mail = given.mail
        claim = Claim(mail.mail_id, mail.helpdesk_id, "", ticket_id, given.file, same_text=True)
        self._claims.setdefault(mail.content_key.key, []).append((mail.content_key.text_digest, claim))


def _facts(mail: ClassifiedMail, claims: tuple[Claim, ...]) -> Facts:
    return Facts(
        mailbox=MailboxFacts(
            helpdesk_id=mail.helpdesk_id,
            name="",
            decided_at=mail.received_at,
            default_contact=Contact(_STAND_IN, _STAND_IN),
            default_employee_id=_STAND_IN,
            imported_status_id=_STATUS.id,
            recalculate_deadline=False,
            mails=MailPolicy(),
            old_mail_days=_OLD_AFTER_DAYS,
        ),
        sender=_sender(mail),
        ticket=_ticket(mail),
        claims=claims,
    )


def _sender(mail: ClassifiedMail) -> SenderFacts:
    if mail.sender is None:
        return SenderFacts()
    contacts = tuple(Contact(each.person_id, each.organisation_id, each.active) for each in mail.sender.persons)
    employee = mail.sender.employee
    return SenderFacts(
        contacts=contacts,
        employee=None if employee is None else Employee(employee.employee_id, "", employee.active),
        organisation_id=mail.sender.organisation_id,
    )


def _ticket(mail: ClassifiedMail) -> TicketFacts | None:
    if not mail.candidates:
        return None
    first = mail.candidates[0]
    return TicketFacts(
        ticket_id=first.ticket_id,
        number=first.number,
        helpdesk_id=mail.helpdesk_id,
        helpdesk_name="",
        contact_id=_STAND_IN,
        organisation_id=_STAND_IN,
        status=_STATUS,
        portal_status=None,
        calendar=Calendar(time_zone="UTC"),
        mails=MailPolicy(),
        recalculate_deadline=False,
        named_number=first.number,
        sender_took_part=True,
    )


def _bodies(mail: ClassifiedMail) -> Bodies:
    if not isinstance(mail.bodies, Bodies):
        raise TypeError("the facts of a mail in a file have its bodies inside")
    return mail.bodies
