"""How a message of ours looks on the wire, and how a delivered one is read.

    type            `Message.type`               content_type  application/json, or that of the payload
    correlation_id  the mail_id                  headers       version, helpdesk_id, traceparent …
    message_id      new for every publish                      and a raw mail's envelope (`shared.broker.envelope`)

A raw mail is its own payload: an operator who opens the queue in RabbitMQ's console reads a mail.
Our own counters are headers too: `attempt` (this try's number, absent for the first), `failures` (tries that ended in
an error of ours), `first_error`, `last_error`; on a dead letter also `reason`, `service` and `at`.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar, cast

from aiormq import spec
from pydantic import ValidationError

from shared.broker.envelope import CONTENT_TYPE as RAW_MAIL
from shared.broker.envelope import envelope_from_headers, envelope_to_headers
from shared.errors import DeadLetter
from shared.messages import Message, RawMail

JSON: Final = "application/json"
VERSION: Final = "version"
HELPDESK_ID: Final = "helpdesk_id"
ATTEMPT: Final = "attempt"
FAILURES: Final = "failures"
FIRST_ERROR: Final = "first_error"
LAST_ERROR: Final = "last_error"
REASON: Final = "reason"
SERVICE: Final = "service"
AT: Final = "at"
COUNTERS: Final = frozenset({ATTEMPT, FAILURES, FIRST_ERROR, LAST_ERROR, REASON, SERVICE, AT})
"""Our headers about tries: what a replay leaves out."""

M = TypeVar("M", bound=Message)


class Unreadable(DeadLetter):
    """A message that this version of the service cannot read."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """A message as it goes out: its body, content type and headers."""

    body: bytes
    content_type: str
    headers: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message that a queue gave us.

    `attempt` is this try's number, from 1. `broker_deliveries` is how often RabbitMQ gave the message out before (and
    never heard that it was done), save those times that we know to have `survived`. `suspect`: it came alone, by the
    queue of those that may crash their consumer or hold up others.
    """

    queue: str
    body: bytes
    headers: Mapping[str, Any]
    content_type: str
    message_type: str
    message_id: str
    correlation_id: str
    app_id: str
    timestamp: datetime | None
    redelivered: bool
    suspect: bool = False
    survived: int = 0

    @classmethod
    def of(
        cls,
        body: bytes,
        properties: spec.Basic.Properties,
        queue: str,
        *,
        redelivered: bool | None = False,
        suspect: bool = False,
        survived: int = 0,
    ) -> Delivery:
        """The delivery of an AMQP message; `queue` is the work queue, for a suspect too."""
        return cls(
            queue=queue,
            body=body,
            headers=properties.headers or {},
            content_type=properties.content_type or "",
            message_type=properties.message_type or "",
            message_id=properties.message_id or "",
            correlation_id=properties.correlation_id or "",
            app_id=properties.app_id or "",
            timestamp=properties.timestamp,
            redelivered=bool(redelivered),
            suspect=suspect,
            survived=survived,
        )

    @property
    def attempt(self) -> int:
        """The number of this try, from 1."""
        return max(1, self._count(ATTEMPT))

    @property
    def failures(self) -> int:
        """How many earlier tries ended in an error of ours."""
        return self._count(FAILURES)

    @property
    def broker_deliveries(self) -> int:
        """How often RabbitMQ delivered this before, and who had it may have died of it."""
        return max(0, self._count("x-delivery-count") - self.survived)

    @property
    def mail_id(self) -> uuid.UUID | None:
        """The mail that this message is about; None when it does not say so in our way."""
        try:
            return uuid.UUID(self.correlation_id)
        except ValueError:
            return None

    def read(self, kind: type[M]) -> M:
        """The message of this `kind`; Unreadable when it is another one, malformed, or of a later version."""
        if self.message_type != kind.type:
            raise Unreadable(f"This is a message of type «{self.message_type}», not {kind.type}: see who published it")
        newest = kind.model_fields["version"].default
        version = self._count(VERSION) or 1
        if version > newest:
            raise Unreadable(
                f"{kind.type} version {version} is newer than this service can read ({newest}): "
                "upgrade the service, then replay the message"
            )
        if issubclass(kind, RawMail):
            return cast("M", envelope_from_headers(self.headers))
        try:
            return kind.model_validate_json(self.body)
        except ValidationError as invalid:
            fields = ", ".join(sorted({".".join(map(str, error["loc"])) or "the body" for error in invalid.errors()}))
            raise Unreadable(f"{kind.type} cannot be read, at: {fields}. See who published it") from None

    def _count(self, header: str) -> int:
        value = self.headers.get(header, 0)
        return value if isinstance(value, int) and value >= 0 else 0


def encode(message: Message, payload: bytes | None = None) -> Encoded:
    """A raw mail as its `payload` (none when it is too large) with its envelope; any other message as JSON."""
    headers: dict[str, Any] = {VERSION: message.version}
    if (helpdesk_id := getattr(message, "helpdesk_id", None)) is not None:
        headers[HELPDESK_ID] = helpdesk_id
    if isinstance(message, RawMail):
        return Encoded(payload or b"", RAW_MAIL, headers | envelope_to_headers(message))
    return Encoded(message.model_dump_json().encode(), JSON, headers)
