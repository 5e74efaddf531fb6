"""Records of the rules as parameters of the queries: dictionaries become jsonb, with the columns' names as keys."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any

from services.ticket_writer.rules.recipients import Notification
from services.ticket_writer.rules.record import Record, SenderColumns, SupplementColumns, TicketChange, TicketColumns
from shared.messages import ClassifiedMail, Image, ImageCopy, LeftOut, Outcome, Reason
from shared.portal.counted_addresses import counted_address, counted_domain
from shared.portal.delivery import DeliveryReason
from shared.portal.history import Entry


@dataclass(frozen=True, slots=True)
class ToStore:
    """A mail's record, and when the mail was classified."""

    mail: ClassifiedMail
    record: Record
    classified_at: datetime | None


def parameters(stored: Sequence[ToStore]) -> list[Any]:
    """The parameters of ADD_TICKETS, ADD_SUPPLEMENTS and ADD_BOTH."""
    return [
        [_row(place, each) for place, each in enumerate(stored, start=1)],
        [each.record.body.body_html for each in stored],
        [each.record.body.body_full_html for each in stored],
        [each.record.body.body_full_text for each in stored],
        [bytes.fromhex(each.mail.content_key.key) for each in stored],
        [bytes.fromhex(each.mail.content_key.text_digest) for each in stored],
    ]


def _row(place: int, stored: ToStore) -> dict[str, object]:
    mail, record = stored.mail, stored.record
    columns = record.columns
    row: dict[str, object] = {
        "place": place,
        "mail_id": str(mail.mail_id),
        "columns": _json(_by_name(columns)) | _sender(record.sender),
        "helpdesk_id": mail.helpdesk_id,
        "at": columns.changed_at.isoformat(),
        "employee_id": columns.changed_by_employee_id,
        "history": [_entry(position, entry) for position, entry in enumerate(record.history)],
        "parts": _parts(record.images, record.left_out),
        "notifications": [_notification(mail, notification) for notification in record.notifications],
        "ledger": ledger_row(mail, record.outcome, record.reasons, stored.classified_at),
        "claims": not mail.forced,
    }
    return row if record.change is None else row | _json(_by_name(record.change))


def ledger_row(
    mail: ClassifiedMail, outcome: Outcome, reasons: tuple[Reason, ...], classified_at: datetime | None, **more: object
) -> dict[str, object]:
    """What the ledger keeps of every mail, whatever became of it, the parts of the content key among them (D13)."""
    return _json(
        {
            "outcome": outcome,
            "decided_replay": mail.replay,
            "reasons": [reason.model_dump(mode="json") for reason in reasons],
            "message_id_header": mail.message_id,
            "sender_name": None if mail.sender is None else mail.sender.mailbox.name,
            "sender_address": None if mail.sender is None else mail.sender.mailbox.address,
            "subject": mail.subject,
            "sent_at": mail.sent_at,
            "classified_at": classified_at,
            "content_key_version": mail.content_key.version,
            **more,
        }
    )


def _sender(sender: SenderColumns) -> dict[str, object]:
    return _by_name(sender) | {
        "sender_to": [address.model_dump() for address in sender.sender_to],
        "sender_cc": [address.model_dump() for address in sender.sender_cc],
    }


def _entry(position: int, entry: Entry) -> dict[str, object]:
    return {
        "position": position,
        "kind": entry.kind,
        "description": entry.description,
        "details": entry.details,
    }


def _parts(images: tuple[Image, ...], left_out: tuple[LeftOut, ...]) -> list[dict[str, object]]:
    """The attachments: images as they stand in the body, then what was left out (W4, D4)."""
    stored: list[dict[str, object]] = [
        {
            "id": str(image.id),
            "name": image.name,
            "media_type": image.media_type,
            "byte_size": image.blob.size,
            "width": image.width,
            "height": image.height,
            "inline": image.inline,
            "content_id": image.content_id,
            "sha256": image.blob.sha256,
            "decoration": image.decoration,
            "copies": [
                _copy(kind, copy)
                for kind, copy in (("rendition", image.rendition), ("thumbnail", image.thumbnail))
                if copy is not None
            ],
        }
        for image in images
    ]
    named: list[dict[str, object]] = [
        {
            "id": str(part.id),
            "name": part.name,
            "media_type": part.media_type,
            "byte_size": part.size,
            "inline": False,
            "left_out_reason": part.reason,
        }
        for part in left_out
    ]
    return [{"position": position, **part} for position, part in enumerate(stored + named)]


def _copy(kind: str, copy: ImageCopy) -> dict[str, object]:
    return {
        "kind": kind,
        "media_type": copy.media_type,
        "width": copy.width,
        "height": copy.height,
        "byte_size": copy.blob.size,
        "sha256": copy.blob.sha256,
    }


def _notification(mail: ClassifiedMail, notification: Notification) -> dict[str, object]:
    collects_for = notification.collects_for
    return {
        "id": str(notification.id_for(mail.mail_id)),
        "kind": notification.kind,
        "name": notification.name,
        "address": notification.address,
        "employee_id": notification.employee_id,
        "person_id": notification.person_id,
        "state": "planned" if notification.not_sent is None else "not-sent",
        "reason": notification.not_sent if collects_for is None else DeliveryReason.COLLECTING,
        "to_stranger": notification.to_stranger,
        "collects_for": None if collects_for is None else f"{collects_for.total_seconds()} seconds",
        "summary_id": None if notification.summary_id is None else str(notification.summary_id),
        "counted_address": None if notification.address is None else counted_address(notification.address),
        "counted_domain": None if notification.address is None else counted_domain(notification.address),
    }


def _by_name(columns: TicketColumns | SupplementColumns | SenderColumns | TicketChange) -> dict[str, Any]:
    """The fields of a value; `dataclasses.asdict` would copy all that hangs on them, at ten times the cost."""
    return {field.name: getattr(columns, field.name) for field in fields(columns)}


def _json(row: dict[str, Any]) -> dict[str, Any]:
    """A row with moments, numbers of hours and ids as text, which PostgreSQL reads back exactly."""
    return {name: _as_text(value) for name, value in row.items()}


def _as_text(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal | uuid.UUID) else value
