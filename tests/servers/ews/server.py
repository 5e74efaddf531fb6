"""An EWS server over real sockets: logging in, transport, and faults; `operations` does the work.

    with EwsServer(user, store, tls=certificates.server) as server:
        server.deliver(raw, received_at)
        server.next("GetItem", Truncated())

It runs in a thread of its own. IIS logs in a connection with NTLM, not a request; that is kept here, for each TCP
connection.
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import os
import socket
import ssl
import tempfile
import threading
from asyncio.trsock import TransportSocket
from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final, Self
from xml.etree.ElementTree import Element, ParseError, fromstring, tostring

import spnego
from aiohttp import web
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import load_pem_x509_certificate
from spnego.channel_bindings import GssChannelBindings
from spnego.exceptions import SpnegoError

from tests.servers.ews.faults import Answer, Dropped, Fault, Refusal, Silent, Slow, Truncated, Without
from tests.servers.ews.operations import (
    PRODUCTS,
    Operations,
    Refused,
    fault_xml,
    messages_xml,
    operation_name,
)
from tests.servers.ews.store import Item, Store, User

PATH: Final = "/EWS/Exchange.asmx"
WEB_PAGE: Final = "<!DOCTYPE html><html><head><title>401</title></head><body><p>Geen toegang</p></body></html>"


@dataclass(slots=True)
class _Login:
    """How far a connection is with logging in."""

    context: spnego.ContextProxy | None = None
    user: User | None = None


@dataclass(slots=True)
class Manners:
    """How this server differs from the next one."""

    product: str = "2019"
    ways: tuple[str, ...] = ("Negotiate", "NTLM")
    """What its 401 offers, in this order."""
    most_items: int = 1000
    """EWSFindCountLimit."""
    wants_change_key: bool = False
    refuses_properties: str | None = None
    """The response code that a request for an extended property meets."""
    close_with_401: bool = False
    bound_to: Path | None = None
    """Extended Protection: NTLM must be bound to this certificate (RFC 5929 §4.1), that of the server or of another."""
    compress: bool = False
    chunked: bool = False
    http10: bool = False
    """Answers as HTTP/1.0: each connection is closed."""


@dataclass(slots=True)
class Seen:
    """What was asked, for tests that count."""

    operations: Counter[str] = field(default_factory=Counter)
    """Requests that were let in."""
    requests: int = 0
    """All HTTP requests, those of logging in too."""
    credentials: list[str] = field(default_factory=list)
    """The scheme of each Authorization header."""
    bodies: list[str] = field(default_factory=list)
    bytes_sent: int = 0


class EwsServer:
    """A server with one mailbox to begin with. What tests change is public."""

    def __init__(
        self, user: User, store: Store, *, tls: ssl.SSLContext | None = None, manners: Manners | None = None
    ) -> None:
        self.users = [user]
        self.stores = {store.address: store}
        self.store = store
        self.manners = manners or Manners()
        self.seen = Seen()
        self._tls = tls
        self._faults: dict[str, deque[Fault]] = defaultdict(deque)
        self._logins: dict[asyncio.BaseTransport, _Login] = {}
        self._sockets: set[TransportSocket] = set()
        self._folder = tempfile.TemporaryDirectory()
        self._listening = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.port = 0

    @property
    def host(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """Where EWS is."""
        return f"{'https' if self._tls else 'http'}://{self.host}{PATH}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, port: int = 0) -> None:
        """Listen on the loopback."""
        self._thread = threading.Thread(target=self._run, args=(port,), name="EWS server")
        self._thread.start()
        if not self._listening.wait(timeout=30):
            raise TimeoutError("the EWS server does not start")

    def stop(self) -> None:
        """Stop listening, and end what is going on."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._ended.set)
            self._thread.join()
            self._loop = None
        self._folder.cleanup()

    def _run(self, port: int) -> None:
        asyncio.run(self._listen(port))

    async def _listen(self, port: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        app = web.Application(client_max_size=4 * 1024 * 1024)
        app.router.add_post(PATH, self._serve)
        self._add_routes(app)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await runner.setup()
        assert runner.server is not None
        sock = socket.create_server(("127.0.0.1", port))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)  # what is sent is soon what is received
        listener = await self._loop.create_server(
            runner.server, sock=sock, ssl=self._tls, ssl_shutdown_timeout=0.1 if self._tls else None
        )
        self.port = sock.getsockname()[1]
        self._listening.set()
        await self._ended.wait()
        listener.close()
        await runner.cleanup()
        async with asyncio.timeout(10):
            while any(each.fileno() >= 0 for each in self._sockets):  # TLS takes its leave
                await asyncio.sleep(0.01)

    def deliver(self, raw: bytes, received_at: datetime | None, **particulars: object) -> Item:
        """Put an unread mail into the inbox."""
        item = Item(raw, received_at)
        for name, value in particulars.items():
            setattr(item, name, value)
        self.store.inbox.items.append(item)
        return item

    def next(self, operation: str, *faults: Fault) -> None:
        """Spoil the next answers to this operation, in this order."""
        self._faults[operation].extend(faults)

    def next_as_ever(self) -> None:
        """Forget what was still to be spoilt."""
        self._faults.clear()

    def _add_routes(self, app: web.Application) -> None:
        """For a server that has more than EWS."""

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        self.seen.requests += 1
        body = await request.text()
        user = self._log_in(request)
        if isinstance(user, web.Response):
            return user
        self.seen.bodies.append(body)
        try:
            envelope = fromstring(body)  # noqa: S314 - what our own client wrote
            operation = operation_name(envelope)
        except (ParseError, Refused):
            return web.Response(status=400, text="Bad Request")
        self.seen.operations[operation] += 1
        fault = self._faults[operation].popleft() if self._faults[operation] else None
        if isinstance(fault, Silent):
            await asyncio.sleep(3600)
        if isinstance(fault, Answer):
            return self._web(fault.status, fault.body, fault.headers)
        if isinstance(fault, Dropped) and fault.after == 0:
            return await self._drop(request)
        status, answer = self._answer(envelope, operation, user, fault)
        if isinstance(fault, Without):
            answer = _without(answer, fault)
        return await self._send(request, status, answer.encode(), fault)

    def _answer(self, envelope: Element, operation: str, user: User, fault: Fault | None) -> tuple[int, str]:
        product = PRODUCTS[self.manners.product]
        operations = Operations(
            product,
            self.stores,
            user,
            most_items=self.manners.most_items,
            wants_change_key=self.manners.wants_change_key,
            refuses_properties=self.manners.refuses_properties,
        )
        if isinstance(fault, Without):
            fault = fault.of
        try:
            if isinstance(fault, Refusal):
                raise Refused(fault.code, fault=fault.fault, back_off=fault.back_off)  # noqa: TRY301 - as the others
            return 200, messages_xml(product, operation, operations.answers(envelope, fault))
        except Refused as refused:
            if refused.fault:
                return 500, fault_xml(product, refused)
            return 200, messages_xml(product, operation, [refused])

    async def _send(self, request: web.Request, status: int, body: bytes, fault: Fault | None) -> web.StreamResponse:
        headers = {"Content-Type": "text/xml; charset=utf-8", "X-FEServer": "EX1"}
        if self.manners.compress:
            body = gzip.compress(body)
            headers["Content-Encoding"] = "gzip"
        if isinstance(fault, Truncated):
            body = body[: int(len(body) * fault.at)]
        assert isinstance(request.transport, asyncio.Transport)
        request.transport.set_write_buffer_limits(65536)
        response = web.StreamResponse(status=status, headers=headers)
        if self.manners.http10:
            response.force_close()
        elif self.manners.chunked:
            response.enable_chunked_encoding()
        else:
            response.content_length = len(body)
        await response.prepare(request)
        if isinstance(fault, Dropped):
            await response.write(body[: int(len(body) * fault.after)])
            return await self._drop(request)
        pieces = len(body) if isinstance(fault, Slow) else max(1, len(body) // 65536)
        step = -(-len(body) // pieces)
        try:
            for start in range(0, len(body), step):
                await response.write(body[start : start + step])
                self.seen.bytes_sent += step
                await asyncio.sleep(fault.pause if isinstance(fault, Slow) else 0)  # and hear that the client is gone
            await response.write_eof()
        except ConnectionError:
            return response  # the client has enough of it
        return response

    async def _drop(self, request: web.Request) -> web.StreamResponse:
        if isinstance(request.transport, asyncio.Transport):
            request.transport.close()
        raise web.HTTPServiceUnavailable  # to nobody

    def _log_in(self, request: web.Request) -> User | web.Response:
        """Who is logged in on this connection, or what the client must be told."""
        transport = request.transport
        assert transport is not None
        self._sockets.add(transport.get_extra_info("socket"))
        self._logins = {each: login for each, login in self._logins.items() if not each.is_closing()}
        login = self._logins.setdefault(transport, _Login())
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme:
            self.seen.credentials.append(scheme)
        if scheme.lower() == "basic" and "Basic" in self.manners.ways:
            name, _, password = base64.b64decode(token).decode().partition(":")
            user = self._user(name)
            return user if user is not None and user.password == password and not user.locked else self._refuse()
        if scheme.lower() == "ntlm" and "NTLM" in self.manners.ways:
            return self._step(login, token)
        return login.user or self._refuse()

    def _step(self, login: _Login, token: str) -> User | web.Response:
        """A step of NTLM (MS-NTHT): its context lives as long as the connection."""
        users = Path(self._folder.name, "users")
        users.write_text(
            "".join(f"{_ntlm_name(user.login)}:{user.password}\n" for user in self.users), encoding="utf-8"
        )
        os.environ["NTLM_USER_FILE"] = str(users)  # pyspnego reads it when a context begins
        if login.context is None or login.context.complete:
            bindings = None if self.manners.bound_to is None else _bindings(self.manners.bound_to)
            login.user, login.context = None, spnego.server(protocol="ntlm", channel_bindings=bindings)
        try:
            challenge = login.context.step(base64.b64decode(token))
        except (SpnegoError, ValueError):
            login.context = None
            return self._refuse()
        finally:
            del os.environ["NTLM_USER_FILE"]
        if not login.context.complete:
            return self._refuse(f"NTLM {base64.b64encode(challenge or b'').decode()}")
        login.user = self._user(login.context.client_principal or "")
        if login.user is None or login.user.locked:
            login.user = None
            return self._refuse()
        return login.user

    def _user(self, name: str) -> User | None:
        return next((user for user in self.users if user.login.casefold() == name.casefold()), None)

    def _refuse(self, challenge: str | None = None) -> web.Response:
        response = web.Response(status=401, text=WEB_PAGE, content_type="text/html")
        for way in [challenge] if challenge else self.manners.ways:
            response.headers.add("WWW-Authenticate", f'{way} realm="{self.host}"' if way == "Basic" else way)
        if self.manners.close_with_401:
            response.force_close()
        return response

    def _web(self, status: int, body: str, headers: object) -> web.Response:
        return web.Response(status=status, text=body or WEB_PAGE, content_type="text/html", headers=dict(headers or {}))  # type: ignore[call-overload]


def _ntlm_name(login: str) -> str:
    domain, backslash, name = login.partition("\\")
    return f"{domain}:{name}" if backslash else f":{login}"


def _bindings(certificate: Path) -> GssChannelBindings:
    digest = load_pem_x509_certificate(certificate.read_bytes()).fingerprint(SHA256())
    return GssChannelBindings(application_data=b"tls-server-end-point:" + digest)


def _without(answer: str, fault: Without) -> str:
    root = fromstring(answer)  # noqa: S314 - what we just wrote
    number = 0
    for element in root.iter():
        for name in list(element.attrib):
            if number == fault.number:
                fault.removed = f"{_local(element.tag)}/@{_local(name)}"
                del element.attrib[name]
                return tostring(root, encoding="unicode")
            number += 1
        for child in list(element):
            if number == fault.number:
                fault.removed = f"{_local(element.tag)}/{_local(child.tag)}"
                element.remove(child)
                return tostring(root, encoding="unicode")
            number += 1
    return answer


def _local(name: str) -> str:
    return name.rpartition("}")[2]
