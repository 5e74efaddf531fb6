"""`deploy/compose.yaml` for real, as `make up RUNTIME=docker` runs it.

Collected where DOCKER_HOST names an engine, or one with Compose answers at /var/run/docker.sock: a machine without
Docker has the private servers, and all other tests. POSTGRES_IMAGE, RABBITMQ_IMAGE and BASE_IMAGE name other images
than the official ones. Everything is removed afterwards.
"""

import asyncio
import os
import secrets
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

import asyncpg
import pytest

from deploy.local import docker
from deploy.local.checkout import here
from deploy.local.compose_folder import IMAGES, ComposeFolder
from deploy.local.docker_runtime import BESIDE, SERVERS, Deployment
from deploy.local.importer import SERVICES
from deploy.local.tools import run

MAIL = b"""From: Piet Jansen <piet@bakkerij.example>
To: help@desk.example
Subject: De oven doet het niet
Message-ID: <1@bakkerij.example>

Help!
"""
ALL = {*SERVERS, *SERVICES, *BESIDE}
SETTINGS = (
    ("calendars", "add", "--name", "Kantooruren", "--hours", "mon-fri 8:30-17:00"),
    ("employees", "add", "--name", "Anna de Boer", "--address", "anna@desk.example"),
    ("helpdesks", "add", "--name", "Servicedesk", "--calendar", "Kantooruren", "--manager", "anna@desk.example"),
    ("statuses", "add", "Servicedesk", "--name", "Geïmporteerd", "--flag", "imported"),
    ("statuses", "add", "Servicedesk", "--name", "Reactie ontvangen"),
    ("helpdesks", "set", "Servicedesk", "--supplement-status", "Reactie ontvangen"),
    ("organisations", "add", "--name", "Onbekend"),
    ("contacts", "add", "--name", "Onbekende afzender", "--organisation", "Onbekend"),
    (
        *("importer", "set", "Servicedesk", "--kind", "maildir", "--server", "/mail/servicedesk"),
        *("--mailbox", "help@desk.example", "--default-contact", "Onbekende afzender"),
        *("--default-employee", "anna@desk.example", "--marker", "===== hierboven ====="),
    ),
    ("importer", "set", "Servicedesk", "--enabled"),
)


@pytest.fixture
def deployment() -> Iterator[Deployment]:
    docker.refuse_missing()
    with TemporaryDirectory(prefix="containers of a test ") as folder:
        project = f"importer-test-{secrets.token_hex(4)}"
        deployment = Deployment(here(), ComposeFolder(Path(folder) / "docker", project))
        try:
            yield deployment
        finally:
            deployment.drop()


def start(deployment: Deployment) -> None:
    """As `make up` does."""
    deployment.prepare()
    deployment.bring_images(*IMAGES)
    deployment.build()
    deployment.start(seconds=300)


def configure(deployment: Deployment) -> None:
    for command in SETTINGS:
        deployment.compose.must("run", "--rm", "-T", "console", "helpdesk-importer", *command)


def deliver(deployment: Deployment, name: str) -> None:
    """As a mail server does: into `tmp`, then into `new`; as the user that the containers run as."""
    settings = deployment.folder.settings()
    owner = (int(number) for number in settings["IMPORTER_USER"].split(":"))
    uid, gid = owner
    maildir = Path(settings["IMPORTER_MAIL_DIRECTORY"]) / "servicedesk"
    for folder in (maildir, maildir / "tmp", maildir / "new", maildir / "cur"):
        folder.mkdir(exist_ok=True)
        os.chown(folder, uid, gid)
    (maildir / "tmp" / name).write_bytes(MAIL.replace(b"<1@", f"<{name}@".encode()))
    os.chown(maildir / "tmp" / name, uid, gid)
    (maildir / "tmp" / name).rename(maildir / "new" / name)


async def tickets(deployment: Deployment) -> int:
    """How many there are."""
    return len(await numbers(deployment))


async def numbers(deployment: Deployment) -> list[int]:
    """Those of all tickets, asked through the published port."""
    settings = deployment.folder.importer_settings()
    password = (deployment.folder.secrets / "database_password_owner").read_text().strip()
    trusted = settings["IMPORTER_SERVER_CA_FILE"]
    url = f"{settings['IMPORTER_DATABASE_URL']}&sslrootcert={quote(trusted)}"
    connection = await asyncpg.connect(url, user="importer_owner", password=password)
    try:
        rows = await connection.fetch("SELECT number FROM helpdesk.tickets")
    finally:
        await connection.close()
    return [int(row["number"]) for row in rows]


async def until_there_are(deployment: Deployment, count: int) -> None:
    deadline = time.monotonic() + 120
    while await tickets(deployment) != count:
        assert time.monotonic() < deadline, deployment.compose.last_words("fetcher")
        await asyncio.sleep(0.5)


def eventually(fact: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 120
    while not fact():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.5)
    return True


def running(deployment: Deployment) -> set[str]:
    return {one.service for one in deployment.compose.containers() if one.runs}


def kill_the_process_in(deployment: Deployment, service: str) -> None:
    """As the kernel does, not as `docker kill`, after which Docker starts nothing again."""
    [container] = [one for one in deployment.compose.containers() if one.service == service]
    run(["docker", "exec", container.name, "python3", "-c", f"import os; os.kill(-1, {int(signal.SIGKILL)})"])


@pytest.mark.timeout(1200)
async def test_a_mail_becomes_a_ticket_in_containers_that_survive_a_kill_and_keep_data(deployment: Deployment) -> None:
    start(deployment)
    assert running(deployment) == ALL
    assert deployment.first_link().startswith(f"{deployment.folder.web_address()}/welcome/")
    configure(deployment)
    deliver(deployment, "1700000001.1.host")
    await until_there_are(deployment, 1)

    for service in SERVICES:
        kill_the_process_in(deployment, service)
    deliver(deployment, "1700000002.2.host")
    await until_there_are(deployment, 2)
    assert eventually(lambda: running(deployment) == ALL)

    deployment.compose.must("down", "--remove-orphans")
    assert deployment.compose.containers() == []
    start(deployment)
    assert await tickets(deployment) == 2
    deliver(deployment, "1700000003.3.host")
    await until_there_are(deployment, 3)


@pytest.mark.timeout(1200)
async def test_servers_speak_tls_alone_and_what_changes_is_taken_up(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(deployment)
    configure(deployment)
    settings = deployment.folder.importer_settings()
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError, match="no encryption"):
        await asyncpg.connect(
            settings["IMPORTER_DATABASE_URL"].partition("?")[0], user="importer_owner", password="x", ssl=False
        )
    assert answer_without_tls(deployment, "AMQP_PORT", b"AMQP\x00\x00\x09\x01")[:1] != b"\x01", "no Connection.Start"
    assert b"200 OK" not in answer_without_tls(deployment, "RABBITMQ_CONSOLE_PORT", b"GET / HTTP/1.0\r\n\r\n")

    deliver(deployment, "1700000001.1.host")
    before = started(deployment)
    deployment.start(seconds=300)
    assert started(deployment) == before, "nothing changed, nothing starts again"

    (password := deployment.folder.secrets / "amqp_password_fetcher").chmod(0o600)
    password.write_text(secrets.token_hex(16))
    start(deployment)
    assert {name for name, at in started(deployment).items() if at != before[name]} == {"fetcher"}

    monkeypatch.setenv("IMPORTER_SERVER_NAMES", "db.desk.example")
    before = started(deployment)
    start(deployment)
    assert {name for name, at in started(deployment).items() if at != before[name]} >= set(SERVERS)
    deliver(deployment, "1700000002.2.host")
    await until_there_are(deployment, 2)


@pytest.mark.timeout(1200)
async def test_a_back_up_brings_back_what_was_and_gives_no_number_twice(deployment: Deployment, tmp_path: Path) -> None:
    start(deployment)
    configure(deployment)
    now = int(time.time())  # its name says when a mail came: what came since the back-up is imported again
    deliver(deployment, f"{now}.1.host")
    await until_there_are(deployment, 1)
    made = deployment.backups.make(tmp_path)
    deliver(deployment, f"{now}.2.host")
    await until_there_are(deployment, 2)
    given = set(await numbers(deployment))

    deployment.restore(made, seconds=300)
    assert set(await numbers(deployment)) < given
    deployment.compose.must("run", "--rm", "-T", "console", "helpdesk-importer", "installation", "confirm", "--yes")
    deliver(deployment, f"{now}.3.host")
    await until_there_are(deployment, 3)  # with the second, which came after the back-up and is in its mailbox, read
    assert len(set(await numbers(deployment)) & given) == 1, "the first mail's alone"
    assert made.stat().st_mode & 0o077 == 0


def answer_without_tls(deployment: Deployment, port: str, said: bytes) -> bytes:
    """What a server says to who begins in the clear."""
    with socket.create_connection(("127.0.0.1", int(deployment.folder.settings()[port])), timeout=10) as connection:
        connection.sendall(said)
        try:
            return connection.recv(1024)
        except ConnectionResetError:
            return b""


def started(deployment: Deployment) -> dict[str, str]:
    """When each container was made, by its service."""
    running = [one for one in deployment.compose.containers() if one.state == "running"]
    return {
        one.service: run(["docker", "inspect", "--format", "{{.Created}}", one.name]).output.strip() for one in running
    }
