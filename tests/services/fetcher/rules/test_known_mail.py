"""What an unread mail that the ledger knows still needs (DESIGN 1)."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from services.fetcher.rules.known_mail import KnownMail, Need, is_of_another, need
from shared.messages import MailId

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ID = MailId(uuid.uuid4())


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        pytest.param(None, Need.TAKE_IN, id="unknown"),
        pytest.param(KnownMail(ID, AT, None, None), Need.PUBLISH, id="crash after storing"),
        pytest.param(KnownMail(ID, AT, AT, None), Need.MARK_READ, id="crash after publishing"),
        pytest.param(KnownMail(ID, AT, AT, AT), Need.NOTHING, id="set back to unread"),
        pytest.param(KnownMail(ID, AT, None, AT), Need.PUBLISH, id="read before it was published"),
    ],
)
def test_the_ledger_says_what_an_unread_mail_needs(known: KnownMail | None, expected: Need) -> None:
    assert need(known) is expected


MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("known", "received_at", "expected"),
    [
        pytest.param(None, AT, False, id="unknown"),
        pytest.param(KnownMail(ID, AT, AT, AT + MINUTE), AT, False, id="set back to unread"),
        pytest.param(KnownMail(ID, AT, AT, AT - MINUTE), AT, False, id="set back to unread, our clock is slow"),
        pytest.param(KnownMail(ID, AT, AT, AT + MINUTE), AT + MINUTE / 2, False, id="its arrival is told otherwise"),
        pytest.param(KnownMail(ID, AT, AT, None), AT + MINUTE, False, id="not done with"),
        pytest.param(KnownMail(ID, AT, AT, AT + MINUTE), AT + 2 * MINUTE, True, id="came when that one was done with"),
    ],
)
def test_a_mail_that_came_after_the_known_one_was_done_with_is_another(
    known: KnownMail | None,
    received_at: datetime,
    expected: bool,  # noqa: FBT001 - a verdict
) -> None:
    assert is_of_another(known, received_at) is expected
