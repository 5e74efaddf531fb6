"""The facts of a mail in a file, by the rules of the pipeline, on what a person says instead of a database.

read ──▶ ask ──▶ known (context) ──▶ classify ──▶ MailInFile
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from services.classifier.facts_of_files.context import Context, Person
from services.classifier.facts_of_files.reading import ReadFile, mail_in_file, raw_mail
from services.classifier.reading.mime.address import spellings
from services.classifier.rules.facts import Asked, Known, KnownTicket, Mailbox, ask, choose_bodies, classify
from services.classifier.rules.people import AskedAddress, People
from shared.explaining import MailInFile
from shared.messages import EmployeeMatch, PersonMatch

_HELPDESK: Final = 1
_ARRIVAL: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""No rule that is asked here looks at the arrival."""


class FactFinder:
    """Finds the facts of mails, on what the context says of people and tickets."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._mailbox = Mailbox(_HELPDESK, own_address=context.mailbox, marker=context.marker)
        self._tickets = {
            number: KnownTicket(number, ticket_id, _HELPDESK)
            for ticket_id, number in enumerate(dict.fromkeys(context.numbers), start=1)
        }

    def facts_of(self, file: ReadFile) -> MailInFile:
        """The facts of a mail that was read."""
        read = file.read
        asked = ask(read, self._mailbox, self._context.number_pattern)
        known = self._known(asked)
        bodies = choose_bodies(read, self._mailbox, asked, known)
        raw = raw_mail(file, _HELPDESK, _ARRIVAL)
        mail = classify(raw, read, self._mailbox, asked, known, bodies=bodies, more_reasons=file.more_reasons)
        return mail_in_file(file, mail, asked)

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


def _numbers_of(people: Sequence[Person], addresses: Sequence[str]) -> list[int]:
    return [number for number, person in enumerate(people) if set(spellings(person.address)) & set(addresses)]
