"""The other side of each mailbox kind: what the conformance suite does to a mailbox without the adapter under test.

A new kind adds its `PostOffice` here and a line in `POST_OFFICES`.
"""

from __future__ import annotations

import imaplib
import itertools
import os
import secrets
import ssl
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Protocol, cast

from imapclient import imap_utf7
from pydantic import SecretStr

from deploy.local.dovecot import ImapEndpoint
from services.fetcher.mailboxes.protocol import ItemKey, MailboxAccess
from tests.servers.certificates import make_certificates
from tests.servers.ews.server import EwsServer, Manners
from tests.servers.ews.store import Item, Store, User
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

    def lose_state(self) -> None:
        """The server knows nothing any more of how far it was followed; its mails stay."""
        ...

    def break_down(self) -> None:
        """Make the mailbox unusable: it is no longer there."""
        ...

    def close(self) -> None:
        """Let go of servers and connections."""
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

    def lose_state(self) -> None:
        """It has none: a Maildir is followed by what its names tell."""

    def break_down(self) -> None:
        self.root.rename(self.root.with_name("elsewhere"))

    def close(self) -> None:
        """Nothing runs."""

    def _file(self, key: ItemKey) -> Path:
        # the last one: a mail that is moved from new to cur meanwhile is seen in both
        *_, file = (file for name in ("new", "cur") for file in (self.root / name).glob(f"{key}*"))
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

    def lose_state(self) -> None:
        self.server.mail.states.clear()  # QUIRK: a delta token ends by itself, with a 410

    def break_down(self) -> None:
        del self.server.mail.mailboxes[self.mailbox.address]

    def _message(self, key: ItemKey) -> Message:
        message = self.mailbox.message(key)
        assert message is not None
        return message


class ImapPostOffice:
    """A mailbox on a real IMAP server, as another IMAP client sees it: delivered to by APPEND, kept by the flags.

    The folder that is imported is not the account's own inbox, so that it can cease to be.
    """

    notifies = True

    def __init__(self, directory: Path, server: ImapEndpoint) -> None:
        login = f"{directory.name}-{secrets.token_hex(4)}"
        self.access = MailboxAccess(
            kind="imap",
            server=f"{server.host}:{server.imaps_port}",
            folder="Helpdesk",
            username=login,
            password=SecretStr(server.password),
            ca_file=server.ca_file,
        )
        tls = ssl.create_default_context(cafile=server.ca_file)
        self.client = imaplib.IMAP4_SSL(server.host, server.imaps_port, ssl_context=tls)
        self.client.login(login, server.password)
        self._must("CREATE", self.access.folder)

    def deliver(self, raw: bytes, received_at: datetime) -> ItemKey:
        date = imaplib.Time2Internaldate(received_at)
        self.client.append(self.access.folder, "", date, raw)
        (told,) = self.client.response("APPENDUID")[1]
        validity, uid = told.split()
        return ItemKey(f"{validity.decode()}.{uid.decode()}")

    def read_by_somebody(self, key: ItemKey) -> None:
        self._store(key, "+FLAGS", "(\\Seen)")

    def unread_by_somebody(self, key: ItemKey) -> None:
        self._store(key, "-FLAGS", "(\\Seen)")

    def remove(self, key: ItemKey) -> None:
        self._store(key, "+FLAGS", "(\\Deleted)")
        self._must("EXPUNGE")

    def is_read(self, key: ItemKey) -> bool:
        self._select(self.access.folder)
        (told,) = self._must("UID", "FETCH", key.partition(".")[2], "(FLAGS)")
        return b"\\Seen" in told

    def contents(self, folder: str) -> list[bytes]:
        if not self._select(self.access.folder if folder == "INBOX" else folder):
            return []
        told = self._must("UID", "FETCH", "1:*", "(BODY.PEEK[])")
        return [part[1] for part in cast(list[bytes | tuple[bytes, bytes]], told) if isinstance(part, tuple)]

    def deleted(self) -> list[bytes]:
        return self.contents("Trash")

    def lose_state(self) -> None:
        """The folder is numbered anew (UIDVALIDITY), as after a restore."""
        self._select(self.access.folder)
        told = self._must("UID", "FETCH", "1:*", "(FLAGS INTERNALDATE BODY.PEEK[])")
        mails = [part for part in cast(list[bytes | tuple[bytes, bytes]], told) if isinstance(part, tuple)]
        self._select("INBOX")
        self._must("DELETE", self.access.folder)
        self._must("CREATE", self.access.folder)
        for facts, raw in mails:
            moment = imaplib.Internaldate2tuple(facts)
            assert moment is not None
            flags = "(\\Seen)" if b"\\Seen" in facts else ""
            self.client.append(self.access.folder, flags, imaplib.Time2Internaldate(moment), raw)
            self.client.response("APPENDUID")

    def break_down(self) -> None:
        self._select("INBOX")
        self._must("DELETE", self.access.folder)

    def close(self) -> None:
        """Log out."""
        self.client.logout()

    def _select(self, folder: str) -> bool:
        return self.client.select(imap_utf7.encode(f'"{folder}"').decode())[0] == "OK"

    def _store(self, key: ItemKey, change: str, flags: str) -> None:
        self._select(self.access.folder)
        self._must("UID", "STORE", key.partition(".")[2], change, flags)

    def _must(self, command: str, *arguments: str) -> list[bytes]:
        typ, data = getattr(self.client, command.lower())(*arguments)
        assert typ == "OK", data
        return cast(list[bytes], data)


class EwsPostOffice:
    """A shared mailbox on an Exchange server of one's own, which gives pages of at most four mails."""

    notifies = False

    def __init__(self, directory: Path) -> None:
        certificates = make_certificates(directory)
        store = Store("helpdesk@corp.example")
        user = User("CORP\\importer", "Welkom-01", mailbox="importer@corp.example", full_access={store.address})
        self.server = EwsServer(user, store, tls=certificates.server, manners=Manners(most_items=4))
        self.server.start()
        self.access = MailboxAccess(
            kind="ews",
            server=self.server.host,
            address=store.address,
            username=user.login,
            password=SecretStr(user.password),
            ca_file=str(certificates.ca_file),
        )

    def close(self) -> None:
        self.server.stop()

    def deliver(self, raw: bytes, received_at: datetime) -> ItemKey:
        return ItemKey(self.server.deliver(raw, received_at).key)

    def read_by_somebody(self, key: ItemKey) -> None:
        self._set_read(key, is_read=True)

    def unread_by_somebody(self, key: ItemKey) -> None:
        self._set_read(key, is_read=False)

    def remove(self, key: ItemKey) -> None:
        self.server.store.inbox.items.remove(self._item(key))

    def is_read(self, key: ItemKey) -> bool:
        return self._item(key).is_read

    def contents(self, folder: str) -> list[bytes]:
        found = self.server.store.folder(folder)
        return [] if found is None else [item.raw for item in found.items]

    def deleted(self) -> list[bytes]:
        return [item.raw for item in self.server.store.distinguished("deleteditems").items]

    def lose_state(self) -> None:
        self.server.store.states.clear()

    def break_down(self) -> None:
        del self.server.stores[self.server.store.address]

    def _set_read(self, key: ItemKey, *, is_read: bool) -> None:
        item = self._item(key)
        item.is_read = is_read
        item.changed()

    def _item(self, key: ItemKey) -> Item:
        (item,) = (item for item in self.server.store.inbox.items if item.key == key)
        return item


POST_OFFICES: Mapping[str, Callable[..., PostOffice]] = {
    "ews": EwsPostOffice,
    "graph": GraphPostOffice,
    "imap": ImapPostOffice,
    "maildir": MaildirPostOffice,
}
"""Each is made with a folder for its files, and the servers of `SERVERS`."""
SERVERS: Mapping[str, tuple[str, ...]] = {"imap": ("imap_server",)}
"""The fixtures that a post office is made with."""
