"""What a mail has left behind: in the ledger, as a ticket or supplement, in its history, and at the mail server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from email import message_from_bytes
from typing import Final

import asyncpg

from tests.acceptance.pipeline import Pipeline, Row

_OPEN_ENDS: Final = """
    SELECT cardinality($1::text[]) - count(*) FROM helpdesk.imported_mails AS mail
    WHERE item_key = ANY($1::text[]) AND outcome IS NOT NULL
        AND published_at IS NOT NULL AND marked_read_at IS NOT NULL
        AND (event_published_at IS NOT NULL OR outcome NOT IN ('ticket', 'supplement'))
        AND NOT EXISTS (
            SELECT FROM helpdesk.notifications
            WHERE notifications.mail_id = mail.mail_id AND (state = 'planned' OR lease_holder IS NOT NULL))"""

_LEFT: Final = """
    SELECT item_key, outcome, ARRAY(SELECT each->>'id' FROM jsonb_array_elements(reasons) AS each) AS reasons,
        (SELECT count(*) FROM helpdesk.tickets WHERE mail_id = mail.mail_id) AS tickets,
        (SELECT count(*) FROM helpdesk.supplements WHERE mail_id = mail.mail_id) AS supplements,
        (SELECT count(*) FROM helpdesk.content_keys WHERE mail_id = mail.mail_id) AS content_keys,
        (SELECT count(*) FROM helpdesk.dead_letters WHERE mail_id = mail.mail_id AND resolved_at IS NULL)
            AS dead_letters,
        (SELECT count(*) FROM helpdesk.imported_mail_outcomes WHERE mail_id = mail.mail_id) AS earlier_outcomes,
        ARRAY(SELECT kind FROM helpdesk.ticket_history WHERE mail_id = mail.mail_id ORDER BY id) AS history,
        ARRAY(SELECT name || ': ' || coalesce(left_out_reason, media_type) FROM helpdesk.attachments
              WHERE mail_id = mail.mail_id ORDER BY position, id) AS attachments,
        ARRAY(SELECT kind || ': ' || state FROM helpdesk.notifications
              WHERE mail_id = mail.mail_id ORDER BY kind) AS notifications,
        ARRAY(SELECT message_id FROM helpdesk.notifications
              WHERE mail_id = mail.mail_id AND state = 'sent' ORDER BY kind) AS sent
    FROM helpdesk.imported_mails AS mail WHERE item_key = ANY($1::text[])"""


@dataclass(frozen=True, slots=True)
class Footprint:
    """What one mail left; counts of rows, or one entry a row."""

    outcome: str
    reasons: tuple[str, ...]
    tickets: int
    supplements: int
    content_keys: int
    dead_letters: int
    earlier_outcomes: int
    history: tuple[str, ...]
    attachments: tuple[str, ...]
    notifications: tuple[str, ...]
    """Kind and state."""
    received: tuple[int, ...]
    """For each notification that was sent: how often the mail server got its Message-ID."""
    read: bool
    """In the mailbox."""

    def is_sound(self, *, supplement: bool) -> bool:
        """Whether it is one ticket or supplement, with one history, of which everybody heard once."""
        return (
            (self.tickets, self.supplements, self.content_keys) == ((0, 1, 1) if supplement else (1, 0, 1))
            and (self.dead_letters, self.earlier_outcomes) == (0, 0)
            and self.history.count("supplemented" if supplement else "created") == 1
            and self.received == (1,) * (1 if supplement else 2)
            and self.read
        )


def planned(footprint: Footprint) -> int:
    """How many mails were sent about this one."""
    return len(footprint.received)


async def open_ends(database: asyncpg.Pool[Row], names: Collection[str]) -> int:
    """How many of these mails still have something to be done about them."""
    count: int = await database.fetchval(_OPEN_ENDS, list(names))
    return count


async def footprints(pipeline: Pipeline, names: Collection[str], may_repeat: Collection[str]) -> dict[str, Footprint]:
    """The footprints of these mails by name. A Message-ID in `may_repeat` that came twice counts once.

    Fails on a mail that the ledger has twice, on a Message-ID that the mail server got and no notification has, and
    on two mails of one Message-ID that differ.
    """
    rows = await pipeline.connection.fetch(_LEFT, list(names))
    assert sorted(row["item_key"] for row in rows) == sorted(names)
    received = await _received(pipeline, may_repeat)
    read = {path.name.partition(":2,")[0] for path in pipeline.mailboxes.glob("*/cur/*") if path.name.endswith("S")}
    return {
        row["item_key"]: Footprint(
            **{name: row[name] for name in ("outcome", "tickets", "supplements", "content_keys")},
            **{name: row[name] for name in ("dead_letters", "earlier_outcomes")},
            reasons=tuple(row["reasons"]),
            history=tuple(row["history"]),
            attachments=tuple(row["attachments"]),
            notifications=tuple(row["notifications"]),
            received=tuple(received[message_id] for message_id in row["sent"]),
            read=row["item_key"] in read,
        )
        for row in rows
    }


async def _received(pipeline: Pipeline, may_repeat: Collection[str]) -> Counter[str]:
    contents: dict[str, set[bytes]] = {}
    received: Counter[str] = Counter()
    for delivery in pipeline.smtp.deliveries:
        message_id = str(message_from_bytes(delivery.content)["Message-ID"]).strip(" \r\n<>")
        contents.setdefault(message_id, set()).add(delivery.content)
        received[message_id] += 1
    assert all(len(same) == 1 for same in contents.values()), "sent once more, a mail is the same mail"
    known = await pipeline.connection.fetch("SELECT message_id FROM helpdesk.notifications WHERE state = 'sent'")
    unknown = received.keys() - {row["message_id"] for row in known}
    assert not unknown, f"received, and no notification that was sent: {unknown}"
    for message_id in may_repeat:
        if received[message_id] == 2:
            received[message_id] = 1
    return received
