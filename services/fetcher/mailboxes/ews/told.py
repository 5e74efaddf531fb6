"""What a failed check tells of its requests to an EWS server and their answers: by lists, without what either wrote."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final
from xml.etree.ElementTree import Element

from services.fetcher.mailboxes.ews.login import UNAUTHORIZED, offers
from shared.dialogue import http

_OPERATIONS: Final = frozenset({
    "GetFolder", "FindFolder", "CreateFolder", "FindItem", "SyncFolderItems", "GetItem", "GetAttachment",
    "UpdateItem", "MoveItem", "DeleteItem",
})  # fmt: skip
_OPERATION: Final = re.compile(rb"<\w+:Body>\s*<(?:\w+:)?([A-Za-z]{1,40})")
_LOGINS: Final = ("Negotiate", "NTLM", "Basic", "Bearer")


def asked(envelope: bytes) -> str:
    """The operation that a request of ours asks for."""
    found = _OPERATION.search(envelope)
    operation = found[1].decode() if found else ""
    return f"POST {operation if operation in _OPERATIONS else '{…}'}"


def came(status: int, headers: Mapping[str, str]) -> str:
    """An answer's status and headers; which logins are offered, where one is asked for."""
    said = http.came(status, headers)
    if status != UNAUTHORIZED:
        return said
    offered = offers(headers)
    return f"{said}, offers {' '.join(name for name in _LOGINS if name.lower() in offered) or 'none that is known'}"


def refusal(messages: Sequence[Element]) -> str | None:
    """The first known error among response messages."""
    codes = ((message.findtext("ResponseCode") or "").strip() for message in messages)
    return next((known for code in codes if (known := http.code(code)) is not None), None)
