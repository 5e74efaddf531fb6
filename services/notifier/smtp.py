"""Sending by SMTP (RFC 5321) on kept connections: at most `connections` at a time, logged in once each.

TLS is what the account says and never less: STARTTLS that the server does not offer is trouble, not a reason to go on
without. A server in trouble is left alone for a while (`rest`), so that a queue of mails does not become a queue of
time-outs, and a wrong password does not lock the account.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import aiosmtplib
from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPConnectError,
    SMTPConnectResponseError,
    SMTPException,
    SMTPResponse,
    SMTPResponseException,
    SMTPServerDisconnected,
    SMTPStatus,
    SMTPTimeoutError,
)
from aiosmtplib.protocol import SMTPProtocol

from services.notifier.microsoft import trouble_of, xoauth2_advice
from services.notifier.notification import Account, Secrets, Security
from services.notifier.rules.replies import REPLY_LIMIT, Stage, is_completion, is_refusal, reply_line, verdict
from services.notifier.transport import AccountTrouble, InDoubt, OutgoingMail, Postponed, Refused
from shared.connecting import ForbiddenAddress, connect_async
from shared.microsoft.credentials import AppLogin
from shared.microsoft.errors import MicrosoftError
from shared.microsoft.tokens import TOKENS
from shared.one_line import one_line
from shared.portal.delivery import DeliveryReason
from shared.trust import UnusableCaFile, tls_context

COMMAND_SECONDS: Final = 30
"""How long a server may take to connect or to answer a command: nothing is lost by asking again."""
DATA_SECONDS: Final = 120
"""How long it may take to answer DATA, where some look at the sender once more (RFC 5321 §4.5.3.2.4)."""
CONTENT_SECONDS: Final = 600
"""How long it may take to answer for the whole mail: given up earlier, it arrives twice (RFC 5321 §4.5.3.2.6)."""
WAIT_SECONDS: Final = 120
"""How long a mail waits for a connection that others have in hand."""
IDLE_SECONDS: Final = 60
"""How long a connection is kept without work: servers end idle ones after one to five minutes."""

_LINE_END: Final = re.compile(rb"\r\n|\n|\r")
_LOST: Final = (SMTPServerDisconnected, SMTPTimeoutError, OSError)


@dataclass(frozen=True, slots=True)
class Rest:
    """How long an account in trouble is left alone by this process; a changed account starts afresh.

    A refused login rests far longer, for every notifier (`shared.logins`, `flow`): here only what is under way is held.
    """

    server_away: timedelta = timedelta(seconds=15)
    login_refused: timedelta = timedelta(minutes=1)

    def seconds(self, reason: DeliveryReason) -> float:
        """The rest after this reason."""
        return (self.login_refused if reason is DeliveryReason.LOGIN_REFUSED else self.server_away).total_seconds()


@dataclass(slots=True)
class _Connection:
    """A connection that is logged in; `used_at` by the monotonic clock."""

    client: SMTP
    used_at: float
    fresh: bool = True


class _Stale(Exception):
    """The server ended a kept connection while it was idle; nothing was handed over."""


class SmtpTransport:
    """One account on one SMTP server; its `secrets` belong to the account's username, or to its app registration."""

    def __init__(self, account: Account, secrets: Secrets, *, connections: int = 4, rest: Rest | None = None) -> None:
        self._account = account
        self._password = secrets.password
        self._certificate = secrets.certificate
        self._rest = rest or Rest()
        self._slots = asyncio.Semaphore(connections)
        self._waiting_is_vain = False
        """A mail has waited for its whole time and no connection became free; none has since."""
        self._opening = asyncio.Lock()
        self._kept: deque[_Connection] = deque()
        self._tls: ssl.SSLContext | None = None
        self._trouble: AccountTrouble | None = None
        self._resting_until = 0.0

    async def send(self, mail: OutgoingMail) -> str:
        """Hand the mail over on a kept connection, or on a new one (see `Transport`)."""
        await self._slot()
        try:
            while self._kept:
                with contextlib.suppress(_Stale):
                    return await self._send_on(self._kept.pop(), mail)
            return await self._send_on(await self._open(), mail)
        finally:
            self._waiting_is_vain = False
            self._slots.release()

    async def _slot(self) -> None:
        """One of the connections that may be in use at once.

        Who waits keeps mails of other accounts waiting: where it was in vain, nobody does until one has become free.
        """
        if self._waiting_is_vain and self._slots.locked():
            raise self._none_is_free()
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._slots.acquire()
        except TimeoutError:
            self._waiting_is_vain = True
            raise self._none_is_free() from None

    def _none_is_free(self) -> AccountTrouble:
        return AccountTrouble(
            DeliveryReason.SERVER_AWAY,
            f"{self._server()} takes very long for the mails before this one: none of its connections is free.",
            tried=False,
        )

    async def check(self) -> str:
        """See `Transport.check`: a connection of its own, ended at once."""
        account, client = self._account, await self._connect()
        tls = client.get_transport_info("ssl_object")
        await _quit(client)
        secured = "without TLS" if tls is None else str(tls.version())
        login = f"app {account.username} as {account.mailbox_address}" if account.tenant else account.username
        return f"SMTP at {self._server()}, {secured}, {f'logged in as {login}' if login else 'without a login'}"

    async def close_idle(self) -> None:
        """Close the connections that have not been used for IDLE_SECONDS."""
        before = time.monotonic() - IDLE_SECONDS
        idle = [connection for connection in self._kept if connection.used_at < before]
        self._kept = deque(connection for connection in self._kept if connection.used_at >= before)
        await asyncio.gather(*(_quit(connection.client) for connection in idle))

    async def close(self) -> None:
        """Say goodbye on every kept connection."""
        kept, self._kept = self._kept, deque()
        await asyncio.gather(*(_quit(connection.client) for connection in kept))

    async def _send_on(self, connection: _Connection, mail: OutgoingMail) -> str:
        """One mail transaction. The connection is kept afterwards unless it is in doubt."""
        keep = False
        try:
            reply = await self._transact(connection, mail)
            keep = True
        except (Refused, Postponed) as refusal:
            keep = not isinstance(refusal, AccountTrouble | InDoubt) and await _is_reset(connection.client)
            raise
        finally:
            if keep:
                connection.fresh = False
                connection.used_at = time.monotonic()
                self._kept.append(connection)
            else:
                _drop(connection.client)
        return reply

    async def _transact(self, connection: _Connection, mail: OutgoingMail) -> str:
        client = connection.client
        options, encoding = _options(client, mail)
        try:
            with self._replies(Stage.SENDER):
                await _ask(client, "MAIL", f"FROM:<{mail.return_path}>", *options, encoding=encoding)
        except AccountTrouble as trouble:
            if not connection.fresh and trouble.reason is DeliveryReason.SERVER_AWAY:
                raise _Stale from trouble
            raise
        with self._replies(Stage.RECIPIENT):
            await _ask(client, "RCPT", f"TO:<{mail.recipient}>", encoding=encoding)
            conversation = await _announce(client)
        mail.hand_over()
        with self._replies(Stage.CONTENT):
            response = await _hand_over(conversation, mail.content)
        return reply_line(response.code, response.message)

    async def _open(self) -> _Connection:
        """A new connection, safe as the account says and logged in. AccountTrouble when that cannot be had.

        One at a time: a wrong password is refused once, not on each of them.
        """
        async with self._opening:
            if self._trouble is not None and time.monotonic() < self._resting_until:
                raise AccountTrouble(self._trouble.reason, self._trouble.reply, tried=False)
            try:
                client = await self._connect()
            except AccountTrouble as trouble:
                self._trouble = trouble
                self._resting_until = time.monotonic() + self._rest.seconds(trouble.reason)
                raise
            self._trouble = None
            return _Connection(client, time.monotonic())

    async def _connect(self) -> SMTP:
        account, tls = self._account, await self._tls_context()
        with self._replies(Stage.CONNECTING):
            sock = await connect_async(account.host, account.port, COMMAND_SECONDS)
        client = SMTP(
            hostname=account.host,
            port=None,
            sock=sock,
            timeout=COMMAND_SECONDS,
            use_tls=account.security is Security.TLS,
            start_tls=account.security is Security.STARTTLS,
            tls_context=tls,
        )
        try:
            with self._replies(Stage.CONNECTING):
                await client.connect()
                await client.ehlo()  # now, so that its refusal is not taken for a refusal of the first mail
            with self._replies(Stage.LOGIN):
                await self._log_in(client)
        except BaseException:
            if client.transport is None:
                sock.close()  # no transport took it over yet
            _drop(client)
            raise
        return client

    async def _log_in(self, client: SMTP) -> None:
        """One try with one method: a second one would count as another failed login."""
        if self._account.tenant is not None:
            await self._log_in_as_app(client)
            return
        if self._account.username is None or self._password is None:
            return
        methods = {"plain": client.auth_plain, "login": client.auth_login, "cram-md5": client.auth_crammd5}
        log_in = next((method for name, method in methods.items() if name in client.server_auth_methods), None)
        if log_in is None:
            offered = ", ".join(client.server_auth_methods) or "none"
            raise AccountTrouble(
                DeliveryReason.LOGIN_REFUSED,
                f"The server offers no login that we know (it offers: {offered}).",
                tried=False,
            )
        await log_in(self._account.username, self._password.get_secret_value())

    async def _log_in_as_app(self, client: SMTP) -> None:
        """SASL XOAUTH2 in the name of the sending mailbox, with a token of the app (Microsoft, «SMTP using OAuth»)."""
        account = self._account
        try:
            login = AppLogin.of(
                account.cloud,
                tenant=account.tenant,
                client_id=account.username,
                secret=self._password,
                certificate=self._certificate,
                ca_file=account.ca_file,
            )
            token = await TOKENS.of(login, login.cloud.mail_scope)
        except MicrosoftError as error:
            raise trouble_of(error) from error
        if "xoauth2" not in client.server_auth_methods:
            raise AccountTrouble(
                DeliveryReason.LOGIN_REFUSED, f"{self._server()} offers no login by XOAUTH2.", tried=False
            )
        try:
            await client.auth_xoauth2(account.mailbox_address or "", token.get_secret_value())
        except SMTPAuthenticationError as answer:
            if 500 <= answer.code < 600:  # noqa: PLR2004 - definite, by its first digit
                TOKENS.forget(login, login.cloud.mail_scope, refused=token)
                said = reply_line(answer.code, answer.message)
                advised = f"{said} {xoauth2_advice(said)}"
                raise AccountTrouble(DeliveryReason.LOGIN_REFUSED, advised, refused_login=False) from answer
            raise

    async def _tls_context(self) -> ssl.SSLContext | None:
        if self._account.security is Security.NONE:
            return None
        if self._tls is None:
            try:  # reading the machine's certificates takes longer than the event loop may stand still
                self._tls = await asyncio.to_thread(tls_context, self._account.ca_file, "smtp")
            except UnusableCaFile as error:
                raise AccountTrouble(DeliveryReason.NOT_SECURE, str(error)) from error
        return self._tls

    @contextlib.contextmanager
    def _replies(self, stage: Stage) -> Iterator[None]:
        """Sort what goes wrong in this stage of the dialogue."""
        try:
            yield
        except (SMTPConnectResponseError, SMTPResponseException) as answer:
            if stage is Stage.CONTENT and not is_refusal(answer.code):  # a reply that is none, or neither yes nor no
                said = answer.message if answer.code < 0 else f"{answer.code} {answer.message}"  # -1 is the library's
                said = one_line(said)[: REPLY_LIMIT // 2]
                raise self._in_doubt(
                    f"{self._server()} answered for the mail with no reply of SMTP ({said})."
                ) from answer
            meaning = verdict(stage, answer.code, answer.message)
            kind = Refused if meaning.final else AccountTrouble if meaning.whole_account else Postponed
            raise kind(meaning.reason, reply_line(answer.code, answer.message)) from answer
        except ForbiddenAddress as error:
            raise AccountTrouble(DeliveryReason.NOT_SECURE, str(error)) from error
        except ssl.SSLError as error:
            raise self._not_secure(error) from error
        except SMTPConnectError as error:
            if isinstance(error.__cause__, ssl.SSLError):
                raise self._not_secure(error.__cause__) from error
            raise self._away(error, stage) from error
        except _LOST as error:
            raise self._away(error, stage) from error
        except SMTPException as error:  # the library's own word for STARTTLS or AUTH that is not offered
            reason = DeliveryReason.NOT_SECURE if stage is Stage.CONNECTING else DeliveryReason.LOGIN_REFUSED
            raise AccountTrouble(reason, f"{self._server()}: {one_line(error.message)}") from error

    def _not_secure(self, error: ssl.SSLError) -> AccountTrouble:
        said = getattr(error, "verify_message", "") or error.reason or str(error)
        return AccountTrouble(DeliveryReason.NOT_SECURE, f"{self._server()} shows no certificate that holds: {said}.")

    def _away(self, error: Exception, stage: Stage) -> Postponed:
        said = f"{self._server()} does not answer ({one_line(str(error)) or type(error).__name__})."
        if stage is Stage.CONTENT:  # how much of it had gone when the connection ended nobody tells us
            return self._in_doubt(said)
        return AccountTrouble(DeliveryReason.SERVER_AWAY, said)

    def _in_doubt(self, said: str) -> InDoubt:
        return InDoubt(DeliveryReason.SERVER_AWAY, f"{said} It may have taken the mail.")

    def _server(self) -> str:
        return f"{self._account.host}:{self._account.port}"


def _options(client: SMTP, mail: OutgoingMail) -> tuple[list[str], str]:
    """What MAIL FROM asks for, and the encoding of addresses. Refused for an address that this server cannot take."""
    options = [f"SIZE={len(mail.content)}"] if client.supports_extension("size") else []
    if not mail.recipient.needs_smtputf8:
        return options, "ascii"
    if not client.supports_extension("smtputf8"):
        raise Refused(
            DeliveryReason.REFUSED,
            f"The server takes no address such as {mail.recipient}: it has no SMTPUTF8 (RFC 6531).",
        )
    return [*options, "BODY=8BITMIME", "SMTPUTF8"], "utf-8"


async def _ask(client: SMTP, *words: str, encoding: str) -> None:
    """A command about an address. Its addresses are `Address`es: aiosmtplib would parse them once more."""
    response = await client.execute_command(*(word.encode(encoding) for word in words))
    if not is_completion(response.code):
        raise SMTPResponseException(response.code, response.message)


async def _announce(client: SMTP) -> SMTPProtocol:
    """DATA, and the leave to go on with the mail: nothing of it has gone yet."""
    started = await client.execute_command(b"DATA", timeout=DATA_SECONDS)
    if started.code != SMTPStatus.start_input:
        raise SMTPResponseException(started.code, started.message)
    if client.protocol is None:
        raise SMTPServerDisconnected("Connection lost")
    return client.protocol


async def _hand_over(conversation: SMTPProtocol, content: bytes) -> SMTPResponse:
    """The mail: `client.data` would look at every line of it, for ends to mend and dots to double."""
    conversation.write(_with_dots_doubled(content) + b".\r\n")
    response = await conversation.read_response(timeout=CONTENT_SECONDS)
    if not is_completion(response.code):
        raise SMTPResponseException(response.code, response.message)
    return response


def _with_dots_doubled(content: bytes) -> bytes:
    """The mail as DATA takes it: no line of it is a dot alone (RFC 5321 §4.5.2), whatever line ends it came with."""
    if not content.endswith(b"\r\n") or not content.count(b"\n") == content.count(b"\r") == content.count(b"\r\n"):
        content = _LINE_END.sub(b"\r\n", content).removesuffix(b"\r\n") + b"\r\n"
    return (b"." if content.startswith(b".") else b"") + content.replace(b"\n.", b"\n..")


async def _is_reset(client: SMTP) -> bool:
    """Whether the server is ready for another mail after a refusal."""
    try:
        await client.rset()
    except (aiosmtplib.SMTPException, OSError):
        return False
    return True


async def _quit(client: SMTP) -> None:
    with contextlib.suppress(aiosmtplib.SMTPException, OSError):
        await client.quit(timeout=2)
    _drop(client)


def _drop(client: SMTP) -> None:
    """End the connection now: closing would wait until a server that reads nothing has taken all that was written."""
    if isinstance(client.transport, asyncio.WriteTransport):
        client.transport.abort()
    client.close()
