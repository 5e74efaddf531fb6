"""An attacker sends small mails that are made to cost a reader much: no mail of 1 MB may hold up those of others (D17).

Costs are processor time, compared with each other on the machine that runs the test: no second is asserted. Twice the
mail may cost three times as much at most, and a megabyte of the worst no more than a few ordinary mails of that size.
"""

import struct
import uuid
from collections.abc import Callable
from functools import partial

import pytest

from services.classifier.reading.reader import read_head, read_headers, read_mail
from tests.attacks.ordinary import HEAD, SETTINGS, Yardstick, seconds

Mail = Callable[[int], bytes]
Read = Callable[..., object]

MARKED = b"\n===== vul boven deze regel uw reactie =====\n"
HTML_HEAD = HEAD + b"Content-Type: text/html\n\n<p>Hallo</p>"
ADDRESS_HEADERS = ("To", "Cc", "Reply-To", "Sender", "Return-Path") * 4
SMALL, LARGE = 8_192, 32_768
TIMES = 3 * 3
"""Two doublings."""
UNNOTICED = 0.004
"""Seconds: less is a matter of the machine's moment."""
MEGABYTE = 1_000_000
ORDINARY_MAILS = 3


def repeated(piece: str | bytes, size: int) -> bytes:
    content = piece if isinstance(piece, bytes) else piece.encode()
    return (content * (size // len(content) + 1))[:size]


def text(piece: str) -> Mail:
    return lambda size: HEAD + b"\nHallo, dit is de vraag.\n\n" + repeated(piece, size)


def html(piece: str, before: str = "<p>Hallo</p>") -> Mail:
    return lambda size: HEAD + b"Content-Type: text/html\n\n" + before.encode() + repeated(piece, size)


def preformatted(piece: str) -> Mail:
    return html(piece, "<p>Hallo</p><pre>")


def part(media_type: str, piece: str | bytes, before: bytes = b"") -> Mail:
    return lambda size: HEAD + f"Content-Type: {media_type}\n\n".encode() + before + repeated(piece, size)


def subject(piece: str) -> Mail:
    """The one subject, beside nothing that costs."""
    of_size = HEAD.replace(b"Subject: Printer", b"Subject: %b")
    return lambda size: of_size % repeated(piece, size) + b"\nHallo"


def header(name: str, piece: str) -> Mail:
    """Fields of the size that is read of one."""
    field = f"{name}: ".encode() + repeated(piece, 2_000) + b"\n"
    return lambda size: HEAD + repeated(field, size // len(field) * len(field)) + b"\nHallo"


def parts(head: str, body: str) -> Mail:
    return lambda size: (
        HEAD + b"Content-Type: multipart/mixed; boundary=q\n\n" + repeated(f"--q\n{head}\n{body}\n", size)
    )


def report(piece: str) -> Mail:
    head = (
        b"From: mailer-daemon@b.example\nReturn-Path: <>\nSubject: Undelivered Mail Returned to Sender\n"
        b"Content-Type: multipart/report; report-type=delivery-status; boundary=q\n\n--q\n\n"
    )
    fields = b"\n--q\nContent-Type: message/delivery-status\n\n"
    return lambda size: head + repeated(piece, size // 2) + fields + repeated(piece, size // 2) + b"\n--q--\n"


def winmail(attribute: int, length: int) -> Mail:
    one = struct.pack("<BII", 1, attribute, length) + b"\0" * length + b"\0\0"
    return part("application/ms-tnef; name=winmail.dat", one, b"\x78\x9f\x3e\x22\x01\x00")


def nested(media_type: str) -> Mail:
    def mail(size: int) -> bytes:
        levels = b"".join(
            f"--q{level}\nContent-Type: {media_type}; boundary=q{level + 1}\n\n".encode() for level in range(29)
        )
        return HEAD + f"Content-Type: {media_type}; boundary=q0\n\n".encode() + levels + repeated("--q29\n\nx\n", size)

    return mail


SIGNED_OPEN = b"\x30\x80\x06\x09" + bytes.fromhex("2a864886f70d010702") + b"\xa0\x80\x30\x80"
SIGNED_DATA = b"\x30\x80\x06\x09" + bytes.fromhex("2a864886f70d010701") + b"\xa0\x80\x24\x80"

KINDS: dict[str, Mail] = {
    # a quote begins at each line, or might
    "header lines": text("Van: Jan\nVerzonden: nu\n"),
    "header lines in html": html("<div>Van: a@b.example<br>Naar: b<br></div>"),
    "header lines, preformatted": preformatted("Van:\n"),
    "header lines, wrapped": text("Aan: a@b.example,\n a@b.example,\n"),
    "header lines in one": text("Von: Jan <a@b>An: xGesendet: yBetreff: z\n"),
    "separators": preformatted("-----Oorspronkelijk bericht-----\n"),
    "attributions": preformatted("Op 3 maart 2026 om 10:00 heeft Jan\n"),
    "attributions and the marker": lambda size: (
        text("Op 3-3-2026 10:00 schreef Els <e@b.example>:\n")(size) + MARKED
    ),
    "quote marks": preformatted("&gt;&gt;&gt;&gt;\n"),
    "marks in one line": text(">"),
    "rules and the marker": lambda size: (
        text("-----\n\n")(size) + MARKED
    ),
    "almost markers": text("===== vul boven deze\n"),
    "wrapped markers": preformatted("=\n"),
    # what ends a mail
    "signature marks": text("-- \n"),
    "signature marks, preformatted": preformatted("-- \n"),
    "advertisements": preformatted("Verstuurd vanaf mijn iPhone\n"),
    "almost advertisements": text("von my" + " " * 90 + "x\nsenta" + "ipad" * 25 + "\n"),
    "greetings": text("Met vriendelijke groet,\nJan\n"),
    "contact details": preformatted("tel: 0612345678\n"),
    "disclaimers": preformatted("De informatie in dit bericht is vertrouwelijk en bestemd voor\n"),
    # lines and html
    "lines": text("a\n"),
    "blank lines": text("\n"),
    "carriage returns": text("\r"),
    "paragraphs": html("<p>"),
    "breaks": html("<br>"),
    "elements": html("<b>x</b>"),
    "nesting": html("<div>"),
    "names of elements": html("<p"),
    "blanks": html(" "),
    "misnesting": html("<a><b><p></a>"),
    "tables": html("<table><tr><td>"),
    "styles": html("<p style='color:red;margin:1px'>x"),
    "quotes": html("<blockquote>x</blockquote>y"),
    "quotes in quotes": html("<blockquote>" * 20 + "x" + "</blockquote>" * 20),
    "quotes in many boxes": html("<blockquote>x</blockquote>y<br>", "<div class=gmail_quote>" * 1_400),
    "images": html("<img src=cid:x>"),
    "blanks in an image's source": lambda size: (
        HEAD + b"Content-Type: multipart/alternative; boundary=q\n\n--q\n\nHallo\n--q\nContent-Type: text/html\n\n"
        b"<img src =" + repeated(" ", size) + b"x>\n--q--\n"
    ),
    "comments": html("<!-- x -->x"),
    "references": html("&amp;"),
    "references, shown three times": lambda size: (
        HTML_HEAD + repeated("&amp;", size - 100) + b"<br>" + MARKED.replace(b"\n", b"<br>") + b"-- <br>Jan"
    ),
    "what is written as a reference": text("&"),
    "attributes": lambda size: (
        HEAD + b"Content-Type: text/html\n\n<p " + b" ".join(b"a%d=1" % number for number in range(size // 8)) + b">x"
    ),
    # headers
    "comments in a transfer encoding": parts("Content-Transfer-Encoding: " + "(" * 1_000 + "\n", "x"),
    "parameters (RFC 2231)": header("Content-Type", "text/plain;name*0*=utf-8'a'%41"),
    "encoded words": header("Subject", "=?utf-8?Q?a?= "),
    "open encoded words": header("From", "=?utf-8?Q?"),
    "address lists": header("To", "a@b.example, "),
    "addresses in brackets": header("To", "<a@b>"),
    "address headers together": lambda size: (
        repeated("".join(f"{name}: {'<a@b>' * 3_000}\n" for name in ADDRESS_HEADERS), size // 4) + b"\n" + HTML_HEAD
        + repeated("&amp;", size * 3 // 4)
    ),
    "groups of addresses": header("To", "a:"),
    "quotes in addresses": header("From", '" '),
    "results (RFC 8601)": header("Authentication-Results", "mx.example; dmarc=pass ("),
    "folded lines": lambda size: HEAD + b"X-A: a\n" + repeated(" x\n", size) + b"\nHallo",
    "blank lines in a header": lambda size: HEAD + repeated("X-A: a\n\n b\n", size) + b"\nHallo",
    # parts and wrappings
    "parts": parts("", "x"),
    "parts in parts": nested("multipart/mixed"),
    "alternatives in alternatives": nested("multipart/alternative"),
    "almost boundaries": lambda size: (
        HEAD + b"Content-Type: multipart/mixed; boundary=q\n\n" + repeated("--qx\n", size)
    ),
    "blanks of a delimiter that nobody names": lambda size: (
        HEAD + b"Content-Type: multipart/mixed\n\n" + repeated("--a" + " " * 1_000 + "x\n", size)
    ),
    "attached messages": parts("Content-Type: message/rfc822\n", "\nFrom: a@b.example\n\nVan: a\nVerzonden: b\n"),
    "messages in messages": lambda size: repeated(HEAD + b"Content-Type: message/rfc822\n\n", size),
    "charsets of html": parts("Content-Type: text/html\n", "<meta charset" + " " * 1_000),
    "uuencode that never ends": text("begin 644 x\nM\n"),
    "uuencode": text("begin 644 x\n`\nend\n"),
    "broken base64": lambda size: HEAD + b"Content-Transfer-Encoding: base64\n\n" + repeated("AAA=", size),
    "PGP": text("-----BEGIN PGP SIGNED MESSAGE-----\n"),
    "invitations": part("text/calendar", 'A;:a";', b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:x\n"),
    "winmail.dat": winmail(0x00069002, 0),
    "winmail.dat with files": winmail(0x0006800F, 24),
    "RTF groups": part("text/rtf", "{", b"{\\rtf1\\ansi\\fromhtml1 "),
    "RTF characters": part("text/rtf", "\\'e9", b"{\\rtf1\\ansi\\fromhtml1 "),
    "CMS": part("application/pkcs7-mime", b"\x30\x80", SIGNED_OPEN),
    "CMS that closes": part("application/pkcs7-mime", b"\x30\x80\0\0", SIGNED_OPEN),
    "CMS values to pass by": part("application/pkcs7-mime", b"\x30\0", SIGNED_OPEN + b"\x31\x80"),
    "CMS in pieces of nothing": part("application/pkcs7-mime", b"\x04\0", SIGNED_OPEN + SIGNED_DATA),
    # delivery reports
    "codes": report("<a@b.example>: host said: 550\n"),
    "fields": report("Final-Recipient: rfc822; a@b\nAction: failed\n\n"),
    "Message-IDs": report("Message-ID: <a\n"),
    "blank lines of a report": report("\n"),
    "quote marks of a report": report(">>>>>>>>>>>>>>>>>>>>>>\n"),
    "words of servers": report("address"),
    "words of servers, in a row": report("refused "),
    # image headers
    "JPEG segments": part("image/jpeg", b"\xff\xe1\x00\x02", b"\xff\xd8"),
    "PNG chunks": part("image/png", b"\0\0\0\0tEXt\0\0\0\0", b"\x89PNG\r\n\x1a\n"),
    "GIF extensions": part("image/gif", b"!\xfe\x01a\0", b"GIF89a\1\0\1\0\0\0\0"),
    "TIFF directories": part("image/tiff", b"\1\0\0\1\4\0\1\0\0\0\1\0\0\0\x08\0\0\0", b"II*\0\x08\0\0\0"),
    "HEIF boxes": part("image/heic", b"\0\0\0\x08free", b"\0\0\0\x18ftypheic\0\0\0\0heicmif1"),
    "WebP chunks": part("image/webp", b"EXIF\0\0\0\0", b"RIFF\xff\xff\xff\0WEBP"),
}  # fmt: skip


ORDINARY = Yardstick(MEGABYTE)

COSTLY = KINDS | {"tags in a subject": subject("[!]")}
"""With what costs by its subject, which cannot be another's."""


@pytest.mark.parametrize("kind", COSTLY)
def test_D17_twice_the_mail_costs_three_times_as_much_at_most(kind: str) -> None:
    small, large = COSTLY[kind](SMALL), COSTLY[kind](LARGE)
    assert any(
        seconds(read_mail, large) <= max(seconds(read_mail, small), UNNOTICED) * TIMES for _ in range(Yardstick.TRIES)
    )


@pytest.mark.parametrize("read", [read_mail, read_head], ids=["whole", "head"])
@pytest.mark.parametrize("kind", COSTLY)
def test_D17_a_megabyte_of_it_costs_no_more_than_a_few_ordinary_mails(kind: str, read: Read) -> None:
    raw = COSTLY[kind](MEGABYTE)
    assert not ORDINARY.exceeded(partial(seconds, read, raw), ORDINARY_MAILS)


@pytest.mark.parametrize("kind", KINDS)
def test_D17_sender_and_subject_are_read_whatever_follows_them(kind: str) -> None:
    raw = KINDS[kind](LARGE)
    for read in (read_head, read_headers):
        mail = read(raw, uuid.UUID(int=1), SETTINGS)
        assert mail.from_
        assert mail.subject in {"Printer", "Undelivered Mail Returned to Sender"}
