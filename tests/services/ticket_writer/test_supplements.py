"""Supplements in the database, field by field, as importer_ticket_writer (A1–A12, W3, D1–D3, D6, D12, D15–D20)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from shared.messages import AutomaticKind, Bodies, Body, ClassifiedMail, Outcome
from tests.services.ticket_writer.conftest import Desk
from tests.services.ticket_writer.givens import (
    ABOVE,
    CUSTOMER,
    OUTSIDER,
    WHOLE,
    candidate,
    image,
    left_out,
    mail,
    sender,
)

COMPLETED = datetime(2026, 2, 20, 15, 0, tzinfo=UTC)
PLANNED = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
DEADLINE = datetime(2026, 3, 12, 9, 0, tzinfo=UTC)


@pytest.fixture
async def ticket(desk: Desk) -> asyncpg.Record:
    """An imported ticket of Jan, number 1000001, with a planned date and time needed."""
    first = mail()
    await desk.take_in(first)
    await desk.execute("UPDATE tickets SET planned_at = $1, time_needed_hours = 1.5", PLANNED)
    return await desk.ticket_of(first)


def follow_up(**changes: Any) -> ClassifiedMail:
    """A mail with the ticket's number in its subject."""
    return mail(**{"candidates": (candidate(),), "subject": "Re: Ticket 1000001 - De printer", **changes})


async def the_ticket(desk: Desk) -> asyncpg.Record:
    return await desk.row("SELECT * FROM tickets WHERE number = '1000001'")


async def test_W3_every_field_of_a_supplement(desk: Desk, ticket: asyncpg.Record) -> None:
    given = follow_up(bodies=Bodies(whole=WHOLE, above_marker=ABOVE))

    assert await desk.take_in(given) is Outcome.SUPPLEMENT

    row, after = await desk.supplement_of(given), await the_ticket(desk)
    assert row["ticket_id"] == ticket["id"], "A2"
    assert row["reported_at"] == given.received_at, "A3"
    kind = await desk.value("SELECT name FROM supplement_types WHERE id = $1", row["supplement_type_id"])
    assert kind == "geïmporteerd vanuit mail", "A4"
    assert (row["informant_person_id"], row["informant_employee_id"]) == (11, None), "A5"
    assert row["body_html"] == ABOVE.html, "A6"
    assert (row["body_full_html"], row["body_full_text"]) == (WHOLE.html, WHOLE.text)
    assert (row["visible_to_customer"], row["expanded"]) == (True, True), "A7: as «Reactie van klant» says"
    assert (row["status_id"], after["status_id"]) == (102, 102), "A8"
    assert (row["priority_id"], row["executor_id"], row["planned_at"]) == (42, 33, PLANNED), "A9"
    assert (row["recalculate_deadline"], float(row["time_needed_hours"])) == (True, 1.5), "A9"
    unchanged = ("priority_id", "executor_id", "planned_at", "recalculate_deadline", "time_needed_hours")
    assert [after[name] for name in unchanged] == [ticket[name] for name in unchanged], "A9"
    assert row["deadline_at"] == after["deadline_at"] == datetime(2026, 3, 2, 13, 55, tzinfo=UTC), "A10"
    assert (row["created_by_person_id"], row["created_by_employee_id"]) == (11, None), "A11"
    assert (row["changed_by_employee_id"], row["changed_by_person_id"]) == (31, None), "A12"
    assert abs(row["changed_at"] - datetime.now(UTC)) < timedelta(minutes=1), "A12"
    assert row["created_at"] == row["changed_at"] == after["changed_at"]
    assert (row["sender_name"], row["sender_address"], row["sender_person_id"]) == (
        "Jan Klant",
        "jan@klant.example",
        11,
    )
    assert (row["mail_subject"], row["automatic"]) == (given.subject, None)
    assert (row["needs_review"], row["held_for_review"], row["helpdesk_id"]) == (False, False, 1)
    assert row["verdict"] == {
        "grade": "strong",
        "found_by": "introduced-number",
        "number": "1000001",
        "relation": "contact",
        "dmarc": "none",
        "sentence": "Sterk: ticketnummer in het onderwerp; afzender is de aanmelder; afzender niet gecontroleerd.",
    }


@pytest.mark.usefixtures("ticket")
async def test_A1_history_of_the_ticket(desk: Desk) -> None:
    given = follow_up()
    await desk.take_in(given)
    entries = await desk.rows("SELECT * FROM ticket_history WHERE mail_id = $1 ORDER BY id", given.mail_id)
    assert [entry["kind"] for entry in entries] == ["supplemented", "status-changed", "deadline-changed"]
    assert entries[0]["description"] == (
        "Ticket aangevuld via mail import, met een e-mail van Jan Klant <jan@klant.example>."
    )
    assert {entry["supplement_id"] for entry in entries} == {(await desk.supplement_of(given))["id"]}
    assert {entry["employee_id"] for entry in entries} == {31}


@pytest.mark.usefixtures("ticket")
async def test_D2_reopening_clears_the_date_completed_and_keeps_it_in_the_history(desk: Desk) -> None:
    await desk.execute("UPDATE tickets SET status_id = 104, completed_at = $1", COMPLETED)
    await desk.take_in(follow_up())
    after = await the_ticket(desk)
    assert (after["status_id"], after["completed_at"]) == (102, None)
    entry = await desk.row("SELECT * FROM ticket_history WHERE kind = 'reopened'")
    assert "20-02-2026 16:00" in entry["description"]
    assert entry["details"] == {"completed_at": COMPLETED.isoformat()}


@pytest.mark.usefixtures("ticket")
async def test_D2_an_empty_setting_leaves_the_status(desk: Desk) -> None:
    await desk.execute("UPDATE helpdesks SET portal_supplement_status_id = NULL")
    given = follow_up()
    await desk.take_in(given)
    assert (await the_ticket(desk))["status_id"] == (await desk.supplement_of(given))["status_id"] == 101


@pytest.mark.parametrize(
    ("arrived", "expected"),
    [
        pytest.param(datetime(2026, 3, 2, 15, 0, tzinfo=UTC), datetime(2026, 3, 4, 10, 0, tzinfo=UTC), id="exceptions"),
        pytest.param(datetime(2026, 4, 3, 14, 0, tzinfo=UTC), datetime(2026, 4, 7, 7, 30, tzinfo=UTC), id="Easter"),
    ],
)
@pytest.mark.usefixtures("ticket")
async def test_D3_the_calendar_of_the_helpdesk(desk: Desk, arrived: datetime, expected: datetime) -> None:
    """Tuesday 3 March is closed, Wednesday open from 10 to 12; one of the two hours is worked on the first day."""
    await desk.take_in(follow_up(received_at=arrived))
    assert (await the_ticket(desk))["deadline_at"] == expected


@pytest.mark.usefixtures("ticket")
async def test_D3_around_the_clock(desk: Desk) -> None:
    await desk.execute("UPDATE helpdesks SET calendar_id = 2 WHERE id = 1")
    given = follow_up(received_at=datetime(2026, 3, 29, 0, 30, tzinfo=UTC))
    await desk.take_in(given)
    assert (await the_ticket(desk))["deadline_at"] == datetime(2026, 3, 29, 2, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param("UPDATE tickets SET recalculate_deadline = false", id="recalculation off"),
        pytest.param("UPDATE tickets SET priority_id = NULL", id="no priority"),
        pytest.param("UPDATE priorities SET resolution_minutes = NULL", id="a priority without a time"),
    ],
)
@pytest.mark.usefixtures("ticket")
async def test_A10_the_deadline_is_unchanged(desk: Desk, change: str) -> None:
    await desk.execute("UPDATE tickets SET deadline_at = $1", DEADLINE)
    await desk.execute(change)
    given = follow_up()
    await desk.take_in(given)
    assert (await the_ticket(desk))["deadline_at"] == (await desk.supplement_of(given))["deadline_at"] == DEADLINE


@pytest.mark.usefixtures("ticket")
async def test_W4_D16_images_and_what_was_left_out_belong_to_the_supplement(desk: Desk) -> None:
    shown, below, pdf = image("boven.png"), image("onder.png"), left_out()
    bodies = Bodies(
        whole=Body(html="", text="", attachment_ids=(shown.id, below.id)),
        above_marker=Body(html="", text="", attachment_ids=(shown.id,)),
    )
    given = follow_up(bodies=bodies, images=(shown, below), left_out=(pdf,))
    await desk.take_in(given)
    rows = await desk.rows("SELECT * FROM attachments WHERE mail_id = $1 ORDER BY position", given.mail_id)
    assert [row["name"] for row in rows] == ["boven.png", "factuur.pdf"]
    assert {row["supplement_id"] for row in rows} == {(await desk.supplement_of(given))["id"]}


@pytest.mark.usefixtures("ticket")
async def test_M3_is_planned_with_the_supplement(desk: Desk) -> None:
    given = follow_up(received_at=datetime.now(UTC))
    await desk.take_in(given)
    row = await desk.row("SELECT * FROM notifications WHERE mail_id = $1", given.mail_id)
    assert (row["kind"], row["state"], row["reason"]) == ("supplement-added-executor", "planned", None)
    assert (row["recipient_address"], row["recipient_name"]) == ("Tom@desk.example", "Tom Uitvoerder")
    assert (row["recipient_employee_id"], row["helpdesk_id"]) == (33, 1)
    assert row["supplement_id"] == (await desk.supplement_of(given))["id"]


@pytest.mark.usefixtures("ticket")
async def test_D10_the_eleventh_mail_to_the_executor_about_one_ticket_is_not_sent(desk: Desk) -> None:
    for _ in range(11):
        await desk.take_in(follow_up(received_at=datetime.now(UTC)))
    counted = await desk.rows(
        """SELECT state, reason, count(*) FROM notifications WHERE kind = 'supplement-added-executor'
           GROUP BY state, reason ORDER BY count(*)"""
    )
    assert [tuple(row) for row in counted] == [("not-sent", "over-limit", 1), ("planned", None, 10)]


@pytest.mark.usefixtures("ticket")
async def test_D6_automatic_mail_leaves_status_and_deadline(desk: Desk) -> None:
    await desk.execute("UPDATE tickets SET status_id = 104, deadline_at = $1, completed_at = $2", DEADLINE, COMPLETED)
    given = follow_up(automatic=AutomaticKind.AUTO_REPLY, received_at=datetime.now(UTC))
    await desk.take_in(given)
    after = await the_ticket(desk)
    assert (after["status_id"], after["deadline_at"], after["completed_at"]) == (104, DEADLINE, COMPLETED)
    assert (await desk.supplement_of(given))["automatic"] == "auto-reply"
    row = await desk.row("SELECT state, reason FROM notifications WHERE mail_id = $1", given.mail_id)
    assert tuple(row) == ("not-sent", "automatic")


@pytest.mark.parametrize("from_whom", [sender("mailer-daemon@mx.example", known=False), None], ids=["daemon", "nobody"])
async def test_D6_a_bounce_of_our_mail_goes_to_its_ticket(desk: Desk, ticket: asyncpg.Record, from_whom: Any) -> None:
    await desk.execute(
        "UPDATE notifications SET state = 'sent', reason = NULL, sent_at = now(), message_id = 'ours@desk.example'"
        " WHERE kind = 'ticket-added-customer'"
    )
    other = mail(subject="Een ander ticket")
    await desk.take_in(other)
    given = mail(
        subject="Undeliverable: Ticket 1000002",
        candidates=(candidate("1000002"),),
        sender=from_whom,
        automatic=AutomaticKind.BOUNCE,
        own_message_id="ours@desk.example",
    )
    assert await desk.take_in(given) is Outcome.SUPPLEMENT
    row = await desk.supplement_of(given)
    assert row["ticket_id"] == ticket["id"]
    assert row["informant_person_id"] == 19
    assert not row["needs_review"]
    assert (await desk.ledger_of(given))["reasons"][0]["id"] == "own-message-bounced"


@pytest.mark.usefixtures("ticket")
async def test_D12_an_employees_supplement(desk: Desk) -> None:
    given = follow_up(sender=sender("marieke@desk.example", employee_id=32))
    await desk.take_in(given)
    row, after = await desk.supplement_of(given), await the_ticket(desk)
    assert (row["informant_employee_id"], row["informant_person_id"]) == (32, None)
    assert (row["visible_to_customer"], row["status_id"]) == (False, 101)
    assert (after["status_id"], after["deadline_at"]) == (101, None)


@pytest.mark.usefixtures("ticket")
async def test_D12_setting_treats_an_employee_as_a_customer(desk: Desk) -> None:
    await desk.execute("UPDATE importer_settings SET treat_employee_as_customer = true")
    given = follow_up(sender=sender("marieke@desk.example", employee_id=32))
    await desk.take_in(given)
    assert (await desk.supplement_of(given))["visible_to_customer"]
    assert (await the_ticket(desk))["status_id"] == 102


@pytest.mark.usefixtures("ticket")
async def test_D20_a_stranger_is_marked_and_by_setting_held(desk: Desk) -> None:
    marked = follow_up(sender=sender("oom@elders.example", OUTSIDER))
    await desk.take_in(marked)
    row = await desk.supplement_of(marked)
    assert (row["needs_review"], row["held_for_review"], row["visible_to_customer"]) == (True, False, True)

    await desk.execute("UPDATE importer_settings SET hold_strangers = true")
    held = follow_up(sender=sender("oom@elders.example", OUTSIDER))
    await desk.take_in(held)
    row = await desk.supplement_of(held)
    assert (row["needs_review"], row["held_for_review"], row["visible_to_customer"]) == (True, True, False)
    assert row["verdict"]["relation"] == "stranger"


@pytest.mark.usefixtures("ticket")
async def test_D20_who_was_accepted_once_takes_part_from_then_on(desk: Desk) -> None:
    await desk.take_in(follow_up(sender=sender("oom@elders.example", OUTSIDER)))
    await desk.execute("UPDATE supplements SET needs_review = false")
    again = follow_up(sender=sender("oom@elders.example", OUTSIDER))
    await desk.take_in(again)
    assert (await desk.supplement_of(again))["verdict"]["relation"] == "participant"


@pytest.mark.usefixtures("ticket")
async def test_D20_who_is_in_copy_takes_part(desk: Desk) -> None:
    await desk.execute("""UPDATE tickets SET sender_cc = '[{"name": "", "address": "Cc@elders.example"}]'""")
    given = follow_up(sender=sender("cc@elders.example", known=False))
    await desk.take_in(given)
    row = await desk.supplement_of(given)
    assert (row["verdict"]["relation"], row["needs_review"], row["informant_person_id"]) == ("participant", False, 19)


@pytest.mark.usefixtures("ticket")
async def test_D15_the_tickets_helpdesk_decides_and_the_mailboxs_gives_S5_and_S6(desk: Desk) -> None:
    given = follow_up(helpdesk_id=2, sender=sender("vreemd@elders.example", known=False))
    await desk.take_in(given)
    row = await desk.supplement_of(given)
    assert (row["helpdesk_id"], row["status_id"]) == (1, 102)
    assert row["deadline_at"] is not None, "calendar and priority of helpdesk 1"
    assert (row["informant_person_id"], row["changed_by_employee_id"]) == (18, 39)
    notification = await desk.row(
        "SELECT helpdesk_id, recipient_employee_id FROM notifications WHERE mail_id = $1", given.mail_id
    )
    assert tuple(notification) == (1, 33)


async def test_D1_an_alias_leads_to_its_ticket(desk: Desk, ticket: asyncpg.Record) -> None:
    await desk.execute("INSERT INTO ticket_numbers (number, ticket_id) VALUES ('2000017', $1)", ticket["id"])
    given = mail(candidates=(candidate("2000017", alias=True),))
    assert await desk.take_in(given) is Outcome.SUPPLEMENT
    assert (await desk.ledger_of(given))["reasons"][0] == {"id": "ticket-alias", "detail": "2000017"}


@pytest.mark.usefixtures("ticket")
async def test_a_merged_ticket_leads_to_its_target_over_two_steps(desk: Desk) -> None:
    others = [mail(subject="Tweede"), mail(subject="Derde")]
    for other in others:
        await desk.take_in(other)
    second, third = [await desk.ticket_of(other) for other in others]
    await desk.execute("UPDATE tickets SET merged_into_id = $1 WHERE number = '1000001'", second["id"])
    await desk.execute("UPDATE tickets SET merged_into_id = $1 WHERE id = $2", third["id"], second["id"])
    given = follow_up()
    await desk.take_in(given)
    assert (await desk.supplement_of(given))["ticket_id"] == third["id"]
    entries = [
        row["description"]
        for row in await desk.rows("SELECT description FROM ticket_history WHERE mail_id = $1", given.mail_id)
    ]
    assert "De e-mail noemde ticket 1000001, dat met dit ticket is samengevoegd." in entries


@pytest.mark.usefixtures("ticket")
async def test_D1_the_first_number_that_exists_counts(desk: Desk) -> None:
    given = mail(candidates=(candidate("1000666"), candidate("1000001", bare=True)))
    await desk.take_in(given)
    assert (await desk.supplement_of(given))["verdict"]["found_by"] == "bare-number"
    reasons = (await desk.ledger_of(given))["reasons"]
    assert {"id": "ticket-gone", "detail": "1000666"} in reasons


@pytest.mark.usefixtures("ticket")
async def test_D12_of_several_contacts_the_participant_is_chosen_and_it_is_reported(desk: Desk) -> None:
    given = follow_up(sender=sender("familie@klant.example", OUTSIDER, CUSTOMER))
    await desk.take_in(given)
    assert (await desk.supplement_of(given))["informant_person_id"] == CUSTOMER.person_id
    assert {"id": "several-contacts", "detail": "2"} in (await desk.ledger_of(given))["reasons"]
