"""An attacker runs a server that we talk to, or sits on the way to it.

What he answers fills no memory, takes no time without end, and ends as a sentence that says what is wrong.
Each attack goes over a real socket into a process of its own, whose memory is measured.
Exchange: `test_ews_odd_servers`.
"""

import asyncio
import socket
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache
from itertools import chain, count, repeat
from pathlib import Path
from typing import Final

import pytest
from aiohttp import web

from tests.attacks import victims
from tests.attacks.apart import Outcome, run_apart
from tests.attacks.raw_server import RawServer, lines, send
from tests.mailboxes.post_offices import GraphPostOffice
from tests.servers.certificates import Certificates, make_certificates
from tests.servers.graph_faults import Fault, Handler

MEGABYTES: Final = 150
"""What any answer may take. A mail of the largest size takes most of it, on its way from the socket to its file."""
PROBLEMS: Final = {
    *("MailboxUnreachable", "MailboxMissing", "AccessDenied", "LoginRefused"),
    *("MailUnreadable", "MailTooLarge", "MailGone"),
    *("AccountTrouble", "InDoubt", "Postponed", "Refused"),
    *("ScannerAway", "ScannerFailed"),
    "NotTold",
}
LONGEST_SENTENCE: Final = 1100
NOW: Final = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

Pieces = Callable[[], Iterator[bytes]]


def check(outcome: Outcome, *, is_problem: bool = True) -> None:
    """The attack came to a sentence, or to nothing, and took no more memory than an answer may."""
    assert outcome.kind in (PROBLEMS if is_problem else {*PROBLEMS, "done"}), outcome.said[-3000:]
    assert outcome.said.isprintable()
    assert len(outcome.said) < LONGEST_SENTENCE
    assert outcome.megabytes < MEGABYTES


def times(piece: bytes, megabytes: float) -> Iterator[bytes]:
    """So many megabytes of it."""
    return repeat(piece, int(megabytes * 2**20) // len(piece))


@cache
def packed(megabytes: int = 256) -> bytes:
    """A quarter of a megabyte that unpacks to so many."""
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    return b"".join([*(packer.compress(bytes(2**20)) for _ in range(megabytes)), packer.flush()])


# ── IMAP

FACTS = b'* 1 FETCH (UID 1 FLAGS () INTERNALDATE "23-Nov-2026 09:00:00 +0000" RFC822.SIZE 22)\r\n'
HONEST = {
    b"CAPABILITY": b"* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR NAMESPACE ID\r\n",
    b"SELECT": b"* 1 EXISTS\r\n* OK [UIDVALIDITY 1] ok\r\n",
    b"NAMESPACE": b'* NAMESPACE (("" "/")) NIL NIL\r\n',
    b"SEARCH": b"* SEARCH 1\r\n",
    b"FETCH": FACTS,
    b"BODY": b"* 1 FETCH (UID 1 RFC822.SIZE 22 BODY[]<0> {22}\r\nSubject: hallo\r\n\r\nja\r\n)\r\n",
    b"LIST": b'* LIST (\\Trash) "/" Trash\r\n* LIST (\\Junk) "/" Junk\r\n',
    b"STATUS": b"* STATUS Junk (UNSEEN 3)\r\n",
}


def imap(verb: bytes, pieces: Pieces) -> Callable[[socket.socket], None]:
    """An IMAP server that answers `verb` so, and all else honestly; GREETING and OK (to a login) are verbs too."""

    def serve(connection: socket.socket) -> None:
        if verb == b"GREETING":
            send(connection, pieces())
        connection.sendall(b"* OK hello\r\n")
        for line in lines(connection):
            tag, _, command = line.strip().partition(b" ")
            words = command.removeprefix(b"UID ").upper().split()
            said = b"BODY" if b"BODY.PEEK" in command else words[0] if words else b""
            if said == verb:
                send(connection, pieces())
            else:
                connection.sendall(HONEST.get(said, b""))
            connection.sendall(tag + b" OK done\r\n")

    return serve


def numbers(megabytes: float, form: bytes = b" %d") -> Iterator[bytes]:
    """Numbers that differ, so many megabytes of them."""
    return (form % number for number in range(1_000_000, 1_000_000 + int(megabytes * 2**20) // len(form % 1_000_000)))


IMAP: dict[str, tuple[bytes, Pieces]] = {
    "greeting-endless": (b"GREETING", lambda: repeat(b"* OK " + b"x" * 1000)),
    "greeting-of-lines": (b"GREETING", lambda: repeat(b"* X\r\n")),
    "capability-endless": (b"CAPABILITY", lambda: chain([b"* CAPABILITY"], repeat(b" A"))),
    "capability-of-lines": (b"CAPABILITY", lambda: repeat(b"* CAPABILITY IMAP4rev1\r\n")),
    "login-refused-at-length": (b"AUTHENTICATE", lambda: chain([b"A NO "], times(b"x", 1.9), [b"\r\n"])),
    "login-that-asks-for-ever": (b"AUTHENTICATE", lambda: repeat(b"+ \r\n")),
    "untagged-endless": (b"SELECT", lambda: repeat(b"* A\r\n")),
    "exists-endless": (b"SELECT", lambda: repeat(b"* 1 EXISTS\r\n")),
    "search-endless": (b"SEARCH", lambda: chain([b"* SEARCH"], repeat(b" 1"))),
    "search-of-millions": (b"SEARCH", lambda: chain([b"* SEARCH"], numbers(4), [b"\r\n"])),
    "search-of-a-long-number": (b"SEARCH", lambda: chain([b"* SEARCH "], times(b"9", 2), [b"\r\n"])),
    "literal-of-4-gb": (b"BODY", lambda: iter([b"* 1 FETCH (UID 1 BODY[]<0> {4294967295}\r\n"])),
    "literal-of-too-many-digits": (b"BODY", lambda: chain([b"* 1 FETCH (UID 1 BODY[] {"], times(b"9", 1), [b"}\r\n"])),
    "literal-of-32-mb": (b"BODY", lambda: chain([b"* 1 FETCH (UID 1 BODY[] {33554000}\r\n"], times(b"x" * 1000, 40))),
    "literals-without-end": (b"BODY", lambda: chain([b"* 1 FETCH (UID 1 "], repeat(b"BODY[] {0}\r\n "))),
    "fetch-nested": (b"FETCH", lambda: iter([b"* 1 FETCH (UID 1 FLAGS " + b"(" * 15_000 + b")" * 15_001 + b"\r\n"])),
    "fetch-opened": (b"FETCH", lambda: iter([b"* 1 FETCH (UID 1 FLAGS " + b"(" * 15_000 + b"\r\n"])),
    "fetch-of-numbers": (b"FETCH", lambda: chain([b"* 1 FETCH (UID 1 FLAGS ("], numbers(1), [b"))\r\n"])),
    "fetch-of-others": (b"FETCH", lambda: numbers(1, b"* 1 FETCH (UID %d RFC822.SIZE 1)\r\n")),
    "fetch-of-strange-things": (b"FETCH", lambda: iter([b"* 1 FETCH (UID NIL INTERNALDATE (1 2) FLAGS)\r\n"])),
    "fetch-of-no-date": (b"FETCH", lambda: iter([b'* 1 FETCH (UID 1 INTERNALDATE "99-Foo-0000 99:99:99 +9999")\r\n'])),
    "fetch-of-a-huge-size": (b"FETCH", lambda: iter([FACTS.replace(b" 22", b" " + b"9" * 400)])),
    "list-endless": (b"LIST", lambda: repeat(b'* LIST () "/" a\r\n')),
    "list-of-megabytes": (b"LIST", lambda: numbers(4, b'* LIST () "/" folder%d\r\n')),
    "list-nested": (b"LIST", lambda: iter([b"* LIST " + b"(" * 15_000 + b"\r\n"])),
    "namespace-of-quotes": (b"NAMESPACE", lambda: chain([b'* NAMESPACE (("'], times(b'\\"', 1.9), [b"\r\n"])),
    "id-of-quotes": (b"ID", lambda: chain([b'* ID ("'], times(b'\\"', 1.9), [b"\r\n"])),
    "status-of-a-long-number": (b"STATUS", lambda: chain([b"* STATUS Junk (UNSEEN "], times(b"9", 1.9), [b")\r\n"])),
    "control-characters": (b"SELECT", lambda: iter([b"* NO \x1b]0;x\x07\x00\xff\r\nA NO \x1b[2J\x00 bad\r\n"])),
    "bye": (b"FETCH", lambda: chain([b"* BYE "], times(b"x@", 1.9), [b"\r\n"])),
}


@pytest.mark.parametrize("attack", IMAP)
async def test_a_hostile_imap_server_fills_no_memory_and_ends_as_a_sentence(attack: str) -> None:
    with RawServer(imap(*IMAP[attack])) as server:
        outcome = await run_apart(victims.read_imap, server.port)
    check(outcome, is_problem=False)


async def test_a_hostile_imap_server_that_drips_is_left() -> None:
    server = RawServer(lambda connection: server.drip(b"* OK" + b" x" * 100_000, connection))
    with server:
        check(await run_apart(victims.read_imap, server.port, 1.0))


async def test_an_honest_imap_server_is_read() -> None:
    with RawServer(imap(b"", lambda: iter(()))) as server:
        outcome = await run_apart(victims.read_imap, server.port)
    assert outcome.said.startswith("1 mails, 22 bytes, 1 unread")


# ── Graph and its login server


@pytest.fixture
def office(tmp_path: Path) -> Iterator[GraphPostOffice]:
    office = GraphPostOffice(tmp_path)
    yield office
    office.close()


def answering(pieces: Pieces, status: int = 200, **headers: str) -> Fault:
    """An answer of these pieces; what is longer than 200 MB goes on until the client leaves."""

    async def answer(request: web.Request, _: Handler) -> web.StreamResponse:
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        response = web.StreamResponse(status=status, headers={"Content-Type": "application/json"} | told)
        await response.prepare(request)
        held = bytearray()
        for piece in pieces():
            held += piece
            if len(held) > 2**16:
                if request.transport is None or request.transport.is_closing():
                    return response
                await response.write(bytes(held))
                await asyncio.sleep(0)  # so that the loop sees the client leave
                held.clear()
        await response.write(bytes(held))
        await response.write_eof()
        return response

    return answer


def body(whole: bytes, status: int = 200, **headers: str) -> Fault:
    return answering(lambda: iter([whole]), status, **headers)


def json_of(piece: bytes, megabytes: float, around: tuple[bytes, bytes] = (b'{"value":[', b"0]}")) -> Fault:
    return answering(lambda: chain([around[0]], times(piece, megabytes), [around[1]]))


def pages_without_end() -> Fault:
    numbered = count()

    async def answer(request: web.Request, _: Handler) -> web.StreamResponse:
        link = f"https://{request.host}{request.path}?page={next(numbered)}"
        return web.json_response({"value": [], "@odata.nextLink": link})

    return answer


def cookies() -> Fault:
    async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await handler(request)
        for number in range(60):
            response.set_cookie(f"c{len(request.headers.getall('Cookie', []))}-{number}", "x" * 1000)
        return response

    return answer


async def login_loop(_: web.Request, __: Handler) -> web.StreamResponse:
    return web.Response(status=401, text="no")


TOKEN = r"POST .*/token"
ANY = r"(GET|POST|PATCH) /users.*"
MESSAGES = r"GET .*/messages"
VALUE = r"GET .*/\$value"
NO_MIME = body(b'{"error":{"code":"ErrorMimeContentConversionFailed"}}', 500)
GRAPH: dict[str, tuple[str, Fault]] = {
    "token-of-50-mb": (TOKEN, json_of(b"x", 50, (b'{"expires_in":3600,"access_token":"', b'"}'))),
    "token-too-long": (TOKEN, json_of(b"x", 0.1, (b'{"expires_in":3600,"access_token":"', b'"}'))),
    "token-for-ever": (TOKEN, body(b'{"expires_in":1e999,"access_token":"x"}')),
    "token-for-less-than-nothing": (TOKEN, body(b'{"expires_in":-5,"access_token":"x"}')),
    "token-refused-at-length": (TOKEN, answering(lambda: chain([b'{"error":"'], repeat(b"x" * 1000)), 400)),
    "token-refused-with-codes": (TOKEN, body(b'{"error":"x","error_codes":[%s1]}' % (b"1," * 90_000), 401)),
    "token-wait-a-year": (TOKEN, body(b"{}", 429, Retry_After="31536000")),
    "token-wait-less-than-nothing": (TOKEN, body(b"{}", 503, Retry_After="-31536000")),
    "wait-until-the-year-9999": (ANY, body(b"{}", 429, Retry_After="Fri, 31 Dec 9999 23:59:59 -2300")),
    "login-loop": (ANY, login_loop),
    "401-endless": (ANY, answering(lambda: repeat(b"x" * 1000), 401)),
    "endless": (ANY, answering(lambda: repeat(b" " * 1000))),
    "packed": (ANY, body(packed(), Content_Encoding="gzip")),
    "packed-unnamed": (ANY, body(packed())),
    "nested": (ANY, body(b"[" * 100_000)),
    "nested-objects": (ANY, body(b'{"value":' * 100_000)),
    "lists": (MESSAGES, json_of(b"[],", 7)),
    "objects": (MESSAGES, json_of(b"{},", 7)),
    "numbers": (MESSAGES, json_of(b"1,", 7)),
    "keys": (MESSAGES, answering(lambda: chain([b"{"], numbers(7, b'"%d":1,'), [b'"x":1}']))),
    "quotes": (MESSAGES, json_of(b'""', 7)),
    "escaped-quotes": (MESSAGES, json_of(rb"\"", 7, (b'{"value":"', b""))),
    "a-long-number": (MESSAGES, json_of(b"9", 7)),
    "pages-without-end": (MESSAGES, pages_without_end()),
    "ids-of-megabytes": (MESSAGES, json_of(b"x", 7, (b'{"value":[{"id":"', b'"}]}'))),
    "ids-with-control-characters": (MESSAGES, body(b'{"value":[{"id":"\\u0000\\u001b[2J"}]}')),
    "ids-with-half-a-character": (MESSAGES, body(b'{"value":[{"id":"\\ud800"}]}')),
    "sizes-and-dates-of-nothing": (
        MESSAGES,
        body(
            b'{"value":[{"id":"a","receivedDateTime":"9999-12-31T23:59:59-23:00",'
            b'"singleValueExtendedProperties":[5,{"value":"%s"}]}]}' % (b"9" * 400)
        ),
    ),
    "errors-of-megabytes": (ANY, json_of(b"x", 7, (b'{"error":{"code":"', b'"}}'))),
    "errors-with-control-characters": (ANY, body(b'{"error":{"code":"\\u0000\\u001b[2J","message":"\\u0000"}}', 400)),
    "mime-endless": (VALUE, answering(lambda: repeat(b"x" * 1000))),
    "mime-packed": (VALUE, body(packed(), Content_Encoding="gzip")),
    "redirect-to-metadata": (ANY, body(b"", 302, Location="http://169.254.169.254/")),
}


@pytest.mark.parametrize("attack", GRAPH)
async def test_a_hostile_graph_fills_no_memory_and_ends_as_a_sentence(office: GraphPostOffice, attack: str) -> None:
    office.deliver(b"Subject: hallo\r\n\r\nja\r\n", NOW)
    pattern, fault = GRAPH[attack]
    office.server.fault(pattern, fault, times=10_000)
    outcome = await run_apart(victims.read_graph, dict(office.server.environment), office.access)
    check(outcome, is_problem=attack not in {"token-for-ever", "sizes-and-dates-of-nothing"})


@pytest.mark.parametrize("listed", ["endless", "of-megabytes"])
async def test_a_mail_that_is_put_together_again_has_no_end_of_attachments(
    office: GraphPostOffice, listed: str
) -> None:
    office.deliver(b"Subject: hallo\r\n\r\nja\r\n", NOW)
    office.server.fault(VALUE, NO_MIME, times=10)
    attachments = pages_without_end() if listed == "endless" else json_of(b'{"id":"a"},', 2)
    office.server.fault(r"GET .*/attachments.*", attachments, times=10_000)
    check(await run_apart(victims.read_graph, dict(office.server.environment), office.access))


async def test_a_graph_that_drips_is_left(office: GraphPostOffice) -> None:
    async def drip(request: web.Request, _: Handler) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:  # until the client leaves
            await response.write(b" ")
            await asyncio.sleep(0.05)

    office.server.fault(ANY, drip, times=100)
    check(await run_apart(victims.read_graph, dict(office.server.environment), office.access, 1.0))


async def test_a_graph_leaves_no_cookies_with_us(office: GraphPostOffice) -> None:
    office.deliver(b"Subject: hallo\r\n\r\nja\r\n", NOW)
    sent: list[str] = []

    async def note(request: web.Request, handler: Handler) -> web.StreamResponse:
        sent.extend(request.headers.getall("Cookie", []))
        return await cookies()(request, handler)

    office.server.fault(ANY, note, times=100)
    outcome = await run_apart(victims.read_graph, dict(office.server.environment), office.access)
    assert outcome.kind == "done", outcome.said
    assert sent == []


# ── Autodiscover


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


def http(pieces: Pieces, head: bytes = b"HTTP/1.1 200 OK\r\n\r\n") -> Callable[[socket.socket], None]:
    """Whatever is asked, this answer."""

    def serve(connection: socket.socket) -> None:
        for line in lines(connection):
            if not line.strip():
                connection.sendall(head)
                send(connection, pieces())
                return

    return serve


def redirect(to: bytes) -> Callable[[socket.socket], None]:
    return http(lambda: iter(()), b"HTTP/1.1 302 Found\r\nLocation: " + to + b"\r\nContent-Length: 0\r\n\r\n")


def url(written: bytes) -> Callable[[socket.socket], None]:
    return http(lambda: iter([b'{"Url":"' + written + b'"}']))


ENTITIES = b'<!DOCTYPE a [<!ENTITY a "' + b"x" * 1000 + b'"><!ENTITY b "' + b"&a;" * 1000 + b'">]><a>&b;</a>'
AUTODISCOVER: dict[str, Callable[[socket.socket], None]] = {
    "endless-head": http(lambda: repeat(b"X: y\r\n"), b"HTTP/1.1 200 OK\r\n"),
    "endless-header": http(lambda: repeat(b"x" * 1000), b"HTTP/1.1 200 OK\r\nX: "),
    "endless-status-line": http(lambda: repeat(b"x" * 1000), b"HTTP/1.1 200 "),
    "endless-body": http(lambda: repeat(b" " * 1000)),
    "endless-401": http(lambda: repeat(b" " * 1000), b"HTTP/1.1 401 no\r\n\r\n"),
    "endless-continue": http(lambda: repeat(b"HTTP/1.1 100 Continue\r\n\r\n"), b""),
    "packed": http(lambda: iter([packed()]), b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"),
    "packed-as-deflate": http(lambda: iter([packed()[10:]]), b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\n\r\n"),
    "xml-entities": http(lambda: iter([ENTITIES])),
    "nested": http(lambda: iter([b"[" * 15_000])),
    "half-a-character": url(b"https://\\ud800/"),
    "control-characters": url(b"https://mail.corp.example/\\u001b]0;x\\u0007"),
    "spaces": url(b"https://mail.corp.example/ rm -rf"),
    "no-address": url(b"https://[::1"),
    "long": url(b"https://mail.corp.example/" + b"x" * 10_000),
    "redirect-to-no-address": redirect(b"https://["),
    "redirect-to-no-port": redirect(b"https://mail.corp.example:99999999/"),
    "redirect-to-no-name": redirect("https://\N{ZERO WIDTH JOINER}.example/".encode()),
    "redirect-to-metadata": redirect(b"https://169.254.169.254/"),
    "redirect-to-a-long-name": redirect(b"https://" + b"x" * 60_000 + b"/"),
    "no-http": http(lambda: repeat(b"\x00\xff" * 1000), b""),
}


@pytest.mark.parametrize("attack", AUTODISCOVER)
async def test_a_hostile_autodiscover_fills_no_memory_and_ends_as_a_sentence(
    certificates: Certificates, attack: str
) -> None:
    with RawServer(AUTODISCOVER[attack], certificates.server) as server:
        host = f"127.0.0.1:{server.port}"
        outcome = await run_apart(
            victims.find_exchange, host, str(certificates.ca_file), 1.0 if "continue" in attack else None
        )
    check(outcome)


async def test_a_redirect_that_leads_in_a_circle_ends(certificates: Certificates) -> None:
    def around(connection: socket.socket) -> None:
        redirect(b"https://127.0.0.1:%d/" % server.port)(connection)

    with RawServer(around, certificates.server) as server:
        check(await run_apart(victims.find_exchange, f"127.0.0.1:{server.port}", str(certificates.ca_file)))


@pytest.mark.parametrize("where", ["handshake", "answer"])
async def test_an_autodiscover_that_drips_is_left(certificates: Certificates, where: str) -> None:
    server = RawServer(
        lambda connection: server.drip(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100_000, connection),
        certificates.server if where == "answer" else None,
    )
    with server:
        check(await run_apart(victims.find_exchange, f"127.0.0.1:{server.port}", str(certificates.ca_file), 1.0))


# ── SMTP


def smtp(verb: bytes, pieces: Pieces, *, reads: bool = True) -> Callable[[socket.socket], None]:
    """An SMTP server that answers `verb` so, and all else honestly; GREETING and CONTENT are verbs too."""
    honest = {b"EHLO": b"250-hostile\r\n250 AUTH PLAIN\r\n", b"AUTH": b"235 ok\r\n", b"DATA": b"354 go\r\n"}

    def answer(connection: socket.socket, said: bytes) -> None:
        if said == verb:
            send(connection, pieces())
        else:
            connection.sendall(honest.get(said, b"250 ok\r\n"))

    def serve(connection: socket.socket) -> None:
        if not reads:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        if verb == b"GREETING":
            send(connection, pieces())
        connection.sendall(b"220 hello\r\n")
        in_content = False
        for line in lines(connection):
            if in_content and line == b".\r\n":
                in_content = False
                answer(connection, b"CONTENT")
            elif not in_content:
                said = line.split()[0].upper()
                answer(connection, said)
                in_content = said == b"DATA" and verb != b"DATA"
                if in_content and not reads:
                    connection.recv(1)
                    socket.create_server(("127.0.0.1", 0)).accept()  # nobody comes

    return serve


SMTP: dict[str, tuple[bytes, Pieces]] = {
    "greeting-endless": (b"GREETING", lambda: repeat(b"x" * 1000)),
    "greeting-of-lines": (b"GREETING", lambda: repeat(b"220-x\r\n")),
    "ehlo-endless": (b"EHLO", lambda: repeat(b"250-X-EXTENSION\r\n")),
    "ehlo-of-a-line-of-4-mb": (b"EHLO", lambda: chain([b"250-"], times(b"x", 4), [b"\r\n250 ok\r\n"])),
    "ehlo-of-many-logins": (b"EHLO", lambda: chain([b"250-AUTH"], times(b" A", 0.02), [b"\r\n250 ok\r\n"])),
    "auth-asks-for-ever": (b"AUTH", lambda: repeat(b"334 \r\n")),
    "auth-refused-at-length": (b"AUTH", lambda: chain(times(b"535-x\r\n", 4), [b"535 no\r\n"])),
    "sender-of-4-mb": (b"MAIL", lambda: chain([b"550 "], times(b"x", 4), [b"\r\n"])),
    "recipient-with-control-characters": (b"RCPT", lambda: iter([b"550 \x1b]0;x\x07\x00\xff\xfe\r\n"])),
    "data-of-no-code": (b"DATA", lambda: iter([b"-50 what\r\n"])),
    "content-endless": (b"CONTENT", lambda: repeat(b"250-x\r\n")),
    "content-without-a-line-end": (b"CONTENT", lambda: repeat(b"250 xxxxxxxx")),
}


@pytest.mark.parametrize("attack", SMTP)
async def test_a_hostile_smtp_server_fills_no_memory_and_ends_as_a_sentence(attack: str) -> None:
    with RawServer(smtp(*SMTP[attack])) as server:
        check(await run_apart(victims.send_by_smtp, server.port))


async def test_an_smtp_server_that_drips_is_left() -> None:
    server = RawServer(lambda connection: server.drip(b"220-x\r\n" * 100_000, connection))
    with server:
        check(await run_apart(victims.send_by_smtp, server.port, 1.0))


async def test_an_smtp_server_that_reads_nothing_is_left() -> None:
    with RawServer(smtp(b"", lambda: iter(()), reads=False)) as server:
        check(await run_apart(victims.send_by_smtp, server.port, 1.0))


@pytest.mark.parametrize("attack", SMTP)
async def test_a_hostile_smtp_server_of_alarms_fills_no_memory_and_ends_as_a_sentence(attack: str) -> None:
    with RawServer(smtp(*SMTP[attack])) as server:
        check(await run_apart(victims.alarm_by_mail, server.port, 3.0))


# ── the webhook of alarms

OK = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
WEBHOOK: dict[str, Pieces] = {
    "body-endless": lambda: chain([OK, b"\r\n"], repeat(b"3e8\r\n" + b"x" * 1000 + b"\r\n")),
    "body-packed": lambda: chain(
        [OK, b"Content-Encoding: gzip\r\n\r\n", b"%x\r\n" % len(packed()), packed(), b"\r\n0\r\n\r\n"]
    ),
    "header-endless": lambda: chain([OK], repeat(b"X: y\r\n")),
    "header-of-a-line": lambda: chain([OK, b"X: "], repeat(b"x" * 1000)),
    "no-answer-but-a-promise": lambda: repeat(b"HTTP/1.1 102 Processing\r\n\r\n"),
    "redirect-to-metadata": lambda: iter(
        [b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"]
    ),
    "control-characters": lambda: iter([b"HTTP/1.1 500 \x1b[2J\r\nContent-Length: 0\r\n\r\n"]),
}


def webhook(pieces: Pieces) -> Callable[[socket.socket], None]:
    """A server that reads a request's header and answers so."""

    def serve(connection: socket.socket) -> None:
        for line in lines(connection):
            if line == b"\r\n":
                send(connection, pieces())
                return

    return serve


@pytest.mark.parametrize("attack", WEBHOOK)
async def test_a_hostile_webhook_fills_no_memory_and_ends_as_a_sentence(attack: str) -> None:
    with RawServer(webhook(WEBHOOK[attack])) as server:
        outcome = await run_apart(victims.alarm_a_webhook, server.port, 3.0)
    check(outcome, is_problem=not attack.startswith("body-"))


async def test_a_webhook_that_drips_is_left() -> None:
    server = RawServer(lambda connection: server.drip(OK + b"X: y\r\n" * 100_000, connection))
    with server:
        check(await run_apart(victims.alarm_a_webhook, server.port, 1.0))


# ── clamd


CLAMD: dict[str, Pieces] = {
    "endless": lambda: repeat(b"x" * 1000),
    "endless-found": lambda: chain([b"stream: "], repeat(b"x" * 1000)),
    "control-characters": lambda: iter([b"stream: \x1b]0;x\x07 ERROR\x00"]),
    "nothing": lambda: iter(()),
}


@pytest.mark.parametrize("attack", CLAMD)
async def test_a_hostile_clamd_fills_no_memory_and_ends_as_a_sentence(attack: str) -> None:
    with RawServer(lambda connection: send(connection, CLAMD[attack]())) as server:
        check(await run_apart(victims.scan, f"tcp://127.0.0.1:{server.port}"))


async def test_a_clamd_that_drips_is_left() -> None:
    server = RawServer(lambda connection: server.drip(b"stream: " + b"x" * 100_000, connection))
    with server:
        check(await run_apart(victims.scan, f"tcp://127.0.0.1:{server.port}", 1.0))
