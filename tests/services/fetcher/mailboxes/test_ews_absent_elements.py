"""The mailbox kind `ews` on answers that lack something: each element and each attribute in turn, of all that we ask.

No element is named here: a server of ours answers, and one thing after the other is taken away until there is nothing
left to take. Most of it is optional in Microsoft's schema. Whatever is absent, what was asked is done, or a sentence
tells what is wrong; and the next try, answered in full, does it.
"""

import io
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from services.fetcher.mailboxes.ews.mailbox import EwsMailbox
from services.fetcher.mailboxes.protocol import ItemKey, MailboxAccess, MailboxError, MailError, MailReference
from tests.servers.certificates import Certificates, make_certificates
from tests.servers.ews.faults import Refusal, Without
from tests.servers.ews.server import EwsServer
from tests.servers.ews.store import Folder, Store, User

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
LIMIT = 10_000_000
RAW = b"From: Jan <jan@klant.example>\r\nSubject: een\r\n\r\n" + b"Het werkt niet.\r\n" * 20
WHOLE = Without(10_000)
"""Takes nothing away."""
REFUSALS = (Refusal("ErrorServerBusy", back_off=0), Refusal("ErrorAccessDenied"), Refusal("ErrorOdd", fault=True))


@dataclass(slots=True)
class Client:
    """The server, and how its mailbox is opened."""

    server: EwsServer
    access: MailboxAccess
    fault: Without

    def deliver(self) -> list[str]:
        """Three unread mails, and no others; their keys."""
        inbox = self.server.store.inbox
        inbox.items.clear()
        return [self.server.deliver(RAW, MONDAY + timedelta(minutes=n)).key for n in range(3)]

    @asynccontextmanager
    async def opened(self, folder: str = "INBOX") -> AsyncIterator[EwsMailbox]:
        """The mailbox."""
        mailbox = await EwsMailbox.open(replace(self.access, folder=folder))
        try:
            yield mailbox
        finally:
            await mailbox.close()

    def reference(self, **particulars: object) -> MailReference:
        """The first mail, as it is listed."""
        item = self.server.store.inbox.items[0]
        hint = f"{item.element} {item.change_key}"
        listed = MailReference(ItemKey(item.key), MONDAY, len(item.raw), hint)
        return replace(listed, **particulars)  # type: ignore[arg-type]

    def is_read(self, mail: MailReference) -> bool:
        """Whether it is read, as the server has it."""
        place = self.server.store.find(mail.key)
        return place is not None and place[1].is_read

    @property
    def fault_takes_the_mime(self) -> bool:
        """What is absent is the MIME: the mail is put together again from its properties."""
        return self.fault.removed in {"Message/MimeContent", "Items/Message", "GetItemResponseMessage/Items"}

    @property
    def fault_hides_mail(self) -> bool:
        """What is absent is a mail, or the listing itself: both are valid answers, to a folder with less in it."""
        return self.fault.removed in {
            "Items/Message", "FindItemResponseMessage/RootFolder", "Changes/Create",
            "SyncFolderItemsResponseMessage/Changes", "Create/Message",
        }  # fmt: skip


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def client(certificates: Certificates) -> Iterator[Client]:
    user = User("CORP\\importer", "Welkom-01", mailbox="importer@corp.example")
    with EwsServer(user, Store("importer@corp.example"), tls=certificates.server) as server:
        server.store.root.folders.append(Folder("Facturen"))
        yield Client(
            server,
            MailboxAccess(
                kind="ews",
                server=server.host,
                username=user.login,
                password=SecretStr(user.password),
                ca_file=str(certificates.ca_file),
            ),
            WHOLE,
        )


Deed = Callable[[Client, EwsMailbox], Awaitable[None]]
"""Asks one thing of the mailbox, and asserts that what returned without an error was done."""


async def lists(client: Client, mailbox: EwsMailbox) -> None:
    given: set[str] = set()
    async for page in mailbox.unread(200):
        given |= {mail.key for mail in page}
    everything = {item.key for item in client.server.store.inbox.items}
    assert given == everything or client.fault_hides_mail


async def follows(client: Client, mailbox: EwsMailbox) -> None:
    given = await mailbox.arrivals(None, MONDAY)
    assert given.state
    everything = {item.key for item in client.server.store.inbox.items}
    assert {mail.key for mail in given.mails} == everything or client.fault_hides_mail


async def fetches(client: Client, mailbox: EwsMailbox) -> None:
    into = io.BytesIO()
    await mailbox.fetch(client.reference(), into, LIMIT)
    assert into.getvalue() == RAW or client.fault_takes_the_mime


async def fetches_the_head(client: Client, mailbox: EwsMailbox) -> None:
    into = io.BytesIO()
    await mailbox.fetch_head(client.reference(size=None), into, 60)
    assert RAW.startswith(into.getvalue()) or client.fault_takes_the_mime
    assert into.getvalue()


async def marks(client: Client, mailbox: EwsMailbox) -> None:
    mail = client.reference()
    await mailbox.mark_read(mail)
    assert client.is_read(mail)


async def marks_without_knowing_it(client: Client, mailbox: EwsMailbox) -> None:
    """Its change key is asked for."""
    client.server.manners.wants_change_key = True
    mail = client.reference(hint="")
    await mailbox.mark_read(mail)
    assert client.is_read(mail)


async def moves(client: Client, mailbox: EwsMailbox) -> None:
    mail = client.reference()
    await mailbox.move(mail, "Archief")
    assert client.server.store.find(mail.key) is None


async def deletes(client: Client, mailbox: EwsMailbox) -> None:
    mail = client.reference()
    await mailbox.delete(mail)
    assert client.server.store.find(mail.key) is None


async def tells_its_health(client: Client, mailbox: EwsMailbox) -> None:
    unread = (await mailbox.health_check()).unread
    assert unread == 3 or client.fault_hides_mail


async def opens_a_folder(client: Client, _: EwsMailbox) -> None:
    async with client.opened("Facturen"):
        pass


ASKED: tuple[tuple[Deed, str, int], ...] = (
    (opens_a_folder, "GetFolder", 0),
    (opens_a_folder, "FindFolder", 0),
    (lists, "FindItem", 0),
    (tells_its_health, "FindItem", 0),
    (tells_its_health, "FindItem", 1),
    (follows, "SyncFolderItems", 0),
    (fetches, "GetItem", 0),
    (fetches_the_head, "GetItem", 0),
    (fetches_the_head, "GetItem", 1),
    (fetches_the_head, "GetItem", 2),
    (marks, "UpdateItem", 0),
    (marks_without_knowing_it, "GetItem", 0),
    (moves, "UpdateItem", 0),
    (moves, "FindFolder", 0),
    (moves, "FindFolder", 1),
    (moves, "CreateFolder", 0),
    (moves, "MoveItem", 0),
    (deletes, "UpdateItem", 0),
    (deletes, "DeleteItem", 0),
)
"""What is done, and which of its requests lacks something in its answer: operation, and how many of it go before."""


async def with_something_absent(client: Client, deed: Deed, operation: str, before: int, fault: Without) -> str | None:
    """Do it on that answer, then on whole ones; the sentence that told of it, None where it went well."""
    first = client.deliver()[0]
    client.server.store.root.folders[5:] = []
    client.fault, told = fault, None
    async with client.opened() as mailbox:
        client.server.next(operation, *[WHOLE] * before, fault)
        try:
            await deed(client, mailbox)
        except (MailboxError, MailError) as error:
            told = str(error)
            assert told.endswith(".")
            assert "leverancier" not in told
        client.server.next_as_ever()
        if client.server.store.inbox.items[0].key == first:
            client.fault = WHOLE
            await deed(client, mailbox)
    return told


@pytest.mark.parametrize(
    ("deed", "operation", "before"), ASKED, ids=[f"{deed.__name__}-{name}-{n}" for deed, name, n in ASKED]
)
async def test_an_answer_that_lacks_something_is_a_sentence_at_worst(
    client: Client, deed: Deed, operation: str, before: int
) -> None:
    number = 0
    while True:
        fault = Without(number)
        await with_something_absent(client, deed, operation, before, fault)
        if fault.removed is None:
            break
        number += 1
    assert number > 8


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.code)
@pytest.mark.parametrize(
    ("deed", "operation"),
    [
        (opens_a_folder, "GetFolder"),
        (lists, "FindItem"),
        (follows, "SyncFolderItems"),
        (fetches, "GetItem"),
        (marks, "UpdateItem"),
        (moves, "MoveItem"),
        (deletes, "DeleteItem"),
    ],
    ids=["GetFolder", "FindItem", "SyncFolderItems", "GetItem", "UpdateItem", "MoveItem", "DeleteItem"],
)
async def test_a_refusal_that_lacks_something_is_a_refusal(
    client: Client, deed: Deed, operation: str, refusal: Refusal
) -> None:
    number = 0
    while True:
        fault = Without(number, of=refusal)
        assert await with_something_absent(client, deed, operation, 0, fault) is not None
        if fault.removed is None:
            break
        number += 1
