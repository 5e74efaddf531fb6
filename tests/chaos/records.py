"""Reads what there is when all is over: the ledger, tickets with their pictures, notifications, mailboxes, receipts."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import asyncpg
from PIL import Image

from deploy.demo.smtp_server import Delivery
from tests.chaos.comparison import Notification, Placed, Receipt, Row

_ROWS: Final = """
    SELECT item_key, outcome, outcome_at,
        ARRAY(SELECT each->>'id' FROM jsonb_array_elements(reasons) AS each) AS reasons,
        array_remove(ARRAY[
            CASE WHEN published_at IS NULL THEN 'not published' END,
            CASE WHEN marked_read_at IS NULL THEN 'not recorded as read' END,
            CASE WHEN event_published_at IS NULL AND outcome IN ('ticket', 'supplement')
                 THEN 'the notifier was not told' END,
            CASE WHEN EXISTS (SELECT FROM helpdesk.dead_letters AS letter
                              WHERE letter.mail_id = mail.mail_id AND resolved_at IS NULL) THEN 'a dead letter' END,
            CASE WHEN EXISTS (SELECT FROM helpdesk.notifications AS each
                              WHERE each.mail_id = mail.mail_id AND (state = 'planned' OR lease_holder IS NOT NULL))
                 THEN 'a mail still to be sent' END
        ], NULL) AS open
    FROM helpdesk.imported_mails AS mail"""

_PLACED: Final = """
    SELECT 'ticket' AS what, tickets.id AS ticket_id, NULL::bigint AS supplement_id, number, item_key,
           concat_ws(' ', body_full_text, body_html, body_full_html) AS body
    FROM helpdesk.tickets JOIN helpdesk.imported_mails USING (mail_id)
    UNION ALL
    SELECT 'supplement', tickets.id, supplements.id, number, item_key,
           concat_ws(' ', supplements.body_full_text, supplements.body_html, supplements.body_full_html)
    FROM helpdesk.supplements JOIN helpdesk.imported_mails USING (mail_id)
        JOIN helpdesk.tickets ON tickets.id = supplements.ticket_id"""

_PICTURES: Final = """
    SELECT ticket_id, supplement_id, blob_sha256,
           (SELECT string_agg(content, ''::bytea ORDER BY position) FROM helpdesk.blob_chunks
            WHERE sha256 = blob_sha256) AS content
    FROM helpdesk.attachments WHERE blob_sha256 IS NOT NULL AND mail_id IS NOT NULL"""

_NOTIFICATIONS: Final = """
    SELECT item_key, kind, state, message_id
    FROM helpdesk.notifications JOIN helpdesk.imported_mails USING (mail_id)"""

_TEXT: Final = re.compile(r"\bBericht (\d+):")


@dataclass(frozen=True, slots=True)
class Records:
    """All that the comparison needs of the importer's side."""

    rows: Sequence[Row]
    placed: Sequence[Placed]
    notifications: Sequence[Notification]
    outcomes_at: Sequence[datetime]


async def read_records(connection: asyncpg.Connection) -> Records:
    """What the database has, of one moment."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        rows = await connection.fetch(_ROWS)
        pictures = await _pictures(connection)
        placed = [
            Placed(
                each["what"], each["number"], each["item_key"],
                frozenset(map(int, _TEXT.findall(each["body"]))),
                frozenset(number for number, _ in pictures[each["ticket_id"], each["supplement_id"]] if number),
                tuple(broken for _, broken in pictures[each["ticket_id"], each["supplement_id"]] if broken),
            )
            for each in await connection.fetch(_PLACED)
        ]  # fmt: skip
        notifications = [Notification(*each) for each in await connection.fetch(_NOTIFICATIONS)]
    return Records(
        [Row(each["item_key"], each["outcome"], tuple(each["reasons"]), tuple(each["open"])) for each in rows],
        placed,
        notifications,
        sorted(each["outcome_at"] for each in rows if each["outcome_at"] is not None),
    )


async def _pictures(connection: asyncpg.Connection) -> defaultdict[Any, list[tuple[int | None, str | None]]]:
    """The pictures of each ticket and supplement: the number of their mail, or why they have none."""
    pictures: defaultdict[Any, list[tuple[int | None, str | None]]] = defaultdict(list)
    async for each in connection.cursor(_PICTURES, prefetch=100):
        pictures[each["ticket_id"], each["supplement_id"]].append(_number_of(each["blob_sha256"], each["content"]))
    return pictures


def _number_of(sha256: bytes, content: bytes | None) -> tuple[int | None, str | None]:
    """The number that a picture's colour stands for (`tests.faults.mails.colour_of`), or what is wrong with it."""
    if content is None or hashlib.sha256(content).digest() != sha256:
        return None, sha256.hex()
    pixel = Image.open(BytesIO(content)).convert("RGB").getpixel((0, 0))
    assert isinstance(pixel, tuple)
    return int(pixel[0]) + 256 * int(pixel[1]), None


def read_in_mailboxes(mailboxes: Path) -> frozenset[str]:
    """The keys of mails that are marked as read in these Maildirs."""
    marked = (path.name.partition(":2,") for path in mailboxes.glob("*/cur/*"))
    return frozenset(key for key, _, flags in marked if "S" in flags)


def receipt_of(delivery: Delivery, at: float, *, cut: bool) -> Receipt:
    """A delivery at the mail server as the comparison knows it."""
    message_id = str(message_from_bytes(delivery.content)["Message-ID"]).strip(" \r\n<>")
    return Receipt(message_id, hashlib.sha256(delivery.content).hexdigest(), at, cut)
