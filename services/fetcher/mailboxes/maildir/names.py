"""File and folder names of a Maildir: identity, flags, arrival, order.

Sources: cr.yp.to/proto/maildir.html (unique name, `:2,` and flags), Courier's Maildir++ (`.Folder`, `.Folder.Sub`),
Dovecot's «Maildir mailbox format» (`,S=` and `,W=` sizes in names). A file name need not be UTF-8: bytes that are not
arrive as surrogate escapes (PEP 383) and go back to the file system as they were.
"""

from __future__ import annotations

import base64
import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Self
from urllib.parse import quote_from_bytes, unquote_to_bytes

from services.fetcher.mailboxes.protocol import INBOX, ItemKey, MailboxMissing

_SIZES: Final = re.compile(r"(?:,[SW]=[0-9]+)+\Z")
_ARRIVAL: Final = re.compile(r"([0-9]{1,12})\.")
_MICROSECONDS: Final = re.compile(r"[0-9]+\.[^.]*?M([0-9]{1,6})(?![0-9])")
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f]")
_KEPT: Final = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) != "%")
_FIRST_SECOND: Final = 788_918_400
"""1995-01-01T00:00:00Z: the year of qmail's first Maildirs. `1.eml` was put there by hand, not delivered in 1970."""
_LAST_SECOND: Final = 253_402_300_799
"""9999-12-31T23:59:59Z: the last moment that a datetime can hold."""


@dataclass(frozen=True, slots=True)
class MaildirName:
    """A message's file name: `1700000000.M1P2.host,S=300`, and the flags behind `:2,`."""

    base: str
    flags: str

    @classmethod
    def parse(cls, name: str) -> Self:
        """Split a file name into its base and its flags; information of another version (`:1,`) holds no flags."""
        base, _, info = name.partition(":")
        return cls(base, info.removeprefix("2,") if info.startswith("2,") else "")

    @property
    def key(self) -> ItemKey:
        """The unique name, without flags and without sizes, which a server may add to it later.

        What is not printable ASCII, and `%`, is percent-encoded, so that any file name is a text that PostgreSQL takes.
        """
        return ItemKey(_printable(_SIZES.sub("", self.base)))

    @property
    def seen(self) -> bool:
        """Whether the mail was read (flag S)."""
        return "S" in self.flags

    @property
    def is_put_aside(self) -> bool:
        """Whether it is a draft (flag D) or in the trash (T): no mail that came in."""
        return "D" in self.flags or "T" in self.flags

    @property
    def as_read(self) -> str:
        """The file name in `cur/` of this mail once read; flags stand in ASCII order."""
        return f"{self.base}:2,{''.join(sorted({*self.flags, 'S'}))}"

    @property
    def arrival(self) -> datetime | None:
        """The second in which it was delivered (DESIGN 15); None when the name does not tell."""
        seconds = _ARRIVAL.match(self.base)
        if seconds is None or not _FIRST_SECOND <= int(seconds[1]) <= _LAST_SECOND:
            return None
        return datetime.fromtimestamp(int(seconds[1]), UTC)

    @property
    def order(self) -> tuple[int, str]:
        """Sorts the mails of one second by the microseconds that most deliverers write (`M`), then by name."""
        microseconds = _MICROSECONDS.match(self.base)
        return (int(microseconds[1]) if microseconds else 0, self.base)


def _printable(name: str) -> str:
    return quote_from_bytes(os.fsencode(name), safe=_KEPT)


def path_to_hint(path: str) -> str:
    """A path inside the folder as printable text."""
    return _printable(path)


def hint_to_path(hint: str) -> str:
    """The path that became this hint, or the name that became this key."""
    return os.fsdecode(unquote_to_bytes(hint))


def folder_directory(folder: str) -> str:
    """The directory of `folder` below the Maildir's root: empty for INBOX, else Maildir++'s `.Folder.Sub`.

    Raises MailboxMissing for what cannot be a folder's name, such as one with an empty part.
    """
    if folder.upper() == INBOX:
        return ""
    name = folder.replace("/", ".")
    if not all(part.strip() for part in name.split(".")) or _UNPRINTABLE.search(name):
        raise MailboxMissing(
            f"«{folder}» kan geen map van een Maildir zijn: kies een naam als «Archief» of «Archief/2026»."
        )
    return f".{_modified_utf7(name)}"


def _modified_utf7(name: str) -> str:
    """RFC 3501 §5.1.3: how Courier and Dovecot write the names of folders on disk."""

    def shifted(run: re.Match[str]) -> str:
        if run[0] == "&":
            return "&-"
        return f"&{base64.b64encode(run[0].encode('utf-16-be')).decode().rstrip('=').replace('/', ',')}-"

    return re.sub(r"&|[^\x20-\x7e]+", shifted, name)
