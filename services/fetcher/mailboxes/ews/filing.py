"""What is done with mails in an Exchange mailbox once they are taken in: marked read, moved, deleted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from services.fetcher.mailboxes.ews.answers import EwsError, item_id
from services.fetcher.mailboxes.ews.errors import act_problem, no_change_key
from services.fetcher.mailboxes.ews.paths import FolderPaths
from services.fetcher.mailboxes.ews.response_codes import GONE, NO_FOLDER, WANTS_CHANGE_KEY
from services.fetcher.mailboxes.ews.session import EwsSession
from services.fetcher.mailboxes.ews.soap_requests import FolderRef, ToMark
from services.fetcher.mailboxes.protocol import (
    AccessDenied,
    ItemKey,
    MailboxError,
    MailboxMissing,
    MailboxUnreachable,
    MailReference,
)

MARK_TRIES: Final = 3
"""How often a mail is marked that others change at the same moment."""


class Filing:
    """Does it with all of these mails in one request each way; where the server refuses that, with each by itself.

    Nothing happens to a mail that is gone. Methods give the errors of the mails that they could do nothing with.
    """

    def __init__(self, session: EwsSession, paths: FolderPaths) -> None:
        self._session = session
        self._paths = paths
        self._targets: dict[str, FolderRef] = {}

    def mark_read(self, mails: Sequence[MailReference]) -> dict[ItemKey, MailboxError]:
        """Set IsRead. See `Mailbox.mark_read`."""
        together = len(mails) > 1 and self._session.ask_together(
            self._session.requests.mark_read([_to_mark(mail) for mail in mails]), len(mails)
        )
        return {} if together else _each(mails, self._mark_one)

    def move(self, mails: Sequence[MailReference], folder: str) -> dict[ItemKey, MailboxError]:
        """Mark read and move. See `Mailbox.move`."""
        failed = self.mark_read(mails)
        rest = [mail for mail in mails if mail.key not in failed]
        if len(rest) > 1:
            keys = [mail.key for mail in rest]
            self._targets[folder] = target = self._targets.get(folder) or self._target(folder)
            if self._session.ask_together(self._session.requests.move(keys, target), len(keys)):
                return failed
        return failed | _each(rest, lambda mail: self._move_one(mail, folder))

    def delete(self, mails: Sequence[MailReference]) -> dict[ItemKey, MailboxError]:
        """Mark read and move to the deleted items. See `Mailbox.delete`."""
        failed = self.mark_read(mails)
        rest = [mail for mail in mails if mail.key not in failed]
        keys = [mail.key for mail in rest]
        if len(keys) > 1 and self._session.ask_together(self._session.requests.delete(keys), len(keys)):
            return failed
        return failed | _each(rest, self._delete_one)

    def _mark_one(self, mail: MailReference) -> None:
        wanted = _to_mark(mail)
        for _ in range(MARK_TRIES):
            try:
                self._session.ask(self._session.requests.mark_read([wanted]))
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
                    wanted = replace(wanted, change_key=change_key)
                else:
                    raise act_problem(error, self._session.place) from error
            else:
                return
        raise MailboxUnreachable(
            f"Een mail in {self._session.place.whose} wordt steeds gewijzigd en kan niet op gelezen worden gezet: kijk "
            "welk ander programma in deze mailbox werkt."
        )

    def _move_one(self, mail: MailReference, folder: str) -> None:
        for again in (False, True):
            target = self._targets.get(folder) or self._target(folder)
            self._targets[folder] = target
            try:
                self._session.ask(self._session.requests.move([mail.key], target))
            except EwsError as error:
                if error.code in GONE:
                    return
                del self._targets[folder]
                if again or error.code not in NO_FOLDER:
                    raise act_problem(error, self._session.place) from error
            else:
                return

    def _delete_one(self, mail: MailReference) -> None:
        try:
            self._session.ask(self._session.requests.delete([mail.key]))
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


def _to_mark(mail: MailReference) -> ToMark:
    element, _, change_key = mail.hint.partition(" ")
    return ToMark(mail.key, change_key, element)


def _each(mails: Sequence[MailReference], act: Callable[[MailReference], None]) -> dict[ItemKey, MailboxError]:
    """The errors of those on which it failed. Raises where the server wants to be left alone."""
    failed: dict[ItemKey, MailboxError] = {}
    for mail in mails:
        try:
            act(mail)
        except (AccessDenied, MailboxMissing) as error:
            failed[mail.key] = error
        except MailboxUnreachable as error:
            if error.after is not None or len(mails) == 1:
                raise
            failed[mail.key] = error
    return failed
