"""The other side of each mailbox kind: what the conformance suite does to a mailbox without the adapter under test.

A new kind adds its `PostOffice` here and a line in `POST_OFFICES`.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Protocol

from pydantic import SecretStr

from services.fetcher.mailboxes.protocol import ItemKey, MailboxAccess
from tests.servers.graph_entra import CLIENT_ID, SECRET, TENANT
from tests.servers.graph_mailbox import Message
from tests.servers.graph_server import GraphServer


class PostOffice(Protocol):
    """A mailbox as its server and its other users see it."""

    access: MailboxAccess
    notifies: bool
    """Whether this kind tells of new mail by itself."""

    def deliver(self, raw: bytes, received_at: datetime) -> ItemKey:
        """Put an unread mail into the inbox; the key by which it is known until it leaves the folder."""
        ...

    def read_by_somebody(self, key: ItemKey) -> None:
        """Another client marks the mail read."""
        ...

    def unread_by_somebody(self, key: ItemKey) -> None:
        """Another client marks the mail unread."""
        ...

    def remove(self, key: ItemKey) -> None:
        """Another client removes the mail."""
        ...

    def is_read(self, key: ItemKey) -> bool:
        """Whether the inbox holds the mail, read."""
        ...

    def contents(self, folder: str) -> list[bytes]:
        """The mails in a folder of the mailbox, empty when there is no such folder."""
        ...

    def deleted(self) -> list[bytes]:
        """The mails among the deleted items."""
        ...

    def break_down(self) -> None:
        """Make the mailbox unusable: it is no longer there."""
        ...

    def close(self) -> None:
        """End its server."""
        ...


class MaildirPostOffice:
    """A Maildir as a mail server delivers and as a mail client keeps it."""

    notifies = True

    def __init__(self, directory: Path) -> None:
        self.root = directory / "Maildir"
        for name in ("tmp", "new", "cur"):
            (self.root / name).mkdir(parents=True)
        self.access = MailboxAccess(kind="maildir", server=str(self.root))
        self._deliveries = itertools.count(1)

    def deliver(self, raw: bytes, received_at: datetime) -> ItemKey:
        key = f"{int(received_at.timestamp())}.M{next(self._deliveries):06}P4242.mx.example"
        written = self.root / "tmp" / key
        written.write_bytes(raw)
        written.rename(self.root / "new" / key)
        return ItemKey(key)

    def read_by_somebody(self, key: ItemKey) -> None:
        self._file(key).rename(self.root / "cur" / f"{key}:2,RS")

    def unread_by_somebody(self, key: ItemKey) -> None:
        self._file(key).rename(self.root / "cur" / f"{key}:2,")

    def remove(self, key: ItemKey) -> None:
        self._file(key).unlink()

    def is_read(self, key: ItemKey) -> bool:
        file = self._file(key)
        return file.parent.name == "cur" and "S" in file.name.partition(":2,")[2]

    def contents(self, folder: str) -> list[bytes]:
        directory = self.root / ("" if folder == "INBOX" else f".{folder}")
        return [file.read_bytes() for name in ("new", "cur") for file in (directory / name).glob("*")]

    def deleted(self) -> list[bytes]:
        return self.contents("Trash")

    def break_down(self) -> None:
        self.root.rename(self.root.with_name("elsewhere"))

    def close(self) -> None:
        """Nothing runs."""

    def _file(self, key: ItemKey) -> Path:
        (file,) = (file for name in ("new", "cur") for file in (self.root / name).glob(f"{key}*"))
        return file


class GraphPostOffice:
    """A shared mailbox in Exchange Online, on a server of our own."""

    notifies = False

    def __init__(self, directory: Path) -> None:
        self.server = GraphServer(directory)
        self.server.__enter__()
        os.environ.update(self.server.environment)
        self.mailbox = self.server.add_mailbox("o'brien+help@klant.example")
        self.access = MailboxAccess(
            kind="graph",
            server=None,
            address=self.mailbox.address,
            username=CLIENT_ID,
            password=SecretStr(SECRET),
            tenant=TENANT,
            ca_file=str(self.server.ca_file),
        )

    def close(self) -> None:
        for name in self.server.environment:
            del os.environ[name]
        self.server.__exit__(None, None, None)

    def deliver(self, raw: bytes, received_at: datetime) -> ItemKey:
        return ItemKey(self.mailbox.deliver(raw, received_at).immutable_id)

    def read_by_somebody(self, key: ItemKey) -> None:
        self._message(key).is_read = True

    def unread_by_somebody(self, key: ItemKey) -> None:
        self._message(key).is_read = False

    def remove(self, key: ItemKey) -> None:
        self.mailbox.remove(self._message(key))

    def is_read(self, key: ItemKey) -> bool:
        message = self._message(key)
        return message.is_read and message.folder is self.mailbox.folder("inbox")

    def contents(self, folder: str) -> list[bytes]:
        return self.mailbox.contents("inbox" if folder == "INBOX" else folder)

    def deleted(self) -> list[bytes]:
        return self.mailbox.contents("deleteditems")

    def break_down(self) -> None:
        del self.server.mail.mailboxes[self.mailbox.address]

    def _message(self, key: ItemKey) -> Message:
        message = self.mailbox.message(key)
        assert message is not None
        return message


POST_OFFICES: Mapping[str, Callable[[Path], PostOffice]] = {"graph": GraphPostOffice, "maildir": MaildirPostOffice}
