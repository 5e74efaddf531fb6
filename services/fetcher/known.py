"""Which of the listed mails the ledger knows, each under the identity that it has there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import structlog

from services.fetcher.mailboxes.protocol import MailReference
from services.fetcher.repository.ledger import Ledger
from services.fetcher.rules.known_mail import KnownMail, is_of_another
from shared.messages import MailId

_log = structlog.get_logger(__name__)


async def look_up(
    ledger: Ledger, mails: Sequence[MailReference], id_of: Callable[[MailReference], MailId]
) -> tuple[dict[MailId, MailReference], dict[MailId, KnownMail]]:
    """The mails by their identity, and those of them that the ledger knows.

    One whose key was an earlier mail's (`MailReference.key_if_reused`) has a key and an identity of its own.
    """
    listed = {id_of(mail): mail for mail in mails}
    known = await ledger.known(listed)
    reused = {
        identity
        for identity, mail in listed.items()
        if mail.key_if_reused and is_of_another(known.get(identity), mail.received_at)
    }
    if not reused:
        return listed, known
    others = [replace(listed[identity], key=listed[identity].key_if_reused) for identity in reused]
    again = {id_of(mail): mail for mail in others}
    _log.warning("mailbox_reuses_keys", mails=len(again))
    return {identity: mail for identity, mail in listed.items() if identity not in reused} | again, {
        identity: row for identity, row in known.items() if identity not in reused
    } | await ledger.known(again)
