"""One connection to an IMAP server: logged in, a folder selected; used by one thread at a time. All of it blocks.

Servers differ in what they have beyond RFC 3501; nothing beyond it is needed. MOVE (RFC 6851), UIDPLUS (RFC 4315),
SPECIAL-USE (RFC 6154), NAMESPACE (RFC 2342) and IDLE (RFC 2177) are used where they are announced.

Raises MailboxError and MailError, and Lost when the connection is of no use any more.
"""

from __future__ import annotations

import base64
import imaplib
import re
import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Self

import structlog
from imapclient import imap_utf7
from imapclient.exceptions import IMAPClientError

from services.fetcher.mailboxes import imap_answers as answers
from services.fetcher.mailboxes.imap_folders import JUNK, TRASH, USUAL_NAMES, Layout, Listed, special
from services.fetcher.mailboxes.imap_server import ImapServer
from services.fetcher.mailboxes.imap_wire import Client, open_socket
from services.fetcher.mailboxes.protocol import (
    INBOX,
    AccessDenied,
    LoginRefused,
    MailboxAccess,
    MailboxError,
    MailboxMissing,
    MailGone,
    MailUnreadable,
)
from services.fetcher.rules.problem import ProblemKind
from shared.connecting import ForbiddenAddress

LOGIN_SECONDS: Final = 60.0
"""For greeting, TLS, login and SELECT together."""
GOODBYE_SECONDS: Final = 2.0
SEARCHES: Final = 3
"""How often a listing is asked for at most while mail goes on arriving; what comes later is for the next check."""
DESCRIBED_AT_ONCE: Final = 500
"""UIDs in one FETCH: its command line stays under the 8,192 bytes that RFC 7162 §4 asks of clients."""
_NAMESPACE: Final = re.compile(rb'\(\("((?:[^"\\]|\\.)*)" (?:"\\?([^"])"|NIL)')
_UNSEEN: Final = re.compile(rb"UNSEEN (\d+)", re.IGNORECASE)
_INTERNALDATE_LIMIT: Final = datetime(1970, 1, 1, tzinfo=UTC)

log = structlog.get_logger(__name__)


class Lost(Exception):
    """The connection is of no use any more; another one may be. `sentence` is for the settings screen."""

    def __init__(self, sentence: MailboxError) -> None:
        super().__init__(str(sentence))
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Credentials:
    """`token` is for XOAUTH2; without one the password is for LOGIN or PLAIN."""

    login: str
    password: str = ""
    token: str = ""

    def __repr__(self) -> str:
        return "Credentials(…)"


@dataclass(frozen=True, slots=True)
class Described:
    """What a server tells of a mail before it is fetched."""

    received_at: datetime
    size: int | None


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes of a mail from an offset, and the size of the whole as the server estimates it."""

    content: bytes
    whole: bool
    """The server took no notice of the range and gave all of the mail."""
    size: int | None


class _Sasl:
    """A SASL exchange of one response; whatever the server asks then (XOAUTH2's error) gets an empty answer."""

    def __init__(self, response: bytes, *, sent: bool) -> None:
        self._response = response
        self._sent = sent

    def respond(self, challenge: bytes) -> bytes:
        """The next response, in base64."""
        del challenge
        if self._sent:
            return b""
        self._sent = True
        return self._response


class ImapSession:
    """A connection with a selected folder."""

    def __init__(self, client: Client, server: ImapServer, folder: str) -> None:
        self._client = client
        self._wire = client.wire
        self._server = server
        self._folder = folder
        self._layout: Layout | None = None
        self._targets: dict[str, str] = {}
        self._idle_tag: bytes | None = None
        self._method = "PREAUTH"
        self.uid_validity = 0
        self.arrived = False
        """The server said that there is more mail since the last listing."""

    # ── opening and closing

    @classmethod
    def open(cls, access: MailboxAccess, server: ImapServer, credentials: Credentials) -> Self:
        """Connect, log in, select the folder."""
        with _translating(server):
            client = _connect(server, access)
        session = cls(client, server, access.folder)
        try:
            with session._using(LOGIN_SECONDS):
                session._log_in(credentials, encrypted=isinstance(client.wire.sock, ssl.SSLSocket))
                session._select()
        except BaseException:
            client.wire.shutdown()
            raise
        return session

    @property
    def can_idle(self) -> bool:
        """Whether the server tells of new mail."""
        return self._can("IDLE")

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
            with suppress(Lost), self._using(GOODBYE_SECONDS):
                self._end_idle()
                self._call("LOGOUT")
        finally:
            self.discard()

    # ── listing

    def search(self) -> list[int]:
        """The UIDs of the unread mails, ascending. Mail that somebody flagged as deleted is not listed."""
        with self._using():
            self._end_idle()
            # QUIRK: SEARCH may see the folder as it was at the command before, and tell only afterwards, with the NOOP,
            # what has changed (Dovecot, which also joins a NOOP before it): then it is asked again.
            for _ in range(SEARCHES):
                self.arrived = False
                search, noop = self._send("UID", "SEARCH", "UNSEEN", "UNDELETED"), self._send("NOOP")
                typ, text = self._answer(search)
                self._answer(noop)
                if typ != "OK":
                    raise Lost(answers.folder_error(text, self._folder))
                found = self._untagged("SEARCH")
                changed = "FETCH" in self._wire.untagged_responses
                self._note()
                if not (changed or self.arrived):
                    break
            self.arrived = False
            return sorted({int(word) for line in found for word in line.partition(b"(")[0].split() if word.isdigit()})

    def describe(self, uids: Sequence[int], now: datetime) -> dict[int, Described]:
        """Arrival (DESIGN 15) and size of mails, of those that are still there; `now` where the server tells none."""
        described: dict[int, Described] = {}
        with self._using():
            for start in range(0, len(uids), DESCRIBED_AT_ONCE):
                chunk = uids[start : start + DESCRIBED_AT_ONCE]
                self._wire.allow()
                for uid, told in self._fetch(chunk, ["INTERNALDATE", "RFC822.SIZE"]).items():
                    if b"INTERNALDATE" in told or b"RFC822.SIZE" in told:
                        described[uid] = Described(_arrival(told, now), _number(told.get(b"RFC822.SIZE")))
        return described

    # ── one mail

    def part(self, uid: int, offset: int, length: int) -> Part:
        """At most `length` bytes of the mail from `offset`, if there are any. Raises MailGone, MailUnreadable."""
        with self._using():
            items = ["RFC822.SIZE", f"BODY.PEEK[]<{offset}.{length}>"]
            try:
                told = self._fetch([uid], items).get(uid)
                if told is None:  # gone, or the server did not look for new mail since
                    if not self._is_there(uid):
                        raise MailGone("De mail is er niet meer.")
                    told = self._fetch([uid], items).get(uid, {})
            except _Refusal as refusal:
                raise self._gone_or(
                    uid, MailUnreadable(f"De mailserver geeft een mail niet: «{answers.own_words(refusal.text)}».")
                ) from None
            bodies = [(name, value) for name, value in told.items() if name.startswith((b"BODY[]", b"RFC822"))]
            bodies = [(name, value) for name, value in bodies if name != b"RFC822.SIZE"]
            size = _number(told.get(b"RFC822.SIZE"))
            if not bodies or bodies[0][1] is None:
                if offset:  # past the end some servers answer NIL, or leave it out
                    return Part(b"", whole=False, size=size)
                raise self._gone_or(uid, MailUnreadable("De mailserver noemt een mail, maar geeft haar inhoud niet."))
            name, value = bodies[0]
            content = str(value).encode() if isinstance(value, int) else bytes(value)
            whole = b"<" not in name and len(content) > length
            return Part(content[offset:] if whole else content, whole=whole, size=size)

    def mark_read(self, uid: int) -> None:
        """Flag it as seen; nothing happens to a mail that is gone."""
        with self._using():
            self._set_flags(uid, "(\\Seen)", "als gelezen gemarkeerd")

    def move(self, uid: int, written: str) -> None:
        """Into a folder of the settings, made if missing; nothing happens to a mail that is gone."""
        with self._using():
            self._move(uid, self._target(written), f"naar de map «{written}» verplaatst", written)

    def delete(self, uid: int) -> None:
        """Into the deleted items, made if missing; nothing happens to a mail that is gone."""
        with self._using():
            trash = self._targets.get(TRASH) or self._special(TRASH)
            if trash is None:
                trash = self._target(USUAL_NAMES[TRASH][0])
            self._targets[TRASH] = trash
            self._move(uid, trash, "verwijderd", TRASH)

    # ── noticing

    def begin_idle(self) -> bool:
        """Ask to be told of new mail; False when the server does not want to."""
        with self._using():
            tag = self._send("IDLE")
            while self._wire._get_response() is not None:
                if self._wire.tagged_commands.get(tag):
                    self._answer(tag)
                    return False
            self._idle_tag = tag
            self._listen()  # what came together with the answer makes the socket readable no more
            return True

    def read_idle(self) -> None:
        """Take what the server said, without waiting for more; `arrived` tells whether that was of new mail."""
        with self._using():
            self._listen()

    def end_idle(self) -> None:
        """Go back to commands."""
        with self._using():
            self._end_idle()

    # ── health

    def health(self) -> tuple[int, int | None, str]:
        """How many mails are unread, how many in the junk folder, and whom we speak to in words."""
        unread, junk = len(self.search()), None
        with self._using():
            folder = self._special(JUNK)
            if folder is not None and self._call("STATUS", _quoted(folder), "(UNSEEN)")[0] == "OK":
                counts = [found for line in self._untagged("STATUS") if (found := _UNSEEN.search(line))]
                junk = int(counts[0][1]) if counts else None
            tls = self._wire.sock.version() if isinstance(self._wire.sock, ssl.SSLSocket) else None
            told = [
                f"IMAP op {self._server}",
                f"versleuteld met {tls}" if tls else "onversleuteld",
                f"ingelogd met {self._method}",
                f"nieuwe mail wordt {'meteen' if self.can_idle else 'bij elke controle'} opgemerkt",
            ]
            if name := self._server_name():
                told.append(f"server: {name}")
        return unread, junk, ", ".join(told)

    # ── inside

    @contextmanager
    def _using(self, seconds: float | None = None) -> Iterator[None]:
        """Bounded time and memory for what is done inside, and one kind of error for a connection that is lost."""
        if seconds is None:
            self._wire.allow()
        else:
            self._wire.allow(seconds=seconds)
        with _translating(self._server):
            yield
            self._note()

    def _send(self, *words: str | bytes | None) -> bytes:
        self._note()
        for stale in ("FETCH", "SEARCH", "EXPUNGE", "LIST", "STATUS"):
            self._wire.untagged_responses.pop(stale, None)
        tag: bytes = self._wire._command(*words)
        return tag

    def _answer(self, tag: bytes) -> tuple[str, str]:
        """OK, NO or BAD, and the text behind it."""
        typ, data = self._wire._get_tagged_response(tag)
        return typ, b" ".join(line for line in data if isinstance(line, bytes)).decode("utf-8", "replace")

    def _call(self, *words: str | bytes | None) -> tuple[str, str]:
        typ, text = self._answer(self._send(*words))
        self._note()
        return typ, text

    def _untagged(self, name: str) -> list[bytes]:
        """What came under this name; literals are left out."""
        return [line for line in self._wire.untagged_responses.pop(name, []) if isinstance(line, bytes)]

    def _note(self) -> None:
        """Notice what a server may say at any time: more mail, and that all UIDs have changed."""
        if self._wire.untagged_responses.pop("EXISTS", None):
            self.arrived = True
        told = self._wire.untagged_responses.pop("UIDVALIDITY", None)
        if told and self.uid_validity and _number(told[-1]) not in {None, self.uid_validity}:
            raise Lost(answers.unreachable(str(self._server), OSError("the folder was made anew")))

    def _can(self, capability: str) -> bool:
        return bool(self._client.has_capability(capability))

    def _log_in(self, credentials: Credentials, *, encrypted: bool) -> None:
        if self._wire.state != "NONAUTH":
            return
        secrets = (credentials.password, credentials.token, credentials.login)
        typ, text = "", ""
        if credentials.token:
            self._method = "XOAUTH2"
            typ, text = self._authenticate(
                "XOAUTH2", f"user={credentials.login}\x01auth=Bearer {credentials.token}\x01\x01"
            )
        else:
            if self._can("AUTH=PLAIN"):
                self._method = "PLAIN"
                typ, text = self._authenticate("PLAIN", f"\x00{credentials.login}\x00{credentials.password}")
            if typ in {"", "BAD"} and not self._can("LOGINDISABLED") and _plain_text(credentials):
                self._method = "LOGIN"  # also where PLAIN is announced but not understood: nothing was tried then
                typ, text = self._answer(self._send("LOGIN", *map(_astring, (credentials.login, credentials.password))))
        if not typ:
            raise _no_way_in(encrypted=encrypted, disabled=self._can("LOGINDISABLED"))
        if typ != "OK":
            raise answers.login_error(text, secrets, app=bool(credentials.token))
        self._wire.state = "AUTH"
        self._client._cached_capabilities = None  # they change with the login; what came with its answer counts

    def _authenticate(self, mechanism: str, response: str) -> tuple[str, str]:
        encoded = base64.b64encode(response.encode())
        at_once = self._can("SASL-IR")  # RFC 4959
        # a method, by which imaplib knows that it is to be called for each challenge
        self._wire.literal = _Sasl(encoded, sent=at_once).respond  # type: ignore[assignment]
        return self._answer(self._send("AUTHENTICATE", mechanism, encoded if at_once else None))

    def _select(self) -> None:
        self._client.capabilities()  # before SELECT, which throws away what came with the login
        names = (INBOX,) if self._folder.upper() == INBOX else self._know_layout().candidates(self._folder)
        for name in names:
            self._wire.untagged_responses.clear()
            self._wire.state = "AUTH"
            typ, text = self._answer(self._send("SELECT", _quoted(name)))
            if typ == "OK":
                break
        else:
            raise answers.folder_error(text, self._folder)
        self._wire.state = "SELECTED"
        told = self._wire.untagged_responses
        flags = b" ".join(self._untagged("PERMANENTFLAGS")).lower()
        if "READ-ONLY" in told or (flags and b"\\seen" not in flags and b"\\*" not in flags):
            raise answers.read_only(self._folder)
        self.uid_validity = _number((told.pop("UIDVALIDITY", None) or [b"0"])[-1]) or 0
        told.clear()

    def _fetch(self, uids: Sequence[int], items: Sequence[str]) -> Mapping[int, Mapping[bytes, Any]]:
        """Raises _Refusal."""
        self._note()
        self._wire.untagged_responses.pop("FETCH", None)
        try:
            told: Mapping[int, Mapping[bytes, Any]] = self._client.fetch(list(uids), list(items))
        except imaplib.IMAP4.abort:
            raise
        except IMAPClientError as error:
            raise _Refusal(str(error)) from None
        return told

    def _is_there(self, uid: int) -> bool:
        self._call("NOOP")
        return uid in self._fetch([uid], ["FLAGS"])

    def _gone_or(self, uid: int, error: MailUnreadable) -> MailGone | MailUnreadable:
        try:
            return error if self._is_there(uid) else MailGone("De mail is er niet meer.")
        except _Refusal:
            return error

    def _set_flags(self, uid: int, flags: str, act: str) -> None:
        typ, text = self._call("UID", "STORE", str(uid), "+FLAGS.SILENT", flags)
        if typ != "OK" and self._still_there(uid):
            raise answers.act_error(text, act)

    def _still_there(self, uid: int) -> bool:
        try:
            return self._is_there(uid)
        except _Refusal:
            return True

    def _move(self, uid: int, target: str, act: str, remembered_as: str) -> None:
        self._set_flags(uid, "(\\Seen)", act)
        if not self._can("MOVE"):
            self._copy_and_delete(uid, target, act, remembered_as)
            return
        typ, text = self._call("UID", "MOVE", str(uid), _quoted(target))
        if typ != "OK" and self._still_there(uid):
            self._targets.pop(remembered_as, None)  # somebody may have removed the folder: looked for next time
            raise answers.act_error(text, act)

    def _copy_and_delete(self, uid: int, target: str, act: str, remembered_as: str) -> None:
        """RFC 6851 §1 in its old way. A mail that is flagged as deleted was copied by an earlier try."""
        try:
            told = self._fetch([uid], ["FLAGS"]).get(uid)
        except _Refusal as refusal:
            raise answers.act_error(refusal.text, act) from None
        if told is None:
            return
        if b"\\deleted" not in {flag.lower() for flag in told.get(b"FLAGS", ())}:
            typ, text = self._call("UID", "COPY", str(uid), _quoted(target))
            if typ != "OK":
                if self._still_there(uid):
                    self._targets.pop(remembered_as, None)
                    raise answers.act_error(text, act)
                return
            self._set_flags(uid, "(\\Deleted)", act)
        if self._can("UIDPLUS"):  # without it EXPUNGE would remove what others have flagged
            self._call("UID", "EXPUNGE", str(uid))

    def _know_layout(self) -> Layout:
        if self._layout is None:
            self._layout = self._ask_layout()
        return self._layout

    def _ask_layout(self) -> Layout:
        if self._can("NAMESPACE"):
            self._call("NAMESPACE")
            for line in self._untagged("NAMESPACE"):
                if found := _NAMESPACE.match(line):
                    return Layout(found[2].decode() if found[2] else None, _decoded(found[1]))
        for _, separator, _ in self._list(""):
            return Layout(separator.decode() if separator else None)
        return Layout()

    def _list(self, pattern: str) -> Listed:
        """Folders that match; none where the server's answer cannot be understood."""
        self._note()
        try:
            found: Listed = self._client.list_folders("", pattern)
        except imaplib.IMAP4.abort:
            raise
        except (IMAPClientError, ValueError, TypeError):
            return ()
        return [each for each in found if isinstance(each[2], str)]

    def _special(self, use: str) -> str | None:
        return special(self._list("*"), use, self._know_layout())

    def _target(self, written: str) -> str:
        """The server's name of a folder to move to, which is there afterwards."""
        if written not in self._targets:
            self._targets[written] = self._find_folder(written) or self._make_folder(written)
        return self._targets[written]

    def _find_folder(self, written: str) -> str | None:
        for name in self._know_layout().candidates(written):
            for flags, _, listed in self._list(name):
                if listed == name and not {flag.lower() for flag in flags} & {b"\\noselect", b"\\nonexistent"}:
                    return name
        return None

    def _make_folder(self, written: str) -> str:
        layout = self._know_layout()
        names = [layout.to_create(written)]
        if not layout.prefix and layout.separator:  # QUIRK: servers that want INBOX. and do not say so
            names.append(f"INBOX{layout.separator}{names[0]}")
        for name in names:
            typ, text = self._call("CREATE", _quoted(name))
            if typ != "OK" and answers.code_of(text) != "ALREADYEXISTS":
                for above in layout.ancestors(name):  # RFC 3501 §6.3.3 only says that a server SHOULD make them
                    self._call("CREATE", _quoted(above))
                typ, text = self._call("CREATE", _quoted(name))
            if typ == "OK" or answers.code_of(text) == "ALREADYEXISTS" or "exists" in text.lower():
                self._call("SUBSCRIBE", _quoted(name))  # mail programs show subscribed folders only
                log.info("imap_folder_made")
                return name
        raise AccessDenied(
            f"De map «{written}» is er niet en kan niet worden gemaakt: maak haar zelf, of geef de login rechten. "
            f"De server antwoordt: «{answers.own_words(text)}»."
        )

    def _listen(self) -> None:
        self._wire.take_in()
        while self._wire.has_line():
            self._wire._get_response()
        self._note()
        if self._idle_tag is not None and self._wire.tagged_commands.get(self._idle_tag):
            self._answer(self._idle_tag)
            self._idle_tag = None  # the server ended it

    def _end_idle(self) -> None:
        if self._idle_tag is not None:
            tag, self._idle_tag = self._idle_tag, None
            self._wire.send(b"DONE\r\n")
            self._answer(tag)

    def _server_name(self) -> str:
        """What the server says of itself, by RFC 2971, else in its greeting."""
        if self._can("ID"):
            self._call("ID", "NIL")
            for line in self._untagged("ID"):
                words = re.findall(r'"((?:[^"\\]|\\.)*)"', line.decode("utf-8", "replace"))
                told = dict(zip((word.lower() for word in words[::2]), words[1::2], strict=False))
                if "name" in told:
                    return answers.own_words(f"{told['name']} {told.get('version', '')}")
        greeting = (self._wire.welcome or b"").decode("utf-8", "replace")
        return answers.own_words(re.sub(r"^\* (OK|PREAUTH) (\[[^\]]*\] ?)?", "", greeting))


class _Refusal(Exception):
    """NO or BAD to a FETCH, or an answer that is none."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


def _connect(server: ImapServer, access: MailboxAccess) -> Client:
    """A greeted connection, in TLS unless the settings allow otherwise."""
    context = _tls_context(access.ca_file)
    if server.tls:
        try:
            return _greeted(server, open_socket(server.host, server.port, context), tls=True)
        except ssl.SSLError as error:
            if not server.guessed or error.reason != "WRONG_VERSION_NUMBER":
                raise
    client = _greeted(server, open_socket(server.host, server.port, None), tls=False)
    try:
        if client.wire.state == "NONAUTH" and client.has_capability("STARTTLS"):
            client.starttls(context)
        elif not access.allow_unencrypted:
            raise _in_the_clear(server)  # noqa: TRY301 - closes the connection as other trouble does
    except BaseException:
        client.wire.shutdown()
        raise
    return client


def _greeted(server: ImapServer, sock: socket.socket, *, tls: bool) -> Client:
    try:
        return Client(sock, server.host, tls=tls)
    except imaplib.IMAP4.abort:
        sock.close()
        raise
    except imaplib.IMAP4.error as error:  # a greeting that is none, or BYE
        sock.close()
        said = error.args[0] if error.args and isinstance(error.args[0], bytes) else b""
        words = said.decode("utf-8", "replace").removeprefix("* BYE ")
        raise Lost(answers.unreachable(str(server), OSError(words or "het is geen IMAP-server"))) from None
    except BaseException:
        sock.close()
        raise


@contextmanager
def _translating(server: ImapServer) -> Iterator[None]:
    """Our errors for what goes wrong with a connection; the library's own may hold what was sent, so none is kept."""
    try:
        yield
    except (Lost, MailboxError, MailGone, MailUnreadable):
        raise
    except ForbiddenAddress as error:
        raise MailboxMissing(error.sentence) from None
    except socket.gaierror:
        raise MailboxMissing(
            f"De naam {server.host} is in DNS niet te vinden: controleer de instelling «Server»."
        ) from None
    except ssl.SSLError as error:
        raise Lost(answers.certificate_error(error, str(server))) from None
    except imaplib.IMAP4.readonly:
        raise AccessDenied(
            "De map is voor deze login alleen te lezen: geef de login schrijfrechten op die map."
        ) from None
    except (OSError, imaplib.IMAP4.error, _Refusal, ValueError, AssertionError) as error:
        raise Lost(answers.unreachable(str(server), error)) from None


def _tls_context(ca_file: str | None) -> ssl.SSLContext:
    if ca_file is None:
        return _read_tls_context(None, 0)
    try:
        return _read_tls_context(ca_file, Path(ca_file).stat().st_mtime_ns)
    except OSError as error:  # ssl.SSLError is one: no certificate in it
        raise MailboxMissing(
            f"Het CA-bestand {ca_file} is niet te gebruiken ({error.strerror or 'geen PEM-certificaat'}): controleer "
            "pad, rechten en inhoud."
        ) from None


@lru_cache(maxsize=32)
def _read_tls_context(ca_file: str | None, modified: int) -> ssl.SSLContext:
    """Shared by all mailboxes: reading the system's certificates takes 17 ms and 700 KiB."""
    del modified
    context = ssl.create_default_context(cafile=ca_file)
    if ca_file is not None:
        # an authority of one's own is trusted as it is: an intermediate one too, and one older than RFC 5280's
        # identifiers, which Python 3.13 asks for
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def _in_the_clear(server: ImapServer) -> MailboxMissing:
    return MailboxMissing(
        f"{server} biedt op deze poort geen versleutelde verbinding (STARTTLS): vul bij «Server» imaps://… in, of sta "
        "uitdrukkelijk toe dat het wachtwoord onversleuteld over het netwerk gaat.",
        kind=ProblemKind.NOT_SECURE,
    )


def _no_way_in(*, encrypted: bool, disabled: bool) -> MailboxError:
    if disabled and not encrypted:
        return MailboxMissing(
            "De server laat op deze onversleutelde verbinding niet inloggen (LOGINDISABLED): vul bij «Server» "
            "imaps://… in.",
            kind=ProblemKind.NOT_SECURE,
        )
    return LoginRefused(
        "De server laat niet met gebruikersnaam en wachtwoord inloggen: zet die manier van inloggen (LOGIN of PLAIN) "
        "voor deze mailbox aan, of kies een app-registratie."
    )


def _plain_text(credentials: Credentials) -> bool:
    """Whether LOGIN can carry them: RFC 3501 knows no characters beyond ASCII there."""
    return (credentials.login + credentials.password).isascii()


def _astring(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _quoted(folder: str) -> bytes:
    """A folder's name in modified UTF-7 (RFC 3501 §5.1.3), which holds no control character, in quotes."""
    encoded: bytes = imap_utf7.encode(folder)
    return b'"' + encoded.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def _decoded(name: bytes) -> str:
    decoded: str = imap_utf7.decode(name.replace(b'\\"', b'"').replace(b"\\\\", b"\\"))
    return decoded


def _number(told: object) -> int | None:
    try:
        return int(told)  # type: ignore[call-overload, no-any-return]
    except (TypeError, ValueError):
        return None


def _arrival(told: Mapping[bytes, Any], now: datetime) -> datetime:
    """INTERNALDATE in UTC; `now` where there is none that can be read, or none that can be meant."""
    arrival = told.get(b"INTERNALDATE")
    if not isinstance(arrival, datetime):
        return now
    try:
        arrival = (arrival if arrival.tzinfo else arrival.replace(tzinfo=UTC)).astimezone(UTC)
    except (OverflowError, ValueError):
        return now
    return arrival if arrival >= _INTERNALDATE_LIMIT else now
