"""What of the importer talks to the hostile servers of `test_hostile_servers`.

Each function does all that a check, or a sending, does with a server; `seconds` shortens its patience.
"""

import io
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partialmethod

from pydantic import SecretStr

from services.classifier.scanner import Scanner
from services.console.alarms import sending
from services.console.alarms.configuration import MailServer, Webhook
from services.console.alarms.messages import Told
from services.fetcher.mailboxes.ews import discovery
from services.fetcher.mailboxes.graph.mailbox import GraphMailbox
from services.fetcher.mailboxes.imap import session, wire
from services.fetcher.mailboxes.imap.mailbox import ImapMailbox
from services.fetcher.mailboxes.protocol import ItemKey, Mailbox, MailboxAccess, MailReference
from services.notifier import smtp
from services.notifier.notification import Account, Secrets, Security
from services.notifier.rules.addresses import parse_address
from services.notifier.smtp import SmtpTransport
from services.notifier.transport import OutgoingMail
from shared.microsoft.patience import Patience

LIMIT = 25_000_000


async def _check(mailbox: Mailbox) -> str:
    """All that a check asks of a mailbox, and how much of it there was."""
    mails = [mail async for page in mailbox.unread(200) for mail in page]
    mail = mails[-1] if mails else MailReference(ItemKey("1.1"), datetime.now(UTC), None)
    size = await mailbox.fetch(mail, io.BytesIO(), LIMIT)
    await mailbox.fetch_head(mail, io.BytesIO(), 1000)
    await mailbox.mark_read(mail)
    await mailbox.delete(mail)
    health = await mailbox.health_check()
    await mailbox.close()
    return f"{len(mails)} mails, {size} bytes, {health.unread} unread: {health.description}"


async def read_imap(port: int, seconds: float | None = None) -> str:
    """A check of an IMAP mailbox."""
    if seconds:
        session.LOGIN_SECONDS = seconds  # type: ignore[misc]
        wire.Wire.allow = partialmethod(wire.Wire.allow, seconds=seconds)  # type: ignore[method-assign, assignment]
    access = MailboxAccess(
        "imap",
        f"imap://127.0.0.1:{port}",
        username="anna",
        password=SecretStr("geheim"),
        allow_unencrypted=True,
    )
    return await _check(await ImapMailbox.open(access))


async def read_graph(environment: Mapping[str, str], access: MailboxAccess, seconds: float | None = None) -> str:
    """A check of a mailbox at Graph."""
    os.environ.update(environment)
    patience = Patience(seconds, seconds, seconds, seconds) if seconds else Patience()
    return await _check(await GraphMailbox.open(access, patience=patience))


async def find_exchange(host: str, ca_file: str, seconds: float | None = None) -> str:
    """Autodiscover at `host`."""
    if seconds:
        discovery.SECONDS = seconds  # type: ignore[misc]
    access = MailboxAccess("ews", None, address="anna@corp.example", ca_file=ca_file)
    return await discovery.discover(access, lambda _: [host])


async def send_by_smtp(port: int, seconds: float | None = None) -> str:
    """A mail handed over to an SMTP server that wants a login."""
    if seconds:
        smtp.COMMAND_SECONDS = smtp.CONTENT_SECONDS = int(seconds)  # type: ignore[misc]
    account = Account(1, 1, "smtp", "127.0.0.1", port, Security.NONE, username="anna")
    transport = SmtpTransport(account, Secrets(SecretStr("geheim")))
    content = b"Subject: hallo\r\n\r\n" + b"hallo\r\n" * 200_000
    try:
        return await transport.send(OutgoingMail(parse_address("ict@a.example"), parse_address("b@b.example"), content))
    finally:
        await transport.close()


async def scan(url: str, seconds: float | None = None) -> str:
    """An image shown to a virus scanner."""
    finding = await Scanner(url, seconds=seconds or 60).scan(b"x" * 100_000)
    return "clean" if finding is None else finding.reason


_TOLD = Told("hallo", "hallo", {"subject": "hallo"}, "1")


async def alarm_a_webhook(port: int, seconds: float | None = None) -> str:
    """An alarm posted to a webhook."""
    if seconds:
        sending.SECONDS = int(seconds)  # type: ignore[misc]
    await sending.WebhookChannel(Webhook(f"http://127.0.0.1:{port}/", SecretStr("geheim"), None)).tell(_TOLD, ())
    return "told"


async def alarm_by_mail(port: int, seconds: float | None = None) -> str:
    """An alarm handed over to an SMTP server that wants a login."""
    if seconds:
        sending.SECONDS = int(seconds)  # type: ignore[misc]
    server = MailServer(
        "127.0.0.1",
        port,
        tls_at_once=False,
        user="anna",
        password=SecretStr("geheim"),
        sender="ict@a.example",
        ca_file=None,
    )
    await sending.MailChannel(server).tell(_TOLD, ["b@b.example"])
    return "told"
