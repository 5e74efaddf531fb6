"""What is particular to a mailbox by Graph: requests counted, Graph's traps and errors, faults on the wire.

What all kinds do alike stands in `tests/mailboxes/test_conformance.py`.
"""

import asyncio
import io
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest
import structlog
from aiohttp import web
from pydantic import SecretStr

from services.fetcher.mailboxes.graph.mailbox import AT_ONCE, PAGE, GraphMailbox
from services.fetcher.mailboxes.protocol import (
    AccessDenied,
    LoginRefused,
    MailboxAccess,
    MailboxError,
    MailboxMissing,
    MailboxUnreachable,
    MailReference,
    MailTooLarge,
    MailUnreadable,
)
from shared.microsoft.patience import Patience
from tests.mailboxes.post_offices import GraphPostOffice
from tests.servers.graph_apps import app_certificate
from tests.servers.graph_entra import CLIENT_ID, SECRET
from tests.servers.graph_faults import (
    Fault,
    Handler,
    broken_off,
    cut_short,
    no_answer,
    redirected,
    slow_bytes,
    status,
    unanswered,
    without_last_chunk,
    without_length,
)
from tests.servers.graph_mailbox import Attachment

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
LIMIT = 1_000_000
HASTE = Patience(answer=0.5, download=0.5)
ENDLESS = (no_answer, slow_bytes)
RAW = b"From: Jan <jan@klant.example>\r\nSubject: Printer\r\n\r\n" + b"het werkt niet\r\n" * 200
LIST = r"GET /users/[^/]+/mailFolders/[^/]+/messages"
VALUE = r"GET .*/\$value"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[GraphPostOffice]:
    office = GraphPostOffice(tmp_path)
    yield office
    office.close()


@pytest.fixture
async def mailbox(office: GraphPostOffice, request: pytest.FixtureRequest) -> AsyncIterator[GraphMailbox]:
    """Open; hasty where nothing else ends the fault, and patient again for what follows it."""
    mailbox = await GraphMailbox.open(office.access)
    callspec = getattr(request.node, "callspec", None)
    if callspec is not None and callspec.params.get("fault") in ENDLESS:
        mailbox._graph._patience = HASTE
    office.server.requests.clear()
    yield mailbox
    await mailbox.close()
    assert office.server.without_immutable_ids == []


async def unread(mailbox: GraphMailbox) -> list[MailReference]:
    return [mail async for page in mailbox.unread(100) for mail in page]


async def test_a_poll_is_one_request_and_a_mail_two(office: GraphPostOffice, mailbox: GraphMailbox) -> None:
    for minute in range(3):
        office.deliver(RAW, MONDAY + timedelta(minutes=minute))
    for mail in await unread(mailbox):
        await mailbox.fetch(mail, io.BytesIO(), LIMIT)
        await mailbox.mark_read(mail)
    server = office.server
    assert (server.count(LIST), server.count(VALUE), server.count(r"PATCH .*")) == (1, 3, 3)
    assert len(server.requests) == 7
    await unread(mailbox)
    assert len(server.requests) == 8
    assert server.token_requests == 1


async def test_a_long_listing_is_read_whole_a_thousand_a_request(
    office: GraphPostOffice, mailbox: GraphMailbox
) -> None:
    keys = [office.deliver(b"Subject: %d\r\n\r\n" % n, MONDAY + timedelta(seconds=n)) for n in range(PAGE + 200)]
    seen = []
    async for page in mailbox.unread(200):
        seen += [mail.key for mail in page]
        office.read_by_somebody(page[0].key)
    assert seen == keys
    assert office.server.count(LIST) == 2


async def test_a_page_that_comes_twice_doubles_no_mail(office: GraphPostOffice, mailbox: GraphMailbox) -> None:
    keys = [office.deliver(b"Subject: %d\r\n\r\n" % n, MONDAY + timedelta(seconds=n)) for n in range(PAGE + 1)]
    office.server.mail.repeats_pages = 1
    assert [mail.key for mail in await unread(mailbox)] == keys
    office.server.mail.repeats_pages = 1000
    with pytest.raises(MailboxUnreachable, match="dezelfde pagina"):
        await unread(mailbox)


class Gate:
    """Lets requests pass once AT_ONCE of them stand before it, and counts how many were inside together."""

    def __init__(self) -> None:
        self.inside = self.most = 0
        self._open = asyncio.Event()

    async def __call__(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self.inside += 1
        self.most = max(self.most, self.inside)
        if self.inside == AT_ONCE:
            self._open.set()
        await self._open.wait()
        try:
            return await handler(request)
        finally:
            self.inside -= 1


async def test_as_many_requests_at_once_as_its_share_and_no_more(
    office: GraphPostOffice, mailbox: GraphMailbox
) -> None:
    for second in range(30):
        office.deliver(RAW, MONDAY + timedelta(seconds=second))
    gate = Gate()
    office.server.fault(VALUE, gate, times=30)
    await asyncio.gather(*(mailbox.fetch(mail, io.BytesIO(), LIMIT) for mail in await unread(mailbox)))
    assert gate.most == AT_ONCE


async def test_a_mail_keeps_its_key_when_it_is_moved_away_and_back(
    office: GraphPostOffice, mailbox: GraphMailbox
) -> None:
    key = office.deliver(RAW, MONDAY)
    message = office.mailbox.message(key)
    assert message is not None
    for folder in ("archive", "inbox"):
        office.mailbox.move(message, office.mailbox.folders[folder])
    assert [mail.key for mail in await unread(mailbox)] == [key]


async def test_what_a_person_filed_elsewhere_is_neither_moved_nor_deleted(
    office: GraphPostOffice, mailbox: GraphMailbox
) -> None:
    office.deliver(RAW, MONDAY)
    (mail,) = await unread(mailbox)
    message = office.mailbox.message(mail.key)
    assert message is not None
    office.mailbox.move(message, office.mailbox.make_folder(None, "Klanten"))
    await mailbox.move(mail, "Archief")
    await mailbox.delete(mail)
    assert office.contents("Klanten") == [RAW]


async def test_an_unread_mail_is_read_when_it_is_put_away(office: GraphPostOffice, mailbox: GraphMailbox) -> None:
    office.deliver(RAW, MONDAY)
    (mail,) = await unread(mailbox)
    await mailbox.delete(mail)
    message = office.mailbox.message(mail.key)
    assert message is not None
    assert message.is_read


async def test_a_folder_is_found_by_well_known_name_or_path_and_made_by_path(office: GraphPostOffice) -> None:
    inbox = office.mailbox.folders["inbox"]
    below = office.mailbox.make_folder(office.mailbox.make_folder(inbox, "Klanten"), "O'Brien & co")
    key = office.mailbox.deliver(RAW, MONDAY, folder=below.id).immutable_id
    junk = office.mailbox.deliver(RAW, MONDAY, folder="junkemail").immutable_id
    for name, expected in (("INBOX/Klanten/O'Brien & co", key), ("junkemail", junk)):
        mailbox = await GraphMailbox.open(replace(office.access, folder=name))
        (mail,) = await unread(mailbox)
        assert mail.key == expected
        await mailbox.move(mail, "INBOX/Verwerkt/2026")
        await mailbox.close()
    made = office.mailbox.child(office.mailbox.child(inbox, "Verwerkt"), "2026")
    assert made is not None
    assert len(office.mailbox.within(made)) == 2


async def test_a_folder_that_vanished_is_made_again(office: GraphPostOffice, mailbox: GraphMailbox) -> None:
    for minute in range(2):
        office.deliver(RAW, MONDAY + timedelta(minutes=minute))
    first, second = await unread(mailbox)
    await mailbox.move(first, "Archief")
    archive = office.mailbox.folder("Archief")
    assert archive is not None
    del office.mailbox.folders[archive.id]
    await mailbox.move(second, "Archief")
    assert len(office.contents("Archief")) == 1


async def test_D17_of_a_mail_that_is_too_large_no_more_than_the_head_is_downloaded(
    office: GraphPostOffice, mailbox: GraphMailbox
) -> None:
    raw = RAW + (b"x" * 78 + b"\r\n") * 300_000
    office.deliver(raw, MONDAY)
    (mail,) = await unread(mailbox)
    into = io.BytesIO()
    office.server.mail.stops_after = 1024 * 1024
    async with asyncio.timeout(30):  # who waits for more waits for ever
        assert await mailbox.fetch_head(mail, into, 4096) >= len(raw)
    assert into.getvalue() == raw[: into.tell()]


async def test_a_health_check_tells_what_it_found_and_what_lies_in_the_junk_folder(
    office: GraphPostOffice, mailbox: GraphMailbox
) -> None:
    office.deliver(RAW, MONDAY)
    for _ in range(2):
        office.mailbox.deliver(RAW, folder="junkemail")
    health = await mailbox.health_check()
    assert (health.unread, health.junk_unread) == (1, 2)
    assert "Microsoft Graph v1.0" in health.description
    assert CLIENT_ID in health.description
    assert all(request.startswith("GET ") for request in office.server.requests)


async def test_a_certificate_opens_the_mailbox(office: GraphPostOffice) -> None:
    pem, certificate = app_certificate()
    office.server.entra.apps[CLIENT_ID].certificates.append(certificate)
    mailbox = await GraphMailbox.open(replace(office.access, password=None, certificate=pem))
    assert "certificaat" in (await mailbox.health_check()).description
    await mailbox.close()


@pytest.mark.parametrize(
    ("fault", "kind", "sentence"),
    [
        (status(403, "ErrorAccessDenied"), AccessDenied, r"Application Mail\.ReadWrite.*2 uur"),
        (status(404, "MailboxNotEnabledForRESTAPI"), MailboxMissing, "licentie"),
        (status(404, "ErrorItemNotFound"), MailboxMissing, "«Map»"),
        (status(500, "ErrorInternalServerError"), MailboxUnreachable, "500 ErrorInternalServerError"),
        (redirected("https://127.0.0.1:1/"), MailboxUnreachable, "niet gevolgd"),
        (broken_off, MailboxUnreachable, "brak af"),
        (cut_short, MailboxUnreachable, "brak af"),
        (without_last_chunk, MailboxUnreachable, "brak af"),
        (without_length, MailboxUnreachable, "hoe lang"),
        (no_answer, MailboxUnreachable, "niet binnen|antwoordt niet"),
        (slow_bytes, MailboxUnreachable, "niet binnen"),
    ],
)
async def test_an_error_of_the_listing_ends_the_check_with_a_sentence(
    office: GraphPostOffice, mailbox: GraphMailbox, fault: Fault, kind: type[MailboxError], sentence: str
) -> None:
    office.deliver(RAW, MONDAY)
    office.server.fault(LIST, fault)
    with pytest.raises(kind, match=sentence):
        await unread(mailbox)
    mailbox._graph._patience = Patience()
    assert len(await unread(mailbox)) == 1


async def test_where_sizes_cannot_be_asked_for_mails_are_listed_without(
    office: GraphPostOffice, mailbox: GraphMailbox
) -> None:
    office.deliver(RAW, MONDAY)
    assert [mail.size for mail in await unread(mailbox)] == [len(RAW) + 1024]
    office.server.fault(LIST, status(400, "ErrorInvalidUrlQuery"))
    assert [mail.size for mail in await unread(mailbox)] == [None]
    assert [mail.size for mail in await unread(mailbox)] == [None]
    assert office.server.count(LIST) == 4


async def test_an_item_without_a_time_is_listed_with_the_others(office: GraphPostOffice, mailbox: GraphMailbox) -> None:
    keys = [office.deliver(RAW, MONDAY), office.deliver(RAW, MONDAY)]

    async def timeless(request: web.Request, handler: Handler) -> web.StreamResponse:
        answer = await handler(request)
        assert isinstance(answer, web.Response)
        return web.Response(text=(answer.text or "").replace("2026-11-23T09:00:00Z", "ooit", 1))

    office.server.fault(LIST, timeless)
    assert {mail.key for mail in await unread(mailbox)} == set(keys)


async def test_a_proxys_page_is_no_empty_mailbox(office: GraphPostOffice, mailbox: GraphMailbox) -> None:
    office.deliver(RAW, MONDAY)
    office.server.fault(LIST, status(200, "welcome"))
    with pytest.raises(MailboxUnreachable, match="niet te lezen"):
        await unread(mailbox)


@pytest.mark.parametrize(
    "fault",
    [broken_off, cut_short, without_last_chunk, without_length, slow_bytes, status(500, "ErrorInternalServerError")],
)
async def test_a_mail_that_does_not_come_whole_is_unreadable_and_stops_no_other(
    office: GraphPostOffice, mailbox: GraphMailbox, fault: Fault
) -> None:
    office.deliver(RAW, MONDAY)
    (mail,) = await unread(mailbox)
    office.server.fault(VALUE, fault)
    with pytest.raises(MailUnreadable):
        await mailbox.fetch(mail, io.BytesIO(), LIMIT)
    mailbox._graph._patience = Patience()
    into = io.BytesIO()
    await mailbox.fetch(mail, into, LIMIT)
    assert into.getvalue() == RAW


@pytest.mark.parametrize("code", [429, 503])
async def test_after_throttling_nothing_is_asked_until_retry_after_is_over(
    office: GraphPostOffice, mailbox: GraphMailbox, code: int
) -> None:
    office.server.fault(LIST, status(code, "ApplicationThrottled", Retry_After="120"))
    for _ in range(3):
        with pytest.raises(MailboxUnreachable) as trouble:
            await unread(mailbox)
        assert trouble.value.after is not None
        assert 110 < trouble.value.after.total_seconds() <= 120
    assert len(office.server.requests) == 1


async def test_a_token_that_ended_early_is_renewed_once(office: GraphPostOffice, mailbox: GraphMailbox) -> None:
    office.deliver(RAW, MONDAY)
    office.server.entra.end_tokens()
    assert len(await unread(mailbox)) == 1
    assert len(office.server.entra.given) == 2
    office.server.fault(LIST, status(401, "InvalidAuthenticationToken"), times=2)
    with pytest.raises(LoginRefused, match="cloud"):
        await unread(mailbox)


async def test_a_mark_whose_answer_is_lost_is_set_again(office: GraphPostOffice, mailbox: GraphMailbox) -> None:
    key = office.deliver(RAW, MONDAY)
    (mail,) = await unread(mailbox)
    office.server.fault(r"PATCH .*", unanswered)
    with pytest.raises(MailboxUnreachable):
        await mailbox.mark_read(mail)
    await mailbox.mark_read(mail)
    assert office.is_read(key)


async def test_a_mark_is_done_by_its_status_whatever_becomes_of_the_answers_body(
    office: GraphPostOffice, mailbox: GraphMailbox
) -> None:
    key = office.deliver(RAW, MONDAY)
    (mail,) = await unread(mailbox)
    office.server.fault(r"PATCH .*", broken_off)
    await mailbox.mark_read(mail)
    assert office.is_read(key)
    assert await unread(mailbox) == []


@pytest.mark.parametrize(
    ("changes", "kind", "sentence"),
    [
        ({"password": SecretStr("x")}, LoginRefused, "7000215"),
        ({"tenant": None}, LoginRefused, "«Tenant»"),
        ({"password": None}, LoginRefused, "clientgeheim of een certificaat"),
        ({"cloud": "mars"}, LoginRefused, "cloud"),
        ({"address": None}, MailboxMissing, "«Mailadres»"),
        ({"address": "nobody@klant.example"}, MailboxMissing, "controleer het mailadres"),
        ({"ca_file": None}, MailboxUnreachable, "certificaat"),
        ({"ca_file": "/nowhere/ca.pem"}, MailboxUnreachable, "CA-bestand /nowhere/ca.pem"),
    ],
)
async def test_a_wrong_setting_is_named(
    office: GraphPostOffice, changes: dict[str, object], kind: type[MailboxError], sentence: str
) -> None:
    access: MailboxAccess = replace(office.access, **changes)  # type: ignore[arg-type]
    with pytest.raises(kind, match=sentence):
        await GraphMailbox.open(access)


async def test_a_network_without_microsoft_is_told_as_such(
    office: GraphPostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMPORTER_MICROSOFT_GRAPH_URL", "https://127.0.0.1:1")
    office.server.entra.resources.add("https://127.0.0.1:1")
    with pytest.raises(MailboxUnreachable, match="antwoordt niet"):
        await GraphMailbox.open(office.access)
    monkeypatch.setenv("IMPORTER_MICROSOFT_LOGIN_URL", "https://169.254.169.254")
    with pytest.raises(MailboxUnreachable, match=r"169\.254\.169\.254"):
        await GraphMailbox.open(office.access)


async def test_the_next_page_is_not_fetched_elsewhere(office: GraphPostOffice, mailbox: GraphMailbox) -> None:
    for second in range(PAGE + 1):
        office.deliver(b"Subject: x\r\n\r\n", MONDAY + timedelta(seconds=second))
    office.server.mail.base = "https://elsewhere.example"
    with pytest.raises(MailboxUnreachable, match="ander adres"):
        await unread(mailbox)


async def test_no_secret_or_token_is_shown(office: GraphPostOffice, mailbox: GraphMailbox) -> None:
    with structlog.testing.capture_logs() as logged:
        office.server.fault(LIST, status(403, "ErrorAccessDenied"))
        with pytest.raises(AccessDenied) as trouble:
            await unread(mailbox)
    shown = f"{mailbox.__dict__!r} {mailbox._graph.__dict__!r} {trouble.value!r} {trouble.value.__cause__!r} {logged!r}"
    for secret in (SECRET, *office.server.entra.given):
        assert secret not in shown


# ── mails without MIME ─────────────────────────────────────────────────────────────────────────────────────────────

SIGNED = (
    b'Content-Type: multipart/signed; protocol="application/pkcs7-signature"; boundary="b"\r\n\r\n'
    b"--b\r\nContent-Type: text/plain\r\n\r\nGetekend.\r\n--b\r\nContent-Type: application/pkcs7-signature\r\n\r\n"
    b"MIIB\r\n--b--\r\n"
)
SMIME_HEAD = (
    b"From: Jan <jan@klant.example>\r\nSubject: Getekend\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n"
)


async def rebuilt(office: GraphPostOffice, mailbox: GraphMailbox, *files: Attachment) -> EmailMessage:
    office.mailbox.deliver(SMIME_HEAD + b"oorspronkelijk\r\n", MONDAY, no_mime=True, attachments=files)
    (mail,) = await unread(mailbox)
    into = io.BytesIO()
    assert await mailbox.fetch(mail, into, LIMIT) == len(into.getvalue())
    message = message_from_bytes(into.getvalue(), policy=SMTP)
    assert isinstance(message, EmailMessage)
    assert message["Subject"] == "Getekend"
    assert message["From"] == "Jan <jan@klant.example>"
    assert len(message.get_all("Content-Type", [])) == 1
    return message


async def test_a_clearly_signed_mail_without_mime_becomes_what_was_sent(
    office: GraphPostOffice, mailbox: GraphMailbox
) -> None:
    message = await rebuilt(office, mailbox, Attachment("a1", "smime.p7m", "multipart/signed", SIGNED))
    assert message.get_content_type() == "multipart/signed"
    text = message.get_body(("plain",))
    assert text is not None
    assert text.get_content().strip() == "Getekend."


async def test_an_enveloped_mail_without_mime_becomes_what_was_sent(
    office: GraphPostOffice, mailbox: GraphMailbox
) -> None:
    content = bytes(range(256)) * 300
    message = await rebuilt(office, mailbox, Attachment("a1", "smime.p7m", "application/pkcs7-mime", content))
    assert message.get_content_type() == "application/pkcs7-mime"
    assert message.get_content() == content


async def test_any_other_mail_without_mime_keeps_its_body_and_attachments(
    office: GraphPostOffice, mailbox: GraphMailbox
) -> None:
    files = [
        Attachment("a=1", "fåctuur.pdf", "application/pdf", b"%PDF" * 50_000),
        Attachment("b/2", 'x"\r\nEvil: 1', "multipart/evil", b"tekst"),
    ]
    message = await rebuilt(office, mailbox, *files)
    found = list(message.iter_attachments())
    assert [part.get_filename() for part in found] == ["fåctuur.pdf", 'x"\r\nEvil: 1']
    assert [part.get_content() for part in found] == [file.content for file in files]
    assert message["Evil"] is None


async def test_D17_a_mail_without_mime_keeps_to_the_limit(office: GraphPostOffice, mailbox: GraphMailbox) -> None:
    large = Attachment("a1", "groot.bin", "application/octet-stream", b"x" * LIMIT)
    office.mailbox.deliver(SMIME_HEAD, MONDAY, no_mime=True, attachments=[large])
    (mail,) = await unread(mailbox)
    with pytest.raises(MailTooLarge):
        await mailbox.fetch(mail, io.BytesIO(), LIMIT)
    into = io.BytesIO()
    assert await mailbox.fetch_head(mail, into, 4096)
    assert b"Subject: Getekend\r\n" in into.getvalue()
    assert office.server.count(r".*/attachments/ID/\$value") == 1
