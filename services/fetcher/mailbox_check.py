"""`python -m services.fetcher check HELPDESK_ID`: tries a mailbox once, changes nothing, and tells what it found.

The answer is one JSON object on standard output, for who started us (`helpdesk-importer check-mailbox`):

    {"ok": true, "kind": "maildir", "login": null, "server": "/var/mail/help", "folder": "INBOX", "unread": 3,
     "found": "protocol and server, in words"}
    {"ok": false, …, "trouble": "MailboxMissing", "problem": "a Dutch sentence that says what to do"}

Exit codes: 0 the mailbox can be used, 1 it cannot (the answer says why), 78 bad configuration or no such settings.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from datetime import timedelta
from typing import Any, Final

from pydantic import Field, SecretStr

from services.fetcher.mailboxes.protocol import MailboxAccess, MailboxError, MailboxHealth
from services.fetcher.mailboxes.registry import open_mailbox
from services.fetcher.repository.mailboxes import access_of
from shared.configuration import Configuration, DatabaseUrl
from shared.database.pool import open_pool
from shared.encryption import Encryption
from shared.errors import ImporterError, Misconfigured

_PATIENCE: Final = timedelta(seconds=5)


class CheckConfiguration(Configuration):
    """What a check needs to know: the database, as the fetcher."""

    database_url: DatabaseUrl = Field(
        description="postgresql://HOST:PORT/DATABASE; the role is importer_fetcher with the secret "
        "database_password_fetcher, unless the address holds credentials"
    )

    @property
    def database_dsn(self) -> SecretStr:
        """The URL with role and password."""
        return self.with_credentials(self.database_url, "importer_fetcher", "database_password_fetcher")


def run_check(helpdesk_id: str) -> int:
    """Try the mailbox of this helpdesk and print the answer; the exit code."""
    try:
        answer = asyncio.run(_check(CheckConfiguration.load(), helpdesk_id))
    except ImporterError as error:
        sys.stderr.write(f"{error}\n")
        return os.EX_CONFIG if isinstance(error, Misconfigured) else 1
    sys.stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")
    return os.EX_OK if answer["ok"] else 1


async def _check(configuration: CheckConfiguration, helpdesk_id: str) -> dict[str, Any]:
    encryption = Encryption.from_secret(configuration.secret("encryption_keys"))
    pool = await open_pool(
        configuration.database_dsn.get_secret_value(),
        application_name="fetcher check",
        max_size=1,
        patience=_PATIENCE,
    )
    async with pool:
        access = await access_of(pool, int(helpdesk_id), encryption)
    if access is None:
        raise Misconfigured(
            "This helpdesk has no mailbox yet: choose its kind with helpdesk-importer importer set HELPDESK --kind …"
        )
    told = {"kind": access.kind, "login": access.username, "server": access.server, "folder": access.folder}
    try:
        health = await _health(access)
    except MailboxError as error:
        return {"ok": False, **told, "trouble": type(error).__name__, "problem": str(error)}
    return {"ok": True, **told, "unread": health.unread, "found": health.description}


async def _health(access: MailboxAccess) -> MailboxHealth:
    mailbox = await open_mailbox(access)
    try:
        return await mailbox.health_check()
    finally:
        await mailbox.close()
