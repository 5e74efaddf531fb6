"""`python -m tests.servers.ews FOLDER`: an EWS server as a process, with one mailbox, to try the importer on.

Writes    its certificate authority to FOLDER/ca.pem, and one line of JSON to standard output once it listens:
          {"url": "https://127.0.0.1:…/EWS/Exchange.asmx", "control": "https://127.0.0.1:…/control", "login": "…",
           "password": "…", "address": "…", "ca_file": "FOLDER/ca.pem"}
Control   POST control/deliver puts its body into the inbox, unread, and answers {"key": "…"}; a header Received-At (ISO
          8601) says when it arrived. GET control/mails tells of each mail its key, folder and whether it is read.
Ends      by a signal, or when its standard input is closed
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import web

from tests.servers.certificates import make_certificates
from tests.servers.ews.operations import PRODUCTS
from tests.servers.ews.server import EwsServer, Manners
from tests.servers.ews.store import Store, User


class ControlledServer(EwsServer):
    """With a way to deliver and to look from another process."""

    def _add_routes(self, app: web.Application) -> None:
        app.router.add_post("/control/deliver", self._delivered)
        app.router.add_get("/control/mails", self._mails)

    async def _delivered(self, request: web.Request) -> web.Response:
        told = request.headers.get("Received-At")
        item = self.deliver(await request.read(), datetime.fromisoformat(told) if told else datetime.now(UTC))
        return web.json_response({"key": item.key})

    async def _mails(self, _: web.Request) -> web.Response:
        return web.json_response(
            [
                {"key": item.key, "folder": folder.distinguished or folder.name, "read": item.is_read}
                for folder in self.store.root.walk()
                for item in folder.items
            ]
        )


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m tests.servers.ews")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--login", default="CORP\\importer")
    parser.add_argument("--password", default="Welkom-01")
    parser.add_argument("--address", default="helpdesk@corp.example")
    parser.add_argument("--product", choices=sorted(PRODUCTS), default="2019")
    parser.add_argument("--ways", nargs="+", choices=["NTLM", "Basic", "Negotiate"], default=["Negotiate", "NTLM"])
    options = parser.parse_args()
    certificates = make_certificates(options.folder)
    user = User(options.login, options.password, full_access={options.address})
    server = ControlledServer(
        user,
        Store(options.address),
        tls=certificates.server,
        manners=Manners(product=options.product, ways=tuple(options.ways)),
    )
    server.start(options.port)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    threading.Thread(target=_set_at_end_of_input, args=(ended,), daemon=True).start()
    told = {
        "url": server.url,
        "control": f"https://{server.host}/control",
        "login": options.login,
        "password": options.password,
        "address": options.address,
        "ca_file": str(certificates.ca_file),
    }
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()
    ended.wait()
    server.stop()


def _set_at_end_of_input(ended: threading.Event) -> None:
    sys.stdin.read()
    ended.set()


if __name__ == "__main__":
    main()
