"""The key of a mail of an IMAP folder: UIDVALIDITY and UID (RFC 3501 §2.3.1.1)."""

from __future__ import annotations

from typing import Final

from services.fetcher.mailboxes.protocol import ItemKey

NO_FOLDER: Final = (0, 0)
"""What a key that is none of ours counts as: UIDVALIDITY is never 0."""


def key_of(validity: int, uid: int) -> ItemKey:
    """The key of a mail."""
    return ItemKey(f"{validity}.{uid}")


def parsed(key: ItemKey) -> tuple[int, int]:
    """UIDVALIDITY and UID of a key; NO_FOLDER where it holds none."""
    validity, _, uid = key.partition(".")
    try:
        return int(validity), int(uid)
    except ValueError:
        return NO_FOLDER
