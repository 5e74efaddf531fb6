"""Mailboxes in address headers (RFC 5322 3.4), read as written by real mailers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

import idna

from services.classifier.reading.limits import DEFAULT_LIMITS, Limits
from services.classifier.reading.mime.charset import decode
from services.classifier.reading.mime.header import decode_words
from services.classifier.reading.mime.safe_text import safe_line
from shared.messages import MailAddress

_TOKEN: Final = re.compile(
    r"""("(?:[^"\\]|\\.)*"?)|(<[^>]*>?)|([,;:()])|(=\?[^?\s]{1,80}\?[BbQq]\?[^?]*\?=|\\.|[^",;:<()=\\]+|.)""", re.DOTALL
)
_COMMENT: Final = re.compile(r"\([^()]*\)")
_BARE: Final = re.compile(r"[^\s<>\"',;:()\[\]\\]+@[^\s<>\"',;:()\[\]\\]+")
_USABLE: Final = re.compile(r"[^\s@<>\"(),;:\\]+@[^\s@<>\"(),;:\\]+|\"[^\"]+\"@[^\s@<>\"(),;:\\]+")
_LOCAL: Final = re.compile(r"[A-Za-z0-9._+-]{2,64}")


def parse_addresses(values: Iterable[bytes], limits: Limits) -> tuple[MailAddress, ...]:
    """All mailboxes of the header's `values`, groups opened; names decoded after the structure is known.

    An encoded word may hold commas and angle brackets (RFC 2047 5.3), so it is decoded last.
    """
    found: list[MailAddress] = []
    for value in values:
        for phrase, address, comment in _mailboxes(decode(value)):
            mailbox = _mailbox(phrase, address, comment, limits)
            if mailbox is not None:
                found.append(mailbox)
            if len(found) >= limits.addresses:
                return tuple(found)
    return tuple(found)


def is_usable(address: str) -> bool:
    """Whether mail can be sent to it: something, one `@`, something, and no longer than RFC 3696 allows."""
    return len(address) <= DEFAULT_LIMITS.address and _USABLE.fullmatch(address) is not None


def same_address(one: str, other: str) -> bool:
    """SPEC: addresses are compared case-insensitively, local part too; a domain in either of its spellings."""
    return spellings(one)[0] == spellings(other)[0]


def spellings(address: str) -> tuple[str, ...]:
    """The ways to write an address in lower case that mean the same: its domain in ASCII first, then in Unicode."""
    local, at, domain = unicodedata.normalize("NFC", address.strip().lower()).rpartition("@")
    return tuple(dict.fromkeys(f"{local}{at}{each}" for each in domain_spellings(domain)))


def domain_spellings(domain: str) -> tuple[str, ...]:
    """A domain in lower case with A-labels, then with U-labels (RFC 5890); one that is no domain is left as it is."""
    domain = unicodedata.normalize("NFC", domain.lower())
    if domain.isascii() and "xn--" not in domain:
        return (domain,)
    try:
        return idna.encode(domain, uts46=True).decode(), idna.decode(domain, uts46=True)
    except (idna.IDNAError, UnicodeError):
        return (domain,)


def without_tag(address: str) -> str | None:
    """The address without what follows the plus sign in its local part (RFC 5233); None where there is no such."""
    local, at, domain = address.rpartition("@")
    name, plus, _ = local.partition("+")
    return f"{name}{at}{domain}" if name and plus else None


def _mailboxes(text: str) -> list[tuple[str, str, str]]:
    mailboxes: list[tuple[str, str, str]] = []
    phrase, address, comment, depth = "", "", "", 0
    for token in _TOKEN.finditer(text):
        quoted, angle, mark, plain = token.groups()
        if depth:
            depth += (mark == "(") - (mark == ")")
            comment += token[0] if depth else ""
        elif mark == "(":
            depth = 1
        elif mark in {",", ";"}:
            mailboxes.append((phrase, address, comment))
            phrase, address, comment = "", "", ""
        elif mark == ":" and not address and "@" not in phrase:
            phrase = ""  # the name of a group
        elif angle:
            address = address or _COMMENT.sub("", angle).strip("<> \t\r\n")
        elif quoted:
            inner = re.sub(r"\\(.)", r"\1", quoted[1:].removesuffix('"'), flags=re.DOTALL)
            phrase += inner
        else:
            phrase += plain or mark or ""
    mailboxes.append((phrase, address, comment))
    return mailboxes


def _mailbox(phrase: str, address: str, comment: str, limits: Limits) -> MailAddress | None:
    name = _unquoted(safe_line(decode_words(phrase.encode()), limits.name))
    if not address:
        bare = _BARE.search(phrase)
        if bare is not None:
            address = bare[0]
            rest = safe_line(decode_words((phrase[: bare.start()] + phrase[bare.end() :]).encode()), limits.name)
            name = rest.strip("'\"[]<> ") or safe_line(decode_words(comment.encode()), limits.name)
        elif _LOCAL.fullmatch(phrase.strip()):
            address, name = phrase.strip(), safe_line(decode_words(comment.encode()), limits.name)
    if "=?" in address:
        address = decode_words(address.encode())
    if address.startswith("@") and ":" in address:
        address = address.rpartition(":")[2]  # a source route (RFC 5322 4.4)
    address = safe_line(address.removeprefix("mailto:"), limits.address + 1).replace(" ", "").strip("'")
    if not address or len(address) > limits.address:
        return None
    return MailAddress(name=name, address=address)


def _unquoted(name: str) -> str:
    """A name without the quotes around it that some clients encode along with it."""
    name = name.strip()
    while len(name) > 1 and name[0] == name[-1] and name[0] in "'\"":
        name = name[1:-1].strip()
    return name
