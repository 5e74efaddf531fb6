"""The helpdesk's own screens with nothing but the UI's role: settings, templates, work list, telephone (S, M, D14)."""

from __future__ import annotations

from datetime import timedelta
from itertools import product
from typing import Any

import asyncpg
import pytest
from pydantic import SecretStr

from shared.blobs.postgres import PostgresBlobs
from shared.database.pool import Connection, open_pool
from shared.sealing import SealingKey
from shared.templates.placeholders import OF_SUMMARIES, PLACEHOLDERS
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
    *("[Aantal] voor [ontvanger]", "[aantal  tickets?]", "[overzicht]", "[aantal] [ticketnummer]"),
)


async def test_the_database_and_the_command_line_judge_templates_alike(owner: Connection) -> None:
    for table, function in ((PLACEHOLDERS, "placeholders"), (OF_SUMMARIES, "summary_placeholders")):
        known = await owner.fetch(f"SELECT name, in_subject FROM {function}()")  # noqa: S608 - one of ours
        assert [tuple(row) for row in known] == [(each.name, each.in_subject) for each in table]
    for source, is_subject, of_ticket in product(SOURCES, (True, False), (True, False)):
        try:
            (parse_subject if is_subject else parse_body)(source, of_ticket=of_ticket)
            usable = True
        except BadTemplate:
            usable = False
        problem = await owner.fetchval("SELECT template_problem($1, $2, $3)", source, is_subject, not of_ticket)
        assert (problem is None) is usable, (source, is_subject, of_ticket, problem)


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


ADD = "SELECT ui_v1.add_attachment($1, $2, $3, $4, $5, 1)"


async def test_N9_people_add_files_of_their_own_and_take_them_away(owner: Connection, database: Any) -> None:
    large = bytes(range(256)) * 9_000
    async with database.connect("ui") as ui:
        offer = await ui.fetchval(ADD, 1, None, " offerte.pdf ", "application/pdf", large)
        again = await ui.fetchval(ADD, 1, 1, "foto.png", "image/png", b"1")
        shown = await ui.fetchrow(
            "SELECT name, media_type, byte_size, position, stored, hidden, mail_id, added_by_name, supplement_id"
            " FROM ui_v1.attachments WHERE id = $1",
            offer,
        )
        assert tuple(shown) == (
            "offerte.pdf",
            "application/pdf",
            len(large),
            1,
            True,
            False,
            None,
            "E-mail importer",
            None,
        )
        chunks = "SELECT content FROM ui_v1.attachment_chunks WHERE attachment_id = $1 ORDER BY position"
        assert [len(row["content"]) for row in await ui.fetch(chunks, offer)] == [2**20, 2**20, len(large) - 2**21]
        assert b"".join(row["content"] for row in await ui.fetch(chunks, offer)) == large
        assert [row["content"] for row in await ui.fetch(chunks, again)] == [b"1"], "bytes that were there already"
        await ui.execute("SELECT ui_v1.remove_attachment($1)", offer)
        assert await ui.fetchval("SELECT count(*) FROM ui_v1.attachments WHERE id = $1", offer) == 0
        by_mail = await owner.fetchval("SELECT id FROM attachments WHERE name = 'scherm.png'")
        with pytest.raises(asyncpg.CheckViolationError) as refused:
            await ui.execute("SELECT ui_v1.remove_attachment($1)", by_mail)
        assert refused.value.constraint_name == "what_came_by_mail_stays"


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        ((1, None, "leeg.txt", "text/plain", b""), "an_attachment_has_a_size"),
        ((1, None, "leeg.txt", "text/plain", None), "an_attachment_has_a_size"),
        ((1, None, "  ", "text/plain", b"x"), "an_attachment_has_a_name"),
        ((1, None, "../../etc/passwd", "text/plain", b"x"), "an_attachment_has_a_name"),
        ((1, None, "a\r\nX-Kop: b", "text/plain", b"x"), "an_attachment_has_a_name"),
        ((1, None, "a.txt", "text/plain\r\nX: y", b"x"), "an_attachment_has_a_media_type"),
        ((1, None, "a.txt", "Text/Plain; charset=x", b"x"), "an_attachment_has_a_media_type"),
        ((99, None, "a.txt", "text/plain", b"x"), "attachments_ticket_id_fkey"),
        ((3, 1, "a.txt", "text/plain", b"x"), "attachments_ticket_id_supplement_id_fkey"),
    ],
    ids=["empty", "none", "no-name", "folders", "line", "header", "parameters", "no-ticket", "supplement-of-another"],
)
async def test_a_file_that_cannot_be_added_is_refused_by_name(
    owner: Connection, database: Any, given: tuple[object, ...], refusal: str
) -> None:
    before = await owner.fetchval("SELECT count(*) FROM blobs")
    async with database.connect("ui") as ui:
        with pytest.raises(asyncpg.IntegrityConstraintViolationError) as refused:
            await ui.execute(ADD, *given)
    assert refused.value.constraint_name == refusal
    assert await owner.fetchval("SELECT count(*) FROM blobs") == before


async def test_D4_a_sweep_leaves_a_file_that_was_added_and_removes_it_when_it_is_gone(
    owner: Connection, database: Any
) -> None:
    async with database.connect("ui") as ui:
        kept = await ui.fetchval(ADD, 1, None, "plan.pdf", "application/pdf", b"%PDF-1.7")
        await owner.execute("UPDATE blobs SET created_at = now() - interval '1 year'")
        pool = await open_pool(database.dsn("operator").get_secret_value(), application_name="sweep", max_size=1)
        async with pool:
            await PostgresBlobs(pool).remove_unneeded(settled_for=timedelta(days=1))
            stored = "SELECT count(*) FROM blobs WHERE sha256 = sha256('%PDF-1.7')"
            assert await owner.fetchval(stored) == 1
            await ui.execute("SELECT ui_v1.remove_attachment($1)", kept)
            await PostgresBlobs(pool).remove_unneeded(settled_for=timedelta(days=1))
            assert await owner.fetchval(stored) == 0


@pytest.mark.parametrize("table", ["entry_channels", "supplement_types"])
async def test_N6_A4_channels_and_types_of_its_own_are_renamed_and_removed(
    owner: Connection, database: Any, table: str
) -> None:
    assert owner is not None
    async with database.connect("ui") as ui:
        mine = await ui.fetchval(f"INSERT INTO helpdesk.{table} (name) VALUES ('balie') RETURNING id")  # noqa: S608
        await ui.execute(f"UPDATE helpdesk.{table} SET name = 'aan de balie' WHERE id = $1", mine)  # noqa: S608
        assert await ui.fetchval(f"SELECT name FROM helpdesk.{table} WHERE id = $1", mine) == "aan de balie"  # noqa: S608
        await ui.execute(f"DELETE FROM helpdesk.{table} WHERE id = $1", mine)  # noqa: S608
        for change in ("UPDATE helpdesk.{} SET name = 'x' WHERE system_key IS NOT NULL", "DELETE FROM helpdesk.{}"):
            with pytest.raises(asyncpg.CheckViolationError) as refused:
                await ui.execute(change.format(table))
            assert refused.value.constraint_name == "the_importers_own_stays"


async def test_S2_S4_the_ui_names_the_mailbox_and_another_server_needs_the_password_again(
    owner: Connection, database: Any
) -> None:
    await owner.execute("UPDATE importer_settings SET enabled = false")
    place = "UPDATE ui_v1.mailbox_settings SET kind = 'imap', username = $1, server = $2 WHERE helpdesk_id = 2"
    async with database.connect("ui") as ui:

        async def give_password() -> None:
            key = await ui.fetchval("SELECT public_key FROM ui_v1.sealing_key")
            sealed = SealingKey(key).seal(SecretStr("geheim"))
            await ui.execute("SELECT ui_v1.set_mailbox_password(2, $1)", sealed)

        await ui.execute(place, "verkoop", "imap.helpdesk.example")
        await give_password()
        await ui.execute(place, "verkoop@helpdesk.example", "imap.helpdesk.example")
        with pytest.raises(asyncpg.CheckViolationError) as refused:
            await ui.execute(place, "verkoop", "imap.elders.example")
        assert refused.value.constraint_name == "a_secret_stays_with_its_place"
        async with ui.transaction():
            await give_password()
            await ui.execute(place, "verkoop", "imap.elders.example")
        shown = await ui.fetchrow(
            "SELECT username, server, has_password FROM ui_v1.importer_settings WHERE helpdesk_id = 2"
        )
        assert tuple(shown) == ("verkoop", "imap.elders.example", True)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await ui.execute("UPDATE helpdesk.logins SET password_encrypted = NULL")
