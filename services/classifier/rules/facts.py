"""From what was read and what the database knows to the message: facts, in one place (DESIGN 7).

    read ──▶ ask() ──▶ the repository looks it up ──▶ classify() ──▶ ClassifiedMail

No ticket is decided here. What the ledger says of the decision is ticket_writer's; the reasons that start here are of
the reading: marker, left out, unreadable, an unknown number, the Reply-To of a web form, a rule about the sender.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from services.classifier.reading.conclusions import UNREADABLE, WEAKEST_SIGN
from services.classifier.reading.mime.address import is_usable, same_address
from services.classifier.reading.values import AboveMarker, ReadMail
from services.classifier.rules.people import AskedAddress, People, ask_about
from services.classifier.rules.sender import FoundSender, ReplyTo, find_sender
from services.classifier.rules.sender_rule import (
    Handle,
    RuleVerdict,
    SenderRule,
    deciding_rule,
    handles,
    ruling,
)
from services.classifier.rules.ticket_number import NumberToken, find_numbers
from shared.messages import (
    AutomaticKind,
    Bodies,
    Body,
    ClassifiedMail,
    Crypto,
    DmarcResult,
    MailAddress,
    NumberIntroduction,
    RawMail,
    Reason,
    ReasonId,
    Sender,
    TicketCandidate,
)

_MOST_NAMED: Final = 5


@dataclass(frozen=True, slots=True)
class Mailbox:
    """What the classifier must know of the mailbox's helpdesk: its own address (D19) and its marker (S7).

    `follow_threads`: an answer without a number is found by the mails that it answers (D8). `reply_to_is_sender`: also
    where the mail is no web form. `forwarded_sender`: a mail that an employee forwards is its first sender's.
    `organisation_by_domain`: an unknown sender is of the organisation that uses his domain.
    """

    helpdesk_id: int
    own_address: str | None = None
    marker: str = ""
    follow_threads: bool = False
    reply_to_is_sender: bool = False
    forwarded_sender: bool = False
    organisation_by_domain: bool = False
    mails_per_sender_per_hour: int | None = None
    """None: as many as come."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the database is asked about one mail."""

    sender: FoundSender
    numbers: tuple[NumberToken, ...]
    message_ids: tuple[str, ...]
    """Message-IDs that may be of a mail of ours: the mail's own first, then those that a report returns."""
    thread: tuple[str, ...] = ()
    """Message-IDs of the mails that this one answers, the nearest first (D8)."""
    follows_thread: bool = False
    """Whether they lead to a ticket; else it is only counted that they would have."""
    address: AskedAddress | None = None
    """The sender's address."""
    original: MailAddress | None = None
    """Who first sent the mail, if an employee forwarded it."""
    original_address: AskedAddress | None = None
    handles: tuple[Handle, ...] = ()
    """The names by which a sender's rule may know the mail, the narrowest first."""


@dataclass(frozen=True, slots=True)
class KnownTicket:
    """A ticket that a number or a mail of ours leads to; `merged`: by way of a ticket that was merged into it."""

    number: str
    ticket_id: int
    helpdesk_id: int
    marker: str = ""
    is_alias: bool = False
    merged: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """The database's answers: who the sender is, tickets by number, tickets by a Message-ID of ours.

    `threads` are tickets by a Message-ID of their conversation, ours or a customer's. `original`: who the first sender
    of a forwarded mail is.
    """

    sender: People = field(default_factory=People)
    original: People = field(default_factory=People)
    tickets: Mapping[str, KnownTicket] = field(default_factory=dict)
    own_messages: Mapping[str, KnownTicket] = field(default_factory=dict)
    threads: Mapping[str, KnownTicket] = field(default_factory=dict)
    sender_rules: tuple[SenderRule, ...] = ()
    """The rules that know the mail by one of its handles, in any order."""


def ask(read: ReadMail, mailbox: Mailbox, number_pattern: str) -> Asked:
    """What to look up for a mail. `number_pattern` is the installation's (SPEC D1)."""
    own = (read.message_id,) if read.message_id else ()
    sender = find_sender(
        from_=read.from_,
        sender=read.sender,
        reply_to=read.reply_to,
        return_path=read.return_path,
        own_address=mailbox.own_address,
        is_automatic=read.automatic is not None,
        reply_to_is_sender=mailbox.reply_to_is_sender,
    )
    original = _original(read, mailbox, sender)
    return Asked(
        sender=sender,
        numbers=find_numbers(read.subject, number_pattern),
        message_ids=tuple(dict.fromkeys(own + read.returned_message_ids)),
        thread=_thread(read),
        follows_thread=mailbox.follow_threads,
        address=_asked_about(sender.mailbox, mailbox),
        original=original,
        original_address=_asked_about(original, mailbox),
        handles=handles(sender.instead_of or sender.mailbox, read.list_id),
    )


def _asked_about(sender: MailAddress | None, mailbox: Mailbox) -> AskedAddress | None:
    if sender is None:
        return None
    return ask_about(sender.address, organisation_by_domain=mailbox.organisation_by_domain)


def _original(read: ReadMail, mailbox: Mailbox, sender: FoundSender) -> MailAddress | None:
    """Who may have sent a forwarded mail first: somebody else than who forwarded it, and not the mailbox itself.

    Not where a trusted check says that the forwarding mail is forged: then nobody knows that an employee did it. Nor
    where the text names more senders than one.
    """
    forwarded = read.forwarded
    if (
        forwarded is None
        or not mailbox.forwarded_sender
        or read.automatic is not None
        or read.dmarc is DmarcResult.FAIL
    ):
        return None
    if not forwarded.alone:
        return None
    known = [] if sender.mailbox is None else [sender.mailbox.address]
    if not is_usable(forwarded.address) or any(
        same_address(forwarded.address, each) for each in (*known, mailbox.own_address or "")
    ):
        return None
    return MailAddress(name=forwarded.name, address=forwarded.address)


def _thread(read: ReadMail) -> tuple[str, ...]:
    """What the mail answers, the nearest first: In-Reply-To, then References from its end (RFC 5322 §3.6.4)."""
    return tuple(dict.fromkeys((*read.in_reply_to, *reversed(read.references))))


def classify(
    mail: RawMail,
    read: ReadMail,
    mailbox: Mailbox,
    asked: Asked,
    known: Known,
    *,
    bodies: Bodies,
    more_reasons: Sequence[Reason] = (),
) -> ClassifiedMail:
    """The message; images are stored and large bodies checked in afterwards."""
    automatic, own_message_id = _automatic(read, asked, known)
    sender = asked.sender
    first, forwarded_by = _senders(asked, known)
    return ClassifiedMail(
        mail_id=mail.mail_id,
        shadow=mail.shadow,
        helpdesk_id=mail.helpdesk_id,
        received_at=mail.received_at,
        raw=mail.raw,
        forced=mail.forced,
        choice=mail.choice,
        replay=mail.replay,
        message_id=read.message_id,
        in_reply_to=read.in_reply_to,
        references=read.references,
        subject=read.subject,
        sent_at=read.sent_at,
        sender=first,
        forwarded_by=forwarded_by,
        to=read.to,
        cc=read.cc,
        return_path_empty=read.return_path_empty,
        from_own_address=sender.from_own_address and own_message_id is None,
        dmarc=_dmarc(read, sender, forwarded_by),
        crypto=read.crypto,
        candidates=_candidates(asked, known, own_message_id),
        bodies=bodies,
        left_out=read.left_out,
        automatic=automatic,
        bounced=read.bounced,
        own_message_id=own_message_id,
        content_key=read.content_key,
        reasons=(*more_reasons, *_reasons(mail, read, mailbox, asked, known)),
    )


def _senders(asked: Asked, known: Known) -> tuple[Sender | None, Sender | None]:
    """Who sent the mail, and the employee who forwarded it where somebody else sent it first.

    Only an active employee speaks for another; an address that is a contact's too is the contact's (D12).
    """
    if asked.sender.mailbox is None:
        return None, None
    sender = _sender(asked.sender.mailbox, known.sender)
    forwards = sender.employee is not None and sender.employee.active and not sender.persons
    if asked.original is None or not forwards:
        return sender, None
    return _sender(asked.original, known.original), sender


def _sender(mailbox: MailAddress, people: People) -> Sender:
    return Sender(
        mailbox=mailbox,
        persons=people.persons,
        employee=people.employee,
        organisation_id=people.organisation_id,
    )


def _dmarc(read: ReadMail, sender: FoundSender, forwarded_by: Sender | None) -> DmarcResult:
    """DMARC speaks of the domain in From (RFC 7489 §3.1): a pass says nothing of a sender who was found elsewhere."""
    elsewhere = sender.by_reply_to is not None or forwarded_by is not None or sender.mailbox not in read.from_
    if read.dmarc is DmarcResult.PASS and elsewhere:
        return DmarcResult.NONE
    return read.dmarc


def choose_bodies(read: ReadMail, mailbox: Mailbox, asked: Asked, known: Known) -> Bodies:
    """The readings of what was said: whole, above the marker that counts, and trimmed.

    A mail that is encrypted and shows no text at all says so itself, to whoever looks at the ticket.
    """
    if read.crypto is Crypto.ENCRYPTED and not read.whole.text.strip() and not read.whole.html.strip():
        said = Body(html=f"<p>{UNREADABLE}</p>", text=UNREADABLE, attachment_ids=read.whole.attachment_ids)
        return Bodies(whole=said)
    above = _above(read, mailbox, asked, known)
    if above is None or above.body is None:
        return Bodies(whole=read.whole, trimmed=read.reply)
    return Bodies(whole=read.whole, above_marker=above.body, trimmed=above.trimmed)


def _automatic(read: ReadMail, asked: Asked, known: Known) -> tuple[AutomaticKind | None, str | None]:
    """The kind in DESIGN 16's order, `own` in its place, and the mail of ours that this one is or reports on (D6)."""
    kind = read.automatic.kind if read.automatic is not None else None
    if kind is AutomaticKind.BOUNCE:
        returned = (message_id for message_id in read.returned_message_ids if message_id in known.own_messages)
        return kind, next(returned, None)
    if read.message_id is not None and read.message_id in known.own_messages:
        return AutomaticKind.OWN, read.message_id
    is_a_persons = _filed_as_a_persons(read, asked, known) or _is_a_contacts(read, known)
    return None if is_a_persons else kind, None


def _is_a_contacts(read: ReadMail, known: Known) -> bool:
    """Whether the weakest sign of a list stands on the mail of somebody we know: sent by way of a CRM or a form."""
    return (
        read.automatic is not None
        and read.automatic.kind is AutomaticKind.LIST
        and read.automatic.sign == WEAKEST_SIGN
        and any(person.active for person in known.sender.persons)
        and read.dmarc is not DmarcResult.FAIL
    )


def _filed_as_a_persons(read: ReadMail, asked: Asked, known: Known) -> bool:
    """Whether a rule about the sender lets what looks automatic count as a person's; never where he may be forged."""
    deciding = deciding_rule(asked.handles, known.sender_rules)
    return (
        read.automatic is not None
        and read.automatic.kind in {AutomaticKind.LIST, AutomaticKind.AUTO_REPLY}
        and read.dmarc is not DmarcResult.FAIL
        and deciding is not None
        and deciding.verdict is RuleVerdict.ALLOW_AUTOMATIC
    )


def _candidates(asked: Asked, known: Known, own_message_id: str | None) -> tuple[TicketCandidate, ...]:
    """The ticket of our own mail before any number (D6), then the numbers that are known (D1), else the thread (D8)."""
    candidates = [
        _candidate(ticket, token.text, token.introduction)
        for token in asked.numbers
        if (ticket := known.tickets.get(token.text)) is not None
    ]
    if own_message_id is not None:
        ticket = known.own_messages[own_message_id]
        candidates = [candidate for candidate in candidates if candidate.number != ticket.number]
        candidates.insert(0, _candidate(ticket, ticket.number, NumberIntroduction.INTRODUCED))
    if not candidates and asked.follows_thread and (nearest := _ticket_of_thread(asked, known)) is not None:
        candidates.append(_candidate(nearest, nearest.number, NumberIntroduction.THREAD))
    return tuple(candidates)


def _ticket_of_thread(asked: Asked, known: Known) -> KnownTicket | None:
    """The ticket of the nearest mail that this one answers."""
    return next((known.threads[each] for each in asked.thread if each in known.threads), None)


def _candidate(ticket: KnownTicket, number: str, introduction: NumberIntroduction) -> TicketCandidate:
    return TicketCandidate(
        number=number,
        ticket_id=ticket.ticket_id,
        helpdesk_id=ticket.helpdesk_id,
        introduction=introduction,
        is_alias=ticket.is_alias,
    )


def _above(read: ReadMail, mailbox: Mailbox, asked: Asked, known: Known) -> AboveMarker | None:
    """The marker of the mailbox's helpdesk or of the ticket's counts; the topmost of them (D15)."""
    counting = {mailbox.marker}
    if candidates := _candidates(asked, known, _automatic(read, asked, known)[1]):
        tickets = (*known.tickets.values(), *known.own_messages.values(), *known.threads.values())
        counting |= {ticket.marker for ticket in tickets if ticket.ticket_id == candidates[0].ticket_id}
    return next((above for above in read.above if above.marker in counting), None)


_BY_REPLY_TO: Final = {
    ReplyTo.WEB_FORM: ReasonId.REPLY_TO_IS_SENDER,
    ReplyTo.SETTING: ReasonId.REPLY_TO_BY_SETTING,
}


def _reasons_of_sender(asked: Asked, known: Known) -> list[Reason]:
    """How the sender was found, where that needs a word."""
    reasons = []
    people = known.sender
    if asked.sender.by_reply_to is not None:
        reasons.append(Reason(id=_BY_REPLY_TO[asked.sender.by_reply_to]))
    if (forwarded_by := _senders(asked, known)[1]) is not None:
        people = known.original
        reasons.append(Reason(id=ReasonId.FORWARDED_BY_EMPLOYEE, detail=forwarded_by.mailbox.address))
    if people.by_tag:
        reasons.append(Reason(id=ReasonId.ADDRESS_WITHOUT_TAG))
    return reasons


def _reasons_of_ticket(read: ReadMail, asked: Asked, known: Known) -> Iterator[Reason]:
    """Why no ticket was found, where something in the mail looks as if there should be one."""
    if asked.numbers and not known.tickets:
        named = ", ".join(token.text for token in asked.numbers[:_MOST_NAMED])
        yield Reason(id=ReasonId.UNKNOWN_NUMBER, detail=named)
    if asked.follows_thread or _candidates(asked, known, _automatic(read, asked, known)[1]):
        return
    if (unfollowed := _ticket_of_thread(asked, known)) is not None:
        yield Reason(id=ReasonId.THREAD_NOT_FOLLOWED, detail=unfollowed.number)


def _reasons(mail: RawMail, read: ReadMail, mailbox: Mailbox, asked: Asked, known: Known) -> list[Reason]:
    reasons = []
    if (ruled := ruling(asked.handles, known.sender_rules)) is not None:
        reasons.append(ruled)
    filed_as_a_persons = _filed_as_a_persons(read, asked, known) and _automatic(read, asked, known)[0] is None
    if read.automatic is not None and filed_as_a_persons:
        reasons.append(Reason(id=ReasonId.AUTOMATIC_ALLOWED, detail=read.automatic.sign))
    reasons += _reasons_of_sender(asked, known)
    reasons += _reasons_of_ticket(read, asked, known)
    if (above := _above(read, mailbox, asked, known)) is not None:
        nothing = above.body is None
        reasons.append(Reason(id=ReasonId.NOTHING_ABOVE_MARKER if nothing else ReasonId.ABOVE_MARKER))
    if not read.subject:
        reasons.append(Reason(id=ReasonId.NO_SUBJECT))
    reasons += _reasons_of_parts(read)
    if not mail.complete:
        reasons.append(Reason(id=ReasonId.TOO_LARGE, detail=f"{mail.full_size} bytes"))
    if read.body_cut:
        reasons.append(Reason(id=ReasonId.TOO_LARGE, detail="het einde van de tekst ontbreekt"))
    if read.head_only:
        reasons.append(Reason(id=ReasonId.UNREADABLE))
    elif read.damaged and mail.complete:
        reasons.append(Reason(id=ReasonId.UNREADABLE, detail="de mail is afgebroken"))
    return reasons


def _reasons_of_parts(read: ReadMail) -> Iterator[Reason]:
    """What the mail carries beside its text, and what could not be read of it."""
    if read.crypto is Crypto.ENCRYPTED:
        yield Reason(id=ReasonId.ENCRYPTED)
    if read.text_of:
        yield Reason(id=ReasonId.TEXT_OF_ATTACHED_MESSAGE, detail=read.text_of)
    if read.our_errors:
        yield Reason(id=ReasonId.OUR_ERROR, detail=", ".join(dict.fromkeys(error.name for error in read.our_errors)))
    if read.left_out:
        named = ", ".join(part.name for part in read.left_out[:_MOST_NAMED])
        more = len(read.left_out) - _MOST_NAMED
        yield Reason(id=ReasonId.ATTACHMENTS_LEFT_OUT, detail=f"{named} en {more} meer" if more > 0 else named)
