"""What accepting a supplement does: what was held back happens now, as a supplement in the portal would (SPEC D20, D2).

The ticket is taken as it is now; the deadline counts from the mail's arrival (SPEC D3).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.portal import deadlines, status
from shared.portal.calendars import Calendar
from shared.portal.history import Entry, deadline_changed, note, reopened, status_changed
from shared.portal.status import Status


@dataclass(frozen=True, slots=True)
class Held:
    """A supplement that was held back, and its ticket as it is now; minutes are working time."""

    arrived_at: datetime
    is_automatic: bool
    status: Status
    portal_status: Status | None
    recalculate_deadline: bool
    resolution_minutes: int | None
    deadline_at: datetime | None
    completed_at: datetime | None
    calendar: Calendar


@dataclass(frozen=True, slots=True)
class Accepted:
    """The ticket afterwards, and what its history says."""

    status: Status
    deadline_at: datetime | None
    completed_at: datetime | None
    history: tuple[Entry, ...]


def accept_held(held: Held) -> Accepted:
    """Status, deadline and history of the ticket once the supplement counts. Automatic mail changes neither (D6)."""
    after, deadline_at = held.status, held.deadline_at
    if not held.is_automatic:
        after = status.after_supplement(held.status, held.portal_status)
        deadline_at = deadlines.after_supplement(
            held.deadline_at,
            recalculate=held.recalculate_deadline,
            resolution_minutes=held.resolution_minutes,
            arrived_at=held.arrived_at,
            calendar=held.calendar,
        )
    reopens = status.reopens(held.status, after)
    history = [note("Aanvulling van een onbekende bij dit ticket beoordeeld en geaccepteerd.")]
    if reopens:
        history.append(reopened(held.completed_at, held.calendar.zone))
    if after.id != held.status.id:
        history.append(status_changed(held.status.name, after.name))
    if deadline_at is not None and deadline_at != held.deadline_at:
        history.append(deadline_changed(held.deadline_at, deadline_at, held.calendar.zone))
    return Accepted(after, deadline_at, None if reopens else held.completed_at, tuple(history))
