"""Trust in a mailbox's server, with the errors of a mailbox."""

from __future__ import annotations

import ssl

from services.fetcher.mailboxes.protocol import MailboxMissing
from shared import trust


def tls_context(ca_file: str | None, protocol: str) -> ssl.SSLContext:
    """As `shared.trust.tls_context`; raises MailboxMissing when the CA file is unusable. It blocks."""
    try:
        return trust.tls_context(ca_file, protocol)
    except trust.UnusableCaFile as error:
        raise MailboxMissing(error.sentence) from None
