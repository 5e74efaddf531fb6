"""What a viewer without the right to personal data gets: what happened, and not with whose words."""

from __future__ import annotations

import dataclasses
from typing import Any, TypeVar

from services.console.repairs.mails import ExplainedReason, MailInFull
from services.console.web.visitors import Visitor
from shared.messages import Reason
from shared.portal.reasons import explanation_of

_PERSONAL = ("sender", "sender_name", "sender_address", "subject", "message_id", "recipient", "server_reply")

T = TypeVar("T")


def for_eyes(visitor: Visitor, seen: T) -> T:
    """A row of a list or a mail as this visitor may see it: `seen` has a `helpdesk`, and maybe `reasons`."""
    row: Any = seen
    if row.helpdesk not in visitor.without_personal_data():
        return seen
    changes: dict[str, Any] = {name: None for name in _PERSONAL if hasattr(row, name)}
    if hasattr(row, "reasons"):
        changes["reasons"] = _without_details(row.reasons)
    if isinstance(row, MailInFull):
        changes["notifications"] = tuple(
            dataclasses.replace(one, recipient=None, server_reply=None) for one in row.notifications
        )
        changes["earlier_outcomes"] = tuple(
            dataclasses.replace(one, reasons=_without_details(one.reasons)) for one in row.earlier_outcomes
        )
        changes["item_key"] = ""
    masked: T = dataclasses.replace(row, **changes)
    return masked


def _without_details(reasons: tuple[ExplainedReason, ...]) -> tuple[ExplainedReason, ...]:
    return tuple(
        dataclasses.replace(
            reason, detail="", sentence=explanation_of(Reason.model_validate({"id": reason.id})).sentence
        )
        for reason in reasons
    )
