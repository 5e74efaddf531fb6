"""The status of a ticket after a supplement, and what customers see of it, as in the portal (SPEC D2, A7, A8)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class StatusCategory(StrEnum):
    """Whether work on a ticket with this status goes on."""

    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Status:
    """A status of a helpdesk, with its settings «zichtbaar klant» and «uitgeklapt» for what is added under it."""

    id: int
    name: str
    category: StatusCategory
    visible_to_customer: bool
    expanded: bool


def after_supplement(current: Status, setting: Status | None) -> Status:
    """The status that a supplement gives the ticket: the helpdesk's setting; without one the status stays (D2)."""
    return current if setting is None else setting


def reopens(before: Status, after: Status) -> bool:
    """Whether this change opens a closed ticket again, which clears its «datum voltooid» (D2)."""
    return before.category is StatusCategory.CLOSED and after.category is StatusCategory.OPEN
