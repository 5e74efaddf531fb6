"""Checks of an IMAP mailbox while its server drops, cuts, dawdles and renumbers: no mail is lost, none is doubled.

Each fault hits a check of a mailbox with mails, over a kept connection as in the service; then checks go on until one
ends well. Every mail is then in the queue once, in the ledger once, and read.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

import pytest
from pydantic import SecretStr

from services.fetcher.concurrently import ByteBudget
from services.fetcher.flow import Check, Findings
from services.fetcher.mailboxes.imap import fetching as imap_fetching
from services.fetcher.mailboxes.imap import wire as imap_wire
from services.fetcher.mailboxes.imap.mailbox import ImapMailbox
from services.fetcher.mailboxes.protocol import MailboxAccess, MailboxError, MailboxUnreachable
from tests.servers.imap_server import Fault, ImapServer
from tests.services.fetcher.harness import Desk, Fetching, mail, minutes_ago

MAILS = 6


def access_to(server: ImapServer) -> MailboxAccess:
    return MailboxAccess(
        kind="imap",
        server=f"imap://127.0.0.1:{server.port}",
        username=server.login,
        password=SecretStr(server.password),
        allow_unencrypted=True,
    )


@dataclass(slots=True)
class Remote:
    """A mailbox on a scripted server, which the desk's fetcher checks in place of its Maildir."""

    desk: Desk
    fetching: Fetching
    server: ImapServer
    mailbox: ImapMailbox | None = None
    raws: list[bytes] = field(default_factory=list)
    tries: int = 2
    """How often a mail is asked for before it is unreadable: with others first, then alone."""

    def deliver(self, count: int = MAILS) -> None:
        """Mails that nobody has seen."""
        for number in range(count):
            raw = mail(f"Mail {len(self.raws)}", "regel\r\n" * 50)
            self.raws.append(raw)
            self.server.deliver(raw, minutes_ago(count - number))

    async def check(self) -> Findings:
        """One check; the connection is kept when it ends well, as the service does."""
        claimed = replace(await self.fetching.claim(), access=access_to(self.server))
        try:
            if self.mailbox is None:
                self.mailbox = await ImapMailbox.open(claimed.access)
            return await Check(
                claimed,
                self.mailbox,
                ledger=self.fetching.ledger,
                publisher=self.fetching.publisher,
                budget=ByteBudget(2**26),
                stop=self.fetching.stop,
            ).run()
        except MailboxError:
            await self.close()
            raise

    async def check_until_well(self) -> int:
        """Checks until one reads every mail; how many it took."""
        for checks in range(1, 6):
            with contextlib.suppress(MailboxError):
                if not (await self.check()).unreadable:
                    return checks
        pytest.fail("no check ended well")

    async def taken_in_once(self) -> None:
        """Every mail is published once, in the ledger once, and read."""
        assert sorted(message.body for _, message in await self.desk.messages()) == sorted(self.raws)
        rows = await self.desk.rows()
        assert len(rows) == len(self.raws)
        assert all(row["marked_read_at"] is not None for row in rows)
        assert all("\\Seen" in message.flags for message in self.server.inbox.messages)

    async def close(self) -> None:
        """Close the connection, if there is one."""
        if self.mailbox is not None:
            await self.mailbox.close()
            self.mailbox = None


@pytest.fixture(params=[128, 2**20], ids=["in parts", "several at once"])
async def remote(
    desk: Desk, fetching: Fetching, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> AsyncIterator[Remote]:
    """Each mail is fetched by itself, in parts; or those of a window are asked for at once."""
    monkeypatch.setattr(imap_wire, "OPERATION_SECONDS", 0.5)
    monkeypatch.setattr(imap_fetching, "PART_BYTES", request.param)
    async with ImapServer() as server:
        remote = Remote(desk, fetching, server, tries=2 if request.param == 128 else 3)
        yield remote
        await remote.close()


@pytest.mark.parametrize(
    "command",
    ["UID SEARCH", r"UID FETCH \S+ \(INTERNALDATE", r"UID FETCH \S+ \(RFC822.SIZE BODY", "UID STORE"],
    ids=["search", "describe", "mail", "mark"],
)
async def test_a_fault_in_a_check_loses_and_doubles_no_mail(remote: Remote, command: str) -> None:
    for fault in (Fault.DROP, Fault.BYE, Fault.CUT, Fault.SLOW, Fault.SILENT):
        remote.deliver()
        remote.server.fault(command, fault)
        assert await remote.check_until_well() <= 2, fault
    await remote.taken_in_once()


async def test_a_fault_while_logging_in_loses_no_mail(remote: Remote) -> None:
    for fault in (Fault.DROP, Fault.BYE, Fault.SILENT):
        await remote.close()
        remote.deliver()
        for command in ("CAPABILITY", "AUTHENTICATE", "SELECT"):
            remote.server.fault(command, fault)
        assert await remote.check_until_well() == 4, fault
    await remote.taken_in_once()


async def test_literals_shorter_than_asked_do_not_shorten_a_mail(remote: Remote) -> None:
    remote.deliver()
    remote.server.fault("UID FETCH .* BODY", Fault.SHORT, times=20)
    assert await remote.check_until_well() == 1
    await remote.taken_in_once()


async def test_a_connection_that_was_dropped_between_two_checks_is_opened_again_without_a_word(remote: Remote) -> None:
    remote.deliver()
    await remote.check()
    remote.server.drop_all()
    remote.deliver()
    assert await remote.check_until_well() == 1
    await remote.taken_in_once()
    assert remote.server.logins == 2


async def test_a_new_uidvalidity_between_two_checks_doubles_no_mail_that_was_marked(remote: Remote) -> None:
    remote.deliver()
    await remote.check()
    remote.server.inbox.renumber()
    remote.server.drop_all()
    remote.deliver()
    await remote.check()
    await remote.taken_in_once()


async def test_a_new_uidvalidity_in_the_middle_of_a_check_loses_no_mail(remote: Remote) -> None:
    """What was marked before is not taken in again; what was not comes under its new number, in the next check."""
    remote.deliver()
    remote.server.fault(r"UID FETCH 4 \(RFC822.SIZE BODY", Fault.RENUMBER)
    await remote.check()
    await remote.check_until_well()
    bodies = [message.body for _, message in await remote.desk.messages()]
    assert set(bodies) == set(remote.raws)
    assert all("\\Seen" in message.flags for message in remote.server.inbox.messages)


async def test_a_server_that_gives_uids_once_more_after_a_restore_loses_no_mail(remote: Remote) -> None:
    """Its list of UIDs came back from a back-up with UIDVALIDITY as it was: new mail has the UIDs of imported mail."""
    remote.deliver(3)
    assert await remote.check_until_well() == 1
    inbox = remote.server.inbox
    del inbox.messages[1:]
    inbox.next_uid = 2
    remote.server.drop_all()
    for number in range(2):
        remote.raws.append(mail(f"Na herstel {number}", "regel\r\n"))
        remote.server.deliver(remote.raws[-1], minutes_ago(-1 - number))
    assert (await remote.check()).taken_in == 2
    await remote.taken_in_once()
    for message in inbox.messages:
        message.flags.clear()
    assert (await remote.check()).taken_in == 0, "they are known by then"
    assert len(await remote.desk.rows()) == 5


async def test_a_mail_that_is_removed_while_it_is_fetched_stops_nothing(remote: Remote) -> None:
    remote.deliver()
    remote.server.fault(r"UID FETCH 2 \(RFC822.SIZE BODY", Fault.EXPUNGE)
    findings = await remote.check()
    assert (findings.taken_in, findings.unreadable) == (MAILS - 1, 0)
    del remote.raws[1]
    await remote.taken_in_once()


async def test_a_mail_on_which_the_server_always_fails_does_not_keep_the_others_back(remote: Remote) -> None:
    remote.deliver()
    remote.server.fault(r"UID FETCH 1 \(RFC822.SIZE BODY", Fault.DROP, times=remote.tries)
    findings = await remote.check()
    assert (findings.unreadable, findings.taken_in) == (1, MAILS - 1)
    assert await remote.check_until_well() == 1
    await remote.taken_in_once()


@pytest.mark.parametrize("refuses", [False, True], ids=["BYE", "NO"])
async def test_mails_that_the_server_itself_cannot_read_keep_no_others_back(
    remote: Remote,
    refuses: bool,  # noqa: FBT001 - a case
) -> None:
    """Their files are another user's, say: the server can tell neither their size nor their text."""
    remote.deliver(12)
    remote.server.refuses_broken = refuses
    remote.server.broken = {1, 2, 3, 4, 5, 9}
    for _ in range(2):
        findings = await remote.check()
        assert findings.unreadable == 6
        assert "Internal error" in findings.unreadable_because
    assert len(await remote.desk.rows()) == 6
    remote.deliver(1)
    assert (await remote.check()).taken_in == 1
    remote.server.broken = set()
    assert await remote.check_until_well() == 1
    await remote.taken_in_once()


async def test_a_server_that_can_read_no_mail_at_all_is_in_trouble_itself(remote: Remote) -> None:
    remote.deliver(30)
    remote.server.refuses_broken, remote.server.broken = True, set(range(1, 31))
    with pytest.raises(MailboxUnreachable, match="Internal error"):
        await remote.check()
    assert remote.server.logins == 1
    remote.server.broken = set()
    assert await remote.check_until_well() == 1
    await remote.taken_in_once()


async def test_a_server_that_ends_each_connection_is_not_besieged(remote: Remote) -> None:
    remote.deliver(40)
    remote.server.broken = set(range(1, 41))
    with pytest.raises(MailboxUnreachable, match="Internal error"):
        await remote.check()
    assert remote.server.logins <= 30
    remote.server.broken = set()
    assert await remote.check_until_well() == 1
    await remote.taken_in_once()


async def test_a_mail_that_is_given_empty_is_not_taken_for_an_empty_one(remote: Remote) -> None:
    remote.deliver(2)
    whole, remote.server.inbox.messages[0].raw = remote.server.inbox.messages[0].raw, b""
    remote.server.size = lambda raw: len(raw) or 500
    findings = await remote.check()
    assert (findings.unreadable, findings.taken_in) == (1, 1)
    remote.server.inbox.messages[0].raw = whole
    assert await remote.check_until_well() == 1
    await remote.taken_in_once()


async def test_a_literal_without_end_costs_one_mail_and_no_memory(remote: Remote) -> None:
    remote.deliver(2)
    remote.server.fault(r"UID FETCH 1 \(RFC822.SIZE BODY", Fault.ENDLESS, times=remote.tries)
    findings = await remote.check()
    assert (findings.unreadable, findings.taken_in) == (1, 1)


async def test_a_mail_set_back_to_unread_is_imported_once(remote: Remote) -> None:
    remote.deliver(2)
    await remote.check()
    for message in remote.server.inbox.messages:
        message.flags.clear()
    assert (await remote.check()).taken_in == 0
    assert len(await remote.desk.messages()) == 2


async def test_a_poll_is_one_round_trip_and_a_mail_two(remote: Remote) -> None:
    """The NOOP goes out together with the SEARCH; what stays unread is described once."""
    await remote.check()
    opened = len(remote.server.commands)
    await remote.check()
    assert remote.server.commands[opened:] == ["UID SEARCH UNSEEN UNDELETED", "NOOP"]
    remote.server.deliver(b"Subject: kort\r\n\r\nkort\r\n")
    await remote.check()
    asked = [command.split(" (")[0] for command in remote.server.commands[opened + 2 :]]
    assert asked == [
        *("UID SEARCH UNSEEN UNDELETED", "NOOP") * 2,  # told of new mail by the first: asked again
        *("UID FETCH 1", "UID FETCH 1", "UID STORE 1 +FLAGS.SILENT"),
    ]


@pytest.mark.parametrize(
    "capabilities", ["IDLE MOVE UIDPLUS AUTH=PLAIN", "UIDPLUS", ""], ids=["move", "uidplus", "none"]
)
async def test_what_is_final_is_moved_once_and_what_is_quarantined_stays(remote: Remote, capabilities: str) -> None:
    remote.server.capabilities = capabilities
    remote.server.password = "geheim"
    remote.deliver(2)
    await remote.desk.set(after_import_folder="Archief/2026", after_import="move")
    await remote.check()
    quarantined, final = (row["item_key"] for row in await remote.desk.rows())
    await remote.desk.conclude("quarantine", quarantined)
    await remote.desk.conclude("duplicate", final)
    for command in ("UID MOVE", "UID COPY", "UID STORE", "UID EXPUNGE"):
        remote.server.fault(command, Fault.DROP)
    for _ in range(3):
        with contextlib.suppress(MailboxError):
            await remote.check()
    assert [message.raw for message in remote.server.folders["Archief/2026"].messages] == remote.raws[1:]
    left = [message.raw for message in remote.server.inbox.messages if "\\Deleted" not in message.flags]
    assert left == remote.raws[:1]
