"""Checks of an Exchange mailbox while its network and its server fail: no mail is lost, none is doubled.

Each fault hits a check of a mailbox with mails; then checks go on until one ends well. Every mail is then in the queue
once, in the ledger once, and read.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from services.fetcher.flow import Check, Findings
from services.fetcher.mailboxes.protocol import MailboxError, MailboxUnreachable
from tests.mailboxes.post_offices import EwsPostOffice
from tests.servers.ews.faults import (
    Answer,
    DamagedBase64,
    Dropped,
    Fault,
    FirstPageAgain,
    OtherItem,
    Refusal,
    Truncated,
)
from tests.services.fetcher.harness import Desk, Fetching, mail, minutes_ago

MAILS = 12

FAULTS: tuple[Fault, ...] = (
    Dropped(0),
    Dropped(0.1),
    Dropped(0.9),
    Truncated(0.5),
    Truncated(0.99),
    Answer(500),
    Answer(503, headers={"Retry-After": "0"}),
    Answer(401),
    Answer(200),
    Answer(302, headers={"Location": "https://127.0.0.1:1/"}),
    Refusal("ErrorServerBusy", back_off=1, fault=True),
    Refusal("ErrorInternalServerError"),
    Refusal("ErrorTimeoutExpired", fault=True),
)


@dataclass(frozen=True, slots=True)
class OnPremises:
    """An Exchange mailbox that the desk's fetcher checks in place of its Maildir."""

    desk: Desk
    fetching: Fetching
    office: EwsPostOffice

    async def check(self) -> Findings:
        """What one check finds, with a login of its own."""
        return (await self.whole_check()).findings

    async def whole_check(self) -> Check:
        """One check, done."""
        claimed = await self.fetching.claim()
        return await self.fetching.whole_check(claimed=replace(claimed, access=self.office.access))

    async def check_until_well(self) -> int:
        """Checks until one reads and marks every mail; how many it took."""
        for checks in range(1, 10):
            with contextlib.suppress(MailboxError):
                done = await self.whole_check()
                if not (done.findings.unreadable or done.after_import.trouble):
                    return checks
        pytest.fail("no check ended well")

    async def taken_in_once(self, raws: list[bytes]) -> None:
        """Every mail is published once, in the ledger once, and read."""
        assert sorted(message.body for _, message in await self.desk.messages()) == sorted(raws)
        rows = await self.desk.rows()
        assert len(rows) == len(raws)
        assert all(row["marked_read_at"] is not None for row in rows)
        assert all(item.is_read for item in self.office.server.store.inbox.items)


@pytest.fixture
def premises(desk: Desk, fetching: Fetching, tmp_path: Path) -> Iterator[OnPremises]:
    office = EwsPostOffice(tmp_path)
    yield OnPremises(desk, fetching, office)
    office.close()


def deliver(office: EwsPostOffice, count: int = MAILS, *, since: int = 0) -> list[bytes]:
    raws = [mail(f"Mail {since + number}", "regel\r\n" * 50) for number in range(count)]
    for number, raw in enumerate(raws):
        office.deliver(raw, minutes_ago(count - number))
    return raws


@pytest.mark.parametrize("operation", ["GetFolder", "FindItem", "GetItem", "UpdateItem"])
async def test_a_fault_in_a_check_loses_and_doubles_no_mail(premises: OnPremises, operation: str) -> None:
    premises.office.server.manners.most_items = 1000
    raws: list[bytes] = []
    for fault in FAULTS:
        raws += deliver(premises.office, 3, since=len(raws))
        premises.office.server.next(operation, fault, fault)
        assert await premises.check_until_well() <= 3, fault
    await premises.taken_in_once(raws)


async def test_a_fault_between_two_pages_loses_and_doubles_no_mail(premises: OnPremises) -> None:
    raws = deliver(premises.office)
    for fault in (FirstPageAgain(), Dropped(0.5), Truncated(), FirstPageAgain()):
        premises.office.server.next("FindItem", FirstPageAgain(), fault)
        with contextlib.suppress(MailboxError):
            await premises.check()
    await premises.check_until_well()
    await premises.taken_in_once(raws)


@pytest.mark.parametrize("fault", [DamagedBase64(), OtherItem(), Truncated(), Refusal("ErrorItemCorrupt")], ids=repr)
async def test_a_mail_that_does_not_come_keeps_no_other_back(premises: OnPremises, fault: Fault) -> None:
    raws = deliver(premises.office, 3)
    premises.office.server.next("GetItem", fault, fault)  # all of them at once, then the first alone
    findings = await premises.check()
    assert (findings.unreadable, findings.taken_in) == (1, 2)
    assert findings.unreadable_because.endswith(".")
    assert (await premises.check()).taken_in == 1
    await premises.taken_in_once(raws)


async def test_a_busy_server_ends_the_check_and_what_was_taken_in_stays_so(premises: OnPremises) -> None:
    raws = deliver(premises.office, 4)
    premises.office.server.next("UpdateItem", *[Refusal("ErrorServerBusy", back_off=60_000, fault=True)] * 8)
    with pytest.raises(MailboxUnreachable) as busy:
        await premises.check()
    assert busy.value.after is not None
    assert timedelta(seconds=30) < busy.value.after <= timedelta(minutes=1)
    assert premises.office.server.seen.operations["UpdateItem"] == 1
    assert len(await premises.desk.rows()) == 4
    premises.office.server._faults.clear()
    assert (await premises.check()).taken_in == 0
    await premises.taken_in_once(raws)


async def test_a_check_costs_the_least_requests(premises: OnPremises) -> None:
    server = premises.office.server
    server.manners.most_items = 1000
    deliver(premises.office, 5)
    await premises.check()
    assert server.seen.operations == {"GetFolder": 1, "FindItem": 1, "GetItem": 1, "UpdateItem": 1}
    server.seen.operations.clear()
    assert (await premises.check()).unread == 0
    assert server.seen.operations == {"GetFolder": 1, "FindItem": 1}


async def test_W1_a_mail_set_back_to_unread_is_imported_once(premises: OnPremises) -> None:
    raws = deliver(premises.office, 2)
    await premises.check()
    for item in premises.office.server.store.inbox.items:
        item.is_read = False
    assert (await premises.check()).taken_in == 0
    assert len(await premises.desk.messages()) == len(raws)


async def test_D17_a_mail_that_is_too_large_is_taken_in_by_its_beginning(premises: OnPremises) -> None:
    await premises.desk.set(max_mail_bytes=1024 * 1024)
    raw = mail("Te groot", "regel van een lange mail\r\n" * 80_000)
    premises.office.deliver(raw, minutes_ago(1))
    assert (await premises.check()).taken_in == 1
    ((envelope, message),) = await premises.desk.messages()
    assert not envelope.complete
    assert envelope.full_size > len(raw)
    assert raw.startswith(message.body)
    assert premises.office.server.seen.bytes_sent < len(raw)


async def test_after_import_the_mail_is_moved_and_a_lost_answer_changes_nothing(premises: OnPremises) -> None:
    server = premises.office.server
    raws = deliver(premises.office, 3)
    await premises.desk.set(after_import_folder="Archief/2026", after_import="move")
    await premises.check()
    for row in await premises.desk.rows():
        await premises.desk.conclude("duplicate", row["item_key"])
    server.next("MoveItem", Dropped(0.5), Truncated(), Answer(500))
    for _ in range(4):
        with contextlib.suppress(MailboxError):
            await premises.check()
    archive = server.store.folder("Archief/2026")
    assert archive is not None
    assert sorted(item.raw for item in archive.items) == sorted(raws)
    assert server.store.inbox.items == []
