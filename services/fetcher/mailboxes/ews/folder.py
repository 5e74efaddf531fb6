"""One folder of an Exchange mailbox, as blocking calls. `mailbox` runs them off the event loop, one at a time.

    what                    requests
    opening                 1 (one more for each version of EWS that the server refuses, and for each part of a path)
    a poll                  1 FindItem for each 1,000 unread mails
    following read mail     1 SyncFolderItems a poll besides; the first time one for each 512 items of the folder
    taking in mails         1 GetItem for up to 20 small ones (8 MiB) or a larger one; 1 UpdateItem for up to 20
    moving, deleting 20     1 UpdateItem, 1 MoveItem or DeleteItem

A new connection adds the steps of logging in (NTLM 2, Basic none after the first 401).
"""

from __future__ import annotations

from services.fetcher.mailboxes.ews import errors as ews_errors
from services.fetcher.mailboxes.ews.answers import EwsError
from services.fetcher.mailboxes.ews.changes import Changes
from services.fetcher.mailboxes.ews.filing import Filing
from services.fetcher.mailboxes.ews.listing import Listing
from services.fetcher.mailboxes.ews.paths import FolderPaths
from services.fetcher.mailboxes.ews.reading import Reading
from services.fetcher.mailboxes.ews.session import EwsSession
from services.fetcher.mailboxes.ews.soap_requests import INBOX_ID, FolderRef
from services.fetcher.mailboxes.ews.together import FetchingTogether
from services.fetcher.mailboxes.protocol import INBOX, MailboxMissing


class EwsFolder:
    """A folder of the mailbox that `session` is about, once `open` has found it."""

    def __init__(self, session: EwsSession, folder: str) -> None:
        self._session = session
        self._name = folder
        self._paths = FolderPaths(session.ask, lambda: session.requests)
        inbox = FolderRef(INBOX_ID, distinguished=True)
        self.listing = Listing(session, inbox, folder)
        self.changes = Changes(session, inbox)
        self.reading = Reading(session)
        self.together = FetchingTogether(session, self.reading)
        self.filing = Filing(session, self._paths)

    def open(self) -> None:
        """Agree on a version of EWS, and find the folder. Raises MailboxError."""
        self._session.agree()
        if self._name.casefold() == INBOX.casefold():
            return
        try:
            folder = self._paths.find(self._name)
        except EwsError as error:
            raise ews_errors.ews_problem(error, self._session.place) from error
        if folder is None:
            raise MailboxMissing(
                f"In {self._session.place.whose} is geen map «{self._name}»: controleer de naam, of maak de map aan. "
                "Een map in een map schrijft u als Map/Submap."
            )
        self.listing = Listing(self._session, folder, self._name)
        self.changes = Changes(self._session, folder)

    def health(self) -> tuple[int, int | None, str]:
        """Unread mails here and in the junk folder (None where that cannot be seen), and what was found, in words."""
        return *self.listing.health(), self._session.describe()
