"""The folders of an IMAP server: how they are named, which is there, and making one."""

from __future__ import annotations

import imaplib
import re
from typing import Final

import structlog
from imapclient.exceptions import IMAPClientError

from services.fetcher.mailboxes.imap import answers
from services.fetcher.mailboxes.imap.conversation import Conversation
from services.fetcher.mailboxes.imap.layout import TRASH, USUAL_NAMES, Layout, Listed, special
from services.fetcher.mailboxes.imap.trouble import PARSING
from services.fetcher.mailboxes.imap.values import decoded, quoted, unsigned
from services.fetcher.mailboxes.imap.wire import LISTING_BYTES, WORDS
from services.fetcher.mailboxes.protocol import INBOX, AccessDenied

_NAMESPACE: Final = re.compile(rb'\(\("((?:[^"\\]|\\.)*)" (?:"\\?([^"])"|NIL)')

log = structlog.get_logger(__name__)


class FolderTree:
    """What is known of a server's folders, asked once."""

    def __init__(self, talk: Conversation) -> None:
        self._talk = talk
        self._layout: Layout | None = None
        self._targets: dict[str, str] = {}

    def select(self, written: str) -> None:
        """Select the folder of the settings, for reading and writing. Raises MailboxError."""
        talk, wire = self._talk, self._talk.wire
        talk.client.capabilities()  # before SELECT, which throws away what came with the login
        names = (INBOX,) if written.upper() == INBOX else self._know_layout().candidates(written)
        for name in names:
            wire.untagged_responses.clear()
            wire.state = "AUTH"
            typ, text = wire.answer(talk.send("SELECT", quoted(name)))
            if typ == "OK":
                break
        else:
            raise answers.folder_error(text, written)
        wire.state = "SELECTED"
        flags = b" ".join(wire.take("PERMANENTFLAGS")).lower()
        if "READ-ONLY" in wire.untagged_responses or (flags and b"\\seen" not in flags and b"\\*" not in flags):
            raise answers.read_only(written)
        talk.uid_validity = unsigned((wire.take("UIDVALIDITY") or [b"0"])[-1]) or 0
        talk.uid_next = unsigned((wire.take("UIDNEXT") or [b"0"])[-1]) or 0
        wire.untagged_responses.clear()

    def special(self, use: str) -> str | None:
        """The folder with this special use, or the one that is usually it."""
        return special(self._list("*"), use, self._know_layout())

    def target(self, written: str) -> str:
        """The server's name of a folder to move to, which is there afterwards."""
        if written not in self._targets:
            self._targets[written] = self._find(written) or self._make(written)
        return self._targets[written]

    def trash(self) -> str:
        """The folder of deleted items, which is there afterwards."""
        if TRASH not in self._targets:
            self._targets[TRASH] = self.special(TRASH) or self.target(USUAL_NAMES[TRASH][0])
        return self._targets[TRASH]

    def forget(self, name: str) -> None:
        """Look for a folder again next time: somebody may have removed it."""
        self._targets = {written: target for written, target in self._targets.items() if target != name}

    def _know_layout(self) -> Layout:
        if self._layout is None:
            self._layout = self._ask_layout()
        return self._layout

    def _ask_layout(self) -> Layout:
        if self._talk.can("NAMESPACE"):
            self._talk.call("NAMESPACE")
            for line in self._talk.wire.take("NAMESPACE"):
                if namespace := _NAMESPACE.match(line[:WORDS]):
                    return Layout(namespace[2].decode() if namespace[2] else None, decoded(namespace[1]))
        for _, separator, _ in self._list(""):
            return Layout(separator.decode() if separator else None)
        return Layout()

    def _list(self, pattern: str) -> Listed:
        """Folders that match; none where the server's answer cannot be understood."""
        self._talk.note()
        self._talk.wire.allow(text=LISTING_BYTES)
        try:
            listed: Listed = self._talk.client.list_folders("", pattern)
        except imaplib.IMAP4.abort:
            raise
        except (IMAPClientError, *PARSING):
            return ()
        return [each for each in listed if isinstance(each[2], str)]

    def _find(self, written: str) -> str | None:
        for name in self._know_layout().candidates(written):
            for flags, _, listed in self._list(name):
                if listed == name and not {flag.lower() for flag in flags} & {b"\\noselect", b"\\nonexistent"}:
                    return name
        return None

    def _make(self, written: str) -> str:
        layout = self._know_layout()
        names = [layout.to_create(written)]
        if not layout.prefix and layout.separator:  # QUIRK: servers that want INBOX. and do not say so
            names.append(f"INBOX{layout.separator}{names[0]}")
        for name in names:
            typ, text = self._talk.call("CREATE", quoted(name))
            if typ != "OK" and answers.code_of(text) != "ALREADYEXISTS":
                for above in layout.ancestors(name):  # RFC 3501 §6.3.3 only says that a server SHOULD make them
                    self._talk.call("CREATE", quoted(above))
                typ, text = self._talk.call("CREATE", quoted(name))
            if typ == "OK" or answers.code_of(text) == "ALREADYEXISTS" or "exists" in text.lower():
                self._talk.call("SUBSCRIBE", quoted(name))  # mail programs show subscribed folders only
                log.info("imap_folder_made")
                return name
        raise AccessDenied(
            f"De map «{written}» is er niet en kan niet worden gemaakt: maak haar zelf, of geef de login rechten. "
            f"De server antwoordt: «{answers.own_words(text)}»."
        )
