"""What a ticket and a supplement take from a mail in the same way: sender, body, images, remarks, reasons."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Final

from services.ticket_writer.rules.author import Author
from services.ticket_writer.rules.facts import Claim, Facts
from services.ticket_writer.rules.recipients import is_old
from services.ticket_writer.rules.record import BodyColumns, SenderColumns
from shared.messages import Body, ClassifiedMail, Image, Reason, ReasonId
from shared.portal.history import Entry, also_in_other_helpdesk, attachments_left_out, note
from shared.portal.reasons import explain, explanation

_UNKNOWN_TO_PEOPLE: Final = "onbekende afzender"
_SAID_IN_HISTORY: Final = frozenset(
    {ReasonId.TOO_LARGE, ReasonId.UNREADABLE, ReasonId.OUR_ERROR, ReasonId.FORWARDED_BY_EMPLOYEE}
)
"""Where not the whole mail was read (D17), or the sender is another than who mailed, the ticket says so."""


def sender_columns(mail: ClassifiedMail, author: Author) -> SenderColumns:
    """The sender as the mail names him, and who he is (D10). A bounce of ours may name nobody."""
    return SenderColumns(
        sender_name="" if mail.sender is None else mail.sender.mailbox.name,
        sender_address="" if mail.sender is None else mail.sender.mailbox.address,
        sender_to=mail.to,
        sender_cc=mail.cc,
        sender_person_id=author.person_id,
        sender_employee_id=author.employee_id,
    )


def sender_for_people(mail: ClassifiedMail) -> str:
    """The sender in a sentence: `Jan Smit <jan@example.nl>`."""
    if mail.sender is None:
        return _UNKNOWN_TO_PEOPLE
    mailbox = mail.sender.mailbox
    return f"{mailbox.name} <{mailbox.address}>" if mailbox.name else mailbox.address


def body_columns(shown: Body, whole: Body) -> BodyColumns:
    """The body that is shown (N9, A6), and the whole of it behind."""
    return BodyColumns(body_html=shown.html, body_full_html=whole.html, body_full_text=whole.text)


def images_of(mail: ClassifiedMail, shown: Body) -> tuple[Image, ...]:
    """The images that this reading of the body shows or carries, in its order (W4, D16)."""
    by_id: dict[uuid.UUID, Image] = {image.id: image for image in mail.images}
    return tuple(by_id[each] for each in dict.fromkeys(shown.attachment_ids) if each in by_id)


def entries_about(mail: ClassifiedMail, facts: Facts, ticket_id: int | None) -> tuple[Entry, ...]:
    """What the history says of the mail: what was left out, what could not be read, and the other helpdesk (D13)."""
    entries = [note(explain(reason)) for reason in mail.reasons if reason.id in _SAID_IN_HISTORY]
    if (left_out := attachments_left_out(mail.left_out)) is not None:
        entries.insert(0, left_out)
    entries += [
        also_in_other_helpdesk(claim.ticket_number, claim.helpdesk_name)
        for claim in claims_of_other_helpdesks(mail, facts, ticket_id)
    ]
    return tuple(entries)


def claims_of_other_helpdesks(mail: ClassifiedMail, facts: Facts, ticket_id: int | None) -> tuple[Claim, ...]:
    """The tickets that this mail became through the mailboxes of other helpdesks, save `ticket_id` itself (D13)."""
    if mail.forced:
        return ()
    own = facts.mailbox.helpdesk_id
    return tuple(claim for claim in facts.claims if claim.helpdesk_id != own and claim.ticket_id != ticket_id)


def all_reasons(
    mail: ClassifiedMail, facts: Facts, *found: Iterable[Reason], marker: Reason | None = None
) -> tuple[Reason, ...]:
    """The explanation in the ledger («waarom»)."""
    return explanation(mail, *found, old=is_old(mail, facts), marker=marker)
