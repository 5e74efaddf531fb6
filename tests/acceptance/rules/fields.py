"""Fields where a helpdesk or ticket differs from the plain case of test_fields.py (N10, N12, N17, A9)."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from tests.acceptance.story import Mail, Story

PLANNED: Final = datetime(2025, 9, 1, 8, tzinfo=UTC)

FIELDS: Final = {
    "N10 without defaults of the helpdesk type, priority and environment are empty": Story(
        settings={"default_ticket_type": None, "default_priority": None, "default_environment": None},
        then={"outcome": "ticket", "type": None, "priority": None, "environment": None},
    ),
    "N10 with defaults of the helpdesk type, priority and environment are those": Story(
        settings={"default_ticket_type": "Wijziging", "default_priority": "Laag"},
        then={"type": "Wijziging", "priority": "Laag", "environment": "Productie"},
    ),
    "N12 without defaults of the helpdesk ticket manager and executor are empty": Story(
        settings={"default_ticket_manager": None, "default_executor": None},
        then={"outcome": "ticket", "ticket_manager": None, "ticket_executor": None},
    ),
    "N17 recalculation is off where the helpdesk has it off": Story(
        settings={"recalculate_deadline": False}, then={"outcome": "ticket", "recalculate": False}
    ),
    "A9 what the ticket has stays, and is noted on the supplement": Story(
        ticket={
            "priority": "Laag",
            "executor": "Fatima el Amrani",
            "planned_at": PLANNED,
            "time_needed_hours": Decimal("2.50"),
            "recalculate_deadline": True,
        },
        mail=Mail(subject="Ticket {ticket}"),
        then={
            "priority": "Laag",
            "noted_priority": "Laag",
            "ticket_executor": "Fatima el Amrani",
            "noted_executor": "Fatima el Amrani",
            "planned": PLANNED,
            "noted_planned": PLANNED,
            "hours": Decimal("2.50"),
            "noted_hours": Decimal("2.50"),
            "recalculate": True,
            "noted_recalculate": True,
        },
    ),
}
