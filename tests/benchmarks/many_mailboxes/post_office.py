"""`python -m tests.benchmarks.many_mailboxes.post_office KIND FOLDER COUNT`: a mail server with COUNT mailboxes.

KIND      imap, ews, graph (TLS on the loopback), or maildir (folders of FOLDER)
Writes    one line of JSON once it listens: how its mailboxes are reached, and by what login
Answers   a line of JSON for each on its standard input:
          {"deliver": [[mailbox, number], …], "bytes": n}  mails, of n bytes each, whose header X-Number is that number;
                                                           answers with the moments of their arrival
          {"count": true}                                  requests since the last such question, by their kind
          {"forget": true}                                 removes all mails that were read
Ends      when its standard input is closed

It is a process of its own so that it can be stopped in the middle of an answer (SIGSTOP), as a server that hangs.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Protocol

from tests.mailboxes.post_offices import MaildirPostOffice
from tests.servers.certificates import make_certificates
from tests.servers.ews.server import EwsServer, Manners
from tests.servers.ews.store import Item, Store, User
from tests.servers.graph_entra import CLIENT_ID, SECRET, TENANT
from tests.servers.graph_server import GraphServer
from tests.servers.imap_server import Folder, ImapServer

_LINE: Final = b"Het is een gewone regel van een gewone mail, zoals een helpdesk er veel krijgt.\r\n"


def numbered_mail(number: int, size: int) -> bytes:
    """A mail of about `size` bytes, with its number in X-Number."""
    head = (
        f"From: Klant {number} <klant{number}@elders.example>\r\nTo: helpdesk@corp.example\r\nX-Number: {number}\r\n"
        f"Message-ID: <{number}@elders.example>\r\nSubject: Melding {number}\r\n\r\n"
    ).encode()
    return head + _LINE * max(1, (size - len(head)) // len(_LINE))


class PostOffice(Protocol):
    """The mailboxes of one server, by their numbers from 0."""

    @property
    def told(self) -> Mapping[str, Any]:
        """What the first line says: columns of settings and login, and for each mailbox what is its own."""
        ...

    def deliver(self, mailbox: int, raw: bytes) -> None:
        """Put an unread mail into a mailbox."""
        ...

    def count(self) -> Counter[str]:
        """Requests since the last question."""
        ...

    def forget(self) -> None:
        """Remove what was read."""
        ...


class Imap:
    """Folders of one account: helpdesks that share a login."""

    def __init__(self, folder: Path, count: int) -> None:
        certificates = make_certificates(folder)
        self.server = ImapServer(tls=certificates.server)
        self._names = [f"Helpdesk {number}" for number in range(count)]
        self.server.folders |= {name: Folder() for name in self._names}
        self._ca_file = certificates.ca_file

    @property
    def told(self) -> Mapping[str, Any]:
        return {
            "settings": {"kind": "imap", "server": f"imaps://127.0.0.1:{self.server.port}"},
            "mailboxes": [{"folder": name} for name in self._names],
            "login": {"username": self.server.login, "ca_file": str(self._ca_file)},
            "password": self.server.password,
        }

    def deliver(self, mailbox: int, raw: bytes) -> None:
        self.server.deliver(raw, folder=self._names[mailbox])

    def count(self) -> Counter[str]:
        said = [command.split(" ") for command in self.server.commands]
        self.server.commands.clear()
        return Counter(" ".join(words[:2] if words[0] == "UID" else words[:1]) for words in said)

    def forget(self) -> None:
        for name in self._names:
            place = self.server.folders[name]
            place.messages = [message for message in place.messages if "\\Seen" not in message.flags]


class Ews:
    """Shared mailboxes that one service account may open."""

    def __init__(self, folder: Path, count: int) -> None:
        certificates = make_certificates(folder)
        self._stores = [Store(f"helpdesk{number}@corp.example") for number in range(count)]
        user = User("CORP\\importer", "Welkom-01", full_access={store.address for store in self._stores})
        self.server = EwsServer(user, self._stores[0], tls=certificates.server, manners=Manners())
        self.server.stores = {store.address: store for store in self._stores}
        self._told = {
            "mailboxes": [{"mailbox_address": store.address} for store in self._stores],
            "login": {"username": user.login, "ca_file": str(certificates.ca_file)},
            "password": user.password,
        }

    @property
    def told(self) -> Mapping[str, Any]:
        return {**self._told, "settings": {"kind": "ews", "server": self.server.host}}

    def deliver(self, mailbox: int, raw: bytes) -> None:
        self._stores[mailbox].inbox.items.append(Item(raw, datetime.now(UTC)))

    def count(self) -> Counter[str]:
        seen, self.server.seen.operations = self.server.seen.operations, Counter()
        logins, self.server.seen.requests = self.server.seen.requests - seen.total(), 0
        self.server.seen.bodies.clear()
        self.server.seen.credentials.clear()
        return seen + Counter({"steps of logging in": logins})

    def forget(self) -> None:
        for store in self._stores:
            store.inbox.items[:] = [item for item in store.inbox.items if not item.is_read]


class Graph:
    """Shared mailboxes that one app may read."""

    def __init__(self, folder: Path, count: int) -> None:
        self.server = GraphServer(folder)
        self._mailboxes = [self.server.add_mailbox(f"helpdesk{number}@klant.example") for number in range(count)]

    @property
    def told(self) -> Mapping[str, Any]:
        return {
            "settings": {"kind": "graph"},
            "mailboxes": [{"mailbox_address": mailbox.address} for mailbox in self._mailboxes],
            "login": {"username": CLIENT_ID, "tenant": TENANT, "ca_file": str(self.server.ca_file)},
            "password": SECRET,
            "environment": dict(self.server.environment),
        }

    def deliver(self, mailbox: int, raw: bytes) -> None:
        self._mailboxes[mailbox].deliver(raw, datetime.now(UTC))

    def count(self) -> Counter[str]:
        asked = Counter(re.sub(r"/users/[^/]+|/mailFolders/[^/]+", "", request) for request in self.server.requests)
        self.server.requests.clear()
        tokens, self.server.token_requests = self.server.token_requests, 0
        return asked + Counter({"tokens": tokens})

    def forget(self) -> None:
        for mailbox in self._mailboxes:
            with mailbox.lock:
                mailbox.messages = [message for message in mailbox.messages if not message.is_read]


class Maildirs:
    """Maildirs in one folder."""

    def __init__(self, folder: Path, count: int) -> None:
        self._offices = [MaildirPostOffice(folder / f"helpdesk{number}") for number in range(count)]

    @property
    def told(self) -> Mapping[str, Any]:
        return {
            "settings": {"kind": "maildir"},
            "mailboxes": [{"server": str(office.root)} for office in self._offices],
        }

    def deliver(self, mailbox: int, raw: bytes) -> None:
        self._offices[mailbox].deliver(raw, datetime.now(UTC))

    def count(self) -> Counter[str]:
        return Counter()

    def forget(self) -> None:
        for office in self._offices:
            for file in (office.root / "cur").iterdir():
                file.unlink()


_KINDS: Final[Mapping[str, Callable[[Path, int], PostOffice]]] = {
    "imap": Imap,
    "ews": Ews,
    "graph": Graph,
    "maildir": Maildirs,
}


async def serve(kind: str, folder: Path, count: int) -> None:
    """Until the standard input ends."""
    office: PostOffice = _KINDS[kind](folder, count)
    async with AsyncExitStack() as stack:
        if isinstance(office, Imap):
            await stack.enter_async_context(office.server)
        elif isinstance(office, Ews | Graph):
            stack.enter_context(office.server)
        _say(office.told)
        while line := await asyncio.to_thread(sys.stdin.readline):
            match json.loads(line):
                case {"deliver": mails, "bytes": size}:
                    moments = []
                    for mailbox, number in mails:
                        office.deliver(mailbox, numbered_mail(number, size))
                        moments.append(time.time())
                    _say(moments)
                case {"count": True}:
                    _say(office.count())
                case _:
                    office.forget()
                    _say("done")


def _say(answer: object) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])))
