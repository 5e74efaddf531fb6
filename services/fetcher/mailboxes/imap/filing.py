"""What is done with a mail on an IMAP server once it is taken in: marked read, moved, deleted."""

from __future__ import annotations

from services.fetcher.mailboxes.imap import answers
from services.fetcher.mailboxes.imap.conversation import Conversation
from services.fetcher.mailboxes.imap.folder_tree import FolderTree
from services.fetcher.mailboxes.imap.trouble import Refusal
from services.fetcher.mailboxes.imap.values import quoted


class Filing:
    """Nothing happens to a mail that is gone. Raises MailboxError."""

    def __init__(self, talk: Conversation, tree: FolderTree) -> None:
        self._talk = talk
        self._tree = tree

    def mark_read(self, uid: int) -> None:
        """Flag it as seen."""
        self._set_flags(uid, "(\\Seen)", "als gelezen gemarkeerd")

    def move(self, uid: int, written: str) -> None:
        """Into a folder of the settings, made if missing."""
        self._move(uid, self._tree.target(written), f"naar de map «{written}» verplaatst")

    def delete(self, uid: int) -> None:
        """Into the deleted items, made if missing."""
        self._move(uid, self._tree.trash(), "verwijderd")

    def _set_flags(self, uid: int, flags: str, act: str) -> None:
        typ, text = self._talk.call("UID", "STORE", str(uid), "+FLAGS.SILENT", flags)
        if typ != "OK" and self._talk.may_be_there(uid):
            raise answers.act_error(text, act)

    def _move(self, uid: int, target: str, act: str) -> None:
        self._set_flags(uid, "(\\Seen)", act)
        if not self._talk.can("MOVE"):
            self._copy_and_delete(uid, target, act)
            return
        typ, text = self._talk.call("UID", "MOVE", str(uid), quoted(target))
        if typ != "OK" and self._talk.may_be_there(uid):
            self._tree.forget(target)
            raise answers.act_error(text, act)

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
            self._set_flags(uid, "(\\Deleted)", act)
        if self._talk.can("UIDPLUS"):  # without it EXPUNGE would remove what others have flagged
            self._talk.call("UID", "EXPUNGE", str(uid))
