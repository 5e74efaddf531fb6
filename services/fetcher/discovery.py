"""`python -m services.fetcher discover HELPDESK_ID`: finds the Exchange server of a mailbox by autodiscover, at set-up.

Nothing logs in and nothing is saved: a person looks at what was found, and makes it «Server». The answer
(`shared.asking`), for `helpdesk-importer importer discover`:

    {"address": "help@desk.example", "ok": true, "found": "https://mail.desk.example/EWS/Exchange.asmx"}
    {"address": …, "ok": false, "problem": "a Dutch sentence that says what to do"}
"""

from __future__ import annotations

from services.fetcher.mailboxes.ews.discovery import discover
from services.fetcher.mailboxes.protocol import MailboxError
from services.fetcher.repository.trial import mailbox_to_try
from shared.asking import Answer, Asked
from shared.errors import Misconfigured
from shared.sealing import Keyring


async def find_server(asked: Asked, helpdesk_id: int) -> Answer:
    """What autodiscover finds for the mailbox of this helpdesk."""
    keyring = Keyring.from_secret(asked.configuration.secret("encryption_keys"))
    mailbox = await mailbox_to_try(asked.pool, helpdesk_id, keyring)
    if mailbox is None:
        raise Misconfigured(
            "This helpdesk has no mailbox yet: name its login and its address, with "
            "helpdesk-importer importer set HELPDESK --username … --mailbox …"
        )
    answer = {"address": mailbox.access.address or mailbox.access.username}
    try:
        return answer | {"ok": True, "found": await discover(mailbox.access)}
    except MailboxError as error:
        return answer | {"ok": False, "problem": str(error)}
