"""A notification with everything in it, to be changed by the tests."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from services.notifier.notification import Notification, Sender
from shared.messages import NotificationKind
from shared.templates.facts import Body, OwnTemplate, TicketFacts

NOW = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
KEY = b"a key of the tests that is long enough"


def ticket(**changes: Any) -> TicketFacts:
    """A ticket that has all that a template can show."""
    facts = TicketFacts(
        number="1000123",
        title="Printer doet het niet",
        organisation="Bakkerij Jansen",
        contact="Piet Jansen",
        status="E-mail Geïmporteerd",
        priority="Normaal",
        ticket_type="Storing",
        environment="Productie",
        manager="Sanne de Wit",
        executor="Karim Bouzid",
        reported_at=NOW,
        deadline_at=None,
        request=Body("<p>Foutcode 79</p>", "Foutcode 79"),
        supplement=Body(),
        supplemented_at=None,
        mail_subject="Printer doet het niet",
        mail_from_name="Piet Jansen",
        mail_from_address="piet@klant.example",
        images=(),
        left_out=(),
        time_zone="Europe/Amsterdam",
        url="https://helpdesk.example/tickets/[ticketnummer]",
    )
    return replace(facts, **changes)


def sender(**changes: Any) -> Sender:
    """A helpdesk that sends from the mailbox that is imported."""
    return replace(
        Sender(helpdesk="ICT", name="Servicedesk ICT", address=None, reply_to=None, mailbox="ict@example.nl"), **changes
    )


def notification(**changes: Any) -> Notification:
    """M4 to the customer, claimed for its first try."""
    facts = Notification(
        id=uuid.UUID("4f0c1c5e-0000-4000-8000-000000000001"),
        mail_id=uuid.UUID("4f0c1c5e-0000-5000-8000-000000000002"),
        kind=NotificationKind.TICKET_ADDED_CUSTOMER,
        tries=1,
        doubtful_tries=0,
        recipient_name="Piet Jansen",
        recipient_address="piet@klant.example",
        account=None,
        sender=sender(),
        marker="===== vul boven deze regel uw reactie =====",
        template=OwnTemplate(),
        ticket=ticket(),
        answers=("abc@klant.example",),
        written=None,
    )
    return replace(facts, **changes)
