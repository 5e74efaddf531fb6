"""What the comparison must see: each way in which a run can have gone wrong, and nothing where it went well."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.chaos.comparison import (
    RECORDED_WITHIN,
    Mail,
    Notification,
    Placed,
    Receipt,
    Row,
    doubled,
    lost,
    misfiled,
    notifications_doubled,
    notifications_missing,
    recovery_seconds,
)

TICKET = Mail(7, "seven", "ticket", None, has_text=True, has_picture=True, notifications=("to customer",))
SUPPLEMENT = Mail(8, "eight", "supplement", "1000001", has_text=True, has_picture=False, notifications=())
ROWS = [Row("seven", "ticket"), Row("eight", "supplement")]
OWN_TICKET = Placed("ticket", "2000", "seven", frozenset({7}), frozenset({7}))
OWN_SUPPLEMENT = Placed("supplement", "1000001", "eight", frozenset({8}), frozenset())
PLACED = [OWN_TICKET, OWN_SUPPLEMENT]
READ = frozenset({"seven", "eight"})
SENT = Notification("seven", "to customer", "sent", "id@ours")
RECEIVED = Receipt("id@ours", "digest", 100.0)


def test_what_went_well_has_no_differences() -> None:
    mails = [TICKET, SUPPLEMENT]
    assert lost(mails, ROWS, PLACED, READ) == []
    assert doubled(ROWS, PLACED) == []
    assert misfiled(mails, PLACED) == []
    assert notifications_missing(mails, [SENT], [RECEIVED]) == []
    assert notifications_doubled([SENT], [RECEIVED], []) == ([], 0)


@pytest.mark.parametrize(
    ("rows", "placed", "read", "says"),
    [
        pytest.param([], PLACED, READ, "the ledger does not have it", id="no row"),
        pytest.param([Row("seven", None)], PLACED, READ, "its outcome is None", id="no outcome"),
        pytest.param([Row("seven", "quarantine", ("x",))], PLACED, READ, "quarantine (x), not ticket", id="set aside"),
        pytest.param(
            [Row("seven", "ticket", open=("a dead letter",))], PLACED, READ, "a dead letter", id="dead letter"
        ),
        pytest.param(ROWS, PLACED, frozenset(), "unread", id="unread"),
        pytest.param(ROWS, [], READ, "no ticket was made of it", id="no ticket"),
        pytest.param(ROWS, [replace(OWN_TICKET, texts=frozenset())], READ, "its text is not in", id="no text"),
        pytest.param(ROWS, [replace(OWN_TICKET, pictures=frozenset())], READ, "its picture is not in", id="no picture"),
        pytest.param(ROWS, [replace(OWN_TICKET, broken=("ab",))], READ, "bytes of its picture changed", id="bytes"),
    ],
)
def test_a_mail_that_did_not_become_what_it_must_is_lost(
    rows: list[Row], placed: list[Placed], read: frozenset[str], says: str
) -> None:
    [sentence] = lost([TICKET], rows, placed, read)
    assert says in sentence


def test_a_second_row_and_a_second_ticket_are_doubles() -> None:
    assert len(doubled([*ROWS, ROWS[0]], PLACED)) == 1
    assert len(doubled(ROWS, [*PLACED, replace(OWN_TICKET, ticket="2001")])) == 1


@pytest.mark.parametrize(
    "placed",
    [
        pytest.param(replace(OWN_TICKET, texts=frozenset({7, 8})), id="another mail's text"),
        pytest.param(replace(OWN_TICKET, pictures=frozenset({7, 8})), id="another mail's picture"),
        pytest.param(replace(OWN_SUPPLEMENT, ticket="1000002"), id="another ticket"),
        pytest.param(replace(OWN_TICKET, key="nobody"), id="a mail that nobody sent"),
    ],
)
def test_what_is_in_anothers_ticket_is_misfiled(placed: Placed) -> None:
    assert len(misfiled([TICKET, SUPPLEMENT], [placed])) == 1


@pytest.mark.parametrize(
    ("notifications", "receipts"),
    [
        pytest.param([], [], id="never planned"),
        pytest.param([replace(SENT, state="failed")], [], id="failed"),
        pytest.param([SENT], [], id="sent and never received"),
    ],
)
def test_a_mail_to_people_that_did_not_arrive_is_missing(
    notifications: list[Notification], receipts: list[Receipt]
) -> None:
    assert len(notifications_missing([TICKET], notifications, receipts)) == 1


@pytest.mark.parametrize(
    ("receipts", "deaths", "window"),
    [
        pytest.param([replace(RECEIVED, cut=True), replace(RECEIVED, at=200.0)], [], 1, id="the answer was cut off"),
        pytest.param([RECEIVED, replace(RECEIVED, at=200.0)], [101.0], 1, id="the notifier died"),
        pytest.param([RECEIVED, replace(RECEIVED, at=200.0)], [], None, id="no reason"),
        pytest.param([RECEIVED, replace(RECEIVED, at=200.0)], [99.0], None, id="it died before"),
        pytest.param([RECEIVED, replace(RECEIVED, at=900.0)], [101.0 + RECORDED_WITHIN], None, id="it died much later"),
        pytest.param([replace(RECEIVED, cut=True), replace(RECEIVED, digest="other")], [], None, id="other bytes"),
        pytest.param([replace(RECEIVED, message_id="foreign")], [], None, id="nobody's"),
    ],
)
def test_only_the_window_of_smtp_lets_a_mail_come_twice(
    receipts: list[Receipt], deaths: list[float], window: int | None
) -> None:
    problems, repeated = notifications_doubled([SENT], receipts, deaths)
    assert (len(problems), repeated) == ((1, 0) if window is None else (0, window))


def test_two_different_mails_about_one_thing_are_a_double() -> None:
    problems, _ = notifications_doubled([SENT, replace(SENT, message_id="other@ours")], [], [])
    assert len(problems) == 1


def test_recovery_is_from_the_end_of_a_fault_to_the_next_outcome_while_mail_waits() -> None:
    assert recovery_seconds([10.0, 12.5, 30.0], [1.0, 2.0, 3.0], [5.0, 12.0, 13.0]) == [2.0, 0.5]
