"""What accepting a held supplement does to its ticket (SPEC D20, with D2, D3 and D6)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.console.repairs.accepting import Held, accept_held
from shared.portal.calendars import Calendar, Hours
from shared.portal.status import Status, StatusCategory

ARRIVED = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
OPEN = Status(1, "Open", StatusCategory.OPEN, visible_to_customer=True, expanded=False)
REPLIED = Status(2, "Reactie", StatusCategory.OPEN, visible_to_customer=True, expanded=True)
CLOSED = Status(3, "Gesloten", StatusCategory.CLOSED, visible_to_customer=True, expanded=False)
HELD = Held(
    arrived_at=ARRIVED,
    is_automatic=False,
    status=OPEN,
    portal_status=REPLIED,
    recalculate_deadline=True,
    resolution_minutes=120,
    deadline_at=None,
    completed_at=None,
    calendar=Calendar(time_zone="UTC", weekly={day: (Hours(0, 1440),) for day in range(1, 8)}),
)


@pytest.mark.parametrize(
    ("changes", "status", "deadline_at", "kinds"),
    [
        pytest.param({}, REPLIED, ARRIVED + timedelta(hours=2), ["status-changed", "deadline-changed"], id="usual"),
        pytest.param({"is_automatic": True}, OPEN, None, [], id="D6 automatic"),
        pytest.param({"portal_status": None, "resolution_minutes": None}, OPEN, None, [], id="D2 nothing is set"),
        pytest.param({"recalculate_deadline": False}, REPLIED, None, ["status-changed"], id="A10 no recalculation"),
        pytest.param(
            {"status": CLOSED, "completed_at": ARRIVED, "recalculate_deadline": False},
            REPLIED,
            None,
            ["reopened", "status-changed"],
            id="D2 reopened",
        ),
    ],
)
def test_D20_an_accepted_supplement_counts_as_one_of_the_portal(
    changes: dict[str, Any], status: Status, deadline_at: datetime | None, kinds: list[str]
) -> None:
    accepted = accept_held(replace(HELD, **changes))
    assert (accepted.status, accepted.deadline_at, accepted.completed_at) == (status, deadline_at, None)
    assert [entry.kind.value for entry in accepted.history] == ["note", *kinds]
