"""SMTP of Exchange Online: the test's SMTP server with SASL XOAUTH2 alone, whose tokens Entra gave.

It refuses what the real one refuses: another user than the mailbox that the app may send as, a token of another
resource, MAIL FROM in another's name. `challenges` answers a bad token by a 334 with the reason first, as the SASL
mechanism has it; Exchange Online itself says 535 at once.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass, field
from typing import Any, Final

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from deploy.demo.smtp_server import SmtpServer
from tests.servers.graph_entra import OUTLOOK, Entra

_XOAUTH2: Final = re.compile(r"user=([^\x01]*)\x01auth=Bearer ([^\x01]*)\x01\x01")
REFUSED: Final = "535 5.7.3 Authentication unsuccessful [AM0PR01CA0001.eurprd01.prod.exchangelabs.com]"


@dataclass
class XOAuth2Server(SmtpServer):
    """`entra` gives the tokens; `mailboxes` has the addresses that its apps may send as."""

    entra: Entra = field(default_factory=Entra)
    mailboxes: set[str] = field(default_factory=set)
    challenges: bool = False
    refusal: str = REFUSED

    async def auth_XOAUTH2(self, server: SMTP, arguments: list[str]) -> AuthResult:
        """One AUTH command."""
        try:
            found = _XOAUTH2.fullmatch(base64.b64decode(arguments[1], validate=True).decode())
        except (IndexError, ValueError, binascii.Error):
            found = None
        user, token = found.groups() if found else ("", "")
        self.logins.append(user)
        if user in self.mailboxes and self.entra.grant_of(token, OUTLOOK):
            return AuthResult(success=True, auth_data=user)
        if self.challenges:
            reason = base64.b64encode(json.dumps({"status": "400", "schemes": "Bearer"}).encode()).decode()
            answer = await server.challenge_auth(reason, encode_to_b64=False)
            assert answer == b"", "the client answers the reason with an empty line"
        return AuthResult(success=False, handled=False, message=self.refusal)

    async def handle_MAIL(
        self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take the sender, who is the mailbox that logged in."""
        if not session.authenticated:
            return "530 5.7.57 Client not authenticated to send mail."
        if address != session.auth_data:
            return "550 5.7.60 SMTP; Client does not have permissions to send as this sender"
        return await super().handle_MAIL(server, session, envelope, address, options)
