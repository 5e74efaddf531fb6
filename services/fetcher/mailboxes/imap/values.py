"""What an IMAP server says of a mail, as values, and how names and numbers are written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from imapclient import imap_utf7

_INTERNALDATE_LIMIT: Final = datetime(1970, 1, 1, tzinfo=UTC)


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


def number(written: object) -> int | None:
    """A number as the server wrote it; None where it is none."""
    try:
        return int(written)  # type: ignore[call-overload, no-any-return]
    except (TypeError, ValueError):
        return None


def arrival(written: Mapping[bytes, Any], now: datetime) -> datetime:
    """INTERNALDATE in UTC; `now` where there is none that can be read, or none that can be meant."""
    arrival = written.get(b"INTERNALDATE")
    if not isinstance(arrival, datetime):
        return now
    try:
        arrival = (arrival if arrival.tzinfo else arrival.replace(tzinfo=UTC)).astimezone(UTC)
    except (OverflowError, ValueError):
        return now
    return arrival if arrival >= _INTERNALDATE_LIMIT else now
