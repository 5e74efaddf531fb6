"""Which adapter opens which kind of mailbox.

A new kind is a line here, its package, and a post office in `tests/mailboxes/`, so that the conformance suite tries it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from services.fetcher.mailboxes.graph.mailbox import GraphMailbox
from services.fetcher.mailboxes.imap.mailbox import ImapMailbox
from services.fetcher.mailboxes.maildir.mailbox import MaildirMailbox
from services.fetcher.mailboxes.protocol import Mailbox, MailboxAccess, MailboxMissing
from shared.configuration import Configuration
from shared.secure_addresses import RequireTls


async def _open_ews(access: MailboxAccess) -> Mailbox:
    from services.fetcher.mailboxes.ews.mailbox import EwsMailbox  # noqa: PLC0415 - 60 MiB that only Exchange is worth

    return await EwsMailbox.open(access)


OPENERS: Final[Mapping[str, Callable[[MailboxAccess], Awaitable[Mailbox]]]] = MappingProxyType(
    {"ews": _open_ews, "graph": GraphMailbox.open, "imap": ImapMailbox.open, "maildir": MaildirMailbox.open}
)


async def open_mailbox(access: MailboxAccess) -> Mailbox:
    """Open a mailbox by its kind; raises MailboxError.

    Where the operator requires TLS everywhere, it counts for nothing that a mailbox's settings allow to go without.
    """
    try:
        opener = OPENERS[access.kind]
    except KeyError:
        raise MailboxMissing(
            f"Deze versie kent de soort mailbox «{access.kind}» niet: kies een van {', '.join(OPENERS)}."
        ) from None
    if access.allow_unencrypted and Configuration.load().require_tls is RequireTls.ALWAYS:
        access = replace(access, allow_unencrypted=False)
    return await opener(access)
