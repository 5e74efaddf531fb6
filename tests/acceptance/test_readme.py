"""A person who has only the README sets up a helpdesk from nothing: its commands, run as they stand there."""

from __future__ import annotations

import asyncio
import re
import sys
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import asyncpg

from deploy.demo.smtp_server import SmtpServer
from deploy.local.instance import Servers
from tests.acceptance.installation import fresh_installation
from tests.databases import Databases
from tests.servers.certificates import make_certificates

ROOT = Path(__file__).parents[2]
PASSWORD = "van-de-postbode"


def commands_under(heading: str) -> str:
    """The indented lines under a heading of the README."""
    section = re.split(r"^## ", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    [text] = [part for part in section if part.startswith(f"{heading}\n")]
    return "\n".join(line[4:] for line in text.splitlines() if line.startswith("    "))


async def run(*program: str, environment: dict[str, str], stdin: str = "") -> str:
    """Run it to a good end; what it says."""
    process = await asyncio.create_subprocess_exec(
        *program, cwd=ROOT, env=environment,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await process.communicate(stdin.encode())
    assert process.returncode == 0, said.decode()
    return said.decode()


async def test_the_readme_alone_makes_a_ticket_of_a_first_mail(
    servers: Servers, databases: Databases, tmp_path: Path
) -> None:
    (tmp_path / "secrets").mkdir()
    certificates = make_certificates(tmp_path)
    async with (
        fresh_installation(servers, databases, tmp_path / "secrets") as installation,
        SmtpServer(tls=certificates.server, login=("importer", PASSWORD)) as smtp,
    ):
        trusted = f"--ca-file {certificates.ca_file}"
        script = commands_under("Configure a helpdesk")
        for written, here in (
            ("importer=.venv/bin/helpdesk-importer", f"importer='{sys.executable} -m services.console'"),
            ("maildir=~/servicedesk ", f"maildir={tmp_path}/servicedesk "),
            ("--host smtp.desk.example --port 587 ", f"--host 127.0.0.1 --port {smtp.port} {trusted} "),
        ):
            assert script.count(written) == 1, written
            script = script.replace(written, here)
        said = await run("bash", "-euc", script, environment=installation.environment, stdin=f"{PASSWORD}\n")
        assert "The password for Post is changed." in said
        arguments = ("run", "--until-idle", "--timeout", "100", "--log-dir", str(tmp_path / "logs"))
        idle = await run(sys.executable, "-m", "services.console", *arguments, environment=installation.environment)
        assert "Idle: every mailbox is checked" in idle
        assert "tried again later" not in idle
        owner = await asyncpg.connect(installation.database.dsn("owner").get_secret_value())
        try:
            ticket = await owner.fetchrow("""
                SELECT ticket.number, ticket.title, contact.name AS contact, organisation.name AS organisation,
                       manager.name AS manager, status.name AS status
                FROM helpdesk.tickets ticket
                JOIN helpdesk.persons contact ON contact.id = contact_id
                JOIN helpdesk.organisations organisation ON organisation.id = ticket.organisation_id
                JOIN helpdesk.employees manager ON manager.id = ticket_manager_id
                JOIN helpdesk.statuses status ON status.id = status_id""")
        finally:
            await owner.close()
    assert ticket is not None
    assert dict(ticket) == {
        "number": "1000001",
        "title": "De oven doet het niet",
        "contact": "Piet Jansen",
        "organisation": "Bakkerij Jansen",
        "manager": "Anna de Boer",
        "status": "E-mail Geïmporteerd",
    }
    assert sorted(mail.recipients for mail in smtp.deliveries) == [("anna@desk.example",), ("piet@bakkerij.example",)]
    assert all(mail.tls and mail.login == "importer" for mail in smtp.deliveries)
    for mail in smtp.deliveries:
        parsed = message_from_bytes(mail.content, policy=default)
        assert parsed["From"] == "Servicedesk <help@desk.example>"
        assert "1000001" in str(parsed["Subject"])
