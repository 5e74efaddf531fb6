"""From the settings of a mailbox to its IMAP server, and to what logs in there: a password, or an app's token."""

from __future__ import annotations

from pydantic import SecretStr

from services.fetcher.mailboxes.imap.login import Credentials
from services.fetcher.mailboxes.imap.server import IMAPS_PORT, ImapServer
from services.fetcher.mailboxes.microsoft_app import address_and_app
from services.fetcher.mailboxes.microsoft_errors import sign_in_refused, unavailable
from services.fetcher.mailboxes.protocol import MailboxAccess, MailboxMissing
from shared.microsoft.clouds import CLOUDS
from shared.microsoft.errors import SignInRefused, Unavailable
from shared.microsoft.tokens import TOKENS


async def credentials(access: MailboxAccess, *, refused: str = "") -> Credentials:
    """What to log in with; a token for an app, another one than was refused. Raises MailboxError."""
    if access.tenant is None:
        return _with_password(access)
    try:
        address, app = address_and_app(access)
        scope = app.cloud.mail_scope
        if refused:
            token = await TOKENS.renewed(app, scope, refused=SecretStr(refused))
        else:
            token = await TOKENS.of(app, scope)
    except SignInRefused as error:
        raise sign_in_refused(error) from None
    except Unavailable as error:
        raise unavailable(error) from None
    return Credentials(address, token=token.get_secret_value())


def _with_password(access: MailboxAccess) -> Credentials:
    """The login is the address where none is given."""
    login = access.username or access.address
    if not login or access.password is None:
        raise MailboxMissing("Gebruikersnaam of wachtwoord van de mailbox ontbreekt: vul ze in.")
    password = access.password.get_secret_value()
    if any(ord(char) < ord(" ") for char in login + password):
        raise MailboxMissing(
            "Gebruikersnaam of wachtwoord bevat een regeleinde of ander stuurteken: voer ze opnieuw in."
        )
    return Credentials(login, password=password)


def server_of(access: MailboxAccess) -> ImapServer:
    """The cloud's own where an app logs in and no server is named."""
    if access.tenant is not None and not access.server:
        return ImapServer(CLOUDS[access.cloud].mail_host, IMAPS_PORT, tls=True)
    return ImapServer.parse(access.server)
