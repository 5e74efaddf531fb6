"""Every field of a new ticket (N1–N18) and of a supplement (A1–A12), for a plain mail of a known contact.

Each rule is a row: what is asked of the database about the ticket or supplement `$1`, and the answer.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from tests.acceptance.pipeline import Pipeline, a_mail

ARRIVED = datetime.now(UTC).replace(microsecond=0).timestamp() - 3600
REPORTED_AT = datetime.fromtimestamp(ARRIVED, UTC)

TICKET = "SELECT {} FROM helpdesk.tickets WHERE id = $1"
SUPPLEMENT = "SELECT {} FROM helpdesk.supplements s JOIN helpdesk.tickets t ON t.id = s.ticket_id WHERE s.id = $1"
HISTORY = "SELECT description FROM helpdesk.ticket_history WHERE ticket_id = $1 AND kind = 'created'"
SUPPLEMENT_HISTORY = (
    "SELECT description FROM helpdesk.ticket_history WHERE supplement_id = $1 AND kind = 'supplemented'"
)


def ticket(columns: str) -> str:
    return TICKET.format(columns)


def supplement(columns: str) -> str:
    return SUPPLEMENT.format(columns)


def name_of(table: str, column: str) -> str:
    return f"(SELECT name FROM helpdesk.{table} named WHERE named.id = {column})"  # noqa: S608 - our own names


@dataclass(frozen=True, slots=True)
class Made:
    """A ticket and its supplement, each with its mail's row in the ledger, and the ticket as it was in between."""

    ticket_id: int
    ticket_mail: asyncpg.Record
    supplement_id: int
    supplement_mail: asyncpg.Record
    ticket_before: asyncpg.Record
    ticket_after: asyncpg.Record


@pytest.fixture(scope="module")
async def made(pipeline: Pipeline) -> Made:
    """A plain new ticket of Sanne Visser, and a plain answer of hers to it."""
    name = pipeline.drop(a_mail(subject="Plotter trekt scheef", text="De rol loopt vast."), arrived=ARRIVED)
    first = await pipeline.outcome(name)
    before = await pipeline.row("SELECT * FROM helpdesk.tickets WHERE id = $1", first["ticket_id"])
    answer = a_mail(subject=f"RE: Ticket {before['number']}", text="Nu ook bij de andere rol.")
    second = await pipeline.outcome(pipeline.drop(answer, arrived=ARRIVED))
    after = await pipeline.row("SELECT * FROM helpdesk.tickets WHERE id = $1", first["ticket_id"])
    return Made(first["ticket_id"], first, second["supplement_id"], second, before, after)


NEW_TICKET = {
    "N1": (
        HISTORY,
        "Ticket aangemaakt via mail import, uit een e-mail van Sanne Visser <sanne.visser@goudenaar.example>.",
    ),
    "N2 organisation": (ticket(name_of("organisations", "organisation_id")), "Bakkerij De Gouden Aar"),
    "N2 contact": (ticket(name_of("persons", "contact_id")), "Sanne Visser"),
    "N3": (ticket(name_of("employees", "created_by_employee_id")), "E-mail importer"),
    "N4": (ticket(name_of("helpdesks", "helpdesk_id")), "ICT-servicedesk"),
    "N5": (ticket("reported_at"), REPORTED_AT),
    "N6": (ticket(name_of("entry_channels", "entry_channel_id")), "mail"),
    "N7": (ticket("mail_subject"), "Plotter trekt scheef"),
    "N8": (ticket("title"), "Plotter trekt scheef"),
    "N9": (ticket("body_full_text"), "De rol loopt vast."),
    "N10 type": (ticket(name_of("ticket_types", "ticket_type_id")), "Incident"),
    "N10 priority": (ticket(name_of("priorities", "priority_id")), "Normaal"),
    "N10 environment": (ticket(name_of("environments", "environment_id")), "Productie"),
    "N11": (ticket("num_nonnulls(category_id, subcategory_id)"), 0),
    "N12 manager": (ticket(name_of("employees", "ticket_manager_id")), "Marieke de Boer"),
    "N12 executor": (ticket(name_of("employees", "executor_id")), "Tom Jansen"),
    "N13": (ticket("num_nonnulls(parent_ticket_id, external_id, project, evaluation)"), 0),
    "N14": (ticket("time_needed_hours"), None),
    "N17": (ticket("recalculate_deadline"), True),
    "N18": (ticket(name_of("employees", "changed_by_employee_id")), "E-mail importer"),
}


@pytest.mark.parametrize("rule", NEW_TICKET)
async def test_N_each_field_of_a_new_ticket(rule: str, pipeline: Pipeline, made: Made) -> None:
    query, expected = NEW_TICKET[rule]
    assert _stripped(await pipeline.connection.fetchval(query, made.ticket_id)) == expected


async def test_N15_a_new_ticket_has_the_imported_status(pipeline: Pipeline, made: Made) -> None:
    status = await pipeline.row("SELECT * FROM helpdesk.statuses WHERE id = $1", made.ticket_before["status_id"])
    assert (status["name"], status["flag"]) == ("E-mail Geïmporteerd", "imported")


@pytest.mark.parametrize("column", ["planned_at", "deadline_at", "in_progress_at", "completed_at"])
async def test_N16_the_dates_of_a_new_ticket_are_empty(column: str, made: Made) -> None:
    assert made.ticket_before[column] is None


async def test_N18_a_new_ticket_was_changed_when_it_was_imported(made: Made) -> None:
    assert made.ticket_before["changed_at"] == made.ticket_mail["outcome_at"]


NEW_SUPPLEMENT = {
    "A1": (
        SUPPLEMENT_HISTORY,
        "Ticket aangevuld via mail import, met een e-mail van Sanne Visser <sanne.visser@goudenaar.example>.",
    ),
    "A3": (supplement("s.reported_at"), REPORTED_AT),
    "A4": (supplement(name_of("supplement_types", "s.supplement_type_id")), "geïmporteerd vanuit mail"),
    "A5": (supplement(name_of("persons", "s.informant_person_id")), "Sanne Visser"),
    "A6": (supplement("s.body_full_text"), "Nu ook bij de andere rol."),
    "A7 visible": (supplement("s.visible_to_customer"), True),
    "A7 expanded": (supplement("s.expanded"), True),
    "A8 supplement": (supplement(name_of("statuses", "s.status_id")), "Reactie van klant"),
    "A8 ticket": (supplement(name_of("statuses", "t.status_id")), "Reactie van klant"),
    "A9 priority": (supplement(name_of("priorities", "s.priority_id")), "Normaal"),
    "A9 executor": (supplement(name_of("employees", "s.executor_id")), "Tom Jansen"),
    "A9 planned": (supplement("s.planned_at"), None),
    "A9 recalculate": (supplement("s.recalculate_deadline"), True),
    "A9 time needed": (supplement("s.time_needed_hours"), None),
    "A11": (supplement(name_of("persons", "s.created_by_person_id")), "Sanne Visser"),
    "A12": (supplement(name_of("employees", "s.changed_by_employee_id")), "E-mail importer"),
}


@pytest.mark.parametrize("rule", NEW_SUPPLEMENT)
async def test_A_each_field_of_a_supplement(rule: str, pipeline: Pipeline, made: Made) -> None:
    query, expected = NEW_SUPPLEMENT[rule]
    assert _stripped(await pipeline.connection.fetchval(query, made.supplement_id)) == expected


async def test_A2_a_supplement_belongs_to_the_ticket_in_the_subject(made: Made) -> None:
    assert made.supplement_mail["ticket_id"] == made.ticket_id


@pytest.mark.parametrize(
    "column", ["priority_id", "executor_id", "planned_at", "recalculate_deadline", "time_needed_hours"]
)
async def test_A9_a_supplement_leaves_the_ticket_as_it_was(column: str, made: Made) -> None:
    assert made.ticket_after[column] == made.ticket_before[column]


async def test_A10_an_empty_deadline_is_set_when_recalculation_is_on(made: Made) -> None:
    assert made.ticket_before["deadline_at"] is None
    assert made.ticket_after["deadline_at"] > REPORTED_AT


async def test_A12_a_supplement_was_changed_when_it_was_imported(pipeline: Pipeline, made: Made) -> None:
    changed_at = await pipeline.connection.fetchval(supplement("s.changed_at"), made.supplement_id)
    assert changed_at == made.supplement_mail["outcome_at"]


async def test_N2_A5_A11_an_unknown_sender_is_stood_in_for(pipeline: Pipeline) -> None:
    sender = "Onbekende <onbekend@elders.example>"
    opened = await pipeline.ticket(a_mail(subject="Wie ben ik", sender=sender))
    contact = await pipeline.row("SELECT * FROM helpdesk.persons WHERE name = 'Onbekende afzender (ICT)'")
    assert (opened["contact_id"], opened["organisation_id"]) == (contact["id"], contact["organisation_id"])
    assert (opened["sender_name"], opened["sender_address"]) == ("Onbekende", "onbekend@elders.example")
    added = await pipeline.supplement(a_mail(subject=f"Ticket {opened['number']}", sender=sender))
    assert added["informant_person_id"] == added["created_by_person_id"] == contact["id"]


def _stripped(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value
