"""The helpdesk's own screens with nothing but the UI's role: settings, templates, work list, telephone (S, M, D14)."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from shared.database.pool import Connection
from shared.templates.placeholders import PLACEHOLDERS
from shared.templates.render import BadTemplate, parse_body, parse_subject

SOURCES = (
    *(
        "Ticket [ticketnummer]",
        "[TicketNummer] [ tickettitel ]",
        "[ticketnumer]",
        "geen nummer",
        "[ticketnummer] [omschrijving]",
    ),
    *(
        "[ticketnummer?]",
        "[ticketnummer] [prioriteit?]",
        "[[ticketnummer]",
        "[[[ticketnummer]]",
        "[ticketnummer",
        "[a [b]",
    ),
    *(
        "[datum&nbsp;gemeld] [ticketnummer]",
        "[datum\u00a0gemeld]",
        "[]",
        "[?]",
        "a ] b",
        "[ticketnummer]\nx",
        "[ticketnummer ?]",
    ),
    *("[niet\n  opgeslagen bijlagen?]", "[if mso]", ""),
)


async def test_the_database_and_the_command_line_judge_templates_alike(owner: Connection) -> None:
    known = await owner.fetch("SELECT name, in_subject FROM placeholders()")
    assert [tuple(row) for row in known] == [(each.name, each.in_subject) for each in PLACEHOLDERS]
    for source in SOURCES:
        for is_subject, parse in ((True, parse_subject), (False, parse_body)):
            try:
                parse(source)
                usable = True
            except BadTemplate:
                usable = False
            problem = await owner.fetchval("SELECT template_problem($1, $2)", source, is_subject)
            assert (problem is None) is usable, (source, is_subject, problem)


async def test_M2_M4_the_ui_writes_templates_and_bad_ones_are_refused(owner: Connection, database: Any) -> None:
    assert owner is not None
    async with database.connect("ui") as ui:
        await ui.execute("DELETE FROM ui_v1.templates")
        add = "INSERT INTO ui_v1.templates (helpdesk_id, kind, subject) VALUES (1, 'ticket-added-customer', $1)"
        with pytest.raises(asyncpg.CheckViolationError, match=r"\[ticketnumer\] is unknown") as refused:
            await ui.execute(add, "Ticket [ticketnumer]")
        assert refused.value.constraint_name == "a_template_can_be_used"
        await ui.execute(add, "Ticket [ticketnummer]")
        change = (
            "UPDATE ui_v1.templates SET body_text = $1 WHERE helpdesk_id = 1 AND row_version = 1 RETURNING row_version"
        )
        assert await ui.fetchval(change, "Beste [ontvanger]") == 2


async def test_S1_S7_M1_the_ui_sets_a_helpdesk_up_by_the_rules(owner: Connection, database: Any) -> None:
    await owner.execute("UPDATE importer_settings SET enabled = false WHERE helpdesk_id = 1")
    async with database.connect("ui") as ui:
        row = await ui.fetchrow(
            "UPDATE ui_v1.mailbox_settings SET marker = '=== hierboven ===', default_contact_id = 1,"
            " hold_strangers = true, enabled = true WHERE helpdesk_id = 1 RETURNING enabled, marker"
        )
        assert tuple(row) == (True, "=== hierboven ===")
        await ui.execute("UPDATE ui_v1.mailbox_settings SET enabled = false")
        await ui.execute("UPDATE helpdesk.persons SET active = false WHERE id = 1")
        with pytest.raises(asyncpg.CheckViolationError) as refused:
            await ui.execute("UPDATE ui_v1.mailbox_settings SET enabled = true WHERE helpdesk_id = 1")
        assert refused.value.constraint_name == "importer_on_needs_active_contact"
        made = await ui.fetchval(
            "INSERT INTO ui_v1.helpdesk_settings (name, calendar_id, send_import_mails)"
            " VALUES ('Nieuw', 1, false) RETURNING id"
        )
        assert await ui.fetchval("SELECT count(*) FROM ui_v1.mailbox_settings WHERE helpdesk_id = $1", made) == 0
        await ui.execute("INSERT INTO ui_v1.mailbox_settings (helpdesk_id, marker) VALUES ($1, '===')", made)
        with pytest.raises(asyncpg.CheckViolationError):
            await ui.execute("UPDATE ui_v1.mailbox_settings SET enabled = true WHERE helpdesk_id = $1", made)


async def test_N6_A4_a_ticket_by_telephone_and_a_supplement_that_staff_type(owner: Connection, database: Any) -> None:
    assert owner is not None
    async with database.connect("ui") as ui:
        await ui.execute("INSERT INTO helpdesk.entry_channels (name) VALUES ('telefoon')")
        channel = await ui.fetchval("SELECT id FROM helpdesk.entry_channels WHERE name = 'telefoon'")
        await ui.execute("INSERT INTO helpdesk.supplement_types (name) VALUES ('getypt door medewerker')")
        ticket = await ui.fetchval(
            "INSERT INTO helpdesk.tickets (helpdesk_id, organisation_id, contact_id, created_by_employee_id,"
            " changed_by_employee_id, reported_at, title, status_id, entry_channel_id)"
            " VALUES (1, 1, 1, 1, 1, now(), 'Gebeld', 1, $1) RETURNING id",
            channel,
        )
        await ui.execute(
            "INSERT INTO helpdesk.supplements (ticket_id, reported_at, supplement_type_id, informant_employee_id,"
            " visible_to_customer, expanded, status_id, recalculate_deadline, created_by_employee_id,"
            " changed_by_employee_id) SELECT $1, now(), id, 1, true, false, 1, false, 1, 1"
            " FROM helpdesk.supplement_types WHERE name = 'getypt door medewerker'",
            ticket,
        )
        await ui.execute("UPDATE helpdesk.tickets SET reported_at = '2026-11-20 09:00+01' WHERE id = $1", ticket)
        shown = await ui.fetchrow(
            "SELECT status_name, priority_name, contact_name FROM ui_v1.imported_tickets WHERE id = $1", ticket
        )
        assert shown["status_name"]
        assert shown["contact_name"]


async def test_D7_the_original_of_what_became_a_ticket_is_shown_and_of_quarantine_none(
    owner: Connection, database: Any
) -> None:
    expected = {row["mail_id"] for row in await owner.fetch(
        "SELECT mail_id FROM imported_mails JOIN blob_chunks ON sha256 = raw_sha256"
        " WHERE outcome IN ('ticket', 'supplement')"
    )}  # fmt: skip
    async with database.connect("ui") as ui:
        shown = {row["mail_id"] for row in await ui.fetch("SELECT DISTINCT mail_id FROM ui_v1.original_mail_chunks")}
    assert shown == expected
