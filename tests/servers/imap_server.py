"""An IMAP server of our own, for what a good server cannot be made to do: drop, cut, dawdle, refuse, renumber.

    async with ImapServer() as server:
        server.deliver(raw, received_at)
        server.fault("UID FETCH", Fault.CUT)

It keeps folders with flags and UIDs, checks logins (password, or a token by `tokens`), and answers as RFC 3501 says,
with the capabilities that a test gives it. What is asked of it is in `commands`. Without `tls` nothing is encrypted.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import re
import ssl
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum, auto
from typing import Self

from imapclient import imap_utf7

FULL = "IDLE MOVE UIDPLUS SPECIAL-USE NAMESPACE SASL-IR LITERAL+ ID AUTH=PLAIN AUTH=XOAUTH2"
"""The capabilities of a good server, beside IMAP4rev1."""


class Fault(Enum):
    """What goes wrong instead of, or within, an answer."""

    DROP = auto()
    """The connection ends before the answer."""
    BYE = auto()
    """The server says goodbye instead of answering."""
    CUT = auto()
    """The connection ends within the first literal of the answer."""
    SHORT = auto()
    """The literal is half of what was asked."""
    SLOW = auto()
    """A byte at a time."""
    SILENT = auto()
    """No answer, and the connection stays open."""
    RENUMBER = auto()
    """The folder gets a new UIDVALIDITY and new UIDs, and the connection ends."""
    EXPUNGE = auto()
    """Somebody removes the mail asked for while it is answered."""
    ENDLESS = auto()
    """A literal that claims a terabyte."""


@dataclass
class Message:
    """A mail in a folder."""

    uid: int
    raw: bytes
    received_at: datetime
    flags: set[str] = field(default_factory=set)


@dataclass
class Folder:
    """Mails with their numbers."""

    validity: int = 1
    messages: list[Message] = field(default_factory=list)
    next_uid: int = 1
    use: str = ""

    def add(self, raw: bytes, received_at: datetime, flags: frozenset[str] = frozenset()) -> Message:
        """Append a mail."""
        message = Message(self.next_uid, raw, received_at, set(flags))
        self.messages.append(message)
        self.next_uid += 1
        return message

    def renumber(self) -> None:
        """As after a restored backup: all mails are there under new numbers."""
        self.validity += 1
        for uid, message in enumerate(self.messages, start=101):
            message.uid = uid
        self.next_uid = 101 + len(self.messages)


class ImapServer:
    """A server of one account. Change its attributes before a client connects."""

    def __init__(self, capabilities: str = FULL, *, tls: ssl.SSLContext | None = None) -> None:
        self.capabilities = capabilities
        self._tls = tls
        self.after_login: str | None = None
        """Other capabilities for who is logged in, told when asked."""
        self.greeting = "* OK ready"
        self.login, self.password = "helpdesk", 'ge"heim\\ \u00e9'
        self.tokens: Callable[[str], bool] = lambda _: False
        self.refusal = "[AUTHENTICATIONFAILED] Authentication failed."
        self.plain_refusal = ""
        """The answer to AUTHENTICATE PLAIN, whatever the password is."""
        self.most_connections: int | None = None
        """How many may be logged in at a time, or with `refuses_at_greeting` connected."""
        self.refuses_at_greeting = False
        self.most_at_once = 0
        """How many have been logged in at a time."""
        self.bare_lf = False
        """Lines end with LF alone."""
        self.select_refusal = ""
        self.read_only = False
        self.separator, self.prefix = "/", ""
        self.noise: list[str] = []
        """Untagged lines that come before every answer."""
        self.internaldate: Callable[[datetime], str] = lambda at: at.strftime('"%d-%b-%Y %H:%M:%S +0000"')
        self.size: Callable[[bytes], int] = len
        self.folders: dict[str, Folder] = {"INBOX": Folder()}
        self.broken: set[int] = set()
        """UIDs of mails that it cannot read itself: whoever asks for their size or text hears BYE, as from Dovecot."""
        self.refuses_broken = False
        """Hears NO, behind what is known of the others."""
        self.commands: list[str] = []
        self.logins = 0
        self.held: tuple[re.Pattern[str], int] | None = None
        self._faults: list[tuple[re.Pattern[str], Fault]] = []
        self._connections: set[_Connection] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    @property
    def inbox(self) -> Folder:
        """Where mail arrives."""
        return self.folders["INBOX"]

    def deliver(self, raw: bytes, received_at: datetime | None = None, *, folder: str = "INBOX") -> str:
        """A new mail in a folder; its key. Who idles there is told."""
        place = self.folders[folder]
        message = place.add(raw, received_at or datetime.now(UTC).replace(microsecond=0))
        self.tell(f"* {len(place.messages)} EXISTS", folder=folder)
        return f"{place.validity}.{message.uid}"

    def tell(self, line: str, *, folder: str = "INBOX") -> None:
        """Say it to all who idle in a folder."""
        for connection in self._connections:
            if connection.folder is self.folders[folder]:
                connection.tell(line)

    def fault(self, pattern: str, fault: Fault, *, times: int = 1) -> None:
        """Let the next commands that begin with this pattern go wrong."""
        self._faults += [(re.compile(pattern), fault)] * times

    def hold(self, pattern: str, count: int) -> None:
        """Answer no command of this kind before so many commands have been sent."""
        self.held = re.compile(pattern), count

    def drop_all(self) -> None:
        """End all connections, as a restart does."""
        for connection in set(self._connections):
            connection.writer.transport.abort()

    def count(self, pattern: str) -> int:
        """How many commands began with this pattern."""
        return sum(re.match(pattern, command) is not None for command in self.commands)

    def take_fault(self, command: str) -> Fault | None:
        """The fault for this command, if there is one."""
        for number, (pattern, fault) in enumerate(self._faults):
            if pattern.match(command):
                del self._faults[number]
                return fault
        return None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.drop_all()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = _Connection(self, reader, writer)
        self._connections.add(connection)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                await connection.run()
        finally:
            self._connections.discard(connection)
            writer.close()


class _Dropped(ConnectionError):
    pass


class _Connection:
    def __init__(self, server: ImapServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.server = server
        self.reader = reader
        self.writer = writer
        self.folder: Folder | None = None
        self.idling = False
        self.greeted = False
        self.logged_in = server.greeting.startswith("* PREAUTH")
        self._fault: Fault | None = None
        self._read: deque[str] = deque()

    def tell(self, line: str) -> None:
        """Say it now if the client idles."""
        if self.idling:
            self.writer.write(f"{line}\r\n".encode())

    async def run(self) -> None:
        most = self.server.most_connections
        others = sum(each.greeted for each in self.server._connections)
        if self.server.refuses_at_greeting and most is not None and others >= most:
            await self._say(b"* BYE Too many connections from this address\r\n")
            raise _Dropped
        self.greeted = True
        self.writer.write(f"{self.server.greeting}\r\n".encode())
        while line := await self._next_line():
            tag, _, command = line.partition(" ")
            self.server.commands.append(re.sub(r"^(LOGIN|AUTHENTICATE \S+) .*", r"\1", command))
            self._fault = self.server.take_fault(command)
            if self._fault is Fault.DROP:
                raise _Dropped
            if self._fault is Fault.RENUMBER:
                self.server.inbox.renumber()
                raise _Dropped
            if self._fault is Fault.BYE:
                await self._say(b"* BYE going down\r\n")
                raise _Dropped
            if self._fault is Fault.SILENT:
                await asyncio.Event().wait()
            for noise in self.server.noise:
                await self._say(f"{noise}\r\n".encode())
            words = _words(command)
            name = "_".join(words[:2] if words[0].upper() == "UID" else words[:1]).lower().replace("-", "_")
            handler = getattr(self, f"_on_{name}", None)
            answer = await handler(words[2:] if name.startswith("uid_") else words[1:]) if handler else "BAD unknown"
            await self._say(f"{tag} {answer}\r\n".encode())
            if name == "logout":
                return

    async def _next_line(self) -> str:
        if self._read:
            return self._read.popleft()
        line = await self._line()
        if self.server.held is not None and self.server.held[0].match(line.partition(" ")[2]):
            count, self.server.held = self.server.held[1], None
            self._read.extend([await self._line() for _ in range(count - 1)])
        return line

    async def _line(self) -> str:
        line = b""
        while True:
            line += await self.reader.readuntil(b"\r\n") if not self.reader.at_eof() else b""
            literal = re.search(rb"\{(\d+)(\+?)\}\r\n$", line)
            if not literal:
                return line.rstrip(b"\r\n").decode("utf-8", "surrogateescape")
            if not literal[2]:
                await self._say(b"+ go on\r\n")
            line = line[: literal.start()] + b'"' + await self.reader.readexactly(int(literal[1])) + b'"'

    async def _say(self, data: bytes) -> None:
        if self.server.bare_lf:
            data = data.replace(b"\r\n", b"\n")
        if self._fault is Fault.SLOW:
            for byte in data:
                self.writer.write(bytes([byte]))
                await self.writer.drain()
                await asyncio.sleep(0)
            return
        if self._fault is Fault.CUT and (literal := re.search(rb"\{\d+\}\r\n", data)):
            self.writer.write(data[: literal.end() + 3])
            await self.writer.drain()
            raise _Dropped
        self.writer.write(data)
        await self.writer.drain()

    # ── commands, each gives the words behind the tag

    async def _on_capability(self, _: list[str]) -> str:
        own = self.server.after_login if self.logged_in and self.server.after_login else self.server.capabilities
        await self._say(f"* CAPABILITY IMAP4rev1 {own}\r\n".encode())
        return "OK done"

    async def _on_noop(self, _: list[str]) -> str:
        if self.folder is not None:
            await self._say(f"* {len(self.folder.messages)} EXISTS\r\n".encode() if self._grown() else b"")
        return "OK done"

    async def _on_logout(self, _: list[str]) -> str:
        await self._say(b"* BYE bye\r\n")
        return "OK done"

    async def _on_login(self, words: list[str]) -> str:
        return self._admit(words == [self.server.login, self.server.password])

    async def _on_authenticate(self, words: list[str]) -> str:
        if len(words) == 1:
            await self._say(b"+ \r\n")
            words.append(await self._line())
        response = base64.b64decode(words[1]).decode()
        if words[0] == "PLAIN" and self.server.plain_refusal:
            return self.server.plain_refusal
        if words[0] == "PLAIN":
            return self._admit(response == f"\0{self.server.login}\0{self.server.password}")
        user, bearer = re.fullmatch(r"user=(.*)\x01auth=Bearer (.*)\x01\x01", response).groups()  # type: ignore[union-attr]
        if user == self.server.login and self.server.tokens(bearer):
            return self._admit(right=True)
        await self._say(b"+ " + base64.b64encode(b'{"status":"400"}') + b"\r\n")  # XOAUTH2: the client answers nothing
        assert await self._line() == ""
        return self._admit(right=False)

    def _admit(self, right: bool) -> str:  # noqa: FBT001 - a verdict
        self.server.logins += 1
        most = self.server.most_connections
        others = sum(each.logged_in for each in self.server._connections)
        if right and most is not None and others >= most:
            return f"NO [UNAVAILABLE] Maximum number of connections from user+IP exceeded (mail_max={most})"
        self.logged_in = right
        self.server.most_at_once = max(self.server.most_at_once, others + right)
        return "OK logged in" if right else f"NO {self.server.refusal}"

    async def _on_select(self, words: list[str]) -> str:
        folder = self.server.folders.get(_folder(words[0]))
        if self.server.select_refusal or folder is None:
            return f"NO {self.server.select_refusal or '[NONEXISTENT] no such folder'}"
        self.folder, self._seen = folder, len(folder.messages)
        told = f"* OK [UIDVALIDITY {folder.validity}] valid\r\n* OK [UIDNEXT {folder.next_uid}] next\r\n"
        await self._say(f"* {self._seen} EXISTS\r\n{told}".encode())
        return "OK [READ-ONLY] done" if self.server.read_only else "OK [READ-WRITE] done"

    async def _on_list(self, words: list[str]) -> str:
        pattern = _folder(words[1])
        for name, folder in self.server.folders.items():
            if pattern in {"*", name} and name:
                quoted = imap_utf7.encode(name).decode()
                await self._say(f'* LIST ({folder.use}) "{self.server.separator}" "{quoted}"\r\n'.encode())
        if not pattern:
            await self._say(f'* LIST (\\Noselect) "{self.server.separator}" ""\r\n'.encode())
        return "OK done"

    async def _on_namespace(self, _: list[str]) -> str:
        await self._say(f'* NAMESPACE (("{self.server.prefix}" "{self.server.separator}")) NIL NIL\r\n'.encode())
        return "OK done"

    async def _on_id(self, _: list[str]) -> str:
        await self._say(b'* ID ("name" "Scripted" "version" "1")\r\n')
        return "OK done"

    async def _on_create(self, words: list[str]) -> str:
        name = _folder(words[0])
        if self.server.prefix and not name.startswith(self.server.prefix):
            return "NO not in your namespace"
        above = name.rpartition(self.server.separator)[0]
        if above and above not in self.server.folders:
            return "NO its parent is missing"
        self.server.folders.setdefault(name, Folder())
        return "OK done"

    async def _on_subscribe(self, _: list[str]) -> str:
        return "OK done"

    async def _on_status(self, words: list[str]) -> str:
        unseen = sum("\\Seen" not in message.flags for message in self.server.folders[_folder(words[0])].messages)
        await self._say(f"* STATUS {words[0]} (UNSEEN {unseen})\r\n".encode())
        return "OK done"

    async def _on_idle(self, _: list[str]) -> str:
        if "IDLE" not in self.server.capabilities:
            return "BAD unknown"
        await self._say(b"+ idling\r\n")
        self.idling = True
        if self._grown():
            self.tell(f"* {len(self._open.messages)} EXISTS")
        try:
            assert await self._line() == "DONE"
        finally:
            self.idling = False
        return "OK done"

    async def _on_uid_search(self, words: list[str]) -> str:
        """Of the criteria it knows UNSEEN and ranges of UIDs to the last; SINCE finds all."""
        passed = {"\\Seen", "\\Deleted"} if "UNSEEN" in words else {"\\Deleted"}
        first = words[1].partition(":")[0] if words[0] == "UID" else "1"
        last = max((one.uid for one in self._open.messages), default=0)
        least = last if first == "*" else min(int(first), last)
        found = [str(one.uid) for one in self._open.messages if one.uid >= least and not one.flags & passed]
        await self._say(f"* SEARCH {' '.join(found)}\r\n".encode())
        return "OK done"

    async def _on_uid_fetch(self, words: list[str]) -> str:
        items, answer = " ".join(words[1:]), "OK done"
        for number, message in self._chosen(words[0]):
            if message.uid in self.server.broken and "RFC822.SIZE" in items:
                if not self.server.refuses_broken:
                    await self._say(b"* BYE FETCH failed: Internal error occurred.\r\n")
                    raise _Dropped
                answer = "NO [SERVERBUG] Internal error occurred."
                continue
            if self._fault is Fault.EXPUNGE:
                self._open.messages.remove(message)
                await self._say(f"* {number} EXPUNGE\r\n".encode())
                continue
            told = [f"UID {message.uid}".encode()]
            if "FLAGS" in items:
                told.append(f"FLAGS ({' '.join(sorted(message.flags))})".encode())
            if "INTERNALDATE" in items:
                told.append(f"INTERNALDATE {self.server.internaldate(message.received_at)}".encode())
            if "RFC822.SIZE" in items:
                told.append(f"RFC822.SIZE {self.server.size(message.raw)}".encode())
            if part := re.search(r"BODY\.PEEK\[\]<(\d+)\.(\d+)>", items):
                content = message.raw[int(part[1]) : int(part[1]) + int(part[2])]
                if self._fault is Fault.SHORT:
                    content = content[: max(1, len(content) // 2)]
                claimed = 2**40 if self._fault is Fault.ENDLESS else len(content)
                told.append(f"BODY[]<{part[1]}> {{{claimed}}}\r\n".encode() + content)
            await self._say(f"* {number} FETCH (".encode() + b" ".join(told) + b")\r\n")
        return answer

    async def _on_uid_store(self, words: list[str]) -> str:
        for _, message in self._chosen(words[0]):
            message.flags |= set(" ".join(words[2:]).strip("()").split())
        return "OK done"

    async def _on_uid_copy(self, words: list[str]) -> str:
        target = self.server.folders.get(_folder(words[1]))
        if target is None:
            return "NO [TRYCREATE] no such folder"
        for _, message in self._chosen(words[0]):
            target.add(message.raw, message.received_at, frozenset(message.flags))
        return "OK done"

    async def _on_uid_move(self, words: list[str]) -> str:
        if "MOVE" not in self.server.capabilities:
            return "BAD unknown"
        answer = await self._on_uid_copy(words)
        if answer.startswith("OK"):
            await self._remove([number for number, _ in self._chosen(words[0])])
        return answer

    async def _on_uid_expunge(self, words: list[str]) -> str:
        if "UIDPLUS" not in self.server.capabilities:
            return "BAD unknown"
        await self._remove([number for number, one in self._chosen(words[0]) if "\\Deleted" in one.flags])
        return "OK done"

    async def _remove(self, numbers: list[int]) -> None:
        for number in reversed(numbers):
            del self._open.messages[number - 1]
            await self._say(f"* {number} EXPUNGE\r\n".encode())
        self._seen = len(self._open.messages)

    @property
    def _open(self) -> Folder:
        assert self.folder is not None
        return self.folder

    def _grown(self) -> bool:
        grown, self._seen = len(self._open.messages) > self._seen, len(self._open.messages)
        return grown

    def _chosen(self, uids: str) -> list[tuple[int, Message]]:
        wanted = {int(uid) for uid in uids.split(",")}
        return [(number, one) for number, one in enumerate(self._open.messages, start=1) if one.uid in wanted]


def _words(command: str) -> list[str]:
    """Atoms and quoted strings; a parenthesised list stays in its atoms."""
    found = re.findall(r'"((?:[^"\\]|\\.)*)"|(\S+)', command)
    return [re.sub(r"\\(.)", r"\1", quoted) if quoted or not atom else atom for quoted, atom in found]


def _folder(word: str) -> str:
    decoded: str = imap_utf7.decode(word.encode())
    return "INBOX" if decoded.upper() == "INBOX" else decoded
