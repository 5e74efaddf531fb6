"""Senders and mailing lists that people block or let through (SPEC D17: what a person's rule names).

The narrowest rule decides: the sender's address, then the mailing list, then the longest domain that he is of. Of two
alike, the helpdesk's own goes before the one for all. So one person of a blocked domain can be let through, and a
newsletter of a customer blocked, without touching the rest. A rule may also say that what looks like the mail of a list
or a machine is a person's: systems of customers send real requests with `Precedence: bulk`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from shared.messages import MailAddress, Reason, ReasonId


class SenderKind(StrEnum):
    """What a rule's pattern is (`sender_rules.kind`)."""

    ADDRESS = "address"
    LIST = "list"
    DOMAIN = "domain"


@dataclass(frozen=True, slots=True)
class Handle:
    """One name by which a rule may know a mail's sender; `pattern` in lower case."""

    kind: SenderKind
    pattern: str


class RuleVerdict(StrEnum):
    """What a rule says of the mail (`sender_rules.verdict`)."""

    ALLOW = "allow"
    ALLOW_AUTOMATIC = "allow-automatic"
    """Let through, and a person's mail in spite of the signs of a list or an automatic reply (D6)."""
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class SenderRule:
    """A rule that knows the mail by one of its handles."""

    handle: Handle
    verdict: RuleVerdict
    of_helpdesk: bool
    """It is the helpdesk's own, not one for all."""


_BLOCKED: Final = {
    SenderKind.ADDRESS: ReasonId.SENDER_BLOCKED,
    SenderKind.DOMAIN: ReasonId.SENDER_BLOCKED,
    SenderKind.LIST: ReasonId.LIST_BLOCKED,
}


def handles(sender: MailAddress | None, list_id: str) -> tuple[Handle, ...]:
    """All names by which a rule may know this mail, the narrowest first: address, list, domain, the domains above."""
    handles = []
    address = "" if sender is None else sender.address.lower()
    if address:
        handles.append(Handle(SenderKind.ADDRESS, address))
    if list_id:
        handles.append(Handle(SenderKind.LIST, list_id))
    domain = address.rpartition("@")[2]
    while domain:
        handles.append(Handle(SenderKind.DOMAIN, domain))
        domain = domain.partition(".")[2]
    return tuple(handles)


def deciding_rule(known_by: Sequence[Handle], rules: Sequence[SenderRule]) -> SenderRule | None:
    """The rule that decides of a mail with these handles; None when there is none."""
    return min(rules, key=lambda rule: (known_by.index(rule.handle), not rule.of_helpdesk), default=None)


def ruling(known_by: Sequence[Handle], rules: Sequence[SenderRule]) -> Reason | None:
    """What the deciding rule says of a mail with these handles; None when nothing is blocked."""
    deciding = deciding_rule(known_by, rules)
    if deciding is None:
        return None
    if deciding.verdict is RuleVerdict.BLOCK:
        return Reason(id=_BLOCKED[deciding.handle.kind], detail=deciding.handle.pattern)
    if any(rule.verdict is RuleVerdict.BLOCK for rule in rules):
        return Reason(id=ReasonId.SENDER_ALLOWED, detail=deciding.handle.pattern)
    return None
