"""What an unread mail that the ledger knows still needs (DESIGN 1)."""

import uuid
from datetime import UTC, datetime

import pytest

from services.fetcher.rules.known_mail import KnownMail, Need, need
from shared.messages import MailId

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ID = MailId(uuid.uuid4())


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        pytest.param(None, Need.TAKE_IN, id="unknown"),
        pytest.param(KnownMail(ID, None, None), Need.PUBLISH, id="crash after storing"),
        pytest.param(KnownMail(ID, AT, None), Need.MARK_READ, id="crash after publishing"),
        pytest.param(KnownMail(ID, AT, AT), Need.NOTHING, id="set back to unread"),
        pytest.param(KnownMail(ID, None, AT), Need.PUBLISH, id="read before it was published"),
    ],
)
def test_the_ledger_says_what_an_unread_mail_needs(known: KnownMail | None, expected: Need) -> None:
    assert need(known) is expected
