"""One address: whether mail can be sent to it, and which spellings of it mean the same (RFC 5322 §3.4.1, RFC 5890)."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

import idna

from services.classifier.reading.limits import DEFAULT_LIMITS

_USABLE: Final = re.compile(
    r"""(?:[^\s@<>"(),;:\\]+|"(?:[^"\\]|\\.)+")@(?:[^\s@<>"(),;:\\\[\]]+|\[[^\s@<>"(),;\\\[\]]+\])"""
)


def is_usable(address: str) -> bool:
    """Whether mail can be sent to it: something, one `@` outside quotes, something, no longer than RFC 3696 allows."""
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
    """The address without what follows the plus sign in its local part (RFC 5233); None where there is none.

    A quoted local part is taken whole.
    """
    local, at, domain = address.rpartition("@")
    name, plus, _ = local.partition("+")
    return f"{name}{at}{domain}" if name and plus and not local.startswith('"') else None
