"""The kinds of template that a helpdesk may have of its own: one for each mail about a ticket, one for a summary."""

from __future__ import annotations

from enum import StrEnum

from shared.messages import NotificationKind


class TemplateKind(StrEnum):
    """Which mail a template is of (`templates.kind`)."""

    TICKET_ADDED_MANAGER = NotificationKind.TICKET_ADDED_MANAGER.value
    SUPPLEMENT_ADDED_EXECUTOR = NotificationKind.SUPPLEMENT_ADDED_EXECUTOR.value
    TICKET_ADDED_CUSTOMER = NotificationKind.TICKET_ADDED_CUSTOMER.value
    SUMMARY = "summary"
    """Of many M2 and M3 to one employee, in a burst."""

    @property
    def of_ticket(self) -> bool:
        """Whether the mail is about one ticket, so that its placeholders are a ticket's."""
        return self is not TemplateKind.SUMMARY
