"""Messages as Graph lists them, as references."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from services.fetcher.mailboxes.protocol import ItemKey, MailReference, arrival, count
from shared.microsoft.errors import Interrupted
from shared.microsoft.graph import identity


def references(page: Mapping[str, Any]) -> list[MailReference]:
    """The mails of a page; Interrupted when it is no page, lest a proxy's page passes for an empty mailbox.

    Of a delta query: what was removed, and drafts, are left out.
    """
    items = page.get("value")
    if not isinstance(items, list):
        raise Interrupted("Microsoft Graph gaf een lijst die niet te lezen is; het wordt opnieuw geprobeerd.")
    return [
        MailReference(ItemKey(identity(item)), _received_at(item), size_of(item))
        for item in items
        if not (isinstance(item, dict) and ("@removed" in item or item.get("isDraft") is True))
    ]


def size_of(item: Mapping[str, Any]) -> int | None:
    """The stored item's size in bytes, where it was asked for and is told."""
    properties = item.get("singleValueExtendedProperties")
    sizes = [
        count(each.get("value"))
        for each in (properties if isinstance(properties, list) else ())
        if isinstance(each, dict)
    ]
    return max((size for size in sizes if size is not None), default=None)


def _received_at(item: Mapping[str, Any]) -> datetime:
    """An item without a readable time arrived now: that it is imported matters more."""
    now = datetime.now(UTC)
    try:
        return arrival(datetime.fromisoformat(item["receivedDateTime"]), now)
    except (KeyError, TypeError, ValueError):
        return now
