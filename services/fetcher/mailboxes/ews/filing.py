"""What is done with a mail in an Exchange mailbox once it is taken in: marked read, moved, deleted."""

from __future__ import annotations

from typing import Final

from services.fetcher.mailboxes.ews.answers import EwsError, item_id
from services.fetcher.mailboxes.ews.errors import (
    GONE,
    NO_FOLDER,
    WANTS_CHANGE_KEY,
    act_problem,
    no_change_key,
)
from services.fetcher.mailboxes.ews.paths import FolderPaths
from services.fetcher.mailboxes.ews.session import EwsSession
from services.fetcher.mailboxes.ews.soap_requests import FolderRef
from services.fetcher.mailboxes.protocol import MailboxUnreachable, MailReference

MARK_TRIES: Final = 3
"""How often a mail is marked that others change at the same moment."""


class Filing:
    """Nothing happens to a mail that is gone. Raises MailboxError."""

    def __init__(self, session: EwsSession, paths: FolderPaths) -> None:
        self._session = session
        self._paths = paths
        self._targets: dict[str, FolderRef] = {}

    def mark_read(self, mail: MailReference) -> None:
        """Set IsRead. See `Mailbox.mark_read`."""
        element, _, change_key = mail.hint.partition(" ")
        for _ in range(MARK_TRIES):
            try:
                self._session.ask(self._session.requests.mark_read(mail.key, change_key, element))
            except EwsError as error:
                if error.code in GONE:
                    return
                if error.code == "ErrorSchemaValidation" and self._session.suppresses_receipts:
                    # A server that tells of a newer version than it speaks
                    self._session.stop_suppressing_receipts()
                elif error.code in WANTS_CHANGE_KEY:
                    change_key = self._change_key(mail)
                    if not change_key:
                        return
                else:
                    raise act_problem(error, self._session.place) from error
            else:
                return
        raise MailboxUnreachable(
            f"Een mail in {self._session.place.whose} wordt steeds gewijzigd en kan niet op gelezen worden gezet: kijk "
            "welk ander programma in deze mailbox werkt."
        )

    def move(self, mail: MailReference, folder: str) -> None:
        """Mark read and move. See `Mailbox.move`."""
        self.mark_read(mail)
        for again in (False, True):
            target = self._targets.get(folder) or self._target(folder)
            self._targets[folder] = target
            try:
                self._session.ask(self._session.requests.move(mail.key, target))
            except EwsError as error:
                if error.code in GONE:
                    return
                del self._targets[folder]
                if again or error.code not in NO_FOLDER:
                    raise act_problem(error, self._session.place) from error
            else:
                return

    def delete(self, mail: MailReference) -> None:
        """Mark read and move to the deleted items. See `Mailbox.delete`."""
        self.mark_read(mail)
        try:
            self._session.ask(self._session.requests.delete(mail.key))
        except EwsError as error:
            if error.code not in GONE:
                raise act_problem(error, self._session.place) from error

    def _change_key(self, mail: MailReference) -> str:
        """The mail's change key of this moment; empty when it is gone."""
        try:
            identity = item_id(self._session.ask(self._session.requests.get_size(mail.key)))
        except EwsError as error:
            if error.code in GONE:
                return ""
            raise act_problem(error, self._session.place) from error
        if identity is None or not identity[1]:
            raise no_change_key(self._session.place)
        return identity[1]

    def _target(self, path: str) -> FolderRef:
        """The folder of this path, made where it is missing."""
        try:
            return self._paths.find(path) or self._paths.make(path)
        except EwsError as error:
            raise act_problem(error, self._session.place) from error
