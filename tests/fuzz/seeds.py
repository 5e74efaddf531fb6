"""What the fuzzer starts from: bytes that each reader takes, made by the tests' own builders."""

from collections.abc import Callable, Mapping
from typing import Final

from tests.services.classifier.reading.images.pictures import PICTURES
from tests.services.classifier.wrappings import (
    ENVELOPED,
    PNG,
    signed,
    signed_in_pieces,
    stored_rtf,
    winmail,
)

_RTF: Final = b"{\\rtf1\\ansi\\ansicpg1252\\fromhtml1 {\\*\\htmltag64 <p>}caf\\'e9\\u8364?\\par}"
_REPORT: Final = (
    b"From: mailer-daemon@b.example\nContent-Type: multipart/report; report-type=delivery-status; boundary=q\n\n"
    b"--q\n\n<a@b.example>: host mx.b.example said: 550 5.1.1 user unknown\n--q\n"
    b"Content-Type: message/delivery-status\n\nReporting-MTA: dns; b.example\n\nFinal-Recipient: rfc822; a@b.example\n"
    b"Action: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 no such user\n--q\n"
    b"Content-Type: text/rfc822-headers\n\nMessage-ID: <1@ons.example>\n--q--\n"
)
_ANSWER: Final = (
    b'<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header>'
    b'<h:ServerVersionInfo MajorVersion="15" MinorVersion="1" MajorBuildNumber="2507" MinorBuildNumber="6" '
    b'xmlns:h="http://schemas.microsoft.com/exchange/services/2006/types"/></s:Header><s:Body>'
    b'<m:GetItemResponse xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages">'
    b'<m:ResponseCode>NoError</m:ResponseCode><t:MimeContent xmlns:t="http://schemas.microsoft.com/exchange/services/'
    b'2006/types">RnJvbTogYUBiDQoNCng=</t:MimeContent>&#x0;&amp;</m:GetItemResponse></s:Body></s:Envelope>'
)
_IMAP: Final = (
    b"* CAPABILITY IMAP4rev1 IDLE\r\nT0 OK done\r\n* CAPABILITY IMAP4rev1\r\nT1 OK done\r\n"
    b'* LIST (\\HasNoChildren \\Drafts) "/" "INBOX/&AOk-"\r\n* LIST () NIL {3}\r\na b\r\nT2 OK done\r\n'
    b"* FLAGS (\\Seen)\r\n* 3 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\nT3 OK [READ-ONLY] done\r\n"
    b"* SEARCH 1 2 3\r\nT4 OK done\r\n"
    b'* 1 FETCH (UID 1 FLAGS (\\Seen) INTERNALDATE "01-Jan-2026 10:00:00 +0100" BODY[] {5}\r\nHallo)\r\nT5 OK done\r\n'
)

_MADE: Final[Mapping[str, Callable[[], tuple[bytes, ...]]]] = {
    "results": lambda: (
        b"dmarc=pass (p=none) header.from=b.example; spf=pass smtp.mailfrom=els@b.example",
        b'dkim=fail reason="a;dmarc=pass" header.d=b.example; dmarc=fail header.from=b.example;compauth=pass',
    ),
    "addresses": lambda: (
        b'Els <els@b.example>, "Jan, Piet" <jan@b.example> (a (b) c), groep: a@b.example;, =?utf-8?Q?caf=C3=A9?= <c@d>',
        b'"a\\"b"@[127.0.0.1], <@a,@b:c@d.example>, Jan [mailto:jan@b.example]',
    ),
    "report": lambda: (_REPORT,),
    "tnef": lambda: (winmail(("bon.pdf", b"%PDF"), body=[(0x1F, 0x1000, "Hallo\x00".encode("utf-16-le"))]),),
    "rtf": lambda: (_RTF, stored_rtf(_RTF)),
    "cms": lambda: (signed(b"From: a@b.example\n\nHallo"), signed_in_pieces(b"Hallo", b" daar"), ENVELOPED),
    "image": lambda: (PNG, *PICTURES.values()),
    "ews": lambda: (_ANSWER,),
    "imap": lambda: (_IMAP,),
}


def seeds_of(target: str) -> tuple[bytes, ...]:
    """None for a target that has other ones."""
    return _MADE[target]() if target in _MADE else ()
