"""`review`: what waits for a person, and what accepting writes (SPEC D13, D20)."""

from __future__ import annotations

import uuid

import pytest

from tests.services.console.repairs.conftest import CommandLine, Sql

TICKET, SUPPLEMENT, DUPLICATE = (f"00000000-0000-0000-0000-00000000000{n}" for n in (1, 3, 4))
NOBODY = "00000000-0000-0000-0000-0000000000ff"

HELD = """
    UPDATE supplements SET needs_review = true, held_for_review = true, visible_to_customer = false, status_id = 1;
    ALTER TABLE imported_mails DISABLE TRIGGER USER;
    UPDATE imported_mails SET reasons = '[{"id": "ticket-number"}, {"id": "stranger"}]' WHERE item_key = 'item-3';
    ALTER TABLE imported_mails ENABLE TRIGGER USER;
    UPDATE tickets SET recalculate_deadline = true WHERE id = 1;"""


def history(sql: Sql) -> list[str]:
    """What the ticket's history has said since."""
    rows = sql("SELECT kind FROM ticket_history WHERE ticket_id = 1 AND id >= 100 ORDER BY id")
    return [row["kind"] for row in rows]


def test_D20_a_held_supplement_is_accepted_as_one_of_the_portal(filled: CommandLine, sql: Sql) -> None:
    sql(HELD)
    (waits,) = filled.json("review", "list")
    assert (waits["mail_id"], waits["what"], waits["held"], waits["ticket"]) == (
        SUPPLEMENT,
        "supplement",
        True,
        "1000001",
    )
    assert [reason["id"] for reason in waits["reasons"]] == ["stranger"]
    assert "«Open»" in filled("review", "accept", SUPPLEMENT, "--by", "piet@helpdesk.example")
    (ticket,) = sql("SELECT status_id, deadline_at, changed_by_employee_id FROM tickets WHERE id = 1")
    (supplement,) = sql("SELECT * FROM supplements WHERE id = 1")
    assert (ticket["status_id"], ticket["changed_by_employee_id"]) == (2, 2)
    assert ticket["deadline_at"].isoformat() == "2026-11-23T12:03:00+00:00"  # four working hours after its arrival
    assert (supplement["needs_review"], supplement["held_for_review"], supplement["visible_to_customer"]) == (
        False,
        False,
        True,
    )
    assert (supplement["status_id"], supplement["deadline_at"]) == (2, ticket["deadline_at"])
    assert history(sql) == ["note", "status-changed", "deadline-changed"]
    assert filled.json("review", "list") == []


def test_D13_what_is_only_listed_is_accepted_without_touching_the_ticket(filled: CommandLine, sql: Sql) -> None:
    sql("UPDATE supplements SET needs_review = true; UPDATE tickets SET needs_review = true WHERE id = 1;")
    before = sql("SELECT status_id, deadline_at, changed_at FROM tickets WHERE id = 1")
    assert len(filled.json("review", "list", "--helpdesk", "Support")) == 2
    filled("review", "accept", SUPPLEMENT, TICKET)
    assert filled.json("review", "list") == []
    assert sql("SELECT status_id, deadline_at, changed_at FROM tickets WHERE id = 1") == before
    assert history(sql) == ["note", "note"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        pytest.param([NOBODY], "is no ticket and no supplement", id="no mail"),
        pytest.param([DUPLICATE], "is no ticket and no supplement", id="a duplicate"),
        pytest.param([SUPPLEMENT, TICKET], "does not wait for a person", id="one of two does not wait"),
        pytest.param([SUPPLEMENT, "--by", "Niemand"], "there is no employee 'Niemand'", id="nobody accepts"),
    ],
)
def test_bad_input_changes_nothing(filled: CommandLine, sql: Sql, arguments: list[str], complaint: str) -> None:
    sql(HELD)
    assert complaint in filled("review", "accept", *arguments, code=1)
    (supplement,) = sql("SELECT held_for_review FROM supplements WHERE mail_id = $1", uuid.UUID(SUPPLEMENT))
    assert supplement["held_for_review"]
    assert history(sql) == []
