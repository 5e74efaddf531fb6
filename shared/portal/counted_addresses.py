"""What mails out are counted by (SPEC D10): the mailbox that an address leads to, and who registered its domain.

Forged senders are free: one mailbox and one domain have addresses without end. So they count as they are delivered:

- `"piet"@x` and `piet@x` are one address (RFC 5321, 4.1.2: quotes are no part of a local part);
- what follows a plus sign is a tag (`piet+news@x`, RFC 5233), as with Gmail, Microsoft 365, Fastmail and most others;
- Gmail ignores dots, and googlemail.com is gmail.com (Google, «Dots don't matter in Gmail addresses»);
- letters count in lower case, domains as they travel (`xn--…`, RFC 5891).

Domains count by the registrable one: a.evil.example and b.evil.example are evil.example. The Public Suffix List says
where that begins; its private section (github.io) is left out, since senders are forged: whoever
registered github.io answers for all in it.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

import idna
from publicsuffixlist import PublicSuffixList

from shared.portal.mail_provider import is_mail_provider

_GMAIL: Final = frozenset(("gmail.com", "googlemail.com"))
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)


def counted_address(address: str) -> str:
    """The mailbox that mails to `address` reach; what is no address stays as it is, in lower case."""
    local, at, domain = address.lower().rpartition("@")
    if not at:
        return domain
    domain = _as_it_travels(domain)
    if len(local) > 1 and local[0] == local[-1] == '"':
        local = _ESCAPED.sub(r"\1", local[1:-1])
    local = local.partition("+")[0]
    if domain in _GMAIL:
        local, domain = local.replace(".", ""), "gmail.com"
    return f"{local}@{domain}"


def counted_domain(address: str) -> str | None:
    """The registrable domain of an address; None at providers, whose customers have nothing to do with each other."""
    domain = _as_it_travels(address.lower().rpartition("@")[2])
    if not domain or is_mail_provider(domain):
        return None
    return _suffixes().privatesuffix(domain) or domain


def _as_it_travels(domain: str) -> str:
    domain = domain.rstrip(".")
    try:
        return domain if domain.isascii() else idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError:
        return domain


@cache
def _suffixes() -> PublicSuffixList:
    """The list as it was when the library was released; `make lock UPGRADE=1` renews it."""
    return PublicSuffixList(only_icann=True)
