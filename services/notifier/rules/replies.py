"""What the reply of a mail server means for a notification (RFC 5321 §4.2, RFC 3463, RFC 4954 §6)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from shared.one_line import one_line
from shared.portal.delivery import UNKNOWN_RECIPIENT_CODES, DeliveryReason

REPLY_LIMIT: Final = 1000
"""Characters of a server's reply that are kept."""

_LOGIN_CODES: Final = frozenset([530, 534, 535, 538])
_ENHANCED: Final = re.compile(r"^\s*([245]\.\d{1,3}\.\d{1,3})\b")
_ADDRESS: Final = re.compile(r"(?<![^\s<>()\"',;:])[^\s<>()\"',;:]+@[^\s<>()\"',;:]+")


class Stage(StrEnum):
    """How far the dialogue was when the server replied."""

    CONNECTING = "connecting"
    LOGIN = "login"
    SENDER = "sender"
    RECIPIENT = "recipient"
    CONTENT = "content"
    """The mail itself is under way: without a clear reply nobody can tell whether the server took it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`final`: never try again. `whole_account`: every other mail of this account would meet the same."""

    reason: DeliveryReason
    final: bool = False
    whole_account: bool = False


def is_completion(code: int) -> bool:
    """Whether the server did what it was asked: by the first digit, as RFC 5321 §4.3.2 has a client decide."""
    return 200 <= code < 300  # noqa: PLR2004 - the first digit of a reply


def is_refusal(code: int) -> bool:
    """Whether the server says that it did not, now or for good."""
    return 400 <= code < 600  # noqa: PLR2004


def verdict(stage: Stage, code: int, text: str) -> Verdict:
    """What to do after a reply that is no success.

    Only a refusal of the mail itself is final: what is wrong with the account or the server passes, or is mended.
    """
    enhanced = _ENHANCED.match(text)
    if stage is Stage.LOGIN and 400 <= code < 500:  # noqa: PLR2004 - the first digit of a reply
        return Verdict(DeliveryReason.REFUSED_FOR_NOW, whole_account=True)
    if stage is Stage.LOGIN or code in _LOGIN_CODES:
        return Verdict(DeliveryReason.LOGIN_REFUSED, whole_account=True)
    if stage is Stage.CONNECTING or code == 421 or not is_refusal(code):  # noqa: PLR2004 - closing
        return Verdict(DeliveryReason.SERVER_AWAY, whole_account=True)
    if code < 500:  # noqa: PLR2004
        return Verdict(DeliveryReason.REFUSED_FOR_NOW)
    if stage is not Stage.SENDER and enhanced is not None and enhanced[1] in UNKNOWN_RECIPIENT_CODES:
        return Verdict(DeliveryReason.UNKNOWN_RECIPIENT, final=True)
    return Verdict(DeliveryReason.REFUSED, final=True)


def reply_line(code: int, text: str) -> str:
    """A reply as it is kept: one printable line, cut to REPLY_LIMIT characters."""
    return one_line(f"{code} {text}")[:REPLY_LIMIT]


def without_addresses(reply: str) -> str:
    """A reply as it may be logged: servers repeat the recipient's address in it. The row keeps the whole reply."""
    return _ADDRESS.sub("(address)", reply)
