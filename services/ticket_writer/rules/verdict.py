"""How sure it is that a supplement belongs where it was put, shown on it and kept for review (SPEC D10, D20).

A number in a subject is no proof of who writes. So each supplement carries a verdict of three parts: how the ticket
was found, how the sender relates to it, and what a trusted DMARC check says of the sender.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from services.ticket_writer.rules.author import Author
from services.ticket_writer.rules.facts import TicketFacts
from shared.messages import ClassifiedMail, DmarcResult, NumberIntroduction


class FoundBy(StrEnum):
    """How the ticket was found, the surest first."""

    OWN_MESSAGE = "own-message"
    INTRODUCED_NUMBER = "introduced-number"
    THREAD = "thread"
    BARE_NUMBER = "bare-number"


class Relation(StrEnum):
    """How the sender relates to the ticket, the nearest first."""

    CONTACT = "contact"
    PARTICIPANT = "participant"
    ORGANISATION = "organisation"
    EMPLOYEE = "employee"
    OWN_MESSAGE = "own-message"
    """The mail reports on, or is, a mail of ours: its machine sender says nothing."""
    STRANGER = "stranger"


class Grade(StrEnum):
    """The verdict in one word, for a colour on the screen."""

    STRONG = "strong"
    FAIR = "fair"
    WEAK = "weak"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The graded verdict on a supplement (`supplements.verdict`)."""

    found_by: FoundBy
    number: str | None
    relation: Relation
    dmarc: DmarcResult

    @property
    def grade(self) -> Grade:
        """Weak: a stranger or a forged sender. Fair: a bare number, or a thread (D8). Else strong."""
        if self.relation is Relation.STRANGER or self.dmarc is DmarcResult.FAIL:
            return Grade.WEAK
        return Grade.FAIR if self.found_by in {FoundBy.THREAD, FoundBy.BARE_NUMBER} else Grade.STRONG

    def as_json(self) -> dict[str, str | None]:
        """The verdict as it is stored."""
        return {
            "grade": self.grade.value,
            "found_by": self.found_by.value,
            "number": self.number,
            "relation": self.relation.value,
            "dmarc": self.dmarc.value,
            "sentence": self.sentence,
        }

    @property
    def sentence(self) -> str:
        """The verdict for people: `Zwak: ticketnummer in het onderwerp; afzender hoort niet bij het ticket; …`."""
        return f"{_GRADE[self.grade]}: {_FOUND_BY[self.found_by]}; {_RELATION[self.relation]}; {_DMARC[self.dmarc]}."


_GRADE: Final = {Grade.STRONG: "Sterk", Grade.FAIR: "Redelijk", Grade.WEAK: "Zwak"}
_FOUND_BY: Final = {
    FoundBy.OWN_MESSAGE: "gaat over een mail van ons",
    FoundBy.INTRODUCED_NUMBER: "ticketnummer in het onderwerp",
    FoundBy.THREAD: "antwoord op een eerdere mail van het ticket",
    FoundBy.BARE_NUMBER: "los nummer in het onderwerp",
}
_RELATION: Final = {
    Relation.CONTACT: "afzender is de aanmelder",
    Relation.PARTICIPANT: "afzender is al bij het ticket betrokken",
    Relation.ORGANISATION: "afzender is van de organisatie",
    Relation.EMPLOYEE: "afzender is een werknemer",
    Relation.OWN_MESSAGE: "afzender is een mailserver",
    Relation.STRANGER: "afzender hoort niet bij het ticket",
}
_DMARC: Final = {
    DmarcResult.PASS: "afzender gecontroleerd (DMARC)",
    DmarcResult.FAIL: "afzender vervalst volgens DMARC",
    DmarcResult.NONE: "afzender niet gecontroleerd",
}
_INTRODUCED_AS: Final = {
    NumberIntroduction.INTRODUCED: FoundBy.INTRODUCED_NUMBER,
    NumberIntroduction.THREAD: FoundBy.THREAD,
    NumberIntroduction.BARE: FoundBy.BARE_NUMBER,
}


def judge(mail: ClassifiedMail, ticket: TicketFacts, author: Author) -> Verdict:
    """The verdict on a mail that becomes a supplement to `ticket`."""
    return Verdict(_found_by(mail, ticket), ticket.named_number, _relation(ticket, author), mail.dmarc)


def verdict_on_ticket(mail: ClassifiedMail, author: Author) -> dict[str, str | None]:
    """What a new ticket says of its sender (`tickets.verdict`): who he is to us, and the DMARC check."""
    known = "contact" if author.contact is not None else "employee" if author.employee_id is not None else "unknown"
    return {"sender": known, "dmarc": mail.dmarc.value}


def _found_by(mail: ClassifiedMail, ticket: TicketFacts) -> FoundBy:
    if ticket.named_number is None:
        return FoundBy.OWN_MESSAGE
    for candidate in mail.candidates:
        if candidate.number == ticket.named_number:
            return _INTRODUCED_AS[candidate.introduction]
    return FoundBy.BARE_NUMBER


def _relation(ticket: TicketFacts, author: Author) -> Relation:
    if author.contact is not None:
        if author.contact.person_id == ticket.contact_id:
            return Relation.CONTACT
        if author.contact.person_id in ticket.participants:
            return Relation.PARTICIPANT
    if ticket.sender_took_part:
        return Relation.PARTICIPANT
    organisation_id = author.organisation_id if author.contact is None else author.contact.organisation_id
    if organisation_id == ticket.organisation_id:
        return Relation.ORGANISATION
    if author.employee_id is not None:
        return Relation.EMPLOYEE
    return Relation.OWN_MESSAGE if ticket.named_number is None else Relation.STRANGER
