"""A mail server on a real loopback socket that keeps what it accepts: for the demo and for the tests.

It speaks ESMTP by aiosmtpd, with STARTTLS or TLS from the first byte, a login, SMTPUTF8, and the troubles of real
servers on demand: a refused recipient, an answer of 4xx or 5xx to any command, a connection that breaks after the mail
was taken.

    async with SmtpServer() as server:
        server.answers["RCPT"] = ["450 4.7.1 Try again later"]
        …                                    # send to server.host, server.port
        [mail] = await server.wait_for(1)
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Literal, Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

Verb = Literal["EHLO", "AUTH", "MAIL", "RCPT", "DATA"]

_ACCEPTED: Final = "250 OK"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One mail that the server took: its envelope, its bytes with CRLF, and how it came."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    connection: int
    """The number of the connection that brought it, from 1."""
    tls: bool
    login: str | None


@dataclass  # without slots: aiosmtpd asks for all members, and Python 3.11.2 fails on those of a slotted class
class SmtpServer:
    """An SMTP server on `host` and `port` (0: a free one, known once it runs) that keeps its `deliveries` in order.

    `refused` maps a recipient's address to the reply that its RCPT always gets. `answers` maps a verb to replies that
    are given once each, in order, in place of its normal one; a reply that starts with 421 also ends the connection.
    `break_after_data` counts the mails that are taken and whose connection then ends without a reply. `on_recipient`
    and `on_delivery` are awaited when a recipient is named and when a mail is taken, before the reply. `login` (user,
    password), when set, is demanded before MAIL.
    """

    host: str = "127.0.0.1"
    port: int = 0
    tls: ssl.SSLContext | None = None
    tls_from_the_start: bool = False
    login: tuple[str, str] | None = None
    smtputf8: bool = True
    refused: dict[str, str] = field(default_factory=dict)
    answers: dict[Verb, list[str]] = field(default_factory=dict)
    break_after_data: int = 0
    on_recipient: Callable[[str], Awaitable[None]] | None = None
    on_delivery: Callable[[Delivery], Awaitable[None]] | None = None
    deliveries: list[Delivery] = field(default_factory=list)
    connections: int = 0
    logins: list[str] = field(default_factory=list)
    """The user of each try to log in, refused ones too."""
    _server: asyncio.Server | None = None
    _open: set[_Connection] = field(default_factory=set)
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        implicit = self.tls if self.tls_from_the_start else None
        self._server = await loop.create_server(lambda: self._connection(loop), self.host, self.port, ssl=implicit)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop listening and end every connection."""
        if self._server is not None:
            self._server.close()
            self.drop_connections()
            await self._server.wait_closed()

    @property
    def open_connections(self) -> int:
        """How many clients are connected now."""
        return len(self._open)

    def drop_connections(self) -> None:
        """End every open connection without a word, as a server does that restarts or finds a client idle."""
        for connection in list(self._open):
            connection.abort()

    async def wait_for(self, count: int, *, seconds: float = 20) -> list[Delivery]:
        """The deliveries, as soon as there are at least `count`; TimeoutError after `seconds`."""
        async with asyncio.timeout(seconds), self._changed:
            await self._changed.wait_for(lambda: len(self.deliveries) >= count)
        return list(self.deliveries)

    def _connection(self, loop: asyncio.AbstractEventLoop) -> _Connection:
        self.connections += 1
        return _Connection(
            self,
            number=self.connections,
            loop=loop,
            hostname="localhost",
            enable_SMTPUTF8=self.smtputf8,
            tls_context=None if self.tls_from_the_start else self.tls,
            auth_require_tls=False,
            auth_exclude_mechanism=() if self.login else ("LOGIN", "PLAIN"),
            authenticator=self._authenticate,
        )

    def _authenticate(self, _: SMTP, __: Session, ___: Envelope, ____: str, credentials: Any) -> AuthResult:
        user, password = _text(credentials) if isinstance(credentials, LoginPassword) else ("", "")
        self.logins.append(user)
        if answer := self._answer("AUTH"):
            return AuthResult(success=False, handled=False, message=answer)
        return AuthResult(success=(user, password) == self.login, handled=False, auth_data=user)

    def _answer(self, verb: Verb) -> str | None:
        waiting = self.answers.get(verb)
        return waiting.pop(0) if waiting else None

    # aiosmtpd calls these by name; each returns the reply.

    async def handle_EHLO(  # noqa: N802
        self, _: SMTP, session: Session, __: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        """Greet, or answer otherwise."""
        session.host_name = hostname
        answer = self._answer("EHLO")
        return [answer] if answer else responses

    async def handle_MAIL(  # noqa: N802
        self, server: _Connection, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take the sender; not before the login, where one is demanded."""
        if answer := self._answer("MAIL"):
            return server.said(answer)
        if self.login and not session.authenticated:
            return "530 5.7.0 Authentication required"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return _ACCEPTED

    async def handle_RCPT(  # noqa: N802
        self, server: _Connection, _: Session, envelope: Envelope, address: str, __: list[str]
    ) -> str:
        """Take a recipient, unless he is refused."""
        if self.on_recipient is not None:
            await self.on_recipient(address)
        if answer := self.refused.get(address) or self._answer("RCPT"):
            return server.said(answer)
        envelope.rcpt_tos.append(address)
        return _ACCEPTED

    async def handle_DATA(self, server: _Connection, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep the mail."""
        if answer := self._answer("DATA"):
            return server.said(answer)
        delivery = Delivery(
            sender=envelope.mail_from or "",
            recipients=tuple(envelope.rcpt_tos),
            content=envelope.original_content or b"",
            connection=server.number,
            tls=server.is_encrypted(),
            login=session.auth_data if session.authenticated else None,
        )
        self.deliveries.append(delivery)
        async with self._changed:
            self._changed.notify_all()
        if self.on_delivery is not None:
            await self.on_delivery(delivery)
        if self.break_after_data:
            self.break_after_data -= 1
            server.abort()
        return f"250 2.0.0 Ok: queued as {len(self.deliveries)}"


class _Connection(SMTP):
    """One client's connection, known to its server so that it can be ended."""

    def __init__(self, owner: SmtpServer, *, number: int, **arguments: Any) -> None:
        super().__init__(owner, **arguments)
        self.number = number
        self._owner = owner

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._owner._open.add(self)  # noqa: SLF001 - the two halves of one server

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self._owner._open.discard(self)  # noqa: SLF001

    def is_encrypted(self) -> bool:
        return self.transport is not None and self.transport.get_extra_info("ssl_object") is not None

    def said(self, answer: str) -> str:
        """`answer`; the connection ends behind a 421 (RFC 5321 §3.8)."""
        if answer.startswith("421"):
            asyncio.get_running_loop().call_soon(self._close)
        return answer

    def _close(self) -> None:
        if self.transport is not None:
            self.transport.close()

    def abort(self) -> None:
        # QUIRK: Python 3.11.2 cannot abort a TLS transport that is closed already.
        if isinstance(self.transport, asyncio.WriteTransport) and not self.transport.is_closing():
            self.transport.abort()


def _text(credentials: LoginPassword) -> tuple[str, str]:
    return credentials.login.decode(errors="replace"), credentials.password.decode(errors="replace")
