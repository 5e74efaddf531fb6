"""The unread mails of a folder, page by page: pages count in the filtered view, so nothing is done meanwhile."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from xml.etree.ElementTree import Element

from services.fetcher.mailboxes.ews import errors as ews_errors
from services.fetcher.mailboxes.ews.answers import EwsError, item_count, listed_items, page
from services.fetcher.mailboxes.ews.paths import MOST_PAGES, PAGE
from services.fetcher.mailboxes.ews.response_codes import NO_FOLDER
from services.fetcher.mailboxes.ews.session import EwsSession
from services.fetcher.mailboxes.ews.soap_requests import JUNK_ID, FolderRef
from services.fetcher.mailboxes.protocol import (
    ItemKey,
    Listed,
    MailboxError,
    MailboxMissing,
    MailReference,
    arrival,
)


class Listing:
    """Lists `folder`, which the settings call `name`."""

    def __init__(self, session: EwsSession, folder: FolderRef, name: str) -> None:
        self._session = session
        self._folder = folder
        self._name = name

    def unread(self) -> tuple[list[MailReference], MailboxError | None]:
        """All unread mails, oldest first, each once; and what is wrong where the server told of more than it listed."""
        listed = Listed()
        offset, now, unnamed = 0, datetime.now(UTC), False
        before: set[ItemKey] = set()
        for _ in range(MOST_PAGES):
            message = self._page(self._folder, offset, PAGE)
            items, where = list(listed_items(message)), page(message)
            told = item_count(message)
            unnamed = unnamed or told > len(items) or (not told and offset == 0 and bool(where.total))
            keys = {item.key for item in items}
            # An item without a moment of arrival was put there by a person: it counts as arriving now.
            listed.add(
                MailReference(
                    item.key, arrival(item.received_at, now), item.size, f"{item.element} {item.change_key}".strip()
                )
                for item in items
                if not item.is_read
            )
            following = offset + told
            if where.next_offset is not None and where.next_offset > offset:
                following = min(where.next_offset, following)
            told_total = where.is_last is None and where.total is not None and following >= where.total
            blind = where.is_last is None and where.total is None and keys <= before
            if where.is_last or not told or told_total or blind:
                break
            offset, before = following, keys
        return listed.newest(), ews_errors.incomplete_listing(self._session.place) if unnamed else None

    def health(self) -> tuple[int, int | None]:
        """How many mails are unread here and in the junk folder, None where that cannot be seen."""
        try:
            unread = self._count(self._folder)
        except EwsError as error:
            raise self._problem(error) from error
        junk = None
        with suppress(EwsError, MailboxError):
            junk = self._count(FolderRef(JUNK_ID, distinguished=True))
        return unread, junk

    def _count(self, folder: FolderRef) -> int:
        for count in (1, PAGE):  # a server that tells no total gives them all
            message = self._session.ask(self._session.requests.find_unread(folder, 0, count))
            total = page(message).total
            if total is not None:
                return total
        return item_count(message)

    def _page(self, folder: FolderRef, offset: int, count: int) -> Element:
        try:
            return self._session.ask(self._session.requests.find_unread(folder, offset, count))
        except EwsError as error:
            raise self._problem(error) from error

    def _problem(self, error: EwsError) -> MailboxError:
        """A refusal of a folder that was there when the mailbox was opened, or of the root."""
        if error.code in NO_FOLDER and not self._folder.distinguished:
            return MailboxMissing(
                f"De map «{self._name}» is er niet meer in {self._session.place.whose}: controleer de naam, of maak de "
                "map aan."
            )
        return ews_errors.ews_problem(error, self._session.place)
