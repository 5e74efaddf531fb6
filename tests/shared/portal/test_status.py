"""The status after a supplement (A8, D2)."""

from dataclasses import replace

import pytest

from shared.portal.status import Status, StatusCategory, after_supplement, reopens

OPEN = Status(1, "In behandeling", StatusCategory.OPEN, visible_to_customer=True, expanded=False)
ANSWERED = replace(OPEN, id=2, name="Beantwoord")
CLOSED = Status(3, "Gesloten", StatusCategory.CLOSED, visible_to_customer=True, expanded=False)


def test_A8_the_helpdesks_setting_becomes_the_status() -> None:
    assert after_supplement(CLOSED, OPEN) == OPEN


def test_D2_an_empty_setting_leaves_the_status() -> None:
    assert after_supplement(CLOSED, None) == CLOSED


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param(CLOSED, OPEN, True, id="closed to open"),
        pytest.param(OPEN, ANSWERED, False, id="open to open"),
        pytest.param(CLOSED, CLOSED, False, id="stays closed"),
        pytest.param(OPEN, CLOSED, False, id="open to closed"),
    ],
)
def test_D2_reopening(*, before: Status, after: Status, expected: bool) -> None:
    assert reopens(before, after) is expected
