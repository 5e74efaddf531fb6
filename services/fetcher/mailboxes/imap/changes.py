"""Following an IMAP folder: the state is UIDVALIDITY and the highest UID, which only grows (RFC 3501 §2.3.1.1)."""

from __future__ import annotations

from datetime import UTC, datetime

from services.fetcher.mailboxes.imap.descriptions import Descriptions
from services.fetcher.mailboxes.imap.keys import key_of, parsed, reference
from services.fetcher.mailboxes.imap.session import ImapSession
from services.fetcher.mailboxes.protocol import MOST_LISTED, Arrivals, ItemKey


def arrivals(session: ImapSession, descriptions: Descriptions, state: str | None, since: datetime) -> Arrivals:
    """What came into the folder after `state`, or was received at `since` or later where there is no such state."""
    validity, reached = parsed(ItemKey(state or ""))
    goes_on = not session.has_not_reached(reached) and validity == session.uid_validity
    if goes_on:
        uids = session.search_after(reached)
        highest = max(uids, default=reached)
    else:  # the first look, or the server numbered the folder anew, or was restored from a back-up
        since = since.astimezone(UTC)
        highest = session.highest()
        uids = session.search_since(since)
    told = descriptions.of(session, uids)
    mails = [
        reference(session.uid_validity, uid, each) for uid, each in told.items() if goes_on or each.received_at >= since
    ]
    mails.sort(key=lambda mail: mail.received_at)
    more = len(uids) >= MOST_LISTED
    return Arrivals(tuple(mails), key_of(session.uid_validity, uids[-1] if more else highest), more)
