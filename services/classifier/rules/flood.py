"""Which budget a mail is counted against: so many mails an hour of one sender, the rest waits its turn (SPEC D18).

Anybody can write anybody's address. So what a trusted check vouches for has a budget of its own, which no forger uses
up; and so has what answers a ticket, each ticket its own: a forger does not know its number. Whoever a rule names is
let through or set aside as it says, and not counted, nor is what a person wants imported.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from services.classifier.rules.facts import Asked, Known
from shared.messages import DmarcResult, RawMail
from shared.portal.counted_addresses import counted_address


@dataclass(frozen=True, slots=True)
class Budget:
    """Whose number of mails an hour a mail is part of: `sender` is a SHA-256 in hexadecimal, `address` for people."""

    helpdesk_id: int
    sender: str
    address: str


def budget_of(mail: RawMail, asked: Asked, known: Known, dmarc: DmarcResult) -> Budget | None:
    """The mail's budget; None where it is not counted."""
    sender = asked.sender.mailbox
    if sender is None or mail.forced or mail.choice is not None or mail.replay or known.sender_rules:
        return None
    vouched = "vouched" if dmarc is DmarcResult.PASS else "anybody"
    parts = (counted_address(sender.address), vouched, str(min(_tickets(known), default="")))
    return Budget(mail.helpdesk_id, sha256("\0".join(parts).encode()).hexdigest(), sender.address)


def _tickets(known: Known) -> Iterable[int]:
    for by_name in (known.tickets, known.own_messages, known.threads):
        yield from (ticket.ticket_id for ticket in by_name.values())
