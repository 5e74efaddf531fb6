"""The readers of what strangers and hostile servers send, each by itself: targets with a budget of time and memory."""

import imaplib
import random
import re
import socket
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import replace
from typing import Final

from imapclient.exceptions import IMAPClientError

from services.classifier.reading.automatic.delivery_report import read_delivery_report
from services.classifier.reading.images.storing import stored_image
from services.classifier.reading.limits import DEFAULT_LIMITS
from services.classifier.reading.mime.address_header import parse_addresses
from services.classifier.reading.mime.dmarc import dmarc_result
from services.classifier.reading.mime.parser import parse_mail
from services.classifier.reading.wrappings.cms import open_envelope
from services.classifier.reading.wrappings.rtf import decompressed, from_rtf
from services.classifier.reading.wrappings.tnef import read_tnef
from services.fetcher.mailboxes.ews.answer_reader import AnswerBroken, AnswerReader, NotEws
from services.fetcher.mailboxes.imap.trouble import PARSING
from services.fetcher.mailboxes.imap.wire import Client
from shared.messages import DmarcResult
from tests.fuzz.budget import Budget, Target

_LONGEST: Final = 65_536
_SMALL: Final = replace(DEFAULT_LIMITS, image_pixels=1_000_000, image_frames=50, image_total_pixels=2_000_000)
"""A picture costs by its pixels, which its own limits count; here it is the reading of its bytes that is tried."""
_CHANCE: Final = 7
_TAG: Final = imaplib.Int2AP(random.Random(_CHANCE).randint(4096, 65535))  # noqa: S311 - imaplib draws it
"""The letters of a client's tags; where a line of an answer begins with `T` and a digit, they stand for it."""
_TAG_LETTER: Final = re.compile(rb"^T(?=[0-9])", re.MULTILINE)
_TURNS: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")


def results(content: bytes) -> None:
    """Authentication-Results (RFC 8601): whatever a field says, a pass needs a pass of the trusted server."""
    field = b"Authentication-Results: mx.example; " + content.replace(b"\r", b"").replace(b"\n", b"\n ")
    root = parse_mail(b"From: els@b.example\n" + field + b"\n\nHallo", DEFAULT_LIMITS)
    said = dmarc_result(root.headers, ("mx.example",), domain="b.example")
    assert said in DmarcResult
    assert said is not DmarcResult.PASS or b"dmarc" in content.lower() or b"compauth" in content.lower()


def addresses(content: bytes) -> None:
    """Address headers (RFC 5322): no more mailboxes than there may be, none longer than an address may be."""
    mailboxes = parse_addresses([content], DEFAULT_LIMITS)
    assert len(mailboxes) <= DEFAULT_LIMITS.addresses
    for mailbox in mailboxes:
        assert len(mailbox.address) <= DEFAULT_LIMITS.address
        assert not _TURNS.search(mailbox.name)


def report(content: bytes) -> None:
    """Delivery reports (RFC 3464), and what servers write instead."""
    root = parse_mail(content, DEFAULT_LIMITS)
    read = read_delivery_report(
        root,
        sender="mailer-daemon@b.example",
        sender_name="Mail Delivery System",
        subject="Undelivered Mail Returned to Sender",
        text=content.decode("utf-8", "replace"),
        limits=DEFAULT_LIMITS,
    )
    for bounced in read.recipients if read is not None else ():
        assert re.fullmatch(r"(?:[245]\.[0-7]\.[0-9]{1,3})?", bounced.status)


def tnef(content: bytes) -> None:
    """winmail.dat (MS-OXTNEF)."""
    read = read_tnef(content, most_files=100, longest_text=_LONGEST)
    assert read is None or (len(read.files) <= 100 and len(read.text) <= _LONGEST)


def rtf(content: bytes) -> None:
    """RTF, and how Outlook packs it (MS-OXRTFCP, MS-OXRTFEX)."""
    assert len(decompressed(content, longest=_LONGEST)) <= _LONGEST
    from_rtf(content, longest=_LONGEST)


def cms(content: bytes) -> None:
    """S/MIME (RFC 5652): what it holds is never larger than it, unless it was packed."""
    envelope = open_envelope(content, longest=_LONGEST)
    if envelope is not None and envelope.content is not None:
        assert len(envelope.content) <= max(_LONGEST, len(content))


def image(content: bytes) -> None:
    """The headers and pieces of pictures."""
    stored_image(
        content, _SMALL, pixels_left=_SMALL.image_total_pixels, strip_metadata=True, make_copies=len(content) % 2 == 0
    )


def ews(content: bytes) -> None:
    """Answers of an Exchange server, as they come in."""
    reader = AnswerReader()
    with suppress(AnswerBroken, NotEws):
        for begin in range(0, len(content), 700):
            reader.feed(content[begin : begin + 700])
        reader.close()


def imap(content: bytes) -> None:
    """Answers of an IMAP server to a login, a listing and a search; `content` is all that it ever says."""
    ours, theirs = socket.socketpair()
    with closing(ours), closing(theirs):
        theirs.sendall(b"* PREAUTH x\r\n" + _TAG_LETTER.sub(_TAG, content)[:_LONGEST])
        theirs.shutdown(socket.SHUT_WR)
        random.seed(_CHANCE)
        with suppress(imaplib.IMAP4.error, IMAPClientError, OSError, *PARSING):
            ask_imap(Client(ours, "mail.example", tls=False))


def ask_imap(client: Client) -> list[object]:
    """What a client gets of a server that answers all it is asked."""
    return [
        client.capabilities(),
        client.list_folders(),
        client.select_folder("INBOX", readonly=True),
        client.search(),
        client.fetch([1], ["FLAGS", "INTERNALDATE", "BODY.PEEK[]"]),
    ]


_BUDGETS: Final[Mapping[Callable[[bytes], None], Budget]] = {
    results: Budget(),
    addresses: Budget(),
    report: Budget(),
    tnef: Budget(),
    rtf: Budget(),
    cms: Budget(),
    image: Budget(seconds=5.0, memory=64 * 2**20),
    ews: Budget(),
    imap: Budget(),
}
READERS: Final[Mapping[str, Target]] = {target.__name__: budget.held_by(target) for target, budget in _BUDGETS.items()}
