"""What the demonstration delivers, and what it says while nothing becomes of it: here no service runs."""

import asyncio
from pathlib import Path
from typing import Any

from deploy.demo.flow import Demonstration
from deploy.demo.ledger import Ledger, MailRecord
from deploy.demo.mail_servers import MaildirPost
from deploy.demo.organisation import load_organisation
from deploy.demo.sample_mails import HELPDESKS, SAMPLE_MAILS, SampleMail
from deploy.demo.smtp_server import SmtpServer

DEADLINE = 20


class Deliveries:
    """A progress that hears of deliveries alone; `first_wave` is set when nothing more can be delivered."""

    def __init__(self) -> None:
        self.files: list[str] = []
        self.first_wave = asyncio.Event()

    def delivered(self, mail: SampleMail) -> None:
        self.files.append(mail.file)

    def ended(self, _mail: SampleMail, _record: MailRecord, _seconds: float) -> None:
        raise AssertionError("nobody gives a mail its outcome here")

    def notified(self, _received: int) -> None:
        self.first_wave.set()


async def test_what_still_waits_is_said_line_by_line(database: Any, tmp_path: Path) -> None:
    await load_organisation(database.dsn("console").get_secret_value(), mailboxes=tmp_path, smtp_port=25)
    ledger = await Ledger.open(database.dsn("owner").get_secret_value())
    deliveries = Deliveries()
    try:
        async with SmtpServer() as smtp, asyncio.timeout(DEADLINE):
            demonstration = Demonstration(SAMPLE_MAILS, MaildirPost(tmp_path), ledger, smtp, deliveries)
            running = asyncio.create_task(demonstration.run())
            await deliveries.first_wave.wait()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
    finally:
        await ledger.close()

    held = {mail.file for mail in SAMPLE_MAILS if mail.waits_for()}
    assert set(deliveries.files) == {mail.file for mail in SAMPLE_MAILS} - held
    in_mailboxes = [path for folder in HELPDESKS for path in (tmp_path / folder / "new").iterdir()]
    assert len(in_mailboxes) == len(deliveries.files)
    waiting = demonstration.waiting()
    assert len(waiting) == len(SAMPLE_MAILS)
    assert "ict/11-dezelfde-mail-nog-eens.eml: not delivered, waits for ict/01-nieuw.eml" in waiting
    assert "ict/01-nieuw.eml: no outcome" in waiting
