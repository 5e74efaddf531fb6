"""A mail of EWS, with the header fields in front that its MIME lost (`rules.transport_headers`)."""

from __future__ import annotations

from typing import BinaryIO, Final

from services.fetcher.mailboxes.protocol import MailTooLarge
from services.fetcher.rules.transport_headers import MOST_BYTES, missing_fields

_PIECE: Final = 1024 * 1024


def complete(mail: BinaryIO, start: int, size: int, block: str, limit: int) -> int:
    """Complete the mail of `size` bytes that was written from `start` on, at the file's end; its size then.

    The header block follows the mail in Exchange's answer, so what is written moves up. Raises MailTooLarge beyond
    `limit` bytes, and OSError.
    """
    mail.seek(start)
    added = missing_fields(mail.read(min(size, MOST_BYTES)), block)
    if size + len(added) > limit:
        raise MailTooLarge(f"De mail is groter dan {limit} bytes.")
    if added:
        _move_up(mail, start, size, len(added))
        mail.seek(start)
        mail.write(added)
    mail.seek(start + len(added) + size)
    return size + len(added)


def completed_head(head: bytes, block: str, limit: int) -> bytes:
    """The beginning of a mail that is too large, completed, at most `limit` bytes: half of them are its own."""
    added = missing_fields(head[:MOST_BYTES], block)
    fitting = added[: limit // 2]
    return (fitting[: fitting.rfind(b"\n") + 1] if fitting != added else added) + head


def _move_up(mail: BinaryIO, start: int, size: int, by: int) -> None:
    """Move the bytes, from the last on, so that none is overwritten before it is read."""
    left = size
    while left:
        step = min(_PIECE, left)
        left -= step
        mail.seek(start + left)
        piece = mail.read(step)
        mail.seek(start + left + by)
        mail.write(piece)
