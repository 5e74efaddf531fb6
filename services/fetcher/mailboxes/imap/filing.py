"""What is done with mails on an IMAP server once they are taken in: marked read, moved, deleted."""

from __future__ import annotations

from collections.abc import Sequence

from services.fetcher.mailboxes.imap import answers
from services.fetcher.mailboxes.imap.conversation import Conversation
from services.fetcher.mailboxes.imap.folder_tree import FolderTree
from services.fetcher.mailboxes.imap.trouble import Refusal
from services.fetcher.mailboxes.imap.values import quoted


class NotTogether(Exception):
    """The server refuses to do it with several mails at once; with each by itself it may fare better."""


class Filing:
    """Does it with all of these mails at once; nothing happens to one that is gone.

    Raises MailboxError, and NotTogether of several mails.
    """

    def __init__(self, talk: Conversation, tree: FolderTree) -> None:
        self._talk = talk
        self._tree = tree

    def mark_read(self, uids: Sequence[int]) -> None:
        """Flag them as seen."""
        self._set_flags(uids, "(\\Seen)", "als gelezen gemarkeerd")

    def move(self, uids: Sequence[int], written: str) -> None:
        """Into a folder of the settings, made if missing."""
        self._move(uids, self._tree.target(written), f"naar de map «{written}» verplaatst")

    def delete(self, uids: Sequence[int]) -> None:
        """Into the deleted items, made if missing."""
        self._move(uids, self._tree.trash(), "verwijderd")

    def _set_flags(self, uids: Sequence[int], flags: str, act: str) -> None:
        typ, text = self._talk.call("UID", "STORE", _set(uids), "+FLAGS.SILENT", flags)
        if typ != "OK" and self._may_be_there(uids):
            raise answers.act_error(text, act)

    def _move(self, uids: Sequence[int], target: str, act: str) -> None:
        self._set_flags(uids, "(\\Seen)", act)
        if not self._talk.can("MOVE"):
            for uid in uids:
                self._copy_and_delete(uid, target, act)
            return
        typ, text = self._talk.call("UID", "MOVE", _set(uids), quoted(target))
        if typ != "OK" and self._may_be_there(uids):
            self._tree.forget(target)
            raise answers.act_error(text, act)

    def _may_be_there(self, uids: Sequence[int]) -> bool:
        """Whether the one mail may be there still. RFC 2180 §4.2: one that is gone may make the whole set refused."""
        if len(uids) > 1:
            raise NotTogether
        return self._talk.may_be_there(uids[0])

    def _copy_and_delete(self, uid: int, target: str, act: str) -> None:
        """RFC 6851 §1 in its old way. A mail that is flagged as deleted was copied by an earlier try."""
        try:
            facts = self._talk.fetch([uid], ["FLAGS"]).get(uid)
        except Refusal as refusal:
            raise answers.act_error(refusal.text, act) from None
        if facts is None:
            return
        if b"\\deleted" not in {flag.lower() for flag in facts.get(b"FLAGS", ())}:
            typ, text = self._talk.call("UID", "COPY", str(uid), quoted(target))
            if typ != "OK":
                if self._talk.may_be_there(uid):
                    self._tree.forget(target)
                    raise answers.act_error(text, act)
                return
            self._set_flags([uid], "(\\Deleted)", act)
        if self._talk.can("UIDPLUS"):  # without it EXPUNGE would remove what others have flagged
            self._talk.call("UID", "EXPUNGE", str(uid))


def _set(uids: Sequence[int]) -> str:
    """RFC 3501 §9, sequence-set."""
    return ",".join(map(str, uids))
