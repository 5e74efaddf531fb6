"""Delivery reports: which recipients, what became of them, and which mail of ours they speak of (SPEC D6).

    a report? (`delivery_signs`) → fields (`delivery_fields`) → else words (`delivery_words`) → the mail returned

Where fields leave something open (a recipient, a status), the words beside them fill it in.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from services.classifier.reading.automatic.delivery_fields import (
    ADDRESS,
    MOST_RECIPIENTS,
    looks_like_fields,
    recipients_in_fields,
)
from services.classifier.reading.automatic.delivery_signs import (
    DATA_TYPES,
    RETURNED_TYPES,
    Telling,
    refusal_sign,
    report_sign,
)
from services.classifier.reading.automatic.delivery_words import (
    MOST_TEXT,
    recipients_in_words,
    recipients_of_notification,
    said_part,
)
from services.classifier.reading.automatic.smtp_status import status_of
from services.classifier.reading.limits import Limits
from services.classifier.reading.mime.header import Headers
from services.classifier.reading.mime.parser import attached_header, parse_mail
from services.classifier.reading.mime.part import Part
from services.classifier.reading.mime.safe_text import safe_line
from shared.messages import BouncedRecipient

MOST_ID: Final = 250
"""Characters of a Message-ID."""
_MESSAGE_ID: Final = re.compile(
    rf"^(?:[>|]|[^\S\n])*+(?:original-)?message-id\s*:\s*<([^<>\s]{{3,{MOST_ID}}})>", re.IGNORECASE | re.MULTILINE
)
_BRACKETED_ID: Final = re.compile(rf"<\s*([^<>\s]{{1,{MOST_ID}}})\s*>")
_LARGEST_FIELDS: Final = 256 * 1024
_LARGEST_REPORT: Final = 1024 * 1024
_REFUSED: Final = "5.7.1"
"""RFC 5429 §2.1.2: delivery not authorised, message refused."""


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What a report says: each recipient, and the Message-IDs of the mails that it returns or names."""

    recipients: tuple[BouncedRecipient, ...]
    returned_message_ids: tuple[str, ...]
    sign: str
    """What told that it is one, for the explanation."""


def read_delivery_report(
    root: Part, *, sender: str, sender_name: str, subject: str, text: str, limits: Limits
) -> DeliveryReport | None:
    """The report that this mail is, or None. `text` is what its body says; attached messages are not looked into."""
    telling = Telling(root=root, sender=sender, sender_name=sender_name, subject=subject, text=text)
    leaves = _leaves(root, limits)
    if (sign := refusal_sign(telling)) is not None:
        refused = _returned_to(leaves, limits) or ADDRESS.findall(text[:MOST_TEXT])[:1]
        entries = tuple(BouncedRecipient(recipient=each, status=_REFUSED, action="failed") for each in refused)
        return DeliveryReport(entries, _returned(root, leaves, text, limits), sign)
    recipients = recipients_of_notification(text, limits)
    if recipients:
        return DeliveryReport(tuple(recipients), (), "bouncedRecipients")
    sign = report_sign(telling)
    is_carried = not telling.media_types & DATA_TYPES and any(part.media_type in DATA_TYPES for part in leaves)
    if sign is None and is_carried and telling.from_machine and telling.called_so and not telling.passed_on:
        sign = "attached report"
    if sign is None:
        return None
    in_fields = [entry for part in leaves for entry in _fields(part, limits)]
    if not in_fields and looks_like_fields(text[: MOST_TEXT * 2]):
        in_fields = recipients_in_fields(text[: MOST_TEXT * 2], limits)
    recipients = in_fields
    if not in_fields or not all(entry.recipient and entry.status for entry in in_fields):
        in_words = _in_words(root.headers, sender, leaves, text, limits)
        recipients = _completed(in_fields, in_words, text) if in_fields else in_words
    return DeliveryReport(tuple(recipients[:MOST_RECIPIENTS]), _returned(root, leaves, text, limits), sign)


def _leaves(root: Part, limits: Limits) -> list[Part]:
    """The parts of a report; of one that somebody passed on as an attached message, the parts of that."""
    leaves = [part for part in root.walk() if not part.is_multipart]
    if any(part.media_type in DATA_TYPES for part in leaves):
        return leaves
    for part in leaves:
        if part.media_type == "message/rfc822" and len(part.content) <= _LARGEST_REPORT:
            carried = part.attached or parse_mail(part.content, limits)
            inner = [each for each in carried.walk() if not each.is_multipart]
            if any(each.media_type in DATA_TYPES for each in inner):
                return [each for each in leaves if each is not part] + inner
    return leaves


def _fields(part: Part, limits: Limits) -> list[BouncedRecipient]:
    """The fields of a status part; of a part of another type only if such fields stand in it."""
    if part.media_type in RETURNED_TYPES:
        return []
    if part.media_type in DATA_TYPES:
        return recipients_in_fields(part.text, limits)
    if (part.is_text and not part.name) or len(part.content) > _LARGEST_FIELDS:
        return []  # what the mail says is looked at later, in its words
    if part.is_text or part.media_type == "application/octet-stream":
        text = part.text
        return recipients_in_fields(text, limits) if looks_like_fields(text) else []
    return []


def _in_words(headers: Headers, sender: str, leaves: list[Part], text: str, limits: Limits) -> list[BouncedRecipient]:
    not_meant = {sender.lower()}
    for name in ("from", "to"):
        not_meant |= {address.lower() for address in ADDRESS.findall(headers.text(name))}
    named = list(dict.fromkeys(ADDRESS.findall(headers.text("x-failed-recipients"))))
    recipients = recipients_in_words(text, limits, named=named, not_meant=not_meant)
    if recipients:
        return recipients
    status = status_of(said_part(text)) or status_of(headers.text("subject")) or "5.0.0"
    action = "delayed" if status.startswith("4") and "delay" in text.lower() else "failed"
    return [
        BouncedRecipient(recipient=address, status=status, action=action)
        for address in _returned_to(leaves, limits) or [""]
    ]


def _completed(fields: list[BouncedRecipient], words: list[BouncedRecipient], text: str) -> list[BouncedRecipient]:
    """Entries of fields, with what they lack taken from the words about the same recipient, or about all."""
    by_address = {entry.recipient.lower(): entry for entry in words}
    completed = []
    for position, entry in enumerate(fields):
        same_place = words[position] if len(words) == len(fields) else words[0] if len(fields) == 1 and words else None
        beside = by_address.get(entry.recipient.lower(), same_place if not entry.recipient else None)
        delayed = entry.action == "delayed"
        status = entry.status or (
            beside.status
            if beside
            else status_of(said_part(text), delayed=delayed) or ("4.0.0" if delayed else "5.0.0")
        )
        if not entry.status and entry.action in {"delayed", "failed"} and status.startswith("2"):
            status = "4.0.0" if delayed else "5.0.0"
        completed.append(
            entry.model_copy(
                update={
                    "recipient": entry.recipient or (beside.recipient if beside else ""),
                    "status": status,
                    "action": entry.action or (beside.action if beside else "failed"),
                    "diagnostic": entry.diagnostic or (beside.diagnostic if beside else ""),
                }
            )
        )
    return completed


def _returned_to(leaves: list[Part], limits: Limits) -> list[str]:
    """Whom the attached returned mail was sent to."""
    for part in leaves:
        if part.media_type in RETURNED_TYPES:
            inner = attached_header(part.content, limits)
            for name in ("x-envelope-to", "to"):
                if addresses := ADDRESS.findall(inner.text(name)):
                    return [safe_line(address, limits.address) for address in dict.fromkeys(addresses)][
                        :MOST_RECIPIENTS
                    ]
    return []


def _returned(root: Part, leaves: list[Part], text: str, limits: Limits) -> tuple[str, ...]:
    """Message-IDs of the returned mail: of the attached message or headers, named in the report, or in its words."""
    ids: list[str] = []
    for part in leaves:
        if part.media_type in RETURNED_TYPES:
            inner = attached_header(part.content, limits)
            ids += message_ids(inner.text("message-id"))
        elif part.media_type in DATA_TYPES:
            ids += _MESSAGE_ID.findall(part.text)
    ids += _MESSAGE_ID.findall(text[: MOST_TEXT * 4])
    for name in ("in-reply-to", "references"):
        ids += message_ids(root.headers.text(name))
    return tuple(dict.fromkeys(safe_line(each, MOST_ID) for each in ids))[: limits.references]


def message_ids(value: str) -> list[str]:
    """The Message-IDs in a header value, without brackets; a value without brackets is one if it has no spaces."""
    ids = _BRACKETED_ID.findall(value)
    bare = value.strip().strip("<>")
    if not ids and bare and " " not in bare and len(bare) <= MOST_ID:
        return [bare]
    return ids
