"""The key of a mail of an IMAP folder: UIDVALIDITY and UID (RFC 3501 §2.3.1.1).

QUIRK: a server that was restored from a back-up, its list of UIDs too, gives UIDs once more under the same
UIDVALIDITY. A mail that has that of an earlier one is known by its arrival beside them.
"""

from __future__ import annotations

from typing import Final

from services.fetcher.mailboxes.imap.values import Described
from services.fetcher.mailboxes.protocol import ItemKey, MailReference

NO_FOLDER: Final = (0, 0)
"""What a key that is none of ours counts as: UIDVALIDITY is never 0."""


def key_of(validity: int, uid: int) -> ItemKey:
    """The key of a mail."""
    return ItemKey(f"{validity}.{uid}")


def reference(validity: int, uid: int, told: Described) -> MailReference:
    """A mail as the server described it; without a size it was not described."""
    key = key_of(validity, uid)
    reused = ItemKey("" if told.size is None else f"{key}.{told.received_at:%Y%m%dT%H%M%SZ}")
    return MailReference(key, told.received_at, told.size, key_if_reused=reused)


def parsed(key: ItemKey) -> tuple[int, int]:
    """UIDVALIDITY and UID of a key; NO_FOLDER where it holds none."""
    validity, uid, *_ = [*key.split("."), ""]
    try:
        return int(validity), int(uid)
    except ValueError:
        return NO_FOLDER
