"""Which groups the provider says that a person is in, or that it does not say. Pure.

Names count letter for letter, as the provider signs them: one that only looks like another is another.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, Final

Claims = Mapping[str, Any]


class Unknown(Enum):
    """Why nothing is known of his groups; that is not the same as being in none."""

    TOO_MANY = "too-many"
    """QUIRK: Entra names no groups of who is in more than 200, but where else to ask for them (`_claim_names`,
    OpenID Connect Core 1.0 §5.6.2; `hasgroups` in older tokens)."""
    UNREADABLE = "unreadable"


Groups = frozenset[str] | Unknown
NONE: Final[frozenset[str]] = frozenset()


def groups_of(claims: Claims, claim: str) -> Groups:
    """The groups of claims that were believed; without the claim there are none."""
    if is_told_elsewhere(claims, claim):
        return Unknown.TOO_MANY
    said = claims.get(claim)
    if said is None:
        return NONE
    if isinstance(said, str):  # QUIRK: AD FS writes a list of one so
        return frozenset({said})
    if not isinstance(said, list) or not all(isinstance(name, str) for name in said):
        return Unknown.UNREADABLE
    return frozenset(name for name in said if "\0" not in name)


def is_told_elsewhere(claims: Claims, claim: str) -> bool:
    """Whether the provider says that there are more groups than it names here."""
    elsewhere = claims.get("_claim_names")
    if isinstance(elsewhere, dict) and claim in elsewhere:
        return True
    return claim == "groups" and claims.get("hasgroups") in (True, "true")
