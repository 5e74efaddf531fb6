"""Hands a message to the channels: mail by the alarms' own server, a webhook with a signature.

Both go only where `shared.connecting` allows. No redirect is followed and no proxy of the environment is used.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP as CRLF
from email.utils import format_datetime
from typing import Final, Protocol

import aiosmtplib
import httpx

from services.console.alarms.configuration import MailServer, Webhook
from services.console.alarms.messages import Told
from shared.connecting import ForbiddenAddress, connect_async
from shared.errors import ImporterError
from shared.http_connections import CheckedTransport
from shared.one_line import one_line
from shared.trust import UnusableCaFile, tls_context

SECONDS: Final = 20
SIGNATURE: Final = "X-Importer-Signature"
"""`sha256=` and the HMAC-SHA-256 of the body in hexadecimal, keyed with the secret alarm_webhook_secret."""


class NotTold(ImporterError):
    """A channel did not take a message; it is tried again."""


class Channel(Protocol):
    """A way to people."""

    async def tell(self, message: Told, recipients: Sequence[str]) -> None:
        """Hand it over, to these addresses where the channel has any. Raises NotTold."""


class MailChannel:
    """Mail, one for each recipient, so that no address is shown to another."""

    def __init__(self, server: MailServer) -> None:
        self._server = server

    async def tell(self, message: Told, recipients: Sequence[str]) -> None:
        """One connection for all. An address that the server refuses keeps the mail from nobody else."""
        if not recipients:
            return
        try:
            async with asyncio.timeout(SECONDS):
                client = await self._connect()
                try:
                    taken = [await self._send(client, message, recipient) for recipient in recipients]
                finally:
                    client.close()
        except (OSError, ForbiddenAddress, UnusableCaFile, aiosmtplib.SMTPException) as error:
            raise NotTold(
                f"{self._server.host}:{self._server.port}: {one_line(str(error)) or type(error).__name__}"
            ) from error
        if not any(taken):
            raise NotTold(f"{self._server.host}:{self._server.port} refuses every address: {', '.join(recipients)}")

    async def _connect(self) -> aiosmtplib.SMTP:
        server = self._server
        sock = await connect_async(server.host, server.port, SECONDS)
        needs_tls = not server.is_here
        tls = await asyncio.to_thread(tls_context, server.ca_file, "smtp") if needs_tls or server.tls_at_once else None
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=None,
            sock=sock,
            timeout=SECONDS,
            use_tls=server.tls_at_once,
            start_tls=needs_tls and not server.tls_at_once,
            tls_context=tls,
        )
        await client.connect()
        if server.user is not None and server.password is not None:
            await client.login(server.user, server.password.get_secret_value())
        return client

    async def _send(self, client: aiosmtplib.SMTP, message: Told, recipient: str) -> bool:
        try:
            await client.sendmail(self._server.sender, [recipient], mail_of(message, self._server.sender, recipient))
        except aiosmtplib.SMTPRecipientsRefused:
            return False
        return True


def mail_of(message: Told, sender: str, recipient: str) -> bytes:
    """The mail, marked as a machine's (RFC 3834); the same message to the same person has the same Message-ID."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, recipient, message.subject
    mail["Date"] = format_datetime(datetime.now(UTC))
    digest = hashlib.sha256(f"{message.key} {recipient}".encode()).hexdigest()[:32]
    mail["Message-ID"] = f"<alarm.{digest}@{sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text)
    return mail.as_bytes(policy=CRLF)


class WebhookChannel:
    """A POST of JSON, signed; anything but a 2xx is not told."""

    def __init__(self, webhook: Webhook) -> None:
        self._webhook = webhook

    async def tell(self, message: Told, recipients: Sequence[str]) -> None:  # noqa: ARG002 - those of mail
        """Post it: who reads it there is the webhook's own matter."""
        document = {
            **message.document,
            "id": hashlib.sha256(message.key.encode()).hexdigest()[:32],
            "text": message.text,
        }
        body = json.dumps(document, ensure_ascii=False).encode()
        signature = hmac.new(self._webhook.secret.get_secret_value().encode(), body, hashlib.sha256).hexdigest()
        host = httpx.URL(self._webhook.url).host
        try:
            tls: ssl.SSLContext = await asyncio.to_thread(tls_context, self._webhook.ca_file, "https")
            async with (
                asyncio.timeout(SECONDS),
                httpx.AsyncClient(transport=CheckedTransport(tls), timeout=SECONDS, trust_env=False) as client,
                client.stream(  # only whether it was taken counts: the body, which may have no end, stays unread
                    "POST",
                    self._webhook.url,
                    content=body,
                    headers={"Content-Type": "application/json", SIGNATURE: f"sha256={signature}"},
                ) as answer,
            ):
                status, is_taken = answer.status_code, answer.is_success
        except (OSError, ForbiddenAddress, UnusableCaFile, httpx.HTTPError) as error:
            raise NotTold(f"the webhook at {host}: {one_line(str(error)) or type(error).__name__}") from error
        if not is_taken:
            raise NotTold(f"the webhook at {host} answers {status}")
