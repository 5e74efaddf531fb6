"""Writing an IMAP server's mails into files: small ones together, large ones in parts, of some the beginning alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO, Final

from services.fetcher.mailboxes.imap.keys import parsed
from services.fetcher.mailboxes.imap.session import ImapSession
from services.fetcher.mailboxes.imap.values import Part
from services.fetcher.mailboxes.protocol import MailReference, MailTooLarge

PART_BYTES: Final = 1024 * 1024
"""What is held of a mail in memory; a larger one is fetched in parts."""


def fetch(session: ImapSession, uid: int, into: BinaryIO, limit: int) -> int:
    """Write a mail part by part; its size. Raises MailTooLarge, and what `ImapSession.part` does."""
    into.seek(0)  # a try on a connection that was lost may have left a part
    into.truncate()
    size = 0
    while True:
        asked = min(PART_BYTES, limit + 1 - size)
        part = session.part(uid, size, asked)
        if size + len(part.content) > limit:
            into.write(part.content[: limit - size])
            raise MailTooLarge("De mail is groter dan de grens.")
        into.write(part.content)
        ended = _ends(part, asked, before=size)
        size += len(part.content)
        if ended or not part.content:
            return size


def fetch_small(
    session: ImapSession, wanted: Sequence[tuple[MailReference, BinaryIO, int]], sizes: dict[int, int | Exception]
) -> None:
    """Fetch those whose first part is all of them; `sizes` gets their size, or what kept it from being written."""
    keys = [parsed(mail.key) for mail, _, _ in wanted]
    places = [place for place, (validity, _) in enumerate(keys) if validity == session.uid_validity]
    for place, part in zip(places, session.first_parts([keys[place][1] for place in places], PART_BYTES), strict=True):
        _, into, limit = wanted[place]
        if part is None or not part.content or len(part.content) > limit or not _ends(part, PART_BYTES):
            continue
        try:
            into.seek(0)
            into.truncate()
            into.write(part.content)
            sizes[place] = len(part.content)
        except OSError as error:
            sizes[place] = error


def _ends(part: Part, asked: int, before: int = 0) -> bool:
    """Whether the mail ends with this part, `before` bytes of it having come before.

    A literal may be shorter than asked, and RFC822.SIZE an estimate (QUIRK: Exchange): the end is where both say so.
    """
    return part.whole or (
        len(part.content) < asked and part.size is not None and before + len(part.content) >= part.size
    )


def fetch_head(session: ImapSession, uid: int, into: BinaryIO, limit: int) -> int:
    """Write the first `limit` bytes of a mail; the size of all of it.

    QUIRK: what is cut off ends with a whole line, since a server's range may end within one.
    """
    part = session.part(uid, 0, limit)
    content = part.content[:limit]
    if (part.size or 0) > len(content) or len(part.content) > limit:
        content = content[: content.rfind(b"\n") + 1] or content
    into.write(content)
    return max(part.size or 0, len(part.content))
