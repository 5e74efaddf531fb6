"""One connection to an IMAP server: logged in, a folder selected; used by one thread at a time. All of it blocks.

Servers differ in what they have beyond RFC 3501; nothing beyond it is needed. MOVE (RFC 6851), UIDPLUS (RFC 4315),
SPECIAL-USE (RFC 6154), NAMESPACE (RFC 2342) and IDLE (RFC 2177) are used where they are announced.

Raises MailboxError and MailError, and Lost when the connection is of no use any more.
"""

from __future__ import annotations

import heapq
import re
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final, Self

from services.fetcher.mailboxes.imap import answers
from services.fetcher.mailboxes.imap.connecting import connect
from services.fetcher.mailboxes.imap.conversation import Conversation
from services.fetcher.mailboxes.imap.filing import Filing, NotTogether
from services.fetcher.mailboxes.imap.folder_tree import FolderTree
from services.fetcher.mailboxes.imap.layout import JUNK
from services.fetcher.mailboxes.imap.login import Credentials, log_in
from services.fetcher.mailboxes.imap.server import ImapServer
from services.fetcher.mailboxes.imap.trouble import Lost, Refusal, translating
from services.fetcher.mailboxes.imap.values import Described, Part, internal_date, quoted, unsigned
from services.fetcher.mailboxes.imap.wire import LISTING_BYTES, WORDS
from services.fetcher.mailboxes.protocol import (
    MOST_LISTED,
    MailboxAccess,
    MailboxError,
    MailGone,
    MailUnreadable,
    count,
)

LOGIN_SECONDS: Final = 60.0
"""For greeting, TLS, login and SELECT together."""
GOODBYE_SECONDS: Final = 2.0
SEARCHES: Final = 3
"""How often a listing is asked for at most while mail goes on arriving; what comes later is for the next check."""
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_NUMBER: Final = re.compile(rb"(?<!\S)[0-9]{1,10}(?!\S)")
_UNSEEN: Final = re.compile(rb"UNSEEN ([0-9]{1,10})", re.IGNORECASE)


class ImapSession:
    """A connection with a selected folder."""

    def __init__(self, talk: Conversation, folder: str) -> None:
        self._talk = talk
        self._wire = talk.wire
        self._folder = folder
        self._tree = FolderTree(talk)
        self._filing = Filing(talk, self._tree)
        self._idle_tag: bytes | None = None
        self._method = ""

    # ── opening and closing

    @classmethod
    def open(cls, access: MailboxAccess, server: ImapServer, credentials: Credentials) -> Self:
        """Connect, log in, select the folder."""
        with translating(server):
            client = connect(server, access)
        session = cls(Conversation(client, server), access.folder)
        try:
            with session._talk.using(LOGIN_SECONDS):
                session._method = log_in(session._talk, credentials)
                session._tree.select(access.folder)
        except BaseException:
            client.wire.shutdown()
            raise
        return session

    @property
    def uid_validity(self) -> int:
        """The generation of the folder's UIDs (RFC 3501 §2.3.1.1)."""
        return self._talk.uid_validity

    def has_not_reached(self, uid: int) -> bool:
        """Whether the folder had not come to this UID when it was selected; told once, since it grows afterwards."""
        uid_next, self._talk.uid_next = self._talk.uid_next, 0
        return 0 < uid_next <= uid

    @property
    def arrived(self) -> bool:
        """The server said that there is more mail since the last listing."""
        return self._talk.arrived

    @arrived.setter
    def arrived(self, arrived: bool) -> None:
        self._talk.arrived = arrived

    @property
    def can_idle(self) -> bool:
        """Whether the server can say that there is new mail."""
        return self._talk.can("IDLE")

    @property
    def is_idling(self) -> bool:
        """Whether IDLE was begun and not ended."""
        return self._idle_tag is not None

    @property
    def socket(self) -> socket.socket:
        """To watch for input."""
        return self._wire.sock

    def abort(self) -> None:
        """Let the thread that uses this fail at once; for another thread."""
        with suppress(OSError):
            socket.socket.shutdown(self._wire.sock, socket.SHUT_RDWR)  # SSLSocket's own would take its TLS away

    def discard(self) -> None:
        """Close it at once; for whoever knows that no thread uses it."""
        self._wire.shutdown()

    def close(self) -> None:
        """Say goodbye if the server listens, and close."""
        try:
            with suppress(Lost), self._talk.using(GOODBYE_SECONDS):
                self._end_idle()
                self._talk.call("LOGOUT")
        finally:
            self.discard()

    # ── listing

    def search(self) -> list[int]:
        """The UIDs of the unread mails, ascending; of too many, the highest: what came last.

        Mail that somebody flagged as deleted is not listed.
        """
        return self._search("UNSEEN", "UNDELETED", keep=heapq.nlargest)

    def highest(self) -> int:
        """The highest UID in the folder; 0 where it is empty."""
        return max(self._search("UID", "*", keep=heapq.nlargest), default=0)

    def search_after(self, uid: int) -> list[int]:
        """The UIDs of the mails, read ones too, with a higher UID, ascending; of too many, the lowest."""
        # RFC 3501 §6.4.8: a range that begins beyond the last UID still holds that last one
        return self._search("UID", f"{uid + 1}:*", "UNDELETED", "UNDRAFT", keep=heapq.nsmallest, above=uid)

    def search_since(self, moment: datetime) -> list[int]:
        """The UIDs of the mails, read ones too, received then or later, or on the day before; as `search_after`."""
        # RFC 3501 §6.4.4: SINCE knows days, by the server's own clock
        day = moment - timedelta(days=1)
        since = f"{day.day}-{_MONTHS[day.month - 1]}-{day.year}"
        return self._search("SINCE", since, "UNDELETED", "UNDRAFT", keep=heapq.nsmallest)

    def _search(self, *criteria: str, keep: Callable[[int, Iterable[int]], list[int]], above: int = 0) -> list[int]:
        """The UIDs above `above`, ascending; of more than MOST_LISTED those that `keep` chooses."""
        with self._talk.using():
            self._end_idle()
            # QUIRK: SEARCH may see the folder as it was at the command before, and say only afterwards, with the NOOP,
            # what has changed (Dovecot, which also joins a NOOP before it): then it is asked again.
            for _ in range(SEARCHES):
                self.arrived = False
                self._wire.allow(text=LISTING_BYTES)
                search, noop = self._talk.send("UID", "SEARCH", *criteria), self._talk.send("NOOP")
                typ, text = self._wire.answer(search)
                self._wire.answer(noop)
                if typ != "OK":
                    raise Lost(answers.folder_error(text, self._folder))
                lines = self._wire.take("SEARCH")
                changed = "FETCH" in self._wire.untagged_responses
                self._talk.note()
                if not (changed or self.arrived):
                    break
            self.arrived = False
            written = (word for line in lines for word in _NUMBER.finditer(line.partition(b"(")[0]))
            uids = (uid for word in written if (uid := unsigned(word[0])) is not None and uid > above)
            return sorted(set(keep(MOST_LISTED, uids)))

    def describe(self, uids: Sequence[int], now: datetime) -> dict[int, Described]:
        """Arrival (DESIGN 15) and size of mails, of those that are still there; `now` where the server gives none.

        Raises Refusal, which may be for one of them.
        """
        refused: Refusal | None = None
        told: Mapping[int, Mapping[bytes, Any]] = {}
        with self._talk.using():
            try:
                told = self._talk.fetch(uids, ("INTERNALDATE", "RFC822.SIZE"))
            except Refusal as refusal:
                refused = refusal
        if refused is not None:
            raise refused
        return {
            uid: Described(internal_date(facts, now), count(facts.get(b"RFC822.SIZE")))
            for uid in uids
            if (facts := told.get(uid, {})).keys() & {b"INTERNALDATE", b"RFC822.SIZE"}
        }

    # ── one mail

    def part(self, uid: int, offset: int, length: int) -> Part:
        """At most `length` bytes of the mail from `offset`, if there are any. Raises MailGone, MailUnreadable."""
        with self._talk.using():
            items = ["RFC822.SIZE", f"BODY.PEEK[]<{offset}.{length}>"]
            try:
                given = self._talk.fetch([uid], items).get(uid)
                if given is None:  # gone, or the server did not look for new mail since
                    if not self._talk.is_there(uid):
                        raise MailGone("De mail is er niet meer.")
                    given = self._talk.fetch([uid], items).get(uid, {})
            except Refusal as refusal:
                raise self._gone_or(
                    uid, MailUnreadable(f"De mailserver geeft een mail niet: «{answers.own_words(refusal.text)}».")
                ) from None
            part = _part_of(given, offset, length)
            if part is not None and part.size and not part.content and not offset:
                raise self._gone_or(
                    uid, MailUnreadable(f"De mailserver noemt een mail van {part.size} bytes, maar geeft haar leeg.")
                )
            if part is None:
                if offset:  # past the end some servers answer NIL, or leave it out
                    return Part(b"", whole=False, size=count(given.get(b"RFC822.SIZE")))
                raise self._gone_or(uid, MailUnreadable("De mailserver noemt een mail, maar geeft haar inhoud niet."))
            return part

    def first_parts(self, uids: Sequence[int], length: int) -> Iterator[Part | None]:
        """The first part of each mail, all asked for at once; None for what is to be asked again by itself.

        The answers come in while this is gone through: it must be, to its end, before anything else is asked.
        """
        items = ["RFC822.SIZE", f"BODY.PEEK[]<0.{length}>"]
        with self._talk.using():
            tags = [self._talk.begin_fetch(uid, items) for uid in uids]
        for uid, tag in zip(uids, tags, strict=True):
            part = None
            with self._talk.using(), suppress(Refusal):
                given = self._talk.end_fetch(tag).get(uid)
                part = None if given is None else _part_of(given, 0, length)
            yield part

    def mark_read(self, uids: Sequence[int]) -> dict[int, MailboxError]:
        """Flag mails as seen; nothing happens to one that is gone. The errors of those that cannot be."""
        return self._together(uids, self._filing.mark_read)

    def move(self, uids: Sequence[int], written: str) -> dict[int, MailboxError]:
        """Into a folder of the settings, made if missing; as `mark_read`."""
        return self._together(uids, lambda some: self._filing.move(some, written))

    def delete(self, uids: Sequence[int]) -> dict[int, MailboxError]:
        """Into the deleted items, made if missing; as `mark_read`."""
        return self._together(uids, self._filing.delete)

    def _together(self, uids: Sequence[int], act: Callable[[Sequence[int]], None]) -> dict[int, MailboxError]:
        if len(uids) > 1:
            try:
                with self._talk.using():
                    act(uids)
            except (NotTogether, MailboxError):
                pass  # each by itself tells which, and why
            else:
                return {}
        failed: dict[int, MailboxError] = {}
        for uid in uids:
            try:
                with self._talk.using():
                    act([uid])
            except MailboxError as error:
                failed[uid] = error
        return failed

    # ── noticing

    def begin_idle(self) -> bool:
        """Ask for word of new mail; False when the server does not want to."""
        with self._talk.using():
            tag = self._talk.send("IDLE")
            if not self._wire.is_continued(tag):
                self._wire.answer(tag)
                return False
            self._idle_tag = tag
            self._listen()  # what came together with the answer makes the socket readable no more
            return True

    def read_idle(self) -> None:
        """Take what the server said, without waiting for more; `arrived` says whether that was of new mail."""
        with self._talk.using():
            self._listen()

    def end_idle(self) -> None:
        """Go back to commands."""
        with self._talk.using():
            self._end_idle()

    # ── health

    def health(self) -> tuple[int, int | None, str]:
        """How many mails are unread, how many in the junk folder, and whom we speak to in words."""
        unread, junk = len(self.search()), None
        with self._talk.using():
            folder = self._tree.special(JUNK)
            if folder is not None and self._talk.call("STATUS", quoted(folder), "(UNSEEN)")[0] == "OK":
                counts = [match for line in self._wire.take("STATUS") if (match := _UNSEEN.search(line))]
                junk = count(counts[0][1]) if counts else None
            tls = self._talk.encryption
            description = [
                f"IMAP op {self._talk.server}",
                f"versleuteld met {tls}" if tls else "onversleuteld",
                f"ingelogd met {self._method}",
                f"nieuwe mail wordt {'meteen' if self.can_idle else 'bij elke controle'} opgemerkt",
            ]
            if name := self._server_name():
                description.append(f"server: {name}")
        return unread, junk, ", ".join(description)

    # ── inside

    def _gone_or(self, uid: int, error: MailUnreadable) -> MailGone | MailUnreadable:
        try:
            return error if self._talk.is_there(uid) else MailGone("De mail is er niet meer.")
        except Refusal:
            return error

    def _listen(self) -> None:
        self._wire.take_in()
        self._wire.read_lines()
        self._talk.note()
        if self._idle_tag is not None and self._wire.is_answered(self._idle_tag):
            self._wire.answer(self._idle_tag)
            self._idle_tag = None  # the server ended it

    def _end_idle(self) -> None:
        if self._idle_tag is not None:
            tag, self._idle_tag = self._idle_tag, None
            self._wire.send(b"DONE\r\n")
            self._wire.answer(tag)

    def _server_name(self) -> str:
        """What the server says of itself, by RFC 2971, else in its greeting."""
        if self._talk.can("ID"):
            self._talk.call("ID", "NIL")
            for line in self._wire.take("ID"):
                words = re.findall(r'"((?:[^"\\]|\\.)*)"', line[:WORDS].decode("utf-8", "replace"))
                known = dict(zip((word.lower() for word in words[::2]), words[1::2], strict=False))
                if "name" in known:
                    return answers.own_words(f"{known['name']} {known.get('version', '')}")
        greeting = (self._wire.welcome or b"").decode("utf-8", "replace")
        return answers.own_words(re.sub(r"^\* (OK|PREAUTH) (\[[^\]]*\] ?)?", "", greeting))


def _part_of(given: Mapping[bytes, Any], offset: int, length: int) -> Part | None:
    """What a FETCH gave of a mail's bytes; None where it gave none."""
    bodies = [(name, value) for name, value in given.items() if name.startswith((b"BODY[]", b"RFC822"))]
    bodies = [(name, value) for name, value in bodies if name != b"RFC822.SIZE"]
    if not bodies or bodies[0][1] is None:
        return None
    name, value = bodies[0]
    content = str(value).encode() if isinstance(value, int) else bytes(value)
    whole = b"<" not in name and len(content) > length
    return Part(content[offset:] if whole else content, whole=whole, size=count(given.get(b"RFC822.SIZE")))
