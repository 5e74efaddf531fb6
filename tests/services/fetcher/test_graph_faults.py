"""Checks of a mailbox in Exchange Online while its network and its servers fail: no mail is lost, none is doubled.

Each fault hits a check of a mailbox with mails; then checks go on until one ends well. Every mail is then in the queue
once, in the ledger once, and read.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from services.fetcher.flow import Findings
from services.fetcher.mailboxes.protocol import MailboxError, MailboxUnreachable
from tests.mailboxes.post_offices import GraphPostOffice
from tests.servers.graph_faults import (
    Fault,
    broken_off,
    cut_short,
    redirected,
    status,
    unanswered,
    without_last_chunk,
    without_length,
)
from tests.services.fetcher.harness import Desk, Fetching, mail, minutes_ago

MAILS = 12
LIST = r"GET .*/messages"
VALUE = r"GET .*/\$value"
MARK = r"PATCH .*"


@dataclass(frozen=True, slots=True)
class Online:
    """A mailbox in Exchange Online that the desk's fetcher checks in place of its Maildir."""

    desk: Desk
    fetching: Fetching
    office: GraphPostOffice

    async def check(self) -> Findings:
        """One check, with a login of its own."""
        claimed = await self.fetching.claim()
        return await self.fetching.check(claimed=replace(claimed, access=self.office.access))

    async def check_until_well(self) -> int:
        """Checks until one reads every mail; how many it took."""
        for checks in range(1, 10):
            with contextlib.suppress(MailboxError):
                if not (await self.check()).unreadable:
                    return checks
        pytest.fail("no check ended well")

    async def taken_in_once(self, raws: list[bytes]) -> None:
        """Every mail is published once, in the ledger once, and read."""
        assert sorted(message.body for _, message in await self.desk.messages()) == sorted(raws)
        rows = await self.desk.rows()
        assert len(rows) == len(raws)
        assert all(row["marked_read_at"] is not None for row in rows)
        assert all(message.is_read for message in self.office.mailbox.messages)


@pytest.fixture
def online(desk: Desk, fetching: Fetching, tmp_path: Path) -> Iterator[Online]:
    office = GraphPostOffice(tmp_path)
    yield Online(desk, fetching, office)
    office.close()


def deliver(office: GraphPostOffice, count: int = MAILS, *, since: int = 0) -> list[bytes]:
    raws = [mail(f"Mail {since + number}", "regel\r\n" * 50) for number in range(count)]
    for number, raw in enumerate(raws):
        office.deliver(raw, minutes_ago(count - number))
    return raws


FAULTS: tuple[Fault, ...] = (
    broken_off,
    cut_short,
    without_last_chunk,
    without_length,
    unanswered,
    status(500, "ErrorInternalServerError"),
    status(503, "ErrorServerBusy", Retry_After="0"),
    status(429, "ApplicationThrottled", Retry_After="0"),
    status(401, "InvalidAuthenticationToken"),
    redirected("https://127.0.0.1:1/"),
)


@pytest.mark.parametrize("pattern", [LIST, VALUE, MARK], ids=["listing", "mail", "mark"])
async def test_a_fault_in_a_check_loses_and_doubles_no_mail(online: Online, pattern: str) -> None:
    raws: list[bytes] = []
    for fault in FAULTS:
        raws += deliver(online.office, since=len(raws))
        online.office.server.fault(pattern, fault, times=2)
        assert await online.check_until_well() <= 3, fault
    await online.taken_in_once(raws)


async def test_tokens_that_are_withdrawn_while_entra_is_away_lose_and_double_no_mail(online: Online) -> None:
    await online.check()
    raws = deliver(online.office)
    online.office.server.entra.end_tokens()
    online.office.server.fault(r"POST .*/token", status(503), times=2)
    assert await online.check_until_well() == 3
    await online.taken_in_once(raws)


async def test_a_mail_that_never_comes_does_not_keep_the_others_back(online: Online) -> None:
    raws = deliver(online.office, 3)
    first = online.office.mailbox.messages[0]
    first.raw = b"never " * 1000
    online.office.server.fault(r"GET .*/\$value", broken_off)
    findings = await online.check()
    assert (findings.unreadable, findings.taken_in) == (1, 2)
    await online.check()
    await online.taken_in_once([first.raw, *raws[1:]])


async def test_a_mail_set_back_to_unread_is_imported_once(online: Online) -> None:
    raws = deliver(online.office, 2)
    await online.check()
    for message in online.office.mailbox.messages:
        message.is_read = False
    assert (await online.check()).taken_in == 0
    assert len(await online.desk.messages()) == len(raws)


async def test_a_poll_of_an_empty_mailbox_is_one_request(online: Online) -> None:
    await online.check()
    requests = online.office.server.requests
    assert len(requests) == 2
    assert requests[1].endswith("/messages")


async def test_what_is_final_is_moved_away_and_what_is_quarantined_stays(online: Online) -> None:
    raws = deliver(online.office, 2)
    await online.desk.set(after_import_folder="Verwerkt", after_import="move")
    await online.check()
    quarantined, final = (row["item_key"] for row in await online.desk.rows())
    await online.desk.conclude("quarantine", quarantined)
    await online.desk.conclude("duplicate", final)
    online.office.server.fault(r"POST .*/move", unanswered)
    for _ in range(2):
        with contextlib.suppress(MailboxError):
            await online.check()
    assert online.office.contents("Verwerkt") == raws[1:]
    assert online.office.contents("INBOX") == raws[:1]


async def test_throttling_tells_the_schedule_how_long_to_wait(online: Online) -> None:
    deliver(online.office)
    online.office.server.fault(LIST, status(429, "ApplicationThrottled", Retry_After="300"))
    with pytest.raises(MailboxUnreachable) as trouble:
        await online.check()
    assert trouble.value.after is not None
    assert 290 < trouble.value.after.total_seconds() <= 300
