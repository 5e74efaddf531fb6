"""Whom an address belongs to (SPEC N2, D12): what the database is asked of an address, and what it answers.

An address counts in every spelling that means the same. One with a tag (`jan+printer@`) that nobody has as it stands is
that of whoever has it without the tag. Where the helpdesk wants it, an unknown sender is of the organisation whose
contacts have addresses in his domain, if it is the only one; providers' domains tell nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from services.classifier.reading.mime.address import domain_spellings, spellings, without_tag
from shared.messages import EmployeeMatch, PersonMatch
from shared.portal.mail_provider import is_mail_provider


@dataclass(frozen=True, slots=True)
class AskedAddress:
    """An address as it is looked up, in lower case; `domains` are empty where its organisation is not asked for."""

    exact: tuple[str, ...]
    without_tag: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class People:
    """Who has an address: contacts in the order of D12 and the employee, or else the organisation of its domain.

    `by_tag`: they have the address without its tag only.
    """

    persons: tuple[PersonMatch, ...] = ()
    employee: EmployeeMatch | None = None
    organisation_id: int | None = None
    by_tag: bool = False


def ask_about(address: str, *, organisation_by_domain: bool = False) -> AskedAddress:
    """What to look up for an address."""
    plain = without_tag(address)
    domain = address.strip().rpartition("@")[2] if organisation_by_domain and "@" in address else ""
    domains = domain_spellings(domain) if domain else ()
    return AskedAddress(
        exact=spellings(address),
        without_tag=spellings(plain) if plain is not None else (),
        domains=() if any(map(is_mail_provider, domains)) else domains,
    )
