"""The backlog of a mailbox stays in the mailbox while its mails wait for their outcomes, and delays nobody else's."""

from pathlib import Path

import pytest

from services.fetcher import flow
from services.fetcher.rules.batches import WINDOW
from tests.services.fetcher.harness import LEASE, Desk, Fetching, mail, minutes_ago

MANY = 3 * WINDOW


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many mails may be on their way as one batch has."""
    monkeypatch.setattr(flow, "MOST_UNDECIDED", WINDOW)


async def test_no_more_mails_are_taken_in_than_may_be_on_their_way(desk: Desk, fetching: Fetching) -> None:
    keys = [desk.post_office.deliver(mail(f"{number}"), minutes_ago(60 - number)) for number in range(MANY)]
    first = await fetching.check()
    assert (first.taken_in, first.held_back, first.more) == (WINDOW, True, True)
    assert len(await desk.messages()) == WINDOW
    assert [desk.post_office.is_read(key) for key in keys] == [True] * WINDOW + [False] * (MANY - WINDOW)
    again = await fetching.check()
    assert (again.taken_in, again.held_back) == (0, True)


async def test_an_outcome_and_a_dead_letter_make_room_for_the_next(desk: Desk, fetching: Fetching) -> None:
    keys = [desk.post_office.deliver(mail(f"{number}"), minutes_ago(60 - number)) for number in range(MANY)]
    await fetching.check()
    await desk.conclude("quarantine", keys[0])
    rows = await desk.rows()
    await fetching.ledger.dead_letter(rows[1]["mail_id"], "onleesbaar")
    findings = await fetching.check()
    assert findings.taken_in == WINDOW
    assert findings.held_back


async def test_the_backlog_of_one_mailbox_keeps_no_other_waiting(
    desk: Desk, fetching: Fetching, tmp_path: Path
) -> None:
    other = await Desk.make(
        "other", tmp_path, database=desk.database, vhost=desk.vhost, owner=desk.owner, queues=desk.queues
    )
    for number in range(MANY):
        desk.post_office.deliver(mail(f"{number}"), minutes_ago(60 - number))
    other.post_office.deliver(mail("nieuw"), minutes_ago(0))
    for claimed in await fetching.mailboxes.claim(LEASE, 10):
        await fetching.check(claimed=claimed)
    assert len(await other.rows()) == 1
    assert len(await desk.messages()) == WINDOW + 1
