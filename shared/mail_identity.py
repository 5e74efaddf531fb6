"""The identity of a mail (SPEC D13, DESIGN 2): the same item of the same mailbox is always the same mail.

The fetcher gives it to what it finds, the console to an import that a person forces.
"""

from __future__ import annotations

import uuid
from typing import Final

from shared.messages import MailId

NAMESPACE: Final = uuid.UUID("6f1c3a52-7d0e-4c8e-9b6a-2f6f3d1f8b11")
"""Ours alone, never to change: every mail_id that was ever given out follows from it."""


def mail_id(helpdesk_id: int, generation: int, folder: str, item_key: str) -> MailId:
    """The identity of an item: UUIDv5 of the mailbox's row and generation, its folder and the item's own key."""
    return MailId(uuid.uuid5(NAMESPACE, f"{helpdesk_id}\n{generation}\n{folder}\n{item_key}"))


def forced_mail_id(original: MailId, number: int) -> MailId:
    """The identity of the `number`th import, from 1, that a person forced of a mail that was imported already."""
    return MailId(uuid.uuid5(original, str(number)))
