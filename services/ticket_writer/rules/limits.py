"""Whom the limits on mails out (D10, `shared.portal.mail_limits`) count as unknown, and what a batch adds to them."""

from __future__ import annotations

from dataclasses import replace

from services.ticket_writer.rules.facts import Facts
from shared.messages import ClassifiedMail
from shared.portal.counted_addresses import counted_domain


def is_unknown(mail: ClassifiedMail) -> bool:
    """Whether the mail has a sender who is neither a contact nor an employee."""
    return mail.sender is not None and not mail.sender.persons and mail.sender.employee is None


def limited_domain(mail: ClassifiedMail) -> str | None:
    """The domain of an unknown sender to which mails are counted together; None where they are not."""
    return counted_domain(mail.sender.mailbox.address) if mail.sender is not None and is_unknown(mail) else None


def with_more_to_unknown(facts: Facts, mails: int) -> Facts:
    """The facts once so many mails more were planned to unknown senders of the helpdesk."""
    sent = facts.sender.sent
    if not mails or sent.to_unknown is None:
        return facts
    return replace(facts, sender=replace(facts.sender, sent=replace(sent, to_unknown=sent.to_unknown + mails)))
