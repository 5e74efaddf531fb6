r"""Microsoft 365 on a loopback socket: Entra and Graph over TLS, with mailboxes, rights, limits and faults on demand.

    with GraphServer(folder) as server:                # in a thread of its own
        mailbox = server.add_mailbox("help@klant.example")
        mailbox.deliver(b"Subject: …", received_at)
        server.fault(r"GET .*/\$value", broken_off)    # the next such request
        …                                              # IMPORTER_MICROSOFT_*_URL = server.url, CA file server.ca_file
        assert server.requests == ["GET /users/…"]

As a process, for the demo: `python -m tests.servers.graph_server FOLDER --mailbox ADDRESS …` prints one JSON object
with url, ca_file, tenant, client_id, secret and environment, and runs until SIGTERM; mail is delivered by POST
/control/ADDRESS (the raw bytes; the header X-Received tells when) and looked at by GET /control/ADDRESS.

What the real one does and this one does not: several datacentres, delays, and limits beside four requests at a time.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import re
import signal
import sys
import threading
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Final, Self

from aiohttp import web

from tests.servers.certificates import make_certificates
from tests.servers.graph_entra import CLIENT_ID, SECRET, TENANT, Entra
from tests.servers.graph_faults import Fault, Handler, Planned, graph_error
from tests.servers.graph_mailbox import GraphMailbox
from tests.servers.graph_requests import APP, GraphMail, Submitted

AT_ONCE: Final = 4
"""Requests of one app on one mailbox at a time (Microsoft, «Outlook service limits»)."""
ALL_RIGHTS: Final = frozenset(["Mail.ReadWrite", "Mail.Send"])


class GraphServer:
    """Entra and Graph on one port of 127.0.0.1; certificates and key files lie in `folder`."""

    def __init__(self, folder: Path, port: int = 0) -> None:
        certificates = make_certificates(folder)
        self.ca_file: Final = certificates.ca_file
        self.url = ""
        self.entra = Entra()
        self.mail = GraphMail("")
        self.requests: list[str] = []
        """Each request to Graph, in order: its method and path without the version; of ids only that there is one."""
        self.without_immutable_ids: list[str] = []
        """The requests among them that forgot to ask for immutable ids."""
        self.token_requests = 0
        self.most_at_once = 0
        self._tls = certificates.server
        self._port = port
        self._faults: list[Planned] = []
        self._busy: Counter[tuple[str, str]] = Counter()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._serve_in_thread, name="graph server", daemon=True)

    def add_mailbox(self, address: str, rights: frozenset[str] = ALL_RIGHTS) -> GraphMailbox:
        """A new mailbox, on which the app has these rights."""
        mailbox = GraphMailbox(address)
        self.mail.mailboxes[address.lower()] = mailbox
        self.mail.grants[CLIENT_ID, address.lower()] = set(rights)
        return mailbox

    @property
    def submitted(self) -> list[Submitted]:
        """The mails that left, in order."""
        return self.mail.submitted

    @property
    def environment(self) -> Mapping[str, str]:
        """What tells a process of ours to use this cloud."""
        return MappingProxyType({"IMPORTER_MICROSOFT_LOGIN_URL": self.url, "IMPORTER_MICROSOFT_GRAPH_URL": self.url})

    def fault(self, pattern: str, fault: Fault, *, times: int = 1) -> None:
        """Let the next `times` requests go wrong whose method and path (as in `requests`) match the whole pattern."""
        self._faults.append(Planned(re.compile(pattern), fault, times))

    def count(self, pattern: str) -> int:
        """How many requests matched."""
        return sum(bool(re.fullmatch(pattern, request)) for request in self.requests)

    def __enter__(self) -> Self:
        self._thread.start()
        self._started.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    async def serve(self) -> None:
        """Serve until told to stop."""
        self._loop = asyncio.get_running_loop()
        app = web.Application(client_max_size=64 * 2**20, middlewares=[self._watch])
        app.add_routes([web.post("/{tenant}/oauth2/v2.0/token", self.entra.token), *self.mail.routes()])
        app.add_routes([web.post("/control/{address}", self._deliver), web.get("/control/{address}", self._look)])
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", self._port, ssl_context=self._tls)
        await site.start()
        port = runner.addresses[0][1]
        self.url = self.mail.base = f"https://127.0.0.1:{port}"
        self.entra.resources.add(self.url)
        self._started.set()
        await self._stop.wait()
        await runner.cleanup()

    def _serve_in_thread(self) -> None:
        try:
            asyncio.run(self.serve())
        finally:
            self._started.set()

    @web.middleware
    async def _watch(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith("/control/"):
            return await handler(request)
        is_token = request.path.endswith("/token")
        name = f"{request.method} {_shape(request)}"
        self.token_requests += is_token
        if not is_token:
            self.requests.append(name)
            if 'IdType="ImmutableId"' not in request.headers.get("Prefer", ""):
                self.without_immutable_ids.append(name)
        fault = next((planned.fault for planned in self._faults if planned.takes(name)), None)
        answer = handler if is_token else self._guarded(handler)
        return await answer(request) if fault is None else await fault(request, answer)

    def _guarded(self, handler: Handler) -> Handler:
        async def answer(request: web.Request) -> web.StreamResponse:
            scheme, _, token = request.headers.get("Authorization", "").partition(" ")
            grant = self.entra.grant_of(token, self.url)
            if scheme != "Bearer" or grant is None:
                return graph_error(401, "InvalidAuthenticationToken", "Lifetime validation failed.")
            request[APP] = grant.client_id
            busy = (grant.client_id, request.match_info.get("user", "").lower())
            self._busy[busy] += 1
            self.most_at_once = max(self.most_at_once, self._busy[busy])
            try:
                if self._busy[busy] > AT_ONCE:
                    return graph_error(429, "ApplicationThrottled", "MailboxConcurrency limit.", Retry_After="1")
                await asyncio.sleep(0)  # so that requests that come together are seen together
                return await handler(request)
            finally:
                self._busy[busy] -= 1

        return answer

    async def _deliver(self, request: web.Request) -> web.Response:
        mailbox = self.mail.mailboxes[request.match_info["address"].lower()]
        when = request.headers.get("X-Received")
        message = mailbox.deliver(await request.read(), datetime.fromisoformat(when) if when else None)
        return web.json_response({"key": message.immutable_id}, status=201)

    async def _look(self, request: web.Request) -> web.Response:
        mailbox = self.mail.mailboxes[request.match_info["address"].lower()]
        return web.json_response(
            {
                "messages": [
                    {"key": each.immutable_id, "folder": each.folder.name, "is_read": each.is_read}
                    for each in mailbox.messages
                ],
                "submitted": len(self.submitted),
            }
        )


def _shape(request: web.Request) -> str:
    """The path with `ID` for a message or an attachment."""
    path = request.path.removeprefix("/v1.0")
    return re.sub(r"(?<=/messages/)[^/]+|(?<=/attachments/)[^/]+", "ID", path)


async def _run(server: GraphServer) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server._stop.set)
    serving = asyncio.create_task(server.serve())
    while not server.url:
        await asyncio.sleep(0.01)
    told: dict[str, Any] = {
        "url": server.url,
        "ca_file": str(server.ca_file),
        "tenant": TENANT,
        "client_id": CLIENT_ID,
        "secret": SECRET,
        "environment": dict(server.environment),
    }
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()
    await serving


def main() -> None:
    """Serve as a process."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path, help="where its certificates are put")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--mailbox", action="append", default=[], help="an address; again for another one")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    server = GraphServer(arguments.folder, arguments.port)
    for address in arguments.mailbox:
        server.add_mailbox(address)
    with contextlib.suppress(asyncio.CancelledError):
        asyncio.run(_run(server))


if __name__ == "__main__":
    main()
