"""What is kept of a check that failed: enough to see where it went wrong, and nothing that a server wrote freely."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr

from services.fetcher.mailboxes.protocol import MailboxAccess, MailboxError, MailError
from services.fetcher.mailboxes.registry import open_mailbox
from shared.dialogue import MOST, Dialogue, Told, http, recorded
from tests.mailboxes.post_offices import EwsPostOffice, GraphPostOffice, MaildirPostOffice
from tests.servers.certificates import make_certificates
from tests.servers.ews.faults import Answer, Refusal
from tests.servers.graph_faults import Handler, status
from tests.servers.imap_server import Fault, ImapServer
from tests.services.fetcher.harness import ENCRYPTION, Desk, fetcher, mail, minutes_ago
from tests.shared.broker.harness import eventually

SUBJECT, BODY = "Zwangerschapsverlof", "Mijn-BSN-is-geheim"
"""Of the mails in the mailboxes: the servers say them too."""


async def conversation(access: MailboxAccess) -> list[Told]:
    """What is told of a look through a mailbox, whether it failed or not."""
    dialogue = Dialogue([access.password.get_secret_value()] if access.password else [])
    with recorded(dialogue):
        await look_through(access)
    return dialogue.told()


async def look_through(access: MailboxAccess) -> None:
    try:
        mailbox = await open_mailbox(access)
    except MailboxError:
        return
    try:
        async for page in mailbox.unread(100):
            for reference in page:
                await mailbox.fetch(reference, io.BytesIO(), 2**20)
                await mailbox.mark_read(reference)
    except (MailboxError, MailError):
        pass
    finally:
        await mailbox.close()


def lines(told: list[Told]) -> list[str]:
    return [f"{step['asked']} → {step['came']}" for step in told]


def holds_none(told: list[Told], *secrets: str) -> None:
    written = json.dumps(told, ensure_ascii=False).lower()
    for secret in (*secrets, SUBJECT, BODY):
        assert secret.lower() not in written, secret


def imap_access(imap: ImapServer, **changed: Any) -> MailboxAccess:
    access: dict[str, Any] = {
        "kind": "imap",
        "server": f"imap://127.0.0.1:{imap.port}",
        "username": imap.login,
        "password": SecretStr(imap.password),
        "allow_unencrypted": True,
    }
    return MailboxAccess(**access | changed)


# ── IMAP


async def test_a_check_over_imap_is_told_by_its_commands(tmp_path: Path) -> None:
    certificates = make_certificates(tmp_path)
    async with ImapServer(tls=certificates.server) as server:
        server.deliver(mail(SUBJECT, BODY), minutes_ago(3))
        told = lines(
            await conversation(
                imap_access(server, server=f"imaps://127.0.0.1:{server.port}", ca_file=str(certificates.ca_file))
            )
        )
    assert told[0] == f"connect 127.0.0.1:{server.port} → connected"
    assert told[1] == "TLS → TLSv1.3, certificate trusted"
    assert "greeting → OK" in told
    assert "AUTHENTICATE → OK" in told
    assert "SELECT → OK [READ-WRITE]" in told
    assert "UID SEARCH UNSEEN UNDELETED → OK" in told
    assert any(step.startswith("UID FETCH 1 RFC822.SIZE BODY.PEEK[]<0.") for step in told), told
    assert any(step.startswith("UID STORE 1 +FLAGS") for step in told), told


async def test_an_imap_server_that_repeats_secrets_has_none_of_them_written() -> None:
    async with ImapServer() as server:
        server.login, server.password = "jan.jansen", "OVER-QUOTA-hunter2"
        server.deliver(mail(SUBJECT, BODY), minutes_ago(3))
        secrets = (server.login, server.password, "hunter2", "jansen")
        spoken = f"{server.password} {server.login} {SUBJECT} {BODY}"
        for said in (
            f"[AUTHENTICATIONFAILED] {spoken}",
            f"[{server.password}] {spoken}",
            f"[{SUBJECT}] {spoken}",
            f"[LIMIT {server.password}] {spoken}",
            spoken,
        ):
            server.refusal = said
            for capabilities in ("AUTH=PLAIN SASL-IR", "AUTH=PLAIN", ""):
                server.capabilities = capabilities
                told = await conversation(imap_access(server, password=SecretStr(f"x{server.password}")))
                holds_none(told, *secrets)
                assert lines(told)[-1].startswith(("LOGIN → NO", "AUTHENTICATE → NO")), told
        server.capabilities = "AUTH=PLAIN"
        for greeting in (f"* OK [ALERT] {spoken}", f"* BYE [{server.password}] {spoken}", f"* {spoken}", spoken):
            server.greeting = greeting
            holds_none(await conversation(imap_access(server)), *secrets)
        server.greeting = "* OK ready"
        server.noise = [f"* OK [{server.password}] {spoken}", f"* NO [ALERT] {spoken}"]
        server.select_refusal = f"[{SUBJECT}] {spoken}"
        told = await conversation(imap_access(server))
        holds_none(told, *secrets)
        assert lines(told)[-1] == "SELECT → NO"


async def test_a_folder_and_a_search_word_of_the_settings_are_not_written() -> None:
    async with ImapServer("MOVE AUTH=PLAIN") as server:
        server.folders["Zaak 12 (UNSEEN) van Jan"] = server.folders["INBOX"]
        told = await conversation(imap_access(server, folder="Zaak 12 (UNSEEN) van Jan"))
    holds_none(told, "Zaak", "van Jan")
    assert "SELECT → OK [READ-WRITE]" in lines(told)


@pytest.mark.parametrize(
    ("fault", "came"),
    [
        (Fault.DROP, "connection ended"),
        (Fault.BYE, "BYE"),
        (Fault.CUT, "connection ended"),
        (Fault.ENDLESS, "too much"),
    ],
    ids=lambda each: getattr(each, "name", None),
)
async def test_a_connection_that_breaks_is_told_by_how(fault: Fault, came: str) -> None:
    async with ImapServer() as server:
        server.deliver(mail(SUBJECT, BODY), minutes_ago(3))
        server.fault("UID FETCH 1 .*BODY", fault, times=3)
        told = lines(await conversation(imap_access(server)))
    assert any(step.startswith("UID FETCH 1 ") and step.endswith(f"→ {came}") for step in told), told


async def test_who_cannot_be_reached_or_is_not_trusted_is_told(tmp_path: Path) -> None:
    async with ImapServer() as server:
        gone = imap_access(server)
    assert lines(await conversation(gone)) == [f"connect 127.0.0.1:{server.port} → ECONNREFUSED"]
    async with ImapServer(tls=make_certificates(tmp_path).server) as server:
        told = lines(await conversation(imap_access(server, server=f"imaps://127.0.0.1:{server.port}")))
    assert told[-1].startswith("TLS → certificate not trusted: ")


async def test_a_long_check_keeps_its_last_steps() -> None:
    async with ImapServer() as server:
        for number in range(2 * MOST):
            server.deliver(mail(f"Mail {number}"), minutes_ago(3))
        told = await conversation(imap_access(server))
    assert len(told) == MOST
    assert [step["at"] for step in told] == sorted(step["at"] for step in told)


# ── EWS and Graph

TOKEN = "eyJ0eXAiOiJKV1Qi.zeer-geheim.token"
REPEATED = {
    "X-Secret": f"{TOKEN} {SUBJECT}",
    "Retry-After": TOKEN,
    "x-ms-diagnostics": f"{TOKEN};reason={SUBJECT}",
    "WWW-Authenticate": f"Bearer {TOKEN}, {BODY}",
}


@pytest.mark.parametrize("http_status", [200, 302, 400, 401, 403, 429, 500, 503])
async def test_ews_tells_of_a_status_and_not_what_came_with_it(tmp_path: Path, http_status: int) -> None:
    office = EwsPostOffice(tmp_path)
    try:
        assert office.access.password is not None
        password = office.access.password.get_secret_value()
        office.deliver(mail(SUBJECT, BODY), minutes_ago(3))
        headers = {**REPEATED, "request-id": password, "X-Password": password}
        body = f"{password} {TOKEN} {SUBJECT} {BODY}"
        office.server.next("FindItem", *[Answer(http_status, body, headers=headers)] * 3)
        told = await conversation(office.access)
    finally:
        office.close()
    holds_none(told, password, TOKEN, "zeer-geheim", office.access.username or "-")
    assert any(step.startswith(f"POST FindItem → HTTP {http_status}") for step in lines(told)), told
    assert any(step.startswith("TLS → TLSv1.") for step in lines(told))


async def test_ews_tells_of_known_codes_alone_and_of_a_server_that_says_all_in_its_reason(tmp_path: Path) -> None:
    office = EwsPostOffice(tmp_path)
    try:
        office.deliver(mail(SUBJECT, BODY), minutes_ago(3))
        for code, told_as in (("ErrorServerBusy", "HTTP 500, ErrorServerBusy, "), (TOKEN, "HTTP 500, ")):
            office.server.next("FindItem", *[Refusal(code, fault=True)] * 3)
            told = await conversation(office.access)
            holds_none(told, TOKEN)
            assert any(step.startswith(f"POST FindItem → {told_as}") for step in lines(told)), told
        office.server.next("GetFolder", *[Refusal(f"Error{SUBJECT}")] * 3)
        holds_none(await conversation(office.access), TOKEN)
    finally:
        office.close()


async def test_a_reason_phrase_a_length_and_a_login_that_hold_a_secret_are_not_written() -> None:
    password = "Welkom-01"

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 503 {password} {SUBJECT}\r\nRetry-After: 30\r\nServer: {BODY}\r\n\r\n{TOKEN}".encode())
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        access = MailboxAccess(
            kind="ews", server=f"http://127.0.0.1:{port}", username="jan.jansen", password=SecretStr(password),
            allow_unencrypted=True,
        )  # fmt: skip
        told = await conversation(access)
    holds_none(told, password, TOKEN, "jansen")
    assert f"connect 127.0.0.1:{port} → connected" in lines(told)
    assert any(step.startswith("POST GetFolder → HTTP 503, Retry-After 30 s") for step in lines(told)), told


@pytest.fixture
def graph(tmp_path: Path) -> Iterator[GraphPostOffice]:
    office = GraphPostOffice(tmp_path)
    yield office
    office.close()


async def test_graph_is_told_by_paths_without_ids(graph: GraphPostOffice) -> None:
    key = graph.deliver(mail(SUBJECT, BODY), minutes_ago(3))
    told = await conversation(graph.access)
    assert graph.access.password is not None
    holds_none(told, key, graph.mailbox.address, "o%27brien", "klant.example", graph.access.password.get_secret_value())
    said = [step.partition(", request-id")[0] for step in lines(told)]
    assert said[1].startswith("connect 127.0.0.1:")
    assert said[2].startswith("TLS → TLSv1.")
    assert "POST /{id}/oauth2/v2.0/token → HTTP 200" in said
    assert "GET /v1.0/users/{id}/mailFolders/inbox → HTTP 200" in said
    assert "GET /v1.0/users/{id}/messages/{id}/$value → HTTP 200" in said
    assert "PATCH /v1.0/users/{id}/messages/{id} → HTTP 200" in said


@pytest.mark.parametrize("http_status", [200, 302, 400, 401, 403, 404, 429, 500, 503])
async def test_graph_tells_of_a_status_and_not_what_came_with_it(graph: GraphPostOffice, http_status: int) -> None:
    assert graph.access.password is not None
    password = graph.access.password.get_secret_value()

    async def repeating(request: web.Request, _: Handler) -> web.StreamResponse:
        token = request.headers["Authorization"].removeprefix("Bearer ")
        given.append(token)
        return web.json_response(
            {"error": {"code": token, "message": f"{password} {SUBJECT}"}, "value": BODY},
            status=http_status,
            reason=f"{token} {password} {SUBJECT}",
            headers=REPEATED | {"request-id": token, "X-Password": password},
        )

    given: list[str] = []
    graph.deliver(mail(SUBJECT, BODY), minutes_ago(3))
    graph.server.fault(r"GET .*/messages", repeating, times=3)
    told = await conversation(graph.access)
    assert given
    holds_none(told, *given, password, TOKEN, graph.mailbox.address)
    path = "GET /v1.0/users/{id}/mailFolders/{id}/messages"
    assert any(step.startswith(f"{path} → HTTP {http_status}") for step in lines(told)), told


async def test_graph_tells_of_known_codes_waits_and_request_ids(graph: GraphPostOffice) -> None:
    number = "0b1c2d3e-0000-4000-8000-123456789abc"
    graph.server.fault(
        r"GET .*/messages",
        status(403, "ErrorAccessDenied", request_id=number, Retry_After="7", x_ms_diagnostics="2000003;reason=x"),
    )
    told = lines(await conversation(graph.access))
    assert told[-1] == (
        "GET /v1.0/users/{id}/mailFolders/{id}/messages → HTTP 403, Retry-After 7 s, x-ms-diagnostics 2000003, "
        f"request-id {number}, ErrorAccessDenied"
    )


async def test_a_password_in_the_form_of_a_request_id_is_not_written() -> None:
    secret = "0b1c2d3e-0000-4000-8000-123456789abc"
    for headers in ({"request-id": secret}, {"Retry-After": "123456"}, {"x-ms-diagnostics": "2000003"}):
        with recorded(Dialogue([secret, "123456", "2000003"])):
            assert http.came(503, headers) == "HTTP 503"


# ── a Maildir


async def test_a_maildir_is_told_by_what_was_done_and_the_name_of_an_error(tmp_path: Path) -> None:
    office = MaildirPostOffice(tmp_path / "post")
    office.deliver(mail(SUBJECT, BODY), minutes_ago(3))
    told = await conversation(office.access)
    holds_none(told, str(tmp_path), "klant")
    assert {"unread → done", "fetch → done", "mark_read → done"} <= set(lines(told)), told
    for folder in ("new", "cur"):
        (office.root / folder).rename(office.root / f"{folder} {SUBJECT}")
    assert any(step.endswith("→ ENOENT") for step in lines(await conversation(office.access)))


# ── what is stored


async def stored(desk: Desk) -> list[Told] | None:
    told: list[Told] | None = (await desk.state())["failed_dialogue"]
    return told


async def test_S8_a_failed_check_is_kept_until_the_next_and_goes_with_the_mailbox(desk: Desk) -> None:
    async with ImapServer() as server:
        server.select_refusal = f"[NOPERM] {server.password} {SUBJECT}"
        await desk.owner.execute(
            "UPDATE importer_settings SET kind = 'imap', server = $1, username = $2, password_encrypted = $3,"
            " allow_unencrypted = true",
            f"imap://127.0.0.1:{server.port}",
            server.login,
            ENCRYPTION.public.seal(SecretStr(server.password)),
        )

        async def failed() -> bool:
            return await stored(desk) is not None

        async def worked() -> bool:
            return (await desk.state())["last_successful_check_at"] is not None

        async with fetcher(desk):
            await eventually(failed)
            problem = (await desk.state())["problem"]
            assert "«[NOPERM] … " in problem
            assert server.password not in problem
            server.select_refusal = ""
            await desk.owner.execute("UPDATE mailbox_states SET next_check_at = now()")
            await eventually(worked)
        told = await stored(desk)
        assert told is not None
        holds_none(told, server.password)
        assert lines(told)[-1] == "SELECT → NO [NOPERM]"
        assert (await desk.state())["failed_dialogue_at"] is not None
    await desk.owner.execute(
        "UPDATE importer_settings SET kind = 'maildir', server = '/var/mail/anders', password_encrypted = NULL,"
        " allow_unencrypted = false"
    )
    assert await stored(desk) is None
