"""The mailbox kind `ews` on a server that tells the least and does as it likes, as other makers' servers may.

It speaks HTTP/1.0 without any length, writes no prefixes, tells no version, no sizes, no change keys and nothing of its
pages (which hold three items), and takes no notice of restrictions and orders.
"""

import base64
import io
import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import pytest
from pydantic import SecretStr

from services.fetcher.mailboxes.ews.mailbox import EwsMailbox
from services.fetcher.mailboxes.protocol import MailboxAccess, MailReference
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


async def listed(mailbox: EwsMailbox) -> list[MailReference]:
    return [mail async for page in mailbox.unread(100) for mail in page]


async def test_a_server_that_tells_the_least_is_read_all_the_same(
    server: OddServer, certificates: Certificates
) -> None:
    server.mails = {f"{n}": (f"Subject: {n}\r\n\r\n{'regel ' * 40}\r\n".encode(), n == 2, "inbox") for n in range(8)}
    access = MailboxAccess(
        kind="ews",
        server=f"127.0.0.1:{server.server_port}",
        username="anna",
        password=SecretStr("geheim"),
        ca_file=str(certificates.ca_file),
    )
    mailbox = await EwsMailbox.open(access)
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
