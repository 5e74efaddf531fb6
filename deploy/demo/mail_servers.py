"""The mailboxes of the demonstration, of each kind: where its mails are delivered, and what the settings then say.

maildir    a folder
imap       Dovecot, which `make demo` starts and names in TEST_IMAP_… (`deploy.local.dovecot`)
ews        the EWS server of the tests, a process for each mailbox
graph      the Graph and Entra server of the tests, a process
"""

from __future__ import annotations

import asyncio
import imaplib
import json
import os
import ssl
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Protocol

import httpx

from deploy.demo.maildir import Delivered, Maildir
from deploy.local.dovecot import ImapEndpoint
from deploy.local.failure import SetUpFailed
from shared.errors import Misconfigured

OFTEN: Final = {"check_interval_seconds": 1}
"""For servers that do not tell of new mail."""
CHECKOUT: Final = Path(__file__).parents[2]
_STOP_SECONDS: Final = 5.0


class Post(Protocol):
    """Mailboxes by name, and how mail gets into them."""

    @property
    def settings(self) -> Mapping[str, Mapping[str, str | int]]:
        """What the importer's settings say of each mailbox: columns of importer_settings, `password` in the clear.

        None for a Maildir, which the sample organisation has already.
        """
        ...

    @property
    def environment(self) -> Mapping[str, str]:
        """What the services are told besides."""
        ...

    async def deliver(self, mailbox: str, mail: bytes) -> Delivered:
        """Put an unread mail into a mailbox."""
        ...


@dataclass(frozen=True, slots=True)
class MaildirPost:
    """A Maildir for each mailbox, all in one folder."""

    folder: Path
    settings: Mapping[str, Mapping[str, str | int]] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)

    async def deliver(self, mailbox: str, mail: bytes) -> Delivered:
        """As a mail server delivers."""
        return Maildir(self.folder / mailbox).deliver(mail)


@dataclass(frozen=True, slots=True)
class ImapPost:
    """An account for each mailbox on an IMAP server; delivered to by APPEND."""

    server: ImapEndpoint
    settings: Mapping[str, Mapping[str, str | int]]
    environment: Mapping[str, str] = field(default_factory=dict)

    async def deliver(self, mailbox: str, mail: bytes) -> Delivered:
        """Over a connection of its own."""
        return await asyncio.to_thread(self._append, mailbox, mail)

    def _append(self, mailbox: str, mail: bytes) -> Delivered:
        tls = ssl.create_default_context(cafile=self.server.ca_file)
        with imaplib.IMAP4_SSL(self.server.host, self.server.imaps_port, ssl_context=tls) as client:
            client.login(mailbox, self.server.password)
            at = time.time()
            client.append("INBOX", "", imaplib.Time2Internaldate(at), mail)
            uid: list[Any] = client.response("APPENDUID")[1]
            return Delivered(uid[0].decode().replace(" ", "."), at)


@dataclass(frozen=True, slots=True)
class HttpPost:
    """Mailboxes behind servers of ours that take mail by POST; `places` are the URLs."""

    client: httpx.AsyncClient
    places: Mapping[str, str]
    settings: Mapping[str, Mapping[str, str | int]]
    environment: Mapping[str, str] = field(default_factory=dict)

    async def deliver(self, mailbox: str, mail: bytes) -> Delivered:
        """As the server's control says."""
        at = time.time()
        answer = await self.client.post(self.places[mailbox], content=mail)
        return Delivered(answer.raise_for_status().json()["key"], at)


@asynccontextmanager
async def _maildirs(folder: Path, addresses: Mapping[str, str]) -> AsyncIterator[Post]:
    for name in addresses:
        Maildir(folder / name)
    yield MaildirPost(folder)


@asynccontextmanager
async def _imap(_: Path, addresses: Mapping[str, str]) -> AsyncIterator[Post]:
    try:
        server = ImapEndpoint.named(os.environ)
    except SetUpFailed as failure:
        raise Misconfigured(f"There is no IMAP server: `make demo MAILBOX=imap` brings one. {failure}") from failure
    shared = {
        "kind": "imap",
        "server": f"{server.host}:{server.imaps_port}",
        "password": server.password,
        "ca_file": server.ca_file,
    }
    yield ImapPost(server, {name: {**shared, "username": name} for name in addresses})


@asynccontextmanager
async def _ews(folder: Path, addresses: Mapping[str, str]) -> AsyncIterator[Post]:
    async with AsyncExitStack() as stack:
        places, settings = {}, {}
        client = httpx.AsyncClient(verify=False, trust_env=False)  # noqa: S501 - each has a certificate of its own
        await stack.enter_async_context(client)
        for name, address in addresses.items():
            server = await stack.enter_async_context(_server("ews", folder / name, "--address", address))
            places[name] = f"{server['control']}/deliver"
            settings[name] = {
                **OFTEN,
                "kind": "ews",
                "server": server["url"],
                "username": server["login"],
                "password": server["password"],
                "ca_file": server["ca_file"],
            }
        yield HttpPost(client, places, settings)


@asynccontextmanager
async def _graph(folder: Path, addresses: Mapping[str, str]) -> AsyncIterator[Post]:
    options = [word for address in addresses.values() for word in ("--mailbox", address)]
    async with _server("graph_server", folder, *options) as cloud:
        shared = {
            **OFTEN,
            "kind": "graph",
            "tenant": cloud["tenant"],
            "username": cloud["client_id"],
            "password": cloud["secret"],
            "ca_file": cloud["ca_file"],
        }
        tls = ssl.create_default_context(cafile=cloud["ca_file"])
        async with httpx.AsyncClient(verify=tls, trust_env=False) as client:
            places = {name: f"{cloud['url']}/control/{address}" for name, address in addresses.items()}
            yield HttpPost(client, places, dict.fromkeys(addresses, shared), cloud["environment"])


@asynccontextmanager
async def _server(module: str, folder: Path, *options: str) -> AsyncIterator[dict[str, Any]]:
    """A server of the tests as a process, and what it tells of itself; it ends with us, however we end."""
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    process = await asyncio.create_subprocess_exec(
        *("setpriv", "--pdeathsig", "TERM", sys.executable, "-m", f"tests.servers.{module}", str(folder), *options),
        cwd=CHECKOUT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        line = await process.stdout.readline() if process.stdout else b""
        if not line:
            raise Misconfigured(f"The server of {module} of the tests does not start; what it says stands above.")
        yield json.loads(line)
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), _STOP_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()


MAIL_SERVERS: Final[Mapping[str, Callable[[Path, Mapping[str, str]], AbstractAsyncContextManager[Post]]]] = (
    MappingProxyType({"maildir": _maildirs, "imap": _imap, "ews": _ews, "graph": _graph})
)
"""By kind: made with a folder for their files, and the address of each mailbox."""
