"""The app of Microsoft Entra that opens a mailbox, whichever protocol it is read by."""

from __future__ import annotations

from services.fetcher.mailboxes.protocol import MailboxAccess, MailboxMissing
from shared.microsoft.credentials import AppLogin


def address_and_app(access: MailboxAccess) -> tuple[str, AppLogin]:
    """The mailbox's address, by which an app opens it, and the app. Raises MailboxMissing, and as `AppLogin.of`."""
    if not access.address:
        raise MailboxMissing("Het adres van het postvak ontbreekt: vul bij «Mailadres» het adres in.")
    app = AppLogin.of(
        access.cloud,
        tenant=access.tenant,
        client_id=access.username,
        secret=access.password,
        certificate=access.certificate,
        ca_file=access.ca_file,
    )
    return access.address, app
