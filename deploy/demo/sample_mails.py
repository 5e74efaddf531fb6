"""The sample mails and what must become of each: a row a file of `mails/`, whose folder names the mailbox.

The files are mails as they lie on a mail server's disk, bytes untouched, with three kinds of blanks:

    {{date}}                   now, as a mail's Date
    {{ticket-of FILE}}         the number of the ticket that another mail of this mailbox became
    {{confirmation-of FILE}}   the Message-ID of the confirmation (M4) that its sender got

A mail is delivered once the blanks can be filled, and after the mail that it `follows`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Final

from shared.messages import Outcome, ReasonId

MAILS: Final = Path(__file__).parent / "mails"
HELPDESKS: Final = {"ict": "ICT-servicedesk", "facilitair": "Facilitair"}
"""Each folder of mails, and the helpdesk whose mailbox it is."""

_BLANK: Final = re.compile(rb"\{\{([a-z-]+)(?: ([^}]+))?\}\}")


@dataclass(frozen=True, slots=True)
class SampleMail:
    """A mail, and what the demonstration expects of it."""

    file: str
    shows: str
    outcome: Outcome
    reasons: tuple[ReasonId, ...] = ()
    """Reasons that must be among those given."""
    follows: str | None = None
    """For a supplement or duplicate, whose it must be: a ticket's number, or the file whose ticket it is."""

    @property
    def mailbox(self) -> str:
        """The folder of its mailbox."""
        return self.file.partition("/")[0]

    @property
    def helpdesk(self) -> str:
        """The helpdesk whose mailbox gets it."""
        return HELPDESKS[self.mailbox]

    def waits_for(self) -> frozenset[str]:
        """The files whose outcome must be known before this one can be delivered."""
        named = {f"{self.mailbox}/{file.decode()}" for _, file in _BLANK.findall(self._draft()) if file}
        return frozenset(named | ({self.follows} if self.follows and "/" in self.follows else set()))

    def needs_confirmation_of(self) -> frozenset[str]:
        """The files whose senders must have got their confirmation before this one can be delivered."""
        blanks = _BLANK.findall(self._draft())
        return frozenset(f"{self.mailbox}/{file.decode()}" for kind, file in blanks if kind == b"confirmation-of")

    def content(self, now: datetime, fill: Callable[[str, str], str]) -> bytes:
        """The mail with its blanks filled; `fill` gets `ticket-of` or `confirmation-of`, and the file."""

        def value(blank: re.Match[bytes]) -> bytes:
            kind, file = blank[1].decode(), (blank[2] or b"").decode()
            return (format_datetime(now) if kind == "date" else fill(kind, f"{self.mailbox}/{file}")).encode()

        return _BLANK.sub(value, self._draft())

    def _draft(self) -> bytes:
        return (MAILS / self.file).read_bytes()


def _ticket(file: str, shows: str, *reasons: ReasonId) -> SampleMail:
    return SampleMail(file, shows, Outcome.TICKET, reasons)


def _supplement(file: str, to: str, shows: str, *reasons: ReasonId) -> SampleMail:
    return SampleMail(file, shows, Outcome.SUPPLEMENT, reasons, to)


SAMPLE_MAILS: Final = (
    _ticket("ict/01-nieuw.eml", "a known contact, plain text", ReasonId.NO_TICKET_NUMBER, ReasonId.CONTACT_KNOWN),
    _ticket("ict/02-schermafdruk-in-de-tekst.eml", "Outlook, an inline PNG", ReasonId.CONTACT_KNOWN),
    _ticket("ict/03-foto-en-documenten.eml", "a photo is kept, PDF and Word are not", ReasonId.ATTACHMENTS_LEFT_OUT),
    _ticket("ict/04-onbekende-afzender.eml", "the default contact stands in", ReasonId.UNKNOWN_SENDER),
    _ticket("ict/05-alleen-html.eml", "html only, with script and tracker", ReasonId.CONTACT_KNOWN),
    _ticket("ict/06-geen-onderwerp.eml", "no subject at all", ReasonId.NO_SUBJECT),
    _ticket("ict/07-iso-8859-1.eml", "eight-bit Latin-1", ReasonId.CONTACT_KNOWN),
    _ticket("ict/08-windows-1252.eml", "euro signs and dashes of Windows", ReasonId.UNKNOWN_SENDER),
    _ticket("ict/09-iso-2022-jp.eml", "Japanese in seven bits", ReasonId.UNKNOWN_SENDER),
    _ticket("ict/10-utf-8-in-de-kop.eml", "raw UTF-8 in header and body, no MIME", ReasonId.CONTACT_KNOWN),
    SampleMail(
        "ict/11-dezelfde-mail-nog-eens.eml",
        "the first mail again, by another route and in another encoding",
        Outcome.DUPLICATE,
        (ReasonId.DUPLICATE_CONTENT,),
        "ict/01-nieuw.eml",
    ),
    _ticket("ict/12-medewerker.eml", "an employee writes", ReasonId.EMPLOYEE),
    _supplement("ict/13-antwoord-outlook.eml", "1000001", "above the marker, Outlook", ReasonId.ABOVE_MARKER),
    _supplement("ict/14-antwoord-gmail.eml", "1000002", "above the marker, Gmail; reopens", ReasonId.ABOVE_MARKER),
    _supplement("ict/15-antwoord-iphone-met-foto.eml", "1000001", "above the marker, iPhone", ReasonId.ABOVE_MARKER),
    _supplement("ict/16-antwoord-thunderbird.eml", "1000002", "above the marker, Thunderbird", ReasonId.ABOVE_MARKER),
    _supplement("ict/17-antwoord-onder-de-regel.eml", "1000001", "written below it", ReasonId.NOTHING_ABOVE_MARKER),
    _supplement("ict/18-vreemde-op-een-ticket.eml", "1000001", "not of the ticket: to be reviewed", ReasonId.STRANGER),
    _supplement("ict/19-oud-ticketnummer.eml", "1000002", "the number of an older system", ReasonId.TICKET_ALIAS),
    _ticket("ict/20-nummer-dat-geen-ticket-is.eml", "a number, but no ticket's", ReasonId.UNKNOWN_NUMBER),
    _supplement("ict/21-automatisch-antwoord.eml", "1000001", "out of office: nothing is sent", ReasonId.AUTOMATIC),
    _ticket("ict/22-onbestelbaar.eml", "a delivery failure of somebody else's mail", ReasonId.AUTOMATIC),
    _supplement(
        "ict/23-onze-mail-onbestelbaar.eml",
        "ict/04-onbekende-afzender.eml",
        "our confirmation came back: to its ticket, without a number in the subject",
        ReasonId.OWN_MESSAGE_BOUNCED,
    ),
    _ticket("ict/24-nieuwsbrief.eml", "a mailing list", ReasonId.AUTOMATIC),
    SampleMail("ict/25-zonder-afzender.eml", "nobody sent it", Outcome.QUARANTINE, (ReasonId.NO_SENDER,)),
    _supplement(
        "ict/26-antwoord-op-de-bevestiging.eml",
        "ict/02-schermafdruk-in-de-tekst.eml",
        "an answer to the mail that we sent",
        ReasonId.TICKET_NUMBER,
    ),
    _ticket("ict/27-kapotte-mime.eml", "broken everywhere, yet a ticket", ReasonId.UNKNOWN_SENDER),
    _ticket("ict/28-niet-wat-het-zegt.eml", "a program that says it is a PNG", ReasonId.ATTACHMENTS_LEFT_OUT),
    _ticket("ict/29-aan-beide-helpdesks.eml", "to both helpdesks: a ticket in each", ReasonId.CONTACT_KNOWN),
    _ticket("facilitair/30-aan-beide-helpdesks.eml", "its copy in the other mailbox", ReasonId.CONTACT_KNOWN),
    _ticket("facilitair/31-nieuw.eml", "no default priority, type or executor here", ReasonId.CONTACT_KNOWN),
    _supplement(
        "facilitair/32-antwoord-outlook-web-met-webp.eml",
        "1000003",
        "another marker; a WebP above it, a logo below it",
        ReasonId.ABOVE_MARKER,
    ),
    _supplement(
        "facilitair/33-ticket-van-de-andere-helpdesk.eml",
        "1000001",
        "the other helpdesk's ticket, and its marker",
        ReasonId.OTHER_HELPDESK,
        ReasonId.ABOVE_MARKER,
    ),
    _ticket("facilitair/34-webformulier.eml", "from ourselves for somebody else", ReasonId.REPLY_TO_IS_SENDER),
    SampleMail("facilitair/35-van-onszelf.eml", "from ourselves", Outcome.QUARANTINE, (ReasonId.OWN_ADDRESS,)),
    _ticket("facilitair/36-iso-8859-2.eml", "Polish, Latin-2", ReasonId.UNKNOWN_SENDER),
)
