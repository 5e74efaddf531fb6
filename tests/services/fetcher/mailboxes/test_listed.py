"""What is kept of a listing of a server that never gets done (`Listed`)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from services.fetcher.mailboxes import protocol
from services.fetcher.mailboxes.protocol import ItemKey, Listed, MailReference

NOW = datetime(2026, 11, 28, 19, 0, tzinfo=UTC)


def mail(number: int, hint: str = "") -> MailReference:
    """One that arrived so many seconds after the first."""
    return MailReference(ItemKey(f"{number:06d}"), NOW + timedelta(seconds=number), None, hint)


@pytest.mark.parametrize(
    ("most", "characters"), [(10, 10**9), (10**9, 10 * 106)], ids=["by-their-number", "by-what-they-are-called"]
)
def test_of_a_listing_without_end_the_newest_are_kept(
    monkeypatch: pytest.MonkeyPatch, most: int, characters: int
) -> None:
    monkeypatch.setattr(protocol, "MOST_LISTED", most)
    monkeypatch.setattr(protocol, "LISTED_CHARACTERS", characters)
    listed = Listed()
    for page in range(100):
        listed.add(mail(number, "x" * 100) for number in range(page * 7, page * 7 + 7))
        assert len(listed._mails) <= 2 * 10 + 7
    assert [each.key for each in listed.newest()] == [mail(number).key for number in range(690, 700)]


def test_a_mail_that_is_listed_twice_is_as_it_was_last() -> None:
    listed = Listed()
    listed.add([mail(1, "before"), mail(2)])
    listed.add([mail(1, "after")])
    assert [(each.key, each.hint) for each in listed.newest()] == [("000001", "after"), ("000002", "")]
