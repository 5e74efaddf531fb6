"""A raw mail's envelope as AMQP headers, and back (DESIGN 3).

The payload of `mail.raw` is the mail itself, so that an operator who opens the queue in the RabbitMQ console reads a
mail; what we know of it stands in flat headers beside it, each `mail.` and the field's path:

    mail.mail_id: 0b6e…        mail.received_at: 2026-11-02T08:15:00Z        mail.raw.sha256: 9f86…

The prefix keeps the envelope apart from what the plumbing adds (tries, trace context, the broker's `x-` headers), so
that a field that only a newer sender knows survives, and a header that is none of ours does not enter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import ValidationError

from shared.errors import DeadLetter
from shared.messages import INLINE_LIMIT, RawMail

PREFIX: Final = "mail."
CONTENT_TYPE: Final = "message/rfc822"

HeaderValue = str | int | bool | float | list[Any]


def travels_inline(mail: RawMail) -> bool:
    """Whether the payload is the mail itself (up to 256 KiB); else it is empty and `mail.raw` is the claim check."""
    return mail.raw.size <= INLINE_LIMIT


def envelope_to_headers(mail: RawMail) -> dict[str, HeaderValue]:
    """The envelope as flat AMQP headers. Fields without a value are left out."""
    return dict(_flatten(PREFIX, mail.model_dump(mode="json")))


def envelope_from_headers(headers: Mapping[str, object]) -> RawMail:
    """The envelope that these AMQP headers hold; headers of other owners are passed over.

    Raises DeadLetter when a field is missing or unreadable: whatever sent this does not speak our protocol.
    """
    fields: dict[str, Any] = {}
    for header, value in headers.items():
        if not header.startswith(PREFIX):
            continue
        *parents, name = header.removeprefix(PREFIX).split(".")
        place = fields
        for parent in parents:
            place = place.setdefault(parent, {})
            if not isinstance(place, dict):
                raise DeadLetter(f"the headers of this message are no envelope of a raw mail: look at {parent}")
        place[name] = value
    try:
        return RawMail.model_validate(fields)
    except ValidationError as invalid:
        missing = ", ".join(".".join(str(part) for part in error["loc"]) for error in invalid.errors())
        raise DeadLetter(f"the headers of this message are no envelope of a raw mail: look at {missing}") from invalid


def _flatten(prefix: str, fields: Mapping[str, Any]) -> Iterator[tuple[str, HeaderValue]]:
    for name, value in fields.items():
        if isinstance(value, Mapping):
            yield from _flatten(f"{prefix}{name}.", value)
        elif value is not None:
            yield f"{prefix}{name}", value
