"""What a mail becomes, by the rules of the pipeline itself, on what a person told instead of a database.

    read ──▶ ask ──▶ known (context) ──▶ classify ──▶ decide_outcome ──▶ Explained

The mails of one call are taken in one after the other, so that the same content the second time is a duplicate.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from services.classifier.explain.context import Context, Person
from services.classifier.reading.mime.address import spellings
from services.classifier.reading.values import ReadMail
from services.classifier.rules.facts import Asked, Known, KnownTicket, Mailbox, ask, choose_bodies, classify
from services.classifier.rules.people import AskedAddress, People
from shared.messages import (
    BlobReference,
    Bodies,
    ClassifiedMail,
    DmarcResult,
    EmployeeMatch,
    Outcome,
    PersonMatch,
    RawMail,
    Reason,
    ReasonId,
)
from shared.portal.outcome import Claim, Decision, Duplicate, NewTicket, Quarantined, Supplement, decide_outcome
from shared.portal.reasons import explanation

_HELPDESK: Final = 1
_ARRIVAL: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""No rule that is asked here looks at the arrival."""


@dataclass(frozen=True, slots=True)
class Given:
    """One mail to explain: its name as given, its bytes' SHA-256 (hexadecimal) and size, and what was read of it."""

    file: str
    sha256: str
    size: int
    read: ReadMail
    more_reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Explained:
    """A mail with its outcome and every reason for it."""

    given: Given
    outcome: Outcome
    reasons: tuple[Reason, ...]
    mail: ClassifiedMail
    bodies: Bodies
    candidates: tuple[str, ...]
    """The numbers in its subject, in the order in which they are tried (D1)."""


@dataclass(frozen=True, slots=True)
class _Ticket:
    ticket_id: int
    number: str
    named_number: str | None
    helpdesk_id: int = _HELPDESK
    helpdesk_name: str = ""
    merged: bool = False
    closed_too_long: bool = False


@dataclass(frozen=True, slots=True)
class _Surroundings:
    ticket: _Ticket | None
    claims: Sequence[Claim]
    gone_numbers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Taken:
    claim: Claim
    text_digest: str


def mail_id_of(sha256: str) -> uuid.UUID:
    """An id for a mail that lies in no mailbox: always the same for the same bytes."""
    return uuid.uuid5(uuid.NAMESPACE_OID, sha256)


class Explainer:
    """Gives mails their outcome, in the order in which they are given."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._mailbox = Mailbox(_HELPDESK, own_address=context.mailbox, marker=context.marker)
        self._tickets = {
            number: KnownTicket(number, ticket_id, _HELPDESK)
            for ticket_id, number in enumerate(dict.fromkeys(context.numbers), start=1)
        }
        self._taken: dict[str, list[_Taken]] = {}

    def explain(self, given: Given) -> Explained:
        """The outcome of the next mail."""
        read = given.read
        asked = ask(read, self._mailbox, self._context.number_pattern)
        known = self._known(asked)
        bodies = choose_bodies(read, self._mailbox, asked, known)
        mail = classify(
            self._raw(given), read, self._mailbox, asked, known, bodies=bodies, more_reasons=given.more_reasons
        )
        decision = decide_outcome(mail, _Surroundings(self._ticket(mail), self._claims(mail)))
        if isinstance(decision, NewTicket | Supplement):
            self._take(given.file, mail, decision)
        outcome, reasons = _told(mail, known, decision)
        return Explained(given, outcome, reasons, mail, bodies, tuple(token.text for token in asked.numbers))

    def _raw(self, given: Given) -> RawMail:
        return RawMail(
            mail_id=mail_id_of(given.sha256),
            helpdesk_id=_HELPDESK,
            received_at=_ARRIVAL,
            fetched_at=_ARRIVAL,
            raw=BlobReference(sha256=given.sha256, size=given.size),
            full_size=given.size,
        )

    def _known(self, asked: Asked) -> Known:
        return Known(
            sender=self._people(asked.address),
            tickets={token.text: self._tickets[token.text] for token in asked.numbers if token.text in self._tickets},
        )

    def _people(self, asked: AskedAddress | None) -> People:
        """Who of the context has the address: as it stands, else without its tag."""
        for by_tag, addresses in ((False, asked.exact), (True, asked.without_tag)) if asked is not None else ():
            persons = _numbers_of(self._context.contacts, addresses)
            employees = _numbers_of(self._context.employees, addresses)
            if persons or employees:
                return People(
                    persons=tuple(PersonMatch(person_id=each, organisation_id=each, active=True) for each in persons),
                    employee=EmployeeMatch(employee_id=employees[0], active=True) if employees else None,
                    by_tag=by_tag,
                )
        return People()

    def _ticket(self, mail: ClassifiedMail) -> _Ticket | None:
        first = next(iter(mail.candidates), None)
        return None if first is None else _Ticket(first.ticket_id, first.number, first.number)

    def _claims(self, mail: ClassifiedMail) -> list[Claim]:
        digest = mail.content_key.text_digest
        return [taken.claim for taken in self._taken.get(mail.content_key.key, ()) if taken.text_digest == digest]

    def _take(self, file: str, mail: ClassifiedMail, decision: NewTicket | Supplement[_Ticket]) -> None:
        ticket_id = decision.ticket.ticket_id if isinstance(decision, Supplement) else -1
        claim = Claim(mail.mail_id, _HELPDESK, "", ticket_id, file, same_text=True)
        self._taken.setdefault(mail.content_key.key, []).append(_Taken(claim, mail.content_key.text_digest))


def _numbers_of(people: Sequence[Person], addresses: Sequence[str]) -> list[int]:
    return [number for number, each in enumerate(people) if set(spellings(each.address)) & set(addresses)]


def _told(mail: ClassifiedMail, known: Known, decision: Decision[_Ticket]) -> tuple[Outcome, tuple[Reason, ...]]:
    match decision:
        case Quarantined():
            return Outcome.QUARANTINE, explanation(mail, [decision.reason])
        case Duplicate():
            return Outcome.DUPLICATE, explanation(mail, [decision.reason])
        case Supplement():
            return Outcome.SUPPLEMENT, explanation(mail, decision.reasons, _who(mail, known), marker=_marker(mail))
        case NewTicket():
            return Outcome.TICKET, explanation(mail, decision.reasons, _who(mail, known))


def _who(mail: ClassifiedMail, known: Known) -> list[Reason]:
    """Who the sender is to us, and whether a trusted check says that he is forged (D10, D12)."""
    persons, employee = known.sender.persons, known.sender.employee
    if persons:
        reasons = [Reason(id=ReasonId.CONTACT_KNOWN)]
        if len(persons) > 1:
            reasons.append(Reason(id=ReasonId.SEVERAL_CONTACTS, detail=str(len(persons))))
    else:
        reasons = [Reason(id=ReasonId.UNKNOWN_SENDER if employee is None else ReasonId.EMPLOYEE)]
    if mail.dmarc is DmarcResult.FAIL:
        reasons.append(Reason(id=ReasonId.FORGED_SENDER))
    return reasons


def _marker(mail: ClassifiedMail) -> Reason | None:
    of_marker = {ReasonId.ABOVE_MARKER, ReasonId.NOTHING_ABOVE_MARKER}
    return next((reason for reason in mail.reasons if reason.id in of_marker), None)
