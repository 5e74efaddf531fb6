"""What the EWS server keeps: mailboxes with folders and items, and who may do what in them.

As in Exchange: an item has an id that names it until it leaves its folder (it is base64, so its case counts) and a
change key that is new after every change; identical mails are different items.
"""

from __future__ import annotations

import base64
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

_numbers = itertools.count(1)


def new_id(kind: str) -> str:
    """An id like Exchange's: base64, long, and different in the middle."""
    number = next(_numbers)
    return base64.b64encode(f"\x00{kind}\xff{number:09}\xfe{'x' * 60}\x00".encode("latin-1")).decode()


@dataclass(slots=True)
class Attachment:
    """An attachment; `is_item`: a mail, whose MIME is its content. `content` None: a link to a file elsewhere."""

    name: str
    media_type: str
    content: bytes | None
    is_item: bool = False
    key: str = field(default_factory=lambda: new_id("attachment"))


@dataclass(slots=True)
class Item:
    """A mail. `element` is what FindItem calls it; `error` a response code that GetItem gives in its place."""

    raw: bytes
    received_at: datetime | None
    element: str = "Message"
    is_read: bool = False
    wants_receipt: bool = False
    error: str | None = None
    is_draft: bool = False
    tells_size: bool = True
    no_mime: bool = False
    """Exchange cannot write it as MIME; what there is of it are the properties of `raw`, and `attachments`."""
    attachments: list[Attachment] = field(default_factory=list)
    transport_headers: str | None = None
    """The property 0x007D; None: the header of `raw`, as it arrived."""
    key: str = field(default_factory=lambda: new_id("item"))
    change_key: str = field(default_factory=lambda: new_id("change"))

    @property
    def header_block(self) -> str:
        """The property 0x007D (PidTagTransportMessageHeaders)."""
        if self.transport_headers is not None:
            return self.transport_headers
        return self.raw.partition(b"\r\n\r\n")[0].decode("latin-1") + "\r\n\r\n"

    def changed(self) -> None:
        """Have a new change key."""
        self.change_key = new_id("change")


@dataclass(slots=True)
class Folder:
    """A folder, its items, and the folders beneath it. `distinguished` is the name that Exchange knows it by."""

    name: str
    distinguished: str | None = None
    items: list[Item] = field(default_factory=list)
    folders: list[Folder] = field(default_factory=list)
    key: str = field(default_factory=lambda: new_id("folder"))

    def walk(self) -> Iterator[Folder]:
        """This folder and all beneath it."""
        yield self
        for folder in self.folders:
            yield from folder.walk()


@dataclass(slots=True)
class Store:
    """A mailbox. `mime` makes of a delivered mail what GetItem gives: Exchange writes MIME anew.

    `keeps_headers`: its server has the property 0x007D.
    """

    address: str
    root: Folder = field(default_factory=lambda: Folder("Bovenste niveau van gegevensarchief", "msgfolderroot"))
    mime: Callable[[bytes], bytes] = bytes
    keeps_headers: bool = True
    receipts_sent: int = 0
    states: dict[str, dict[str, bool]] = field(default_factory=dict)
    """SyncFolderItems: by each state that was given, which items it covers, and whether they were read."""

    def __post_init__(self) -> None:
        self.root.folders = [
            Folder("Postvak IN", "inbox"),
            Folder("Verwijderde items", "deleteditems"),
            Folder("Ongewenste e-mail", "junkemail"),
            Folder("Verzonden items", "sentitems"),
        ]

    @property
    def inbox(self) -> Folder:
        """Where mail is delivered."""
        return self.distinguished("inbox")

    def distinguished(self, name: str) -> Folder:
        """The folder of this name; KeyError."""
        for folder in self.root.walk():
            if folder.distinguished == name.lower():
                return folder
        raise KeyError(name)

    def folder(self, path: str) -> Folder | None:
        """The folder at Name/Name beneath the root, INBOX being the inbox."""
        place: Folder | None = self.root
        for name in path.split("/"):
            children = [] if place is None else place.folders
            place = next(
                (each for each in children if each.name == name or (name == "INBOX" and each.distinguished == "inbox")),
                None,
            )
        return place

    def find(self, key: str) -> tuple[Folder, Item] | None:
        """Where an item is."""
        for folder in self.root.walk():
            for item in folder.items:
                if item.key == key:
                    return folder, item
        return None

    def move(self, key: str, target: Folder) -> Item | None:
        """Move an item; it gets another id. None when it is not there."""
        place = self.find(key)
        if place is None:
            return None
        folder, item = place
        folder.items.remove(item)
        item.key = new_id("item")
        item.changed()
        target.items.append(item)
        return item


@dataclass(slots=True)
class User:
    """Who may log in: with a name in a domain or an address. `mailbox` is the user's own, if there is one."""

    login: str
    password: str
    mailbox: str | None = None
    full_access: set[str] = field(default_factory=set)
    may_impersonate: set[str] = field(default_factory=set)
    locked: bool = False
    """Active Directory refuses the right password too; IIS tells no reason."""
    read_only: set[str] = field(default_factory=set)

    def may_open(self, address: str) -> bool:
        """Whether this mailbox is the user's own, or opened to the user."""
        return address == self.mailbox or address in self.full_access or address in self.read_only
