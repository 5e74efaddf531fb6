"""Mail addresses as they go into an envelope and a header (RFC 5321 §4.1.2, RFC 5890, RFC 6531).

An internationalised domain is written as A-labels, which every server takes. A local part that is not ASCII stays as it
is and needs a server with SMTPUTF8. What cannot be an address is refused, so that nothing of it reaches a command.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import idna

from shared.errors import ImporterError
from shared.one_line import one_line

_LENGTH_LIMIT: Final = 320
"""Octets of a whole address: 64 before the @ and 255 behind it (RFC 5321 §4.5.3.1)."""

_ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u00a1-\U0010ffff-]+"
_DOT_ATOM: Final = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_DOMAIN: Final = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?|\[[0-9A-Fa-f.:IPVv]+\]")


class UnusableAddress(ImporterError):
    """This text is no mail address; the text says so with the text itself."""


@dataclass(frozen=True, slots=True)
class Address:
    """An address that is safe in a command and in a header."""

    local: str
    domain: str

    @property
    def needs_smtputf8(self) -> bool:
        """True when the local part is not ASCII: then only a server with SMTPUTF8 takes it (RFC 6531)."""
        return not self.local.isascii()

    def __str__(self) -> str:
        return f"{self.local}@{self.domain}"


def parse_address(text: str) -> Address:
    """The address in `text`; UnusableAddress when it is none."""
    local, at, domain = text.strip().rpartition("@")
    address = Address(_local(local), _domain(domain)) if at and local else None
    if address is None or not address.local or not address.domain:
        raise UnusableAddress(f"{text!r} is not a mail address.")
    if len(str(address).encode()) > _LENGTH_LIMIT:
        raise UnusableAddress(f"The mail address {text[:60]!r}… is longer than {_LENGTH_LIMIT} octets.")
    return address


def _local(local: str) -> str:
    """`local` as it may stand in a command: quoted where it must be; '' when it holds what no header takes."""
    if one_line(local) != local:
        return ""
    if _DOT_ATOM.fullmatch(local) or _QUOTED.fullmatch(local):
        return local
    return '"' + re.sub(r'(["\\])', r"\\\1", local) + '"'


def _domain(domain: str) -> str:
    """`domain` in ASCII, lower case; '' when it cannot be."""
    if not domain.isascii():
        try:
            domain = idna.encode(domain, uts46=True).decode()
        except (idna.IDNAError, UnicodeError):
            return ""
    return domain.lower() if _DOMAIN.fullmatch(domain) and ".." not in domain else ""
