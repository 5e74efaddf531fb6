"""What an IMAP server says of a mail, as values, and how names and numbers are written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from imapclient import imap_utf7

from services.fetcher.mailboxes.protocol import arrival, count


@dataclass(frozen=True, slots=True)
class Described:
    """What a server tells of a mail before it is fetched."""

    received_at: datetime
    size: int | None


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes of a mail from an offset, and the size of the whole as the server estimates it."""

    content: bytes
    whole: bool
    """The server took no notice of the range and gave all of the mail."""
    size: int | None


def quoted(folder: str) -> bytes:
    """A folder's name in modified UTF-7 (RFC 3501 §5.1.3), which holds no control character, in quotes."""
    encoded: bytes = imap_utf7.encode(folder)
    return b'"' + encoded.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def decoded(name: bytes) -> str:
    """A folder's name out of modified UTF-7."""
    decoded: str = imap_utf7.decode(name.replace(b'\\"', b'"').replace(b"\\\\", b"\\"))
    return decoded


def unsigned(written: object) -> int | None:
    """A number of 32 bits (RFC 3501 §9), as UID and UIDVALIDITY are; None where it is none."""
    number = count(written)
    return number if number is not None and number < 2**32 else None


def internal_date(written: Mapping[bytes, Any], now: datetime) -> datetime:
    """INTERNALDATE in UTC; `now` where there is none that can be read, or none that can be meant."""
    told = written.get(b"INTERNALDATE")
    return arrival(told if isinstance(told, datetime) else None, now)
