"""`python -m deploy.demo`: the whole importer on a sample mailbox, before your eyes. `make demo` starts it.

Reads     an empty, migrated database and a virtual host with the topology, by the variables `IMPORTER_…` of the
          services; the secrets of all roles in IMPORTER_SECRETS_DIR; MAILBOX, the kind of mailbox (`maildir`,
          `imap`, `ews`, `graph`);
          DEMO_STARTED, when the command was typed (seconds since 1970), from which the first ticket is timed;
          DEMO_FOLDER, where to write (default .run/demo); DEMO_KEEP, not empty: go on afterwards, until Ctrl-C
Does      loads a sample organisation, starts a mail server and the four services, delivers 36 sample mails, watches;
          with DEMO_KEEP the web console too, and what is put in a mailbox meanwhile is imported
Writes    in that folder report.json, notifications/*.eml, logs/SERVICE.log, mailboxes/
Exit      0 every mail became what it must; 1 some did not, or something still waits after two minutes; 2 a kind of
          mailbox that there is not; 78 bad configuration; 130 interrupted. No process of ours is left in any case.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

from pydantic import Field
from rich.console import Console

from deploy.demo import report
from deploy.demo.expectation import differences, undelivered
from deploy.demo.flow import Demonstration
from deploy.demo.ledger import Ledger
from deploy.demo.mail_servers import MAIL_SERVERS
from deploy.demo.organisation import addresses_of, load_earlier_tickets, load_organisation, move_mailbox
from deploy.demo.progress import LiveProgress
from deploy.demo.running_services import running_services
from deploy.demo.sample_mails import HELPDESKS, SAMPLE_MAILS
from deploy.demo.smtp_server import SmtpServer
from deploy.demo.staying import web_console
from deploy.local.failure import SetUpFailed
from shared.configuration import Configuration, DatabaseUrl
from shared.errors import ImporterError, Misconfigured

FOLDER: Final = Path(os.environ.get("DEMO_FOLDER") or Path(__file__).parents[2] / ".run" / "demo")
DEADLINE: Final = 120.0
"""Seconds from the first delivery to the last outcome; a slow machine needs about ten."""
KINDS: Final = tuple(MAIL_SERVERS)
WIDTH_WITHOUT_TERMINAL: Final = 160
EXIT_INTERRUPTED: Final = 130


class DemoConfiguration(Configuration):
    """Where the database is; roles as `helpdesk-importer` uses them."""

    database_url: DatabaseUrl = Field(description="postgresql://HOST:PORT/DATABASE of an empty, migrated database")

    def as_role(self, role: str) -> str:
        """The URL for the owner or for the role of the console."""
        secret = f"database_password_{role}"
        return self.with_credentials(self.database_url, f"importer_{role}", secret).get_secret_value()


async def demonstrate(console: Console, configuration: DemoConfiguration, kind: str) -> bool:
    """Run it all and show it; whether everything became what it must."""
    mailboxes = _fresh_folder()
    console_url = configuration.as_role("console")
    async with SmtpServer() as smtp, AsyncExitStack() as stack:
        await load_organisation(console_url, mailboxes=mailboxes, smtp_port=smtp.port)
        addresses = await addresses_of(console_url, HELPDESKS)
        post = await stack.enter_async_context(MAIL_SERVERS[kind](mailboxes, addresses))
        for mailbox, settings in post.settings.items():
            await move_mailbox(console_url, HELPDESKS[mailbox], settings)
        await load_earlier_tickets(configuration.as_role("owner"))
        ledger = await Ledger.open(configuration.as_role("owner"))
        try:
            with LiveProgress(console, len(SAMPLE_MAILS)) as progress:
                demonstration = Demonstration(SAMPLE_MAILS, post, ledger, smtp, progress)
                async with running_services({**os.environ, **post.environment}, FOLDER / "logs"):
                    try:
                        await asyncio.wait_for(demonstration.run(), DEADLINE)
                    except TimeoutError:
                        console.print(f"\n[red]After {DEADLINE:.0f} s this still waits:[/] (logs: {FOLDER / 'logs'})")
                    if os.environ.get("DEMO_KEEP"):
                        await _show(console, demonstration)
                        await _stay(console, kind, mailboxes)
            return await _show(console, demonstration)
        finally:
            await ledger.close()


async def _show(console: Console, demonstration: Demonstration) -> bool:
    received = report.keep_notifications(FOLDER, demonstration.smtp.deliveries)
    mails = report.mail_outcomes(demonstration)
    report.write_report(FOLDER / "report.json", mails, received)
    report.show_mails(console, mails)
    report.show_tickets(console, await demonstration.ledger.tickets())
    report.show_notifications(console, received, demonstration.notifications)
    wrong = [
        *demonstration.waiting(),
        *differences(SAMPLE_MAILS, demonstration.records),
        *undelivered(demonstration.notifications, [notification.message_id for notification in received]),
    ]
    if (first := demonstration.first_ticket_at()) is not None:
        since = float(os.environ.get("DEMO_STARTED") or _STARTED)
        console.print(f"First ticket {first.timestamp() - since:.1f} s after the command was typed.", highlight=False)
    console.print(f"All of it is in {FOLDER}: report.json, notifications/, logs/.", highlight=False, soft_wrap=True)
    for sentence in wrong:
        console.print(f"[red]not as expected:[/] {sentence}", highlight=False, soft_wrap=True)
    if not wrong:
        console.print(f"[green]All {len(mails)} mails became what they must.[/]", highlight=False)
    return not wrong


async def _stay(console: Console, kind: str, mailboxes: Path) -> None:
    """Go on until Ctrl-C, which cancels this."""
    async with web_console(FOLDER) as link:
        lines = [
            "",
            "The importer goes on until you press Ctrl-C.",
            f"  web console  {link}",
            "               (once: choose a password there)",
        ]
        if kind == "maildir":
            lines.append(f"  mailboxes    a mail that you put in new/ of a folder of {mailboxes} is imported")
        console.print("\n".join(lines), highlight=False, soft_wrap=True)
        await asyncio.Event().wait()


def _fresh_folder() -> Path:
    """Empty what an earlier run left in the folder, ; the place of the new mailboxes."""
    for name in ("mailboxes", "notifications", "logs"):
        shutil.rmtree(FOLDER / name, ignore_errors=True)
    (FOLDER / "report.json").unlink(missing_ok=True)
    return FOLDER / "mailboxes"


async def _main(console: Console, configuration: DemoConfiguration, kind: str) -> bool:
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await demonstrate(console, configuration, kind)


def main() -> int:
    """The exit code, as the manual above says."""
    console = Console(width=None if sys.stdout.isatty() else WIDTH_WITHOUT_TERMINAL)
    kind = os.environ.get("MAILBOX") or KINDS[0]
    if kind not in KINDS:
        console.print(f"MAILBOX={kind}: the demonstration knows {', '.join(KINDS)} and no other mailbox.")
        return 2
    try:
        return 0 if asyncio.run(_main(console, DemoConfiguration.load(), kind)) else 1
    except Misconfigured as misconfigured:
        console.print(str(misconfigured), highlight=False)
        return os.EX_CONFIG
    except (ImporterError, SetUpFailed) as error:
        console.print(str(error), highlight=False)
        return 1
    except (KeyboardInterrupt, asyncio.CancelledError):
        console.print("Interrupted: everything is stopped.")
        return EXIT_INTERRUPTED


_STARTED: Final = time.time()

if __name__ == "__main__":
    sys.exit(main())
