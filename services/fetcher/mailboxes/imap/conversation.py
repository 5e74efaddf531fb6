"""Commands to an IMAP server and its answers: bounded, and with what a server may say at any time noticed."""

from __future__ import annotations

import imaplib
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from imapclient.exceptions import IMAPClientError
from imapclient.response_parser import parse_fetch_response

from services.fetcher.mailboxes.imap import answers
from services.fetcher.mailboxes.imap.server import ImapServer
from services.fetcher.mailboxes.imap.trouble import PARSING, Lost, Refusal, translating
from services.fetcher.mailboxes.imap.values import unsigned
from services.fetcher.mailboxes.imap.wire import Client


class Conversation:
    """A connection; used by one thread at a time."""

    def __init__(self, client: Client, server: ImapServer) -> None:
        self.client = client
        self.wire = client.wire
        self.server = server
        self.uid_validity = 0
        self.uid_next = 0
        """What the next mail's UID would have been when the folder was selected; 0 where that is not known."""
        self.arrived = False
        """The server said that there is more mail since the last listing."""

    @property
    def encryption(self) -> str | None:
        """The version of TLS; None in the clear."""
        return self.wire.sock.version() if isinstance(self.wire.sock, ssl.SSLSocket) else None

    @contextmanager
    def using(self, seconds: float | None = None) -> Iterator[None]:
        """Bounded time and memory for what is done inside, and one kind of error for a connection that is lost."""
        if seconds is None:
            self.wire.allow()
        else:
            self.wire.allow(seconds=seconds)
        with translating(self.server):
            yield
            self.note()

    def send(self, *words: str | bytes | None) -> bytes:
        """Send a command; its tag, for `answer`."""
        self.note()
        for stale in ("FETCH", "SEARCH", "EXPUNGE", "LIST", "STATUS"):
            self.wire.untagged_responses.pop(stale, None)
        return self.wire.begin(*words)

    def call(self, *words: str | bytes | None) -> tuple[str, str]:
        """Send a command and wait: OK, NO or BAD, and the text behind it."""
        typ, text = self.wire.answer(self.send(*words))
        self.note()
        return typ, text

    def note(self) -> None:
        """Notice what a server may say at any time: more mail, and that all UIDs have changed."""
        if self.wire.untagged_responses.pop("EXISTS", None):
            self.arrived = True
        said = self.wire.untagged_responses.pop("UIDVALIDITY", None)
        if said and self.uid_validity and unsigned(said[-1]) not in {None, self.uid_validity}:
            raise Lost(answers.unreachable(str(self.server), OSError("the folder was made anew")))

    def can(self, capability: str) -> bool:
        """Whether the server announces it."""
        return bool(self.client.has_capability(capability))

    def fetch(self, uids: Sequence[int], items: Sequence[str]) -> Mapping[int, Mapping[bytes, Any]]:
        """What FETCH gives, by UID. Raises Refusal."""
        self.note()
        self.wire.untagged_responses.pop("FETCH", None)
        try:
            given: Mapping[int, Mapping[bytes, Any]] = self.client.fetch(list(uids), list(items))
        except imaplib.IMAP4.abort:
            raise
        except (IMAPClientError, *PARSING) as error:
            raise Refusal(str(error)) from None
        return given

    def begin_fetch(self, uid: int, items: Sequence[str]) -> bytes:
        """Send FETCH for one mail without waiting for its answer (RFC 3501 §5.5); its tag, for `end_fetch`."""
        return self.wire.begin("UID", "FETCH", str(uid), f"({' '.join(items)})")

    def end_fetch(self, tag: bytes) -> Mapping[int, Mapping[bytes, Any]]:
        """What that FETCH gives, by UID. Raises Refusal."""
        typ, text = self.wire.answer(tag)
        given = self.wire.untagged_responses.pop("FETCH", [])
        if typ != "OK":
            raise Refusal(text)
        try:
            parsed: Mapping[int, Mapping[bytes, Any]] = parse_fetch_response(given, False, True)  # noqa: FBT003 - theirs
        except (IMAPClientError, *PARSING) as error:
            raise Refusal(str(error)) from None
        return parsed

    def is_there(self, uid: int) -> bool:
        """Whether the folder still has this mail. Raises Refusal."""
        self.call("NOOP")
        return uid in self.fetch([uid], ["FLAGS"])

    def may_be_there(self, uid: int) -> bool:
        """As `is_there`; True where the server refuses to say."""
        try:
            return self.is_there(uid)
        except Refusal:
            return True
