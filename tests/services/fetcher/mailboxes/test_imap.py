"""IMAP on servers of every kind: logins, oddities, folders, IDLE; what a good server does alike, conformance tries."""

from __future__ import annotations

import asyncio
import io
import logging
import os
import traceback
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from deploy.local.dovecot import ImapEndpoint
from services.fetcher.mailboxes.imap import credentials, fetching
from services.fetcher.mailboxes.imap import mailbox as imap
from services.fetcher.mailboxes.imap import wire as imap_wire
from services.fetcher.mailboxes.imap.layout import JUNK, TRASH, Layout, special
from services.fetcher.mailboxes.imap.mailbox import ImapMailbox
from services.fetcher.mailboxes.protocol import (
    AccessDenied,
    LoginRefused,
    MailboxAccess,
    MailboxError,
    MailboxMissing,
    MailboxUnreachable,
    MailReference,
    MailUnreadable,
)
from shared.microsoft.tokens import Tokens
from tests.servers.graph_entra import CLIENT_ID, SECRET, TENANT
from tests.servers.graph_server import GraphServer
from tests.servers.imap_server import FULL, Fault, Folder, ImapServer

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
DEADLINE = 20


@pytest.fixture
async def server() -> AsyncIterator[ImapServer]:
    async with ImapServer() as server:
        yield server


def access_to(server: ImapServer, **changed: object) -> MailboxAccess:
    access = MailboxAccess(
        kind="imap",
        server=f"imap://127.0.0.1:{server.port}",
        username=server.login,
        password=SecretStr(server.password),
        allow_unencrypted=True,
    )
    return replace(access, **changed)  # type: ignore[arg-type]


@asynccontextmanager
async def opened(access: MailboxAccess) -> AsyncIterator[ImapMailbox]:
    mailbox = await ImapMailbox.open(access)
    try:
        yield mailbox
    finally:
        await mailbox.close()


async def unread(mailbox: ImapMailbox) -> list[MailReference]:
    return [reference async for page in mailbox.unread(100) for reference in page]


async def fetched(mailbox: ImapMailbox, mail: MailReference, limit: int = 10**6) -> bytes:
    into = io.BytesIO()
    await mailbox.fetch(mail, into, limit)
    return into.getvalue()


async def idling(mailbox: ImapMailbox) -> None:
    """Wait until the mailbox waits in IDLE, and no thread works for it."""
    while mailbox._session is None or not mailbox._session.is_idling or mailbox._turn.locked():
        await asyncio.sleep(0.01)


# ── logging in


@pytest.mark.parametrize(
    ("capabilities", "command"),
    [("SASL-IR AUTH=PLAIN", "AUTHENTICATE PLAIN"), ("AUTH=PLAIN", "AUTHENTICATE PLAIN"), ("", "LOGIN")],
    ids=["plain-at-once", "plain", "login"],
)
async def test_a_password_with_quotes_and_backslashes_logs_in(
    server: ImapServer, capabilities: str, command: str
) -> None:
    server.capabilities, server.password = capabilities, 'ge"h\\eim {3} *'
    async with opened(access_to(server)) as mailbox:
        assert await unread(mailbox) == []
    assert server.count(command) == 1


async def test_lines_that_end_with_lf_alone_are_lines_and_login_is_tried_after_plain(server: ImapServer) -> None:
    server.bare_lf, server.plain_refusal, server.password = True, "BAD what is that", "geheim"
    async with opened(access_to(server)) as mailbox:
        assert await unread(mailbox) == []
    assert (server.count("AUTHENTICATE PLAIN"), server.count("LOGIN")) == (1, 1)


async def test_a_password_beyond_ascii_logs_in_where_plain_is_known(server: ImapServer) -> None:
    async with opened(access_to(server)):
        assert server.logins == 1
    server.capabilities = ""
    with pytest.raises(LoginRefused, match="PLAIN"):
        await ImapMailbox.open(access_to(server))
    assert server.logins == 1


async def test_capabilities_that_come_with_the_login_count(server: ImapServer) -> None:
    server.capabilities, server.after_login = "AUTH=PLAIN", "IDLE"
    async with opened(access_to(server)) as mailbox:
        assert "meteen opgemerkt" in (await mailbox.health_check()).description
    server.capabilities, server.after_login = "IDLE AUTH=PLAIN", "NAMESPACE"
    async with opened(access_to(server)) as mailbox:
        assert "bij elke controle opgemerkt" in (await mailbox.health_check()).description


async def test_a_wrong_password_is_tried_once(server: ImapServer) -> None:
    with pytest.raises(LoginRefused, match="controleer gebruikersnaam en wachtwoord"):
        await ImapMailbox.open(access_to(server, password=SecretStr("mis")))
    assert server.logins == 1


async def test_S3_no_password_reaches_a_log_an_error_or_a_repr(
    server: ImapServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.capabilities, server.password = "", "onthullend-geheim"  # LOGIN: in clear text on the wire
    server.refusal = "LOGIN helpdesk ander-geheim is wrong"
    caplog.set_level(logging.DEBUG)
    said = []
    for password, fault in (
        ("ander-geheim", None),
        ("onthullend-geheim", Fault.DROP),
        ("onthullend-geheim", Fault.BYE),
    ):
        if fault is not None:
            server.fault("LOGIN", fault, times=4)
        access = access_to(server, password=SecretStr(password))
        with pytest.raises(MailboxError) as trouble:
            await ImapMailbox.open(access)
        said.append("".join(traceback.format_exception(trouble.value)) + repr(trouble.value) + repr(access))
    assert "geheim" not in caplog.text + "".join(said)


async def test_nothing_is_sent_in_the_clear_unless_a_setting_says_so(server: ImapServer) -> None:
    with pytest.raises(MailboxMissing, match="onversleuteld"):
        await ImapMailbox.open(access_to(server, allow_unencrypted=False))
    assert server.count("LOGIN|AUTHENTICATE") == 0


async def test_a_server_that_claims_we_are_logged_in_already_needs_no_password_but_tls(server: ImapServer) -> None:
    """PREAUTH would otherwise be a way to keep STARTTLS from us."""
    server.greeting = "* PREAUTH welcome"
    async with opened(access_to(server)) as mailbox:
        assert await unread(mailbox) == []
    assert server.logins == 0
    with pytest.raises(MailboxMissing, match="STARTTLS"):
        await ImapMailbox.open(access_to(server, allow_unencrypted=False))


@pytest.mark.parametrize("greeting", ["* BYE going down", "+OK POP3 ready", "220 smtp ESMTP"])
async def test_a_greeting_that_is_none_is_said(server: ImapServer, greeting: str) -> None:
    server.greeting = greeting
    with pytest.raises(MailboxUnreachable, match=r"controleer .*poort"):
        await ImapMailbox.open(access_to(server))


async def test_a_link_local_server_is_refused() -> None:
    with pytest.raises(MailboxMissing, match=r"169\.254"):
        await ImapMailbox.open(
            MailboxAccess(kind="imap", server="imaps://169.254.169.254", username="a", password=SecretStr("b"))
        )


@pytest.fixture
def entra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GraphServer]:
    monkeypatch.setattr(credentials, "TOKENS", Tokens())
    with GraphServer(tmp_path) as server:
        for name, value in server.environment.items():
            monkeypatch.setitem(os.environ, name, value)
        yield server


async def test_an_app_logs_in_with_a_token_for_the_mailbox(server: ImapServer, entra: GraphServer) -> None:
    server.login = "help@klant.example"
    server.tokens = lambda token: entra.entra.grant_of(token, "https://outlook.office365.com") is not None
    app = access_to(
        server,
        username=CLIENT_ID,
        password=SecretStr(SECRET),
        tenant=TENANT,
        address=server.login,
        ca_file=str(entra.ca_file),
    )
    async with opened(app) as mailbox:
        assert await unread(mailbox) == []
    assert server.count("AUTHENTICATE XOAUTH2") == 1
    entra.entra.end_tokens()  # as when rights were granted after the token was made
    async with opened(app):
        assert server.count("AUTHENTICATE XOAUTH2") == 3
    server.tokens = lambda _: False
    with pytest.raises(LoginRefused, match=r"IMAP\.AccessAsApp"):
        await ImapMailbox.open(app)


# ── Dovecot's TLS


def dovecot_access(dovecot: ImapEndpoint, server: str, *, ca_file: str | None) -> MailboxAccess:
    return MailboxAccess(
        kind="imap", server=server, username="tls", password=SecretStr(dovecot.password), ca_file=ca_file
    )


@pytest.mark.parametrize("scheme", ["imap://", ""], ids=["imap", "guessed"])
async def test_starttls_protects_the_password(imap_server: ImapEndpoint, scheme: str) -> None:
    access = dovecot_access(imap_server, f"{scheme}127.0.0.1:{imap_server.imap_port}", ca_file=imap_server.ca_file)
    async with opened(access) as mailbox:
        assert "versleuteld met TLS" in (await mailbox.health_check()).description


@pytest.mark.parametrize("scheme", ["imap://", "imaps://"])
async def test_an_unknown_authority_is_refused_and_the_ca_file_advised(imap_server: ImapEndpoint, scheme: str) -> None:
    port = imap_server.imap_port if scheme == "imap://" else imap_server.imaps_port
    with pytest.raises(MailboxMissing, match="CA-bestand"):
        await ImapMailbox.open(dovecot_access(imap_server, f"{scheme}127.0.0.1:{port}", ca_file=None))


async def test_a_ca_file_that_is_none_is_said(imap_server: ImapEndpoint, tmp_path: Path) -> None:
    (tmp_path / "empty.pem").touch()
    for file in ("empty.pem", "missing.pem"):
        with pytest.raises(MailboxMissing, match=r"CA-bestand .*controleer"):
            await ImapMailbox.open(dovecot_access(imap_server, "127.0.0.1", ca_file=str(tmp_path / file)))


# ── odd servers


@pytest.mark.parametrize("capabilities", ["", FULL], ids=["bare", "full"])
async def test_noise_odd_dates_and_odd_sizes_lose_no_mail(server: ImapServer, capabilities: str) -> None:
    server.capabilities, server.password = capabilities, "geheim"
    server.noise = ["* OK still here", "* 3 RECENT", "* FLAGS (\\Seen)", "* 9 FETCH (FLAGS (\\Seen))", "* XYZZY"]
    raws = [f"Subject: {n}\r\n\r\n{'x' * n}\r\n".encode() for n in (10, 5000)]
    for internaldate, size in (
        (lambda at: at.strftime('" 3-Nov-2026 %H:%M:%S +0100"'), len),
        (lambda _: '"gisteren"', lambda raw: len(raw) // 2),
        (lambda _: "NIL", lambda raw: len(raw) * 2),
        (lambda _: '"01-Jan-1900 00:00:00 +0000"', len),
    ):
        server.internaldate, server.size = internaldate, size
        server.inbox.messages.clear()
        for raw in raws:
            server.deliver(raw, MONDAY)
        async with opened(access_to(server)) as mailbox:
            listed = await unread(mailbox)
            assert [await fetched(mailbox, mail) for mail in listed] == raws
            assert all(mail.received_at > MONDAY - timedelta(days=90) for mail in listed)
            for mail in listed:
                await mailbox.mark_read(mail)
            assert await unread(mailbox) == []


async def test_a_mail_is_fetched_in_parts(server: ImapServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "PART_BYTES", 1000)
    raw = b"Subject: groot\r\n\r\n" + bytes(range(32, 127)) * 100
    server.deliver(raw, MONDAY)
    async with opened(access_to(server)) as mailbox:
        (mail,) = await unread(mailbox)
        assert await fetched(mailbox, mail) == raw
    assert server.count("UID FETCH 1 .*BODY") == len(raw) // 1000 + 1


async def test_a_folder_that_counts_from_below_after_a_restore_is_followed_from_a_moment(server: ImapServer) -> None:
    """Its mails have UIDs that were looked at before: after the highest of those, none would be found."""
    for number in range(3):
        server.deliver(b"Subject: %d\r\n\r\n" % number, MONDAY)
    async with opened(access_to(server)) as mailbox:
        first = await mailbox.arrivals(None, MONDAY)
        assert len(first.mails) == 3
        server.deliver(b"Subject: op dezelfde verbinding\r\n\r\n", MONDAY)
        second = await mailbox.arrivals(first.state, MONDAY)
        assert [mail.key for mail in second.mails] == ["1.4"]
    del server.inbox.messages[1:]
    server.inbox.next_uid = 2
    later = MONDAY + timedelta(days=1)
    server.deliver(b"Subject: na herstel\r\n\r\n", later)
    async with opened(access_to(server)) as mailbox:
        third = await mailbox.arrivals(second.state, later)
        assert ([mail.key for mail in third.mails], third.state) == (["1.2"], "1.2")
        assert (await mailbox.arrivals(third.state, later)).mails == ()


async def test_a_folder_that_is_read_only_is_refused(server: ImapServer) -> None:
    server.read_only = True
    with pytest.raises(AccessDenied, match="schrijfrechten"):
        await ImapMailbox.open(access_to(server))


async def test_many_mails_are_described_in_pieces_and_once(server: ImapServer) -> None:
    for number in range(1200):
        server.deliver(b"Subject: x\r\n\r\n", MONDAY - timedelta(minutes=number))
    async with opened(access_to(server)) as mailbox:
        listed = await unread(mailbox)
        assert [mail.received_at for mail in listed] == sorted(mail.received_at for mail in listed)
        assert (len(listed), server.count("UID FETCH")) == (1200, 3)
        assert await unread(mailbox) == listed
        assert server.count("UID FETCH") == 3


async def test_a_server_that_sends_a_byte_now_and_then_holds_no_thread(
    server: ImapServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.deliver(b"Subject: traag\r\n\r\n" + b"x" * 2_000_000, MONDAY)
    async with opened(access_to(server)) as mailbox:
        (mail,) = await unread(mailbox)
        monkeypatch.setattr(imap_wire.Wire.allow, "__kwdefaults__", {"seconds": 0.2, "size": 2**25, "text": 2**20})
        server.fault("UID FETCH", Fault.SLOW, times=2)
        with pytest.raises(MailUnreadable):
            await mailbox.fetch(mail, io.BytesIO(), 10**7)


async def test_a_cancelled_fetch_leaves_a_mailbox_that_works(server: ImapServer) -> None:
    server.deliver(b"Subject: x\r\n\r\n", MONDAY)
    async with opened(access_to(server)) as mailbox:
        (mail,) = await unread(mailbox)
        server.fault("UID FETCH", Fault.SILENT)
        fetching = asyncio.create_task(fetched(mailbox, mail))
        while server.count("UID FETCH 1 .*BODY") == 0:
            await asyncio.sleep(0.01)
        fetching.cancel()
        async with asyncio.timeout(DEADLINE):
            await asyncio.wait([fetching])
            assert await fetched(mailbox, mail) == b"Subject: x\r\n\r\n"


# ── folders


@pytest.mark.parametrize(
    "capabilities", ["NAMESPACE MOVE AUTH=PLAIN", "NAMESPACE UIDPLUS AUTH=PLAIN"], ids=["move", "copy"]
)
async def test_folders_are_named_as_the_server_has_them(server: ImapServer, capabilities: str) -> None:
    server.capabilities, server.separator, server.prefix = capabilities, ".", "INBOX."
    raw = b"Subject: x\r\n\r\n"
    server.deliver(raw, MONDAY)
    async with opened(access_to(server)) as mailbox:
        (mail,) = await unread(mailbox)
        await mailbox.move(mail, "Geïmporteerd/Ärchief & zo/2026")
        await mailbox.move(mail, "Geïmporteerd/Ärchief & zo/2026")
    moved = server.folders["INBOX.Geïmporteerd.Ärchief & zo.2026"].messages
    assert [message.raw for message in moved] == [raw]
    assert "\\Seen" in moved[0].flags
    assert server.inbox.messages == []


@pytest.mark.parametrize(
    ("folders", "trash"),
    [
        ({"Weg": "\\Trash", "Trash": ""}, "Weg"),
        ({"Verwijderde items": ""}, "Verwijderde items"),
        ({}, "Trash"),
    ],
    ids=["by-use", "by-name", "made"],
)
async def test_deleted_mail_goes_where_the_server_keeps_it(
    server: ImapServer, folders: dict[str, str], trash: str
) -> None:
    for name, use in folders.items():
        server.folders[name] = Folder(use=use)
    server.deliver(b"Subject: weg\r\n\r\n", MONDAY)
    async with opened(access_to(server)) as mailbox:
        (mail,) = await unread(mailbox)
        await mailbox.delete(mail)
        await mailbox.delete(mail)
    assert len(server.folders[trash].messages) == 1
    assert server.inbox.messages == []


async def test_without_uidplus_no_mail_of_others_is_expunged(server: ImapServer) -> None:
    server.capabilities = "AUTH=PLAIN"
    for _ in range(2):
        server.deliver(b"Subject: x\r\n\r\n", MONDAY)
    server.inbox.messages[1].flags |= {"\\Deleted", "\\Seen"}
    async with opened(access_to(server)) as mailbox:
        (mail,) = await unread(mailbox)
        await mailbox.move(mail, "Archief")
        await mailbox.move(mail, "Archief")
        assert await unread(mailbox) == []
    assert len(server.inbox.messages) == 2
    assert len(server.folders["Archief"].messages) == 1


async def test_a_health_check_counts_the_junk_folder_too(server: ImapServer) -> None:
    server.folders["Ongewenste e-mail"] = Folder()
    server.folders["Ongewenste e-mail"].add(b"Subject: loterij\r\n\r\n", MONDAY)
    async with opened(access_to(server)) as mailbox:
        health = await mailbox.health_check()
    assert (health.unread, health.junk_unread) == (0, 1)
    assert "Scripted 1" in health.description
    assert "PLAIN" in health.description


def test_usual_names_are_found_in_any_case_and_below_a_prefix() -> None:
    listed = [((b"\\Noselect",), b".", "Trash"), ((), b".", "INBOX.spam"), ((), b".", "INBOX.TRASH")]
    assert special(listed, TRASH, Layout(".", "INBOX.")) == "INBOX.TRASH"
    assert special(listed, JUNK, Layout(".", "INBOX.")) == "INBOX.spam"


# ── noticing new mail


async def test_idle_waits_without_a_thread_and_notices_mail(server: ImapServer) -> None:
    async with opened(access_to(server)) as mailbox, asyncio.timeout(DEADLINE):
        await unread(mailbox)
        waiting = asyncio.create_task(mailbox.wait_for_change())
        while server.count("IDLE") == 0:
            await asyncio.sleep(0.01)
        server.deliver(b"Subject: x\r\n\r\n", MONDAY)
        await waiting
        assert len(await unread(mailbox)) == 1


async def test_what_a_server_says_to_keep_the_line_open_ends_no_wait(server: ImapServer) -> None:
    async with opened(access_to(server)) as mailbox, asyncio.timeout(DEADLINE):
        waiting = asyncio.create_task(mailbox.wait_for_change())
        await idling(mailbox)
        for line in ("* OK Still here", "* 3 RECENT", "* 1 FETCH (FLAGS (\\Seen))"):
            server.tell(line)
        assert mailbox._session is not None
        while "FETCH" not in mailbox._session._wire.untagged_responses:  # the last of them was read
            await asyncio.sleep(0.01)
        while mailbox._turn.locked():  # and the task went on, to its end or to wait for more
            await asyncio.sleep(0.01)
        assert not waiting.done()
        server.deliver(b"Subject: x\r\n\r\n", MONDAY)
        await waiting
    assert server.count("IDLE") == 1


async def test_a_check_ends_idle_and_the_next_wait_begins_it_again(server: ImapServer) -> None:
    async with opened(access_to(server)) as mailbox, asyncio.timeout(DEADLINE):
        for round_ in range(1, 3):
            waiting = asyncio.create_task(mailbox.wait_for_change())
            await idling(mailbox)
            waiting.cancel()
            await asyncio.wait([waiting])
            assert await unread(mailbox) == []
            assert server.count("IDLE") == round_
    assert server.logins == 1


async def test_mail_that_was_told_of_during_a_check_ends_the_next_wait_at_once(server: ImapServer) -> None:
    key = server.deliver(b"Subject: x\r\n\r\n", MONDAY)
    async with opened(access_to(server)) as mailbox, asyncio.timeout(DEADLINE):
        (mail,) = await unread(mailbox)
        assert mail.key == key
        server.noise = ["* 2 EXISTS"]
        await mailbox.mark_read(mail)
        server.noise = []
        await mailbox.wait_for_change()


async def test_idle_is_renewed_before_the_server_tires_of_it(
    server: ImapServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imap, "IDLE_SECONDS", 0.05)
    async with opened(access_to(server)) as mailbox, asyncio.timeout(DEADLINE):
        waiting = asyncio.create_task(mailbox.wait_for_change())
        while server.count("IDLE") < 3:
            await asyncio.sleep(0.01)
        server.deliver(b"Subject: x\r\n\r\n", MONDAY)
        await waiting


async def test_a_connection_that_is_lost_in_idle_ends_the_wait_and_is_opened_again(
    server: ImapServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imap, "HONEST_IDLE_SECONDS", 0)
    async with opened(access_to(server)) as mailbox, asyncio.timeout(DEADLINE):
        waiting = asyncio.create_task(mailbox.wait_for_change())
        while server.count("IDLE") == 0:
            await asyncio.sleep(0.01)
        server.drop_all()
        await waiting
        assert await unread(mailbox) == []
    assert server.logins == 2


async def test_a_server_that_drops_idle_at_once_is_polled_and_not_besieged(server: ImapServer) -> None:
    server.fault("IDLE", Fault.DROP, times=9)
    async with opened(access_to(server)) as mailbox, asyncio.timeout(DEADLINE):
        waiting = asyncio.create_task(mailbox.wait_for_change())
        while server.count("IDLE") == 0:
            await asyncio.sleep(0.01)
        server.deliver(b"Subject: x\r\n\r\n", MONDAY)
        assert len(await unread(mailbox)) == 1
        assert not waiting.done()
        waiting.cancel()
    assert server.logins == 2


# ── several mails at once


async def test_mails_that_are_fetched_and_filed_at_once_take_a_round_trip_each_way(server: ImapServer) -> None:
    raws = [b"Subject: %d\r\n\r\nHallo.\r\n" % number for number in range(20)]
    for number, raw in enumerate(raws):
        server.deliver(raw, MONDAY + timedelta(minutes=number))
    async with opened(access_to(server)) as mailbox:
        mails = await unread(mailbox)
        server.hold("UID FETCH", count=20)  # answers nothing before all are asked
        async with asyncio.timeout(DEADLINE):
            assert await asyncio.gather(*(fetched(mailbox, mail) for mail in mails)) == raws
        await asyncio.gather(*map(mailbox.mark_read, mails))
        await asyncio.gather(*(mailbox.move(mail, "Archief") for mail in mails[:10]), *map(mailbox.delete, mails[10:]))
    assert [server.count(f"UID {command}") for command in ("STORE", "MOVE")] == [3, 2]
    assert [len(server.folders[name].messages) for name in ("INBOX", "Archief", "Trash")] == [0, 10, 10]
