"""Old mail: what is left alone, and when a person is asked (SPEC D18)."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.fetcher.rules.backlog import Backlog, BacklogRule, Chosen, Waiting
from shared.messages import ImportChoice

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Mail:
    received_at: datetime


def mails(*days_old: float) -> list[Mail]:
    return [Mail(NOW - timedelta(days=days)) for days in days_old]


def rule(limit: int = 3, import_from: datetime | None = None) -> BacklogRule:
    return BacklogRule.at(NOW, import_from=import_from, old_mail_days=7, limit=limit)


def listed(found: list[Mail], rule: BacklogRule, page_size: int) -> tuple[list[Mail], int]:
    """What is imported, in order, and how many wait, when `found` comes in pages."""
    backlog: Backlog[Mail] = Backlog(rule)
    imported: list[Mail] = []
    for start in range(0, len(found), page_size):
        backlog, now = backlog.admit(found[start : start + page_size])
        assert len(backlog.held) <= rule.limit
        imported += now
    return imported + backlog.close(), backlog.waiting.count if backlog.waiting else 0


@pytest.mark.parametrize("page_size", [1, 2, 3, 100])
@pytest.mark.parametrize(
    ("found", "imported", "waiting"),
    [
        pytest.param([], [], 0, id="nothing"),
        pytest.param([3, 2, 1], [3, 2, 1], 0, id="new mail only"),
        pytest.param([30, 20, 10], [30, 20, 10], 0, id="as many old as allowed, nothing newer"),
        pytest.param([30, 20, 10, 1], [30, 20, 10, 1], 0, id="as many old as allowed"),
        pytest.param([30, 20, 10, 8], [], 4, id="too many old, nothing newer"),
        pytest.param([30, 20, 10, 8, 6, 1], [6, 1], 4, id="too many old: the newer is imported"),
        pytest.param([8, 7.1, 7, 6.9], [8, 7.1, 7, 6.9], 0, id="exactly seven days is not older"),
    ],
)
def test_D18_more_old_mail_than_the_limit_waits_for_a_person(
    found: list[float], imported: list[float], waiting: int, page_size: int
) -> None:
    assert listed(mails(*found), rule(), page_size) == (mails(*imported), waiting)


@pytest.mark.parametrize(
    ("found", "import_from_days_ago", "imported", "waiting"),
    [
        pytest.param([5, 4, 3], 4, [4, 3], 0, id="the moment itself is included"),
        pytest.param([30, 20, 10, 9, 8, 1], 9.5, [9, 8, 1], 0, id="what is left alone is no backlog"),
        pytest.param([5, 4], 0, [], 0, id="all is older"),
    ],
)
def test_D18_mail_before_import_from_is_left_alone(
    found: list[float], import_from_days_ago: float, imported: list[float], waiting: int
) -> None:
    start = NOW - timedelta(days=import_from_days_ago)
    assert listed(mails(*found), rule(import_from=start), 2) == (mails(*imported), waiting)


@given(
    st.lists(st.floats(min_value=0, max_value=20), max_size=40).map(lambda days: sorted(days, reverse=True)),
    st.integers(min_value=1, max_value=10),
    st.integers(min_value=1, max_value=10),
)
def test_D18_every_mail_is_imported_once_in_order_or_waits(days: list[float], limit: int, page_size: int) -> None:
    found = mails(*days)
    old = [mail for mail in found if mail.received_at < NOW - timedelta(days=7)]
    imported, waiting = listed(found, rule(limit), page_size)
    assert waiting == (len(old) if len(old) > limit else 0)
    assert imported == (found[len(old) :] if waiting else found)


def chosen(days_ago: float, choice: ImportChoice = ImportChoice.MARK_READ) -> BacklogRule:
    """The rule once a person has chosen for what arrived up to then."""
    until = NOW - timedelta(days=days_ago)
    return BacklogRule.at(
        NOW, import_from=None, old_mail_days=7, limit=3, chosen=Chosen(choice, NOW - timedelta(hours=1), until)
    )


@pytest.mark.parametrize("page_size", [1, 2, 3, 100])
@pytest.mark.parametrize(
    ("found", "imported", "waiting"),
    [
        pytest.param([30, 20, 15, 12, 10, 1], [30, 20, 15, 12, 10, 1], 0, id="all of it waited then"),
        pytest.param([30, 20, 9.9, 9, 8.5, 8], [30, 20], 4, id="too much has become old since: that waits anew"),
        pytest.param([30, 20, 9, 8, 1], [30, 20, 9, 8, 1], 0, id="little has become old since"),
    ],
)
def test_D18_a_choice_is_for_the_mails_that_waited_when_it_was_made(
    found: list[float], imported: list[float], waiting: int, page_size: int
) -> None:
    assert listed(mails(*found), chosen(10), page_size) == (mails(*imported), waiting)


def test_D18_each_mail_that_waited_carries_the_choice_and_no_other_does() -> None:
    rule = chosen(10, ImportChoice.IMPORT)
    assert [rule.choice_for(mail) for mail in mails(30, 10, 9.9, 1)] == [ImportChoice.IMPORT] * 2 + [None] * 2
    assert chosen(5).choice_for(*mails(6)) is None  # not old: nobody was asked about it


def test_D18_what_waits_is_known_by_number_and_arrival() -> None:
    nothing: Backlog[Mail] = Backlog(rule())
    backlog, _ = nothing.admit(mails(30, 20))
    backlog, _ = backlog.admit(mails(10, 9, 8, 1))
    assert backlog.waiting == Waiting(5, NOW - timedelta(days=30), NOW - timedelta(days=8))
