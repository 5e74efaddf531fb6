"""A mailbox in Exchange Online: folders and messages, as its owner sees and changes them.

Ids are those of Graph: case-sensitive, with characters that a URL must quote; the ordinary id of a message changes when
it is moved, its immutable id does not. What differs from the real one: the MIME of a message is the bytes that were
delivered (Exchange writes it anew), a size is those bytes and a little more, and nobody else may change folders.
"""

from __future__ import annotations

import base64
import itertools
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from typing import Final

WELL_KNOWN: Final = ("inbox", "drafts", "sentitems", "deleteditems", "junkemail", "archive", "outbox")
_NAMES: Final = {
    "inbox": "Postvak IN",
    "drafts": "Concepten",
    "sentitems": "Verzonden items",
    "deleteditems": "Verwijderde items",
    "junkemail": "Ongewenste e-mail",
    "archive": "Archief-online",
    "outbox": "Postvak UIT",
}


@dataclass(eq=False)
class Folder:
    """A folder; `parent` is None right under the root."""

    id: str
    name: str
    parent: Folder | None = None


@dataclass(frozen=True)
class Attachment:
    """An attachment as Graph lists it."""

    id: str
    name: str
    media_type: str
    content: bytes


@dataclass(eq=False)
class Message:
    """A message. `no_mime`: Exchange cannot convert it to MIME, ever (an S/MIME one, say)."""

    number: int
    raw: bytes
    received_at: datetime
    folder: Folder
    is_read: bool = False
    is_draft: bool = False
    no_mime: bool = False
    attachments: list[Attachment] = field(default_factory=list)
    moves: int = 0

    @property
    def immutable_id(self) -> str:
        """The id that stays."""
        return _id(f"immutable/{self.number:06}")

    @property
    def ordinary_id(self) -> str:
        """The id that changes with each move."""
        return _id(f"ordinary/{self.folder.id}/{self.number:06}/{self.moves}")

    @property
    def size(self) -> int:
        """PR_MESSAGE_SIZE: the bytes of all properties."""
        return len(self.raw) + 1024

    @property
    def parsed(self) -> EmailMessage:
        """The mail, parsed."""
        message = message_from_bytes(self.raw, policy=SMTP)
        assert isinstance(message, EmailMessage)
        return message

    @property
    def html(self) -> str:
        """Its body; of a mail that cannot be converted there is none."""
        body = None if self.no_mime else self.parsed.get_body(("html", "plain"))
        if body is None:
            return ""
        try:
            return str(body.get_content())
        except LookupError:  # a charset that does not exist
            return bytes(body.get_payload(decode=True)).decode("latin-1")

    @property
    def message_id(self) -> str:
        """Its Message-ID with angle brackets; Exchange makes one where there is none."""
        return str(self.parsed["Message-ID"] or f"<{self.number}@made.by.exchange.example>").strip()


class GraphMailbox:
    """A mailbox by its address. Safe to use from the test's thread while the server answers in its own."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.enabled = True
        """False: it has no licence, or is on-premises."""
        self.lock = threading.RLock()
        self.folders = {name: Folder(_id(f"folder/{name}"), _NAMES[name]) for name in WELL_KNOWN}
        self.messages: list[Message] = []
        self._numbers = itertools.count(1)

    def deliver(
        self,
        raw: bytes,
        received_at: datetime | None = None,
        *,
        folder: str = "inbox",
        no_mime: bool = False,
        attachments: Iterable[Attachment] = (),
    ) -> Message:
        """Put an unread message into a folder."""
        with self.lock:
            message = Message(
                next(self._numbers),
                raw,
                received_at or datetime.now(UTC),
                self.folder(folder) or self.folders["inbox"],
                no_mime=no_mime,
                attachments=list(attachments),
            )
            self.messages.append(message)
            return message

    def message(self, item_id: str) -> Message | None:
        """The message of an ordinary or an immutable id."""
        with self.lock:
            return next((each for each in self.messages if item_id in (each.immutable_id, each.ordinary_id)), None)

    def folder(self, name: str) -> Folder | None:
        """A folder by its well-known name, its id, or its path of display names."""
        with self.lock:
            if found := self.folders.get(name.lower()):
                return found
            if found := next((each for each in self.folders.values() if each.id == name), None):
                return found
            found = None
            for part in name.split("/"):
                found = self.child(found, part)
                if found is None:
                    return None
            return found

    def child(self, parent: Folder | None, name: str) -> Folder | None:
        """The folder of this name right under `parent`; names are compared as Exchange does, whatever their case."""
        with self.lock:
            return next(
                (each for each in self.children(parent) if each.name.casefold() == name.casefold()),
                None,
            )

    def children(self, parent: Folder | None) -> list[Folder]:
        """The folders right under `parent`."""
        with self.lock:
            return [each for each in self.folders.values() if each.parent is parent]

    def make_folder(self, parent: Folder | None, name: str) -> Folder:
        """A new folder."""
        with self.lock:
            folder = Folder(_id(f"folder/{next(self._numbers)}/{name}"), name, parent)
            self.folders[folder.id] = folder
            return folder

    def within(self, folder: Folder) -> list[Message]:
        """The messages of a folder."""
        with self.lock:
            return [message for message in self.messages if message.folder is folder]

    def move(self, message: Message, folder: Folder) -> None:
        """Move it; its ordinary id changes."""
        with self.lock:
            message.folder = folder
            message.moves += 1

    def remove(self, message: Message) -> None:
        """Delete it for good."""
        with self.lock:
            self.messages.remove(message)

    def contents(self, folder: str) -> list[bytes]:
        """The mails in a folder; none when there is no such folder."""
        found = self.folder(folder)
        return [] if found is None else [message.raw for message in self.within(found)]


def _id(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode() + "="
