"""New tickets in the database, field by field, as importer_ticket_writer (N1–N18, W2, W4, D4, D10, D19, M2, M4)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.messages import (
    AutomaticKind,
    Bodies,
    Body,
    ClassifiedMail,
    Decoration,
    ImageCopy,
    MailAddress,
    Outcome,
    StoredBody,
)
from tests.services.ticket_writer.conftest import Desk
from tests.services.ticket_writer.givens import candidate, image, left_out, mail, sender


def fresh(**changes: Any) -> ClassifiedMail:
    """A mail that arrived a moment ago by the database's clock, which tells old mail (D18)."""
    return mail(**{"received_at": datetime.now(UTC) - timedelta(seconds=5), **changes})


async def test_W2_every_field_of_a_new_ticket(desk: Desk) -> None:
    photo = image()
    body = Body(html=f'<p>Zie foto <img src="attachment:{photo.id}"></p>', text="Zie foto", attachment_ids=(photo.id,))
    given = fresh(
        bodies=Bodies(whole=body), images=(photo,), cc=(MailAddress(name="Piet", address="piet@klant.example"),)
    )

    assert await desk.take_in(given) is Outcome.TICKET

    row = dict(await desk.ticket_of(given))
    imported_at = row["changed_at"]
    assert row["number"] == "1000001"
    assert (row["organisation_id"], row["contact_id"]) == (21, 11), "N2"
    assert (row["created_by_employee_id"], row["created_by_person_id"]) == (31, None), "N3"
    assert row["helpdesk_id"] == 1, "N4"
    assert row["reported_at"] == given.received_at, "N5"
    channel = await desk.value("SELECT name FROM entry_channels WHERE id = $1", row["entry_channel_id"])
    assert channel == "mail", "N6"
    assert row["mail_subject"] == "De printer doet het niet", "N7"
    assert row["title"] == "De printer doet het niet", "N8"
    assert (row["body_html"], row["body_full_html"], row["body_full_text"]) == (body.html, body.html, body.text), "N9"
    assert (row["ticket_type_id"], row["priority_id"], row["environment_id"]) == (41, 42, 43), "N10"
    assert (row["category_id"], row["subcategory_id"]) == (None, None), "N11"
    assert (row["ticket_manager_id"], row["executor_id"]) == (32, 33), "N12"
    assert [row[name] for name in ("parent_ticket_id", "external_id", "project", "evaluation")] == [None] * 4, "N13"
    assert row["time_needed_hours"] is None, "N14"
    assert row["status_id"] == 101, "N15"
    dates = ("planned_at", "deadline_at", "in_progress_at", "completed_at")
    assert [row[name] for name in dates] == [None] * 4, "N16"
    assert row["recalculate_deadline"] is True, "N17"
    assert (row["changed_by_employee_id"], row["changed_by_person_id"]) == (31, None), "N18"
    assert abs(imported_at - datetime.now(UTC)) < timedelta(minutes=1), "N18"
    assert row["created_at"] == imported_at
    assert (row["sender_name"], row["sender_address"]) == ("Jan Klant", "jan@klant.example"), "D10"
    assert row["sender_to"] == [{"name": "Helpdesk", "address": "helpdesk@desk.example"}], "D10"
    assert row["sender_cc"] == [{"name": "Piet", "address": "piet@klant.example"}], "D10"
    assert (row["sender_person_id"], row["sender_employee_id"]) == (11, None)
    assert (row["automatic"], row["needs_review"], row["merged_into_id"]) == (None, False, None)
    assert row["verdict"] == {"sender": "contact", "dmarc": "none"}


async def test_N1_history_of_a_new_ticket(desk: Desk) -> None:
    given = fresh()
    await desk.take_in(given)
    entry = await desk.row("SELECT * FROM ticket_history")
    assert entry["kind"] == "created"
    assert (
        entry["description"] == "Ticket aangemaakt via mail import, uit een e-mail van Jan Klant <jan@klant.example>."
    )
    assert (entry["employee_id"], entry["person_id"], entry["mail_id"]) == (31, None, given.mail_id)
    assert entry["at"] == (await desk.ticket_of(given))["changed_at"]


async def test_N10_N12_N17_a_helpdesk_without_defaults_leaves_them_empty(desk: Desk) -> None:
    given = fresh(helpdesk_id=2)
    await desk.take_in(given)
    row = await desk.ticket_of(given)
    names = ("ticket_type_id", "priority_id", "environment_id", "ticket_manager_id", "executor_id")
    assert [row[name] for name in names] == [None] * 5
    assert row["recalculate_deadline"] is False
    assert (row["status_id"], row["created_by_employee_id"]) == (201, 39)


async def test_N2_unknown_sender_becomes_default_contact(desk: Desk) -> None:
    given = fresh(sender=sender("vreemd@elders.example", known=False))
    await desk.take_in(given)
    row = await desk.ticket_of(given)
    assert (row["contact_id"], row["organisation_id"]) == (19, 29)
    assert (row["sender_address"], row["sender_person_id"]) == ("vreemd@elders.example", None)


async def test_D12_an_employee_as_sender(desk: Desk) -> None:
    given = fresh(sender=sender("tom@desk.example", employee_id=33))
    await desk.take_in(given)
    row = await desk.ticket_of(given)
    assert (row["contact_id"], row["sender_employee_id"], row["sender_person_id"]) == (19, 33, None)


async def test_D19_without_a_subject(desk: Desk) -> None:
    given = fresh(subject="")
    await desk.take_in(given)
    row = await desk.ticket_of(given)
    assert (row["title"], row["mail_subject"]) == ("(geen onderwerp)", "")


async def test_D6_automatic_mail_is_marked(desk: Desk) -> None:
    given = fresh(automatic=AutomaticKind.LIST)
    await desk.take_in(given)
    assert (await desk.ticket_of(given))["automatic"] == "list"


async def test_W4_D4_images_are_stored_and_what_was_left_out_is_named(desk: Desk) -> None:
    photo, pdf = image(inline=True), left_out()
    body = Body(html="", text="", attachment_ids=(photo.id,))
    given = fresh(bodies=Bodies(whole=body), images=(photo,), left_out=(pdf,))
    await desk.take_in(given)
    stored, named = await desk.rows("SELECT * FROM attachments ORDER BY position")
    assert (stored["id"], stored["blob_sha256"].hex()) == (photo.id, photo.blob.sha256)
    assert (stored["name"], stored["media_type"], stored["inline"]) == ("foto.png", "image/png", True)
    assert (stored["width"], stored["height"], stored["byte_size"]) == (8, 6, photo.blob.size)
    assert (named["id"], named["blob_sha256"]) == (pdf.id, None)
    assert (named["name"], named["media_type"]) == ("factuur.pdf", "application/pdf")
    assert (named["byte_size"], named["left_out_reason"]) == (2048, "geen plaatje")
    assert {stored["ticket_id"], named["ticket_id"]} == {(await desk.ticket_of(given))["id"]}
    entry = await desk.row("SELECT description FROM ticket_history WHERE kind = 'attachments-left-out'")
    assert entry["description"] == "1 bijlage is niet opgeslagen: factuur.pdf (application/pdf, 2 kB): geen plaatje."


async def test_D4_copies_are_stored_beside_their_image_and_logos_can_be_hidden(desk: Desk) -> None:
    shown = image("scan.tiff", content="scan").model_copy(
        update={
            "media_type": "image/tiff",
            "rendition": ImageCopy(media_type="image/png", width=8, height=6, blob=image(content="groot").blob),
            "thumbnail": ImageCopy(media_type="image/png", width=4, height=3, blob=image(content="klein").blob),
        }
    )
    logo = image("logo.png", inline=True, content="logo").model_copy(update={"decoration": Decoration.LOGO})
    body = Body(html="", text="", attachment_ids=(shown.id, logo.id))
    await desk.take_in(fresh(bodies=Bodies(whole=body), images=(shown, logo)))
    copies = await desk.rows("SELECT * FROM attachment_copies ORDER BY kind")
    assert [(copy["attachment_id"], copy["kind"], copy["media_type"], copy["width"]) for copy in copies] == [
        (shown.id, "rendition", "image/png", 8),
        (shown.id, "thumbnail", "image/png", 4),
    ]
    assert [(copy["byte_size"], copy["blob_sha256"].hex()) for copy in copies] == [
        (each.blob.size, each.blob.sha256) for each in (shown.rendition, shown.thumbnail) if each is not None
    ]
    screen = "SELECT name, decoration, hidden FROM ui_v1.attachments ORDER BY position"
    assert [tuple(row) for row in await desk.rows(screen)] == [
        ("scan.tiff", None, False),
        ("logo.png", "logo", True),
    ]
    await desk.execute("UPDATE importer_settings SET hide_signature_images = false")
    assert [row["hidden"] for row in await desk.rows(screen)] == [False, False]


async def test_M2_M4_are_planned_with_the_ticket(desk: Desk) -> None:
    given = fresh()
    await desk.take_in(given)
    customer, manager = await desk.rows("SELECT * FROM notifications ORDER BY kind")
    assert (customer["kind"], customer["state"], customer["reason"]) == ("ticket-added-customer", "planned", None)
    assert (customer["recipient_address"], customer["recipient_name"]) == ("jan@klant.example", "Jan Klant")
    assert (customer["recipient_person_id"], customer["helpdesk_id"]) == (11, 1)
    assert (manager["kind"], manager["state"]) == ("ticket-added-manager", "planned")
    assert (manager["recipient_address"], manager["recipient_employee_id"]) == ("marieke@desk.example", 32)
    assert {customer["ticket_id"], manager["ticket_id"]} == {(await desk.ticket_of(given))["id"]}


async def test_D11_a_mail_that_is_not_sent_is_recorded_with_its_reason(desk: Desk) -> None:
    await desk.take_in(fresh(helpdesk_id=2))
    manager = await desk.row("SELECT * FROM notifications WHERE kind = 'ticket-added-manager'")
    assert (manager["state"], manager["reason"], manager["recipient_address"]) == ("not-sent", "no-recipient", None)


async def test_D10_the_third_ticket_about_one_subject_is_not_confirmed(desk: Desk) -> None:
    for _ in range(3):
        await desk.take_in(fresh(subject="Automatisch"))
    await desk.take_in(fresh(subject="Iets anders"))
    states = await desk.rows(
        """SELECT state, reason FROM notifications JOIN tickets ON tickets.id = ticket_id
           WHERE kind = 'ticket-added-customer' ORDER BY tickets.number"""
    )
    assert [tuple(row) for row in states] == [
        ("planned", None),
        ("planned", None),
        ("not-sent", "over-limit-same-subject"),
        ("planned", None),
    ]


async def test_D10_no_confirmation_to_an_address_that_a_server_did_not_know(desk: Desk) -> None:
    await desk.take_in(fresh())
    await desk.execute(
        "UPDATE notifications SET state = 'failed', reason = 'unknown-recipient' WHERE kind = 'ticket-added-customer'"
    )
    again = fresh(subject="Nogmaals")
    await desk.take_in(again)
    found = await desk.row("SELECT reason FROM notifications WHERE mail_id = $1 AND state = 'not-sent'", again.mail_id)
    assert found["reason"] == "unknown-recipient"


async def test_D18_old_mail_sends_nothing(desk: Desk) -> None:
    given = fresh(received_at=datetime.now(UTC) - timedelta(days=8))
    await desk.take_in(given)
    reasons = await desk.rows("SELECT DISTINCT state, reason FROM notifications")
    assert [tuple(row) for row in reasons] == [("not-sent", "old-mail")]
    assert "old-mail" in [reason["id"] for reason in (await desk.ledger_of(given))["reasons"]]


async def test_D7_the_ledger_tells_what_became_of_the_mail_and_why(desk: Desk) -> None:
    given = fresh()
    await desk.take_in(given)
    row, ticket = await desk.ledger_of(given), await desk.ticket_of(given)
    assert (row["outcome"], row["ticket_id"], row["supplement_id"]) == ("ticket", ticket["id"], None)
    assert row["outcome_at"] == ticket["changed_at"]
    assert [reason["id"] for reason in row["reasons"]] == ["no-ticket-number", "contact-known"]
    assert (row["message_id_header"], row["sender_name"], row["sender_address"], row["subject"], row["sent_at"]) == (
        given.message_id,
        "Jan Klant",
        "jan@klant.example",
        given.subject,
        given.sent_at,
    )
    assert (row["content_key"].hex(), row["text_digest"].hex(), row["content_key_version"]) == (
        given.content_key.key,
        given.content_key.text_digest,
        1,
    )


async def test_a_ticket_that_is_gone_becomes_a_new_ticket_that_says_so(desk: Desk) -> None:
    given = fresh(candidates=(candidate("1000777"),))
    assert await desk.take_in(given) is Outcome.TICKET
    entries = [row["description"] for row in await desk.rows("SELECT description FROM ticket_history ORDER BY id")]
    assert "Het onderwerp noemt ticket 1000777, maar dat bestaat niet meer" in entries[1]
    assert (await desk.ledger_of(given))["reasons"][0] == {"id": "ticket-gone", "detail": "1000777"}


async def test_large_bodies_come_by_claim_check(desk: Desk) -> None:
    given = await desk.fetch(fresh())
    bodies = Bodies(whole=Body(html=f"<p>{'groot ' * 100_000}</p>", text="groot " * 100_000))
    reference = await desk.store(given, bodies.model_dump_json().encode())
    await desk.write(given.model_copy(update={"bodies": StoredBody(reference=reference)}))
    assert (await desk.ticket_of(given))["body_html"] == bodies.whole.html


@pytest.mark.parametrize("changes", [{"sender": None}, {"from_own_address": True}], ids=["no sender", "own address"])
async def test_D7_a_quarantined_mail_writes_nothing_but_its_outcome(desk: Desk, changes: dict[str, Any]) -> None:
    given = fresh(**changes)
    assert await desk.take_in(given) is Outcome.QUARANTINE
    assert set((await desk.everything()).values()) == {0}
    row = await desk.ledger_of(given)
    assert (row["outcome"], row["ticket_id"], row["subject"]) == ("quarantine", None, given.subject)
    assert row["reasons"][0]["id"] in {"no-sender", "own-address"}
