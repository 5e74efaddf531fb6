"""When mails to an employee become one (SPEC M2, M3)."""

import uuid
from dataclasses import replace

import pytest

from services.ticket_writer.rules.recipients import Notification
from services.ticket_writer.rules.summaries import PERIOD, Burst, begins_summary, in_burst, may_be_summarised
from shared.messages import NotificationKind
from shared.portal.reasons import NotSentReason

M2 = Notification(NotificationKind.TICKET_ADDED_MANAGER, address="marieke@desk.example")
OPEN = uuid.uuid4()


@pytest.mark.parametrize(
    ("burst", "after", "collects", "told_by"),
    [
        pytest.param(Burst(), 20, False, None, id="the first"),
        pytest.param(Burst(19), 20, False, None, id="the twentieth"),
        pytest.param(Burst(20), 20, True, None, id="the next"),
        pytest.param(Burst(500), 20, True, None, id="the first after a summary, while the burst lasts"),
        pytest.param(Burst(25, OPEN), 20, False, OPEN, id="while one collects"),
        pytest.param(Burst(3, OPEN), 20, False, OPEN, id="the burst is over, one collects still"),
        pytest.param(Burst(500), None, False, None, id="a helpdesk that wants none"),
    ],
)
def test_M2_the_first_go_by_themselves_the_next_collects(
    burst: Burst, after: int | None, *, collects: bool, told_by: uuid.UUID | None
) -> None:
    assert begins_summary(burst, after) is collects
    found = in_burst(M2, burst, after)
    assert (found.collects_for, found.summary_id) == (PERIOD if collects else None, told_by)
    assert found.not_sent == (None if told_by is None else NotSentReason.IN_SUMMARY)


@pytest.mark.parametrize(
    ("notification", "may"),
    [
        pytest.param(M2, True, id="M2"),
        pytest.param(Notification(NotificationKind.SUPPLEMENT_ADDED_EXECUTOR, address="a@b"), True, id="M3"),
        pytest.param(Notification(NotificationKind.TICKET_ADDED_CUSTOMER, address="a@b"), False, id="M4"),
        pytest.param(replace(M2, not_sent=NotSentReason.MAILS_OFF), False, id="not sent"),
    ],
)
def test_M2_M3_are_summarised_and_nothing_else(notification: Notification, *, may: bool) -> None:
    assert may_be_summarised(notification) is may
