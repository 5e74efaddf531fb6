"""The Message-ID of a notification: the same each time it is sent, and nobody else can make one (DESIGN 9).

    4f0c1c5e….9d3a…@example.nl        id of the notification, keyed hash of it, domain of the sender

Without the hash an outsider who guesses an id could forge an answer to it. Message-IDs are stored without angle
brackets (`notifications.message_id`), as the classifier reads them from In-Reply-To and from bounces.
"""

from __future__ import annotations

import hashlib
import hmac
import uuid

_HASH_BYTES = 16


def message_id(notification_id: uuid.UUID, domain: str, key: bytes) -> str:
    """The Message-ID, without angle brackets. `domain` in ASCII; `key` is the secret `message_id_key`."""
    keyed = hmac.new(key, notification_id.bytes, hashlib.sha256).digest()[:_HASH_BYTES]
    return f"{notification_id.hex}.{keyed.hex()}@{domain}"
