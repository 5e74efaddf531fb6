"""The mailbox kind `ews` on a server that tells the least and does as it likes, as other makers' servers may.

It speaks HTTP/1.0 without any length, writes no prefixes, tells no version, no sizes, no change keys and nothing of its
pages (which hold three items), and takes no notice of restrictions and orders.
"""

import base64
import io
import re
import threading
import tracemalloc
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import pytest
from pydantic import SecretStr

from services.fetcher.mailboxes.ews.mailbox import EwsMailbox
from services.fetcher.mailboxes.protocol import MailboxAccess, MailboxError, MailboxUnreachable, MailReference
from tests.servers.certificates import Certificates, make_certificates

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
PAGE = 3
MESSAGES = "http://schemas.microsoft.com/exchange/services/2006/messages"
TYPES = "http://schemas.microsoft.com/exchange/services/2006/types"


class OddServer(ThreadingHTTPServer):
    """Its mails: number → (bytes, read, where); its folders beneath the root."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), OddAnswers)
        self.mails: dict[str, tuple[bytes, bool, str]] = {}
        self.folders: list[str] = []

    def handle_error(self, *_: Any) -> None:
        """A client that goes early is its own affair."""


class OddAnswers(BaseHTTPRequestHandler):
    """Each request on a connection of its own."""

    server: OddServer

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Authorization") != f"Basic {base64.b64encode(b'anna:geheim').decode()}":
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'basic realm="Mail, van ons", charset="UTF-8"')
            self.end_headers()
            self.wfile.write(b"Nee.")
            return
        operation = fromstring(body)[-1][0]  # noqa: S314 - what our own client wrote
        name = operation.tag.rpartition("}")[2]
        content = getattr(self, name)(operation)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(
            f"""
            <Envelope xmlns="http://www.w3.org/2003/05/soap-envelope"><Body><{name}Response xmlns="{MESSAGES}">
            <ResponseMessages><{name}ResponseMessage ResponseClass="Success"><ResponseCode>NoError</ResponseCode>
            {content}</{name}ResponseMessage></ResponseMessages></{name}Response></Body></Envelope>
            """.encode()
        )

    def GetFolder(self, _: Element) -> str:
        return self._folders(["inbox"])

    def FindFolder(self, _: Element) -> str:
        return f"<RootFolder>{self._folders(self.server.folders)}</RootFolder>"

    def CreateFolder(self, operation: Element) -> str:
        self.server.folders.append(made := _text(operation, "DisplayName"))
        return self._folders([made])

    def FindItem(self, operation: Element) -> str:
        offset = int(_the(operation, "IndexedPageItemView").get("Offset", ""))
        inbox = [number for number, (_, _, where) in self.server.mails.items() if where == "inbox"]
        items = "".join(self._listed(number) for number in inbox[::-1][offset : offset + PAGE])
        return f'<RootFolder><Items xmlns="{TYPES}">{items}</Items></RootFolder>'

    def GetItem(self, operation: Element) -> str:
        number = _the(operation, "ItemId").get("Id", "")
        raw = base64.encodebytes(self.server.mails[number][0]).decode()
        return f'<Items><Message xmlns="{TYPES}"><MimeContent>\n{raw}</MimeContent></Message></Items>'

    def UpdateItem(self, operation: Element) -> str:
        number = _the(operation, "ItemId").get("Id", "")
        raw, _, where = self.server.mails[number]
        self.server.mails[number] = raw, True, where
        return "<Items/>"

    def MoveItem(self, operation: Element) -> str:
        return self._put(operation, _the(_the(operation, "ToFolderId"), "FolderId").get("Id", ""))

    def DeleteItem(self, operation: Element) -> str:
        return self._put(operation, operation.get("DeleteType", ""))

    def _put(self, operation: Element, where: str) -> str:
        number = _the(operation, "ItemId").get("Id", "")
        raw, is_read, _ = self.server.mails[number]
        self.server.mails[number] = raw, is_read, where
        return ""

    def _listed(self, number: str) -> str:
        _, is_read, _ = self.server.mails[number]
        arrival = (MONDAY + timedelta(minutes=int(number))).isoformat().replace("+00:00", ".5000000-00:00")
        return (
            f"<Message><ItemId Id='{number}'/><DateTimeReceived>{arrival}</DateTimeReceived>"
            f"<IsRead>{'1' if is_read else '0'}</IsRead></Message>"
        )

    def _folders(self, names: list[str]) -> str:
        found = "".join(f"<Folder><FolderId Id='{name}'/><DisplayName>{name}</DisplayName></Folder>" for name in names)
        return f'<Folders xmlns="{TYPES}">{found}</Folders>'


def _the(element: Element, name: str) -> Element:
    return next(each for each in element.iter() if each.tag.rpartition("}")[2] == name)


def _text(element: Element, name: str) -> str:
    return _the(element, name).text or ""


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return make_certificates(tmp_path)


@pytest.fixture
def server(certificates: Certificates) -> Iterator[OddServer]:
    with OddServer() as server:
        server.socket = certificates.server.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def access_to(server: OddServer, certificates: Certificates) -> MailboxAccess:
    """How Anna's mailbox is opened."""
    return MailboxAccess(
        kind="ews",
        server=f"127.0.0.1:{server.server_port}",
        username="anna",
        password=SecretStr("geheim"),
        ca_file=str(certificates.ca_file),
    )


async def listed(mailbox: EwsMailbox) -> list[MailReference]:
    return [mail async for page in mailbox.unread(100) for mail in page]


async def test_a_server_that_tells_the_least_is_read_all_the_same(
    server: OddServer, certificates: Certificates
) -> None:
    server.mails = {f"{n}": (f"Subject: {n}\r\n\r\n{'regel ' * 40}\r\n".encode(), n == 2, "inbox") for n in range(8)}
    mailbox = await EwsMailbox.open(access_to(server, certificates))
    mails = await listed(mailbox)
    assert [mail.key for mail in mails] == ["0", "1", "3", "4", "5", "6", "7"]
    assert mails[0].received_at == MONDAY + timedelta(milliseconds=500)
    assert {mail.size for mail in mails} == {None}
    for mail in mails:
        into = io.BytesIO()
        await mailbox.fetch(mail, into, 10_000)
        assert into.getvalue() == server.mails[mail.key][0]
        await mailbox.mark_read(mail)
    await mailbox.move(mails[0], "Archief")
    await mailbox.delete(mails[1])
    head = io.BytesIO()
    await mailbox.fetch_head(mails[2], head, 20)
    assert head.getvalue() == b"Subject: 3\r\n\r\n"
    health = await mailbox.health_check()
    await mailbox.close()
    assert _where(server) == {"0": "Archief", "1": "MoveToDeletedItems"}
    assert re.search(r"versie niet noemt.*Basic als anna", health.description)


def _where(server: OddServer) -> dict[str, str]:
    assert all(is_read for _, is_read, _ in server.mails.values())
    return {number: where for number, (_, _, where) in server.mails.items() if where != "inbox"}


async def test_a_success_without_the_optional_elements_is_an_answer(
    server: OddServer, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FindItem and FindFolder may lack RootFolder, CreateFolder and MoveItem what they made (Microsoft's XSD)."""
    server.mails = {"1": (b"Subject: een\r\n\r\n", False, "inbox")}
    mailbox = await EwsMailbox.open(access_to(server, certificates))
    (mail,) = await listed(mailbox)
    made = OddAnswers.CreateFolder
    monkeypatch.setattr(OddAnswers, "CreateFolder", lambda self, operation: made(self, operation) and "<Folders/>")
    await mailbox.move(mail, "Archief")
    assert _where(server) == {"1": "Archief"}
    monkeypatch.setattr(OddAnswers, "FindItem", lambda *_: "")
    assert await listed(mailbox) == []
    assert (await mailbox.health_check()).unread == 0
    monkeypatch.undo()
    server.mails["2"] = (b"Subject: twee\r\n\r\n", False, "inbox")
    monkeypatch.setattr(OddAnswers, "FindFolder", lambda *_: "")
    monkeypatch.setattr(OddAnswers, "CreateFolder", lambda *_: "")
    (mail,) = await listed(mailbox)
    with pytest.raises(MailboxError):
        await mailbox.move(mail, "Nergens")
    await mailbox.close()


def _bomb(tag: bytes) -> bytes:
    """Some kilobytes that unpack to 64 MB within an envelope."""
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    pieces = [packer.compress(b"<Envelope><Body>")]
    pieces += [packer.compress(tag * (1024 * 1024 // len(tag))) for _ in range(64)]
    return b"".join([*pieces, packer.flush()])


@pytest.mark.parametrize("tag", [b" ", b"<a/>"], ids=["text", "elements"])
@pytest.mark.parametrize("status", [200, 401, 500])
async def test_a_hostile_server_fills_no_memory_with_what_it_packs(
    server: OddServer, certificates: Certificates, monkeypatch: pytest.MonkeyPatch, status: int, tag: bytes
) -> None:
    bomb = _bomb(tag)

    def explode(self: OddAnswers) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(status)
        self.send_header("WWW-Authenticate", "NTLM")
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(bomb)))
        self.end_headers()
        self.wfile.write(bomb)

    monkeypatch.setattr(OddAnswers, "do_POST", explode)
    tracemalloc.start()
    try:
        with pytest.raises(MailboxError):
            await EwsMailbox.open(access_to(server, certificates))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 80 * 1024 * 1024


async def test_an_answer_without_end_that_asks_for_a_login_ends_here(
    server: OddServer, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask_for_ever(self: OddAnswers) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(401)
        self.send_header("WWW-Authenticate", "NTLM")
        self.end_headers()
        while True:  # until the client goes
            self.wfile.write(b" " * 65536)

    monkeypatch.setattr(OddAnswers, "do_POST", ask_for_ever)
    with pytest.raises(MailboxUnreachable):
        await EwsMailbox.open(access_to(server, certificates))
