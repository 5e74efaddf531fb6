"""A database that was brought back loses no mail that its mailbox still has, and makes no ticket twice (issue 14)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from services.fetcher.concurrently import ByteBudget
from services.fetcher.flow import Check
from services.fetcher.mailboxes.registry import open_mailbox
from services.fetcher.read_again import read_filed_mail_again
from tests.services.fetcher.harness import Desk, Fetching, mail, minutes_ago
from tests.services.fetcher.test_following import bodies, read_first


async def bring_back(desk: Desk, minutes: float, last_number: int | None = None) -> Any:
    """Say that the database was brought back to so many minutes ago, as a person does, and confirm it."""
    async with desk.database.connect("console") as console:
        prepared = await console.fetchrow(
            "SELECT * FROM note_brought_back($1, $2)", datetime.now(UTC) - timedelta(minutes=minutes), last_number
        )
        await console.execute("SELECT confirm_installation(NULL, false)")
    return prepared


async def checked(desk: Desk, minutes: float) -> None:
    """A check succeeded so many minutes ago."""
    await desk.owner.execute("UPDATE mailbox_states SET last_successful_check_at = $1", minutes_ago(minutes))


async def test_what_was_imported_since_is_taken_in_once_more_and_what_is_known_is_not(
    desk: Desk, fetching: Fetching
) -> None:
    desk.post_office.deliver(mail("Voor het moment geïmporteerd"), minutes_ago(30))
    assert (await fetching.check()).taken_in == 1
    await checked(desk, 20)
    read_first(desk.post_office, "Lang voor het moment gelezen", 300)
    read_first(desk.post_office, "Erna geïmporteerd", 5)
    desk.post_office.deliver(mail("Nog ongelezen"), minutes_ago(1))
    await bring_back(desk, 10)
    await bodies(desk)
    claimed = await fetching.claim()
    assert (await fetching.check(claimed=claimed)).taken_in == 2
    assert await bodies(desk) == [mail("Erna geïmporteerd"), mail("Nog ongelezen")]
    await fetching.mailboxes.claim(timedelta(minutes=1), 10)
    await fetching.mailboxes.record_read_again(claimed)
    await fetching.mailboxes.release([desk.helpdesk_id])
    read_first(desk.post_office, "Daarna door een mens gelezen", 0)
    assert (await fetching.check()).taken_in == 0, "once"


async def test_mail_that_had_waited_when_it_was_brought_back_is_taken_in_too(desk: Desk, fetching: Fetching) -> None:
    await checked(desk, 600)
    read_first(desk.post_office, "Lag er al, en werd na het moment geïmporteerd", 300)
    await bring_back(desk, 10)
    assert (await fetching.check()).taken_in == 1


async def test_mail_that_was_moved_since_is_found_where_it_was_moved_to(desk: Desk, fetching: Fetching) -> None:
    await desk.set(after_import_folder="Verwerkt", after_import="move")
    await checked(desk, 20)
    read_first(desk.post_office, "Verplaatst", 5)
    await bring_back(desk, 10)
    claimed = await fetching.claim()
    mailbox = await open_mailbox(claimed.access)
    [moved] = (await mailbox.arrivals(None, minutes_ago(20))).mails
    await mailbox.move(moved, "Verwerkt")
    await mailbox.close()
    new_check = partial(
        Check, ledger=fetching.ledger, publisher=fetching.publisher, budget=ByteBudget(64 * 1024 * 1024)
    )
    findings = await fetching.check(claimed=claimed)
    assert (findings.taken_in, findings.reached is None) == (0, False)
    for _ in range(2):  # the second time it is known
        await read_filed_mail_again(claimed, findings, new_check, fetching.stop)
    assert (findings.taken_in, findings.reached is None) == (1, False)
    assert await bodies(desk) == [mail("Verplaatst")]
    assert desk.post_office.contents("Verwerkt") == [mail("Verplaatst")]


async def test_a_folder_that_is_not_there_holds_nothing(desk: Desk, fetching: Fetching) -> None:
    await desk.set(after_import_folder="Verwerkt", after_import="move")
    await bring_back(desk, 10)
    claimed = await fetching.claim()
    findings = await fetching.check(claimed=claimed)
    await read_filed_mail_again(claimed, findings, partial(Check), fetching.stop)
    assert findings.reached is not None


@pytest.mark.parametrize("silent", [True, False], ids=["without mails", "with mails"])
async def test_a_person_decides_whether_it_causes_mails_again(desk: Desk, fetching: Fetching, *, silent: bool) -> None:
    await checked(desk, 20)
    read_first(desk.post_office, "Erna geïmporteerd", 5)
    await bring_back(desk, 10)
    await desk.owner.execute("UPDATE mailbox_states SET read_again_silent = $1", silent)
    await fetching.check()
    [(envelope, _)] = await desk.messages()
    assert envelope.choice == ("import-without-mails" if silent else None)


async def next_number(owner: Any) -> int:
    number: int = await owner.fetchval("SELECT nextval('ticket_number_seq')")
    return number


async def test_numbers_given_since_are_not_given_again(desk: Desk) -> None:
    before = await next_number(desk.owner)
    assert (await bring_back(desk, 10))["next_number"] == before + 1001
    assert await next_number(desk.owner) == before + 1001
    await bring_back(desk, 20, before + 5000)
    assert await next_number(desk.owner) == before + 5001


async def test_a_restore_that_is_told_twice_moves_the_numbers_once(desk: Desk) -> None:
    moment = datetime.now(UTC) - timedelta(hours=1)
    numbers = [
        await desk.owner.fetchval("SELECT next_number FROM note_brought_back($1, NULL)", moment) for _ in range(2)
    ]
    assert numbers[0] == numbers[1]


async def test_mail_on_its_way_is_published_at_once_since_the_queues_were_emptied(
    desk: Desk, fetching: Fetching
) -> None:
    desk.post_office.deliver(mail("Onderweg"), minutes_ago(3))
    await fetching.check()
    await desk.messages()
    assert await fetching.ledger.claim_to_republish(10) == []
    await bring_back(desk, 1)
    assert len(await fetching.ledger.claim_to_republish(10)) == 1
