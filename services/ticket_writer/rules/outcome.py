"""Which outcome a mail gets (SPEC W2, W3, D1, D6–D8, D13, D17, D19). The first question with a yes decides.

1. Did a person mark it read or block its sender or list, or is it unusable: without any sender, or
   from the mailbox's own address without a number?                                                  quarantine
2. Did this mailbox, or the ticket it leads to, take this content before, and did nobody force it?    duplicate
3. Does it lead to a ticket: by a mail of ours that bounced or came back, a number, or its thread,
   and is that ticket not closed longer than its helpdesk wants to go back?                           supplement
4. None of these.                                                                                     ticket

A delivery failure of a mail of ours belongs to that mail's ticket even when it names no sender: that is what a bounce
often looks like, and nothing may be lost of it (D6).

The pipeline decides by it on locked rows, `explain` on what a person tells it (`explain.command`).
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Final

from services.ticket_writer.rules.facts import Claim, Facts, TicketFacts
from shared.messages import (
    AutomaticKind,
    ClassifiedMail,
    ImportChoice,
    NumberIntroduction,
    Reason,
    ReasonId,
    TicketCandidate,
)

_VERDICTS_OF_THE_CLASSIFIER: Final = frozenset({ReasonId.SENDER_BLOCKED, ReasonId.LIST_BLOCKED})
"""Reasons with which a mail arrives here already set aside."""
_OF_OURS: Final = frozenset({AutomaticKind.BOUNCE, AutomaticKind.OWN})


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Set aside with a reason; the raw mail is kept and can be replayed."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Known already, as `of`; its ticket is `ticket_id`."""

    of: uuid.UUID
    ticket_id: int
    reason: Reason


@dataclass(frozen=True, slots=True)
class Supplement:
    """A supplement to `ticket`; `reasons` say how it was found."""

    ticket: TicketFacts
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class NewTicket:
    """A new ticket; `reasons` say why. `follows`: the number of the ticket that was closed too long for this mail."""

    reasons: tuple[Reason, ...]
    follows: str | None = None


Decision = Quarantined | Duplicate | Supplement | NewTicket


def decide_outcome(mail: ClassifiedMail, facts: Facts) -> Decision:
    """The outcome of a mail on these facts."""
    if (reason := _unusable(mail, facts.ticket)) is not None:
        return Quarantined(reason)
    if not mail.forced and (duplicate := _known(mail, facts)) is not None:
        return duplicate
    if facts.ticket is not None and facts.ticket.closed_too_long:
        number = facts.ticket.number
        return NewTicket((Reason(id=ReasonId.TICKET_CLOSED_TOO_LONG, detail=number), *_gone(facts)), follows=number)
    if facts.ticket is not None:
        return Supplement(facts.ticket, (*_how_found(mail, facts.ticket), *_gone(facts)))
    return NewTicket(_gone(facts) or _no_number(mail))


def own_message_of(mail: ClassifiedMail) -> str | None:
    """The Message-ID of the mail of ours that this one reports on, or is: its ticket goes before any number (D6)."""
    return mail.own_message_id if mail.automatic in _OF_OURS else None


def _unusable(mail: ClassifiedMail, ticket: TicketFacts | None) -> Reason | None:
    if mail.choice is ImportChoice.MARK_READ:
        return Reason(id=ReasonId.MARKED_READ_BY_PERSON)
    for reason in mail.reasons:
        if reason.id in _VERDICTS_OF_THE_CLASSIFIER:
            return reason
    reports_on_ours = ticket is not None and ticket.named_number is None
    if mail.sender is None and not reports_on_ours:
        return Reason(id=ReasonId.NO_SENDER)
    if mail.from_own_address and ticket is None:
        return Reason(id=ReasonId.OWN_ADDRESS)
    return None


def _known(mail: ClassifiedMail, facts: Facts) -> Duplicate | None:
    same = [claim for claim in facts.claims if claim.same_text]
    for claim in same:
        if claim.helpdesk_id == mail.helpdesk_id:
            return _duplicate(claim, ReasonId.DUPLICATE_CONTENT)
    for claim in same:
        if facts.ticket is not None and claim.ticket_id == facts.ticket.ticket_id:
            return _duplicate(claim, ReasonId.TICKET_HAS_CONTENT)
    return None


def _duplicate(claim: Claim, reason: ReasonId) -> Duplicate:
    return Duplicate(claim.mail_id, claim.ticket_id, Reason(id=reason, detail=claim.ticket_number))


def _how_found(mail: ClassifiedMail, ticket: TicketFacts) -> tuple[Reason, ...]:
    reasons = []
    if ticket.named_number is None:
        reasons.append(Reason(id=ReasonId.OWN_MESSAGE_BOUNCED, detail=ticket.number))
    else:
        named = next((each for each in mail.candidates if each.number == ticket.named_number), None)
        reasons.append(Reason(id=_way_of(named), detail=ticket.named_number))
    if ticket.merged:
        reasons.append(Reason(id=ReasonId.TICKET_MERGED, detail=ticket.number))
    if ticket.helpdesk_id != mail.helpdesk_id:
        reasons.append(Reason(id=ReasonId.OTHER_HELPDESK, detail=ticket.helpdesk_name))
    return tuple(reasons)


def _way_of(named: TicketCandidate | None) -> ReasonId:
    if named is not None and named.introduction is NumberIntroduction.THREAD:
        return ReasonId.TICKET_OF_THREAD
    return ReasonId.TICKET_ALIAS if named is not None and named.is_alias else ReasonId.TICKET_NUMBER


def _no_number(mail: ClassifiedMail) -> tuple[Reason, ...]:
    """The classifier says it when something like a number is not known as one; else there is none."""
    unknown = any(reason.id is ReasonId.UNKNOWN_NUMBER for reason in mail.reasons)
    return () if unknown else (Reason(id=ReasonId.NO_TICKET_NUMBER),)


def _gone(facts: Facts) -> tuple[Reason, ...]:
    return tuple(Reason(id=ReasonId.TICKET_GONE, detail=number) for number in facts.gone_numbers)
