"""Writes a mail of ours: header lines and the two readings of the body (RFC 5322, RFC 2045–2047).

Written out here since the standard library, depending on its version, folds a long Message-ID into an encoded word or
loses spaces between two of them. Every line has at most 78 octets, save a Message-ID that is longer; all is ASCII, save
an address that needs SMTPUTF8 (RFC 6532).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.utils import format_datetime
from typing import Final

from services.notifier.rules.addresses import Address
from shared.one_line import one_line

LINE_LIMIT: Final = 76
"""Octets of a line of an encoded body and of a folded header (RFC 2045 §6.7, RFC 2047 §2)."""
NAME_LIMIT: Final = 100
"""Characters of a display name that are kept."""

_SUPPRESSED: Final = "DR, RN, NRN, OOF, AutoReply"
_MESSAGE_ID: Final = re.compile(r"[\x21-\x3b\x3d\x3f-\x7e]{1,900}")
_PHRASE: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")
_LIST: Final = re.compile(r"[;,](?: |$)")
"""Where `Header` rather folds a line than between two other words."""
_QUOTED: Final = re.compile(r"[^\t\n -~]")
"""What quoted-printable writes as `=XX`, beside the `=` itself (RFC 2045 §6.7)."""
_WRITTEN: Final = {chr(octet): f"={octet:02X}" for octet in range(256)}
_FULL_LINE: Final = re.compile(
    rf"(?s)(?=.{{{LINE_LIMIT + 1}}})"  # what is left is too long
    rf".{{{LINE_LIMIT - 3}}}(?:(?==)|.(?:(?==)|.))"  # as many octets as fit with a soft break, no `=XX` broken up
)


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Somebody in a header: `name` is '' when there is none."""

    name: str
    address: Address


@dataclass(frozen=True, slots=True)
class Headers:
    """What differs from mail to mail. Message-IDs without angle brackets; `references` in order, the nearest last."""

    date: datetime
    sender: Mailbox
    recipient: Mailbox
    reply_to: Address | None
    subject: str
    message_id: str
    references: Sequence[str] = ()
    answers_a_mail: bool = False
    """Whether it is the direct answer to a mail (M4), rather than news for somebody else (M2, M3)."""


def write_mail(headers: Headers, text: str, html: str) -> bytes:
    """The whole mail, lines ended by CRLF: `text` and `html` are the two readings (multipart/alternative).

    Marked as written by a machine, so that no machine answers it: RFC 3834 §5; MS-OXCMAIL 2.2.3.2.14, where NDR is
    left out on purpose, since delivery failures are to come back (SPEC D6).
    """
    # «=_» cannot stand in quoted-printable, so that no body holds the boundary (RFC 2045 §6.7)
    boundary = f"=_{headers.message_id.partition('@')[0][:60]}"
    lines = [
        f"Date: {format_datetime(headers.date)}",
        f"From: {mailbox(headers.sender)}",
        f"To: {mailbox(headers.recipient)}",
        *([f"Reply-To: {headers.reply_to}"] if headers.reply_to else []),
        f"Subject: {unstructured(headers.subject, after='Subject: ')}",
        f"Message-ID: <{headers.message_id}>",
        *threading(headers.references),
        f"Auto-Submitted: {'auto-replied' if headers.answers_a_mail else 'auto-generated'}",
        f"X-Auto-Response-Suppress: {_SUPPRESSED}",
        f"X-Loop: {headers.sender.address}",
        "Content-Language: nl",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/alternative;\r\n boundary="{boundary}"',
        "",
        f"--{boundary}",
        *_part("text/plain", text),
        f"--{boundary}",
        *_part("text/html", html),
        f"--{boundary}--",
        "",
    ]
    return "\r\n".join(lines).encode()


def threading(references: Iterable[str]) -> list[str]:
    """In-Reply-To and References (RFC 5322 §3.6.4): what cannot be a Message-ID is left out, a repeated one too."""
    bare = (reference.strip().removeprefix("<").removesuffix(">") for reference in references)
    known = list(dict.fromkeys(f"<{reference}>" for reference in bare if is_message_id(reference)))
    return [f"In-Reply-To: {known[-1]}", "References: " + "\r\n ".join(known)] if known else []


def is_message_id(text: str) -> bool:
    """Whether `text` can stand between angle brackets in a header: it comes from somebody else's mail."""
    return _MESSAGE_ID.fullmatch(text) is not None


def mailbox(somebody: Mailbox) -> str:
    """`name <address>` for a header, on folded lines."""
    name = one_line(somebody.name)[:NAME_LIMIT].strip()
    if not name:
        return str(somebody.address)
    return f"{_phrase(name)}\r\n <{somebody.address}>"


def unstructured(text: str, *, after: str) -> str:
    """`text` as the value of a header, folded; `after` is the header's name, which shortens the first line.

    Text with `=?` in it is encoded too, lest a reader decodes what somebody typed.
    """
    plain = one_line(text)
    charset = "us-ascii" if plain.isascii() and "=?" not in plain and _fits(plain) else "utf-8"
    if charset == "us-ascii" and not _LIST.search(plain):
        return _folded(plain, len(after))
    return Header(plain, charset, maxlinelen=LINE_LIMIT, header_name=after.rstrip(": ")).encode(linesep="\r\n")


def _folded(plain: str, column: int) -> str:
    """Words as `Header` folds them, at a tenth of its cost."""
    lines: list[str] = []
    line = ""
    for word in plain.split(" "):
        if line and column + len(line) + 1 + len(word) > LINE_LIMIT:
            lines.append(line)
            line, column = word, len(" ")
        else:
            line = f"{line} {word}" if line else word
    return "\r\n ".join([*lines, line])


def _fits(plain: str) -> bool:
    """Whether every word is short enough for a folded line."""
    return all(len(word) < LINE_LIMIT - len("Subject: ") for word in plain.split())


def _phrase(name: str) -> str:
    if _PHRASE.fullmatch(name) and "=?" not in name and _fits(name):
        return name
    if name.isascii() and "=?" not in name and _fits(name):
        return '"' + re.sub(r'(["\\])', r"\\\1", name) + '"'
    return Header(name, "utf-8", maxlinelen=LINE_LIMIT, header_name="Reply-To").encode(linesep="\r\n")


def _part(media_type: str, content: str) -> list[str]:
    return [
        f"Content-Type: {media_type}; charset=utf-8",
        "Content-Transfer-Encoding: quoted-printable",
        "",
        quoted_printable(content.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace")),
    ]


def quoted_printable(octets: bytes) -> str:
    """Lines of text that end with LF, as `email.quoprimime.body_encode` writes them, in much less time."""
    plain = octets.decode("latin-1")
    quoted = _QUOTED.sub(lambda octet: _WRITTEN[octet[0]], plain.replace("=", "=3D"))
    return "\r\n".join(map(_with_soft_breaks, quoted.split("\n")))


def _with_soft_breaks(line: str) -> str:
    if len(line) <= LINE_LIMIT and not line.endswith((" ", "\t")):  # most are
        return line
    full = _FULL_LINE.findall(line) if len(line) > LINE_LIMIT else []
    rest = line[sum(map(len, full)) :]
    if rest.endswith((" ", "\t")):
        rest = _with_its_space(rest)
    return "=\r\n".join([*full, rest])


def _with_its_space(rest: str) -> str:
    """White space at the end of a line is lost on the way: written as `=XX`, or before a soft break."""
    space = rest[-1]
    match LINE_LIMIT - len(rest):
        case 0:
            return f"{rest[:-1]}=\r\n{_WRITTEN[space]}"
        case 1:
            return f"{rest}=\r\n"
        case _:
            return rest[:-1] + _WRITTEN[space]
