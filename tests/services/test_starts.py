"""What a process loads at its start: nothing that only another command of it, another setting or another mailbox needs.

Loading modules is nearly all that a start costs. A module that is listed here and needed after all is loaded where it
is used, at an edge (an opener, a transport, a command), or it leaves this list with a reason.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

OF_NO_SERVICE = {
    "aiohttp": "tests have servers of it",
    "alembic": "migrations",
    "click": "httpx's own command line",
    "exchangelib": "mailboxes by EWS",
    "httpcore": "mailboxes, accounts and logins by HTTP",
    "httpx": "mailboxes, accounts and logins by HTTP",
    "opentelemetry.sdk": "traces, where they are switched on",
    "PIL": "the classifier's children",
    "cryptography.x509": "certificates of apps",
    "requests": "mailboxes by EWS",
    "rich": "the command line's tables",
    "sqlalchemy": "migrations",
    "typer": "the command line",
}
OF_NO_READER = {
    "asyncio": "it reads one mail after another",
    "asyncpg": "it knows no database",
    "aio_pika": "it knows no broker",
    "prometheus_client": "its parent counts",
    "structlog": "its parent logs",
}
OF_NO_PAGE_OF_HELP = {"asyncpg": "commands", "pydantic": "commands", "structlog": "commands", "rich.console": "tables"}


@pytest.mark.parametrize(
    ("module", "spared"),
    [
        pytest.param(
            "fetcher",
            {**OF_NO_SERVICE, "imapclient": "mailboxes by IMAP", "asyncinotify": "Maildirs", "holidays": "tickets"},
            id="fetcher",
        ),
        pytest.param(
            "classifier",
            {
                **OF_NO_SERVICE,
                "charset_normalizer": "its children",
                "holidays": "tickets",
                "services.classifier.facts_of_files.command": "another command",
                "services.classifier.reading.images": "its children",
                "services.classifier.reading.text": "its children",
            },
            id="classifier",
        ),
        pytest.param("classifier.reading", {**OF_NO_SERVICE, **OF_NO_READER}, id="a child of the classifier"),
        pytest.param(
            "ticket_writer",
            {
                **OF_NO_SERVICE,
                "services.ticket_writer.explain.command": "another command",
                "cryptography": "logins",
                "holidays": "a country",
            },
            id="ticket_writer",
        ),
        pytest.param(
            "notifier",
            {**OF_NO_SERVICE, "holidays": "tickets", "inscriptis": "the first mail", "lxml": "the first mail"},
            id="notifier",
        ),
        pytest.param("console", {**OF_NO_SERVICE, **OF_NO_PAGE_OF_HELP}, id="console"),
    ],
)
def test_a_start_loads_what_it_needs(module: str, spared: dict[str, str]) -> None:
    # of rich the command line needs the widths of characters
    needed = {"classifier.reading": {"PIL"}, "console": {"typer", "rich"}}.get(module, set())
    script = f"import json, sys, services.{module}.__main__\nprint(json.dumps(list(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert set(json.loads(loaded.stdout)) & (spared.keys() - needed) == set()


@pytest.mark.parametrize(
    ("command", "needed"),
    [
        pytest.param(("organisations", "add", "--name", "Bakkerij"), set(), id="a resource"),
        pytest.param(("importer", "set", "1", "--server", "/mail"), set(), id="the settings"),
        pytest.param(("mails", "list"), set(), id="mails"),
        pytest.param(("status",), {"httpx", "aio_pika"}, id="status, which asks RabbitMQ"),
    ],
)
def test_a_command_loads_what_it_needs(command: tuple[str, ...], needed: set[str]) -> None:
    """Operators' scripts run hundreds. Without an address of the database it ends where it would open that."""
    script = (
        "import json, sys, services.console.__main__ as console\nsys.argv = ['helpdesk-importer', *sys.argv[1:]]\n"
        "try: console.main()\nexcept SystemExit as ended: code = ended.code\n"
        "print(json.dumps([code, list(sys.modules)]))"
    )
    ended = subprocess.run([sys.executable, "-c", script, *command], capture_output=True, text=True, check=True, env={})
    code, loaded = json.loads(ended.stdout)
    assert code == os.EX_CONFIG, ended.stderr
    unwanted = {"aio_pika", "holidays", "inscriptis", "lxml", "prometheus_client", "pygments", "rich.console"}
    assert set(loaded) & (OF_NO_SERVICE.keys() | unwanted) - {"typer", "rich"} == needed
