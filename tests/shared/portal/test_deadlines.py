"""The deadline after a supplement (D3, A10)."""

from datetime import UTC, datetime

import pytest

from shared.portal.calendars import Calendar
from shared.portal.deadlines import after_supplement

MONDAY_NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
EARLIER = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
LATER = datetime(2026, 4, 1, 8, 0, tzinfo=UTC)
RECALCULATED = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("current", "recalculate", "minutes", "expected"),
    [
        pytest.param(EARLIER, True, 120, RECALCULATED, id="counts from the arrival"),
        pytest.param(LATER, True, 120, RECALCULATED, id="may become earlier"),
        pytest.param(None, True, 120, RECALCULATED, id="an empty one is set"),
        pytest.param(EARLIER, False, 120, EARLIER, id="not to be recalculated"),
        pytest.param(None, False, 120, None, id="empty and not to be recalculated"),
        pytest.param(EARLIER, True, None, EARLIER, id="no priority, or one without a time"),
    ],
)
def test_D3_deadline_after_a_supplement(
    *, current: datetime | None, recalculate: bool, minutes: int | None, expected: datetime | None
) -> None:
    deadline = after_supplement(
        current,
        recalculate=recalculate,
        resolution_minutes=minutes,
        arrived_at=MONDAY_NOON,
        calendar=Calendar(),
    )
    assert deadline == expected


def test_D3_a_calendar_without_working_time_changes_nothing() -> None:
    deadline = after_supplement(
        EARLIER, recalculate=True, resolution_minutes=60, arrived_at=MONDAY_NOON, calendar=Calendar(weekly={})
    )
    assert deadline == EARLIER
