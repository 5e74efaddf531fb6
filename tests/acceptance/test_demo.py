"""The demonstration itself: what `make demo` starts once its servers run."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.demo.mail_servers import MAIL_SERVERS
from deploy.demo.sample_mails import SAMPLE_MAILS
from deploy.local.dovecot import ImapEndpoint
from deploy.local.instance import Servers
from tests.acceptance.installation import Installation, fresh_installation
from tests.acceptance.pipeline import eventually
from tests.databases import Databases

DEADLINE = 150


@pytest.fixture
async def installation(servers: Servers, databases: Databases, tmp_path: Path) -> AsyncIterator[Installation]:
    """A fresh installation for every run, as `make demo` has."""
    (tmp_path / "secrets").mkdir()
    async with fresh_installation(servers, databases, tmp_path / "secrets") as fresh:
        yield fresh


@asynccontextmanager
async def demonstration(
    installation: Installation, folder: Path, **environment: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """The demonstration as a process; killed with its children when the test ends before it."""
    demo = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "deploy.demo",
        env={**installation.environment, "DEMO_FOLDER": str(folder), **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(DEADLINE):
            yield demo
    finally:
        with suppress(ProcessLookupError):
            demo.kill()
        await demo.wait()


def processes_of(installation: Installation) -> list[str]:
    """The command lines of all processes that were started with this installation's secrets."""
    mark = f"IMPORTER_SECRETS_DIR={installation.environment['IMPORTER_SECRETS_DIR']}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (process / "environ").read_bytes().split(b"\0"):
                found.append((process / "cmdline").read_text().replace("\0", " "))
        except (FileNotFoundError, PermissionError, ProcessLookupError):
            continue
    return found


@pytest.mark.parametrize("kind", sorted(MAIL_SERVERS))
async def test_every_sample_mail_becomes_what_it_must(
    kind: str, installation: Installation, imap_server: ImapEndpoint, tmp_path: Path
) -> None:
    """Whatever kind of mailbox it comes from."""
    async with demonstration(installation, tmp_path, MAILBOX=kind, **imap_server.environment()) as demo:
        shown, _ = await demo.communicate()
    output = shown.decode()
    assert demo.returncode == 0, output
    assert processes_of(installation) == []

    report: dict[str, list[dict[str, Any]]] = json.loads((tmp_path / "report.json").read_text())
    assert set(report) == {"mails", "notifications"}
    keys = {"file", "helpdesk", "outcome", "reasons", "why", "ticket_number", "seconds"}
    assert all(set(mail) == keys and mail["reasons"] and mail["seconds"] >= 0 for mail in report["mails"])
    assert {mail["file"]: mail["outcome"] for mail in report["mails"]} == {
        mail.file: mail.outcome for mail in SAMPLE_MAILS
    }
    assert report["notifications"]
    for notification in report["notifications"]:
        assert set(notification) == {"to", "subject", "file"}
        mail = message_from_bytes((tmp_path / notification["file"]).read_bytes(), policy=default)
        assert mail["Subject"] == notification["subject"]
        assert notification["file"] in output


async def test_ctrl_c_leaves_no_process(installation: Installation, tmp_path: Path) -> None:
    async with demonstration(installation, tmp_path) as demo:
        assert demo.stdout is not None
        first = await demo.stdout.readline()
        assert b" s " in first
        demo.send_signal(signal.SIGINT)
        shown, _ = await demo.communicate()
    assert demo.returncode == 130, shown.decode()
    assert processes_of(installation) == []


async def test_one_that_is_kept_has_the_web_console_until_ctrl_c(installation: Installation, tmp_path: Path) -> None:
    async with demonstration(installation, tmp_path, DEMO_KEEP="1") as demo:
        assert demo.stdout is not None
        link = b""
        while not link:
            line = await demo.stdout.readline()
            assert line, "it ended"
            link = next((word for word in line.split() if b"/welcome/" in word), b"")
        async with httpx.AsyncClient() as browser:
            page = await browser.get(link.decode())
        assert page.status_code == 200
        assert "Kies nu uw wachtwoord" in page.text
        demo.send_signal(signal.SIGINT)
        shown, _ = await demo.communicate()
    assert demo.returncode == 130, shown.decode()
    assert processes_of(installation) == []


async def test_a_killed_demonstration_leaves_no_process(installation: Installation, tmp_path: Path) -> None:
    async with demonstration(installation, tmp_path) as demo:
        assert demo.stdout is not None
        await demo.stdout.readline()
        demo.kill()

    async def all_gone() -> bool:
        return not processes_of(installation)

    await eventually(all_gone, "no process of the demonstration")


async def test_another_kind_of_mailbox_is_a_sentence(installation: Installation, tmp_path: Path) -> None:
    async with demonstration(installation, tmp_path, MAILBOX="pop3") as demo:
        shown, _ = await demo.communicate()
    assert demo.returncode == 2
    assert shown.decode().startswith("MAILBOX=pop3: the demonstration knows maildir")
