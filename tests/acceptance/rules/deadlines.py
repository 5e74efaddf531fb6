"""Status and deadline after a supplement, as in the portal (A8, A10, D2, D3). The arrival is the mail's own."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from tests.acceptance.story import Mail, Story, says

HIGH: Final = {"priority": "Hoog", "recalculate_deadline": True}
"""Four working hours, recalculated."""
BEFORE: Final = datetime(2025, 1, 2, 12, tzinfo=ZoneInfo("Europe/Amsterdam"))
CLOSED: Final = {"status": "Gereed", "completed_at": BEFORE}
FOURTEEN_DAYS: Final = {"new_ticket_after_days": 14}
DAY_AND_NIGHT: Final = {"calendar": "Dag en nacht"}


def clock(moment: str) -> datetime:
    """A moment on the clock in Amsterdam; behind it `again` for the second time that an hour comes."""
    wall, again, _ = moment.partition(" again")
    when = datetime.fromisoformat(wall).replace(tzinfo=ZoneInfo("Europe/Amsterdam"))
    return (when.replace(fold=1) if again else when).astimezone(UTC)


def recalculated(arrived: str, deadline: str, *, settings: dict[str, Any] | None = None, **ticket: Any) -> Story:
    """A supplement that arrives at this moment gives its ticket, and itself, this deadline."""
    return Story(
        settings=settings or {},
        ticket={**HIGH, "deadline_at": BEFORE, **ticket},
        mail=Mail(subject="Ticket {ticket}", arrived=clock(arrived)),
        then={
            "outcome": "supplement",
            "deadline": clock(deadline),
            "noted_deadline": clock(deadline),
            "history": says("Datum deadline herberekend"),
        },
    )


def unchanged(**ticket: Any) -> Story:
    """A supplement to such a ticket leaves its deadline."""
    return Story(
        ticket={"deadline_at": BEFORE, "recalculate_deadline": True, **ticket},
        mail=Mail(subject="Ticket {ticket}", arrived=clock("2025-06-11 10:00")),
        then={
            "outcome": "supplement",
            "deadline": BEFORE,
            "noted_deadline": BEFORE,
            "history": says("aangevuld", but_not=("herberekend",)),
        },
    )


DEADLINES: Final = {
    "D3 within one working day": recalculated("2025-06-11 10:00", "2025-06-11 14:00"),
    "D3 over the end of a working day": recalculated("2025-06-11 15:00", "2025-06-12 10:30"),
    "D3 over a weekend": recalculated("2025-06-13 16:00", "2025-06-16 11:30"),
    "D3 from outside working hours": recalculated("2025-06-14 23:10", "2025-06-16 12:30"),
    "D3 over Koningsdag": recalculated("2023-04-26 16:00", "2023-04-28 11:30"),
    "D3 over Hemelvaart": recalculated("2025-05-28 16:00", "2025-05-30 11:30"),
    "D3 over Christmas and a weekend": recalculated("2025-12-24 16:00", "2025-12-29 11:30"),
    "D3 over the night in which the clock goes forward": recalculated(
        "2025-03-29 23:00", "2025-03-30 04:00", settings=DAY_AND_NIGHT
    ),
    "D3 over the night in which the clock goes back": recalculated(
        "2025-10-25 23:00", "2025-10-26 02:00 again", settings=DAY_AND_NIGHT
    ),
    "D3 over a weekend in which the clock changes": recalculated("2025-10-24 16:00", "2025-10-27 11:30"),
    "D3 a day on which the helpdesk is closed": recalculated(
        "2025-06-03 16:00", "2025-06-05 11:30", settings={"calendar": "Met een vrije dag"}
    ),
    "A10 D3 an empty deadline with recalculation on is set": recalculated(
        "2025-06-11 10:00", "2025-06-11 14:00", deadline_at=None
    ),
    "A10 without recalculation the deadline stays": unchanged(priority="Hoog", recalculate_deadline=False),
    "D3 without a priority the deadline stays": unchanged(),
    "D3 with a priority without a time the deadline stays": unchanged(priority="Laag"),
    "A8 the ticket and the supplement get the status for a supplement from the portal": Story(
        ticket={"status": "Wacht op klant"},
        mail=Mail(subject="Ticket {ticket}"),
        then={
            "status": "Reactie van klant",
            "noted_status": "Reactie van klant",
            "history": says("Status gewijzigd van «Wacht op klant» in «Reactie van klant»"),
        },
    ),
    "A7 visible and expanded as the status after it says": Story(
        settings={"portal_supplement_status": "Wacht op klant"},
        ticket={"status": "In behandeling"},
        mail=Mail(subject="Ticket {ticket}"),
        then={"status": "Wacht op klant", "visible": True, "expanded": False},
    ),
    "D2 an empty setting leaves the status": Story(
        settings={"portal_supplement_status": None},
        ticket={"status": "Wacht op klant"},
        mail=Mail(subject="Ticket {ticket}"),
        then={"status": "Wacht op klant", "noted_status": "Wacht op klant", "expanded": False},
    ),
    "D2 an empty setting leaves a closed ticket closed": Story(
        settings={"portal_supplement_status": None},
        ticket=CLOSED,
        mail=Mail(subject="Ticket {ticket}"),
        then={"status": "Gereed", "completed": BEFORE},
    ),
    "D2 a supplement that reopens a closed ticket clears «datum voltooid», kept in the history": Story(
        ticket=CLOSED,
        mail=Mail(subject="Ticket {ticket}"),
        then={
            "status": "Reactie van klant",
            "completed": None,
            "history": says("Ticket heropend", "datum voltooid (02-01-2025 12:00) leeggemaakt"),
        },
    ),
    "A8 off by default: however long a ticket is closed, mail about it is a supplement": Story(
        ticket=CLOSED, mail=Mail(subject="Ticket {ticket}"), then={"outcome": "supplement"}
    ),
    "A8 setting: mail about a ticket that is closed longer is a new ticket that names it": Story(
        settings=FOURTEEN_DAYS,
        ticket=CLOSED,
        mail=Mail(subject="Re: Ticket {ticket}"),
        then={
            "outcome": "ticket",
            "title": "Re: Ticket {ticket}",
            "reasons": says("ticket-closed-too-long", but_not=("no-ticket-number", "ticket-gone")),
            "history": says("Dit is een vervolg op ticket {ticket}"),
            "customer": says("sent to"),
        },
    ),
    "A8 setting: an answer to the confirmation of that new ticket finds the new one": Story(
        settings=FOURTEEN_DAYS,
        ticket=CLOSED,
        mail=(
            Mail(subject="Re: Ticket {ticket}"),
            Mail(subject="Re: ChainWise: Ticket {number} - Re: Ticket {ticket} is geregistreerd"),
        ),
        then={"outcome": "supplement", "title": "Re: Ticket {ticket}"},
    ),
    "A8 setting: of two numbers the one that is not closed too long counts, wherever it stands": Story(
        settings=FOURTEEN_DAYS,
        ticket=CLOSED,
        second={},
        mail=Mail(subject="Ticket {ticket}, nu {second}"),
        then={"outcome": "supplement", "number": "{second}", "reasons": says(but_not=("ticket-gone",))},
    ),
    "A8 setting: within that time the status rule holds": Story(
        settings=FOURTEEN_DAYS,
        ticket=CLOSED,
        mail=Mail(subject="Ticket {ticket}", arrived=BEFORE + timedelta(days=13)),
        then={"outcome": "supplement", "status": "Reactie van klant"},
    ),
    "A8 setting: automatic mail about a ticket that is closed longer stays with it": Story(
        settings=FOURTEEN_DAYS,
        ticket=CLOSED,
        mail=Mail(subject="Ticket {ticket}", headers={"Auto-Submitted": "auto-replied"}),
        then={"outcome": "supplement", "status": "Gereed"},
    ),
}
