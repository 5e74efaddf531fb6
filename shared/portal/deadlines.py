"""The deadline of a ticket, as the portal recalculates it when a supplement comes in (SPEC D2, D3, A10)."""

from __future__ import annotations

from datetime import datetime

from shared.portal.calendars import Calendar, add_working_minutes


def after_supplement(
    current: datetime | None,
    *,
    recalculate: bool,
    resolution_minutes: int | None,
    arrived_at: datetime,
    calendar: Calendar,
) -> datetime | None:
    """The ticket's deadline («datum deadline», UTC) after a supplement that arrived at `arrived_at`.

    Unchanged when the ticket is not to be recalculated, when its priority is empty or has no resolution time (minutes
    of working time), or when the calendar has no working time at all. Otherwise that time after the arrival, also
    where the deadline was empty, and also where it becomes later: that is what recalculating means.
    """
    if not recalculate or resolution_minutes is None:
        return current
    recalculated = add_working_minutes(calendar, arrived_at, resolution_minutes)
    return current if recalculated is None else recalculated
