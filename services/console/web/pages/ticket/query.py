"""A ticket with its supplements, pictures and history, from the views that the helpdesk UI reads too."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shared.database.pool import Connection

MOST: Final = 100
"""Supplements, and entries of the history, of which the newest are shown."""
MOST_TEXT: Final = 20_000
"""Characters of a text that are shown; the mail has the rest."""

_TICKET: Final = """
    SELECT ticket.id, ticket.number, ticket.helpdesk_id, ticket.helpdesk_name AS helpdesk, ticket.title,
        ticket.status_name AS status, ticket.organisation_name AS organisation, ticket.contact_name AS contact,
        ticket.sender_name, ticket.sender_address, ticket.created_by_name AS created_by, ticket.reported_at,
        ticket.entry_channel_name AS entry_channel, ticket.ticket_type_name AS ticket_type,
        ticket.priority_name AS priority, ticket.environment_name AS environment, ticket.category_name AS category,
        ticket.subcategory_name AS subcategory, ticket.ticket_manager_name AS ticket_manager,
        ticket.executor_name AS executor, ticket.parent_ticket_number AS parent,
        ticket.merged_into_number AS merged_into,
        ticket.deadline_at, ticket.completed_at, ticket.changed_at, ticket.changed_by_name AS changed_by,
        ticket.automatic, ticket.needs_review, ticket.mail_id, left(ticket.body_full_text, $3) AS text
    FROM ui_v1.tickets AS ticket JOIN ui_v1.ticket_numbers AS known ON known.ticket_id = ticket.id
    WHERE known.number = $1 AND ticket.helpdesk_id = ANY($2::bigint[])"""
_SUPPLEMENTS: Final = """
    SELECT supplement.id, supplement.reported_at, supplement.supplement_type_name AS supplement_type,
        supplement.informant_name AS informant, supplement.sender_name, supplement.sender_address,
        supplement.visible_to_customer, supplement.status_name AS status, supplement.verdict ->> 'sentence' AS verdict,
        supplement.automatic, supplement.needs_review, supplement.held_for_review, supplement.mail_id,
        left(supplement.body_full_text, $2) AS text
    FROM ui_v1.supplements AS supplement
    WHERE supplement.ticket_id = $1 ORDER BY supplement.reported_at DESC, supplement.id DESC LIMIT $3"""
_ATTACHMENTS: Final = """
    SELECT attachment.id, attachment.supplement_id, attachment.mail_id, attachment.name, attachment.media_type,
        attachment.byte_size, attachment.stored, attachment.left_out_reason
    FROM ui_v1.attachments AS attachment
    WHERE attachment.ticket_id = $1 AND (attachment.supplement_id IS NULL OR attachment.supplement_id = ANY($2))
    ORDER BY attachment.created_at, attachment.position"""
_HISTORY: Final = """
    SELECT entry.at, entry.description, entry.author_name AS author, entry.mail_id
    FROM ui_v1.ticket_history AS entry
    WHERE entry.ticket_id = $1 ORDER BY entry.at DESC, entry.id DESC LIMIT $2"""


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket as it stands now, in the names that people know it by."""

    id: int
    number: str
    helpdesk_id: int
    helpdesk: str
    title: str | None
    status: str
    organisation: str | None
    contact: str | None
    sender_name: str | None
    sender_address: str | None
    created_by: str | None
    reported_at: datetime
    entry_channel: str | None
    ticket_type: str | None
    priority: str | None
    environment: str | None
    category: str | None
    subcategory: str | None
    ticket_manager: str | None
    executor: str | None
    parent: str | None
    merged_into: str | None
    deadline_at: datetime | None
    completed_at: datetime | None
    changed_at: datetime | None
    changed_by: str | None
    automatic: str | None
    needs_review: bool
    mail_id: uuid.UUID | None
    text: str | None


@dataclass(frozen=True, slots=True)
class Supplement:
    """A supplement («aanvulling») of it; `verdict` says how sure it belongs there."""

    id: int
    reported_at: datetime
    supplement_type: str | None
    informant: str | None
    sender_name: str | None
    sender_address: str | None
    visible_to_customer: bool
    status: str | None
    verdict: str | None
    automatic: str | None
    needs_review: bool
    held_for_review: bool
    mail_id: uuid.UUID | None
    text: str | None


@dataclass(frozen=True, slots=True)
class Attachment:
    """What came with it: `stored`, or left out for a reason."""

    id: uuid.UUID
    supplement_id: int | None
    mail_id: uuid.UUID | None
    name: str
    media_type: str
    byte_size: int
    stored: bool
    left_out_reason: str | None


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of its history."""

    at: datetime
    description: str
    author: str | None
    mail_id: uuid.UUID | None


async def ticket(connection: Connection, number: str, within: Sequence[int]) -> Ticket | None:
    """The ticket that is known by this number, in one of these helpdesks."""
    row = await connection.fetchrow(_TICKET, number, within, MOST_TEXT)
    return None if row is None else Ticket(**row)


async def supplements(connection: Connection, ticket_id: int) -> list[Supplement]:
    """Its newest supplements."""
    return [Supplement(**row) for row in await connection.fetch(_SUPPLEMENTS, ticket_id, MOST_TEXT, MOST)]


async def attachments(connection: Connection, ticket_id: int, supplement_ids: Sequence[int]) -> list[Attachment]:
    """What came with the ticket itself and with these supplements."""
    return [Attachment(**row) for row in await connection.fetch(_ATTACHMENTS, ticket_id, supplement_ids)]


async def history(connection: Connection, ticket_id: int) -> list[Entry]:
    """The newest of its history."""
    return [Entry(**row) for row in await connection.fetch(_HISTORY, ticket_id, MOST)]
