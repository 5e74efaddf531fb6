"""Which adapter opens which kind of mailbox.

A new kind is an opener here, its package, and a post office in `tests/mailboxes/`, so that the conformance suite tries
it. A package is loaded when the first mailbox of its kind is opened: Exchange's takes 60 MiB, HTTP a tenth of a second.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from services.fetcher.mailboxes.protocol import Mailbox, MailboxAccess, MailboxMissing
from shared.configuration import Configuration
from shared.secure_addresses import RequireTls


async def _open_ews(access: MailboxAccess) -> Mailbox:
    from services.fetcher.mailboxes.ews.mailbox import EwsMailbox  # noqa: PLC0415 - see above

    return await EwsMailbox.open(access)


async def _open_graph(access: MailboxAccess) -> Mailbox:
    from services.fetcher.mailboxes.graph.mailbox import GraphMailbox  # noqa: PLC0415 - see above

    return await GraphMailbox.open(access)


async def _open_imap(access: MailboxAccess) -> Mailbox:
    from services.fetcher.mailboxes.imap.mailbox import ImapMailbox  # noqa: PLC0415 - see above

    return await ImapMailbox.open(access)


async def _open_maildir(access: MailboxAccess) -> Mailbox:
    from services.fetcher.mailboxes.maildir.mailbox import MaildirMailbox  # noqa: PLC0415 - see above

    return await MaildirMailbox.open(access)


OPENERS: Final[Mapping[str, Callable[[MailboxAccess], Awaitable[Mailbox]]]] = MappingProxyType(
    {"ews": _open_ews, "graph": _open_graph, "imap": _open_imap, "maildir": _open_maildir}
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
