"""The main job, end to end: a mail in a mailbox becomes a ticket or a supplement, and the right people are mailed."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from email.utils import make_msgid
from io import BytesIO
from itertools import count

import httpx
from PIL import Image

from deploy.demo.maildir import Maildir
from shared.messages import NotificationKind
from tests.acceptance.pipeline import Pipeline, SupervisedPipeline, a_mail, eventually

_senders = count(1)


def somebody() -> str:
    """An unknown sender, of a domain that no other test has: limits on mails out never get in the way."""
    return f"iemand{next(_senders)}@iedereen.example"


def a_picture(kind: str) -> bytes:
    out = BytesIO()
    Image.new("RGB", (64, 48), "teal").save(out, kind)
    return out.getvalue()


def subject_of(content: bytes) -> str:
    """The Subject of a received mail, unfolded and decoded."""
    return str(message_from_bytes(content, policy=default)["Subject"])


async def test_W1_unread_mail_is_taken_in_and_marked_read(pipeline: Pipeline) -> None:
    name = pipeline.drop(a_mail(subject="Wordt gelezen"))
    await pipeline.outcome(name)
    marked = await pipeline.row(
        "SELECT marked_read_at FROM helpdesk.imported_mails WHERE item_key = $1 AND marked_read_at IS NOT NULL", name
    )
    assert marked["marked_read_at"] is not None
    seen = [path.name for path in (pipeline.mailboxes / "ict/cur").iterdir() if path.name.startswith(name)]
    assert seen == [f"{name}:2,S"]


async def test_W1_S8_a_check_that_succeeded_is_recorded(pipeline: Pipeline) -> None:
    checked = "SELECT last_successful_check_at FROM helpdesk.mailbox_states JOIN helpdesk.helpdesks ON id = helpdesk_id"
    for helpdesk in ("ICT-servicedesk", "Facilitair"):
        await pipeline.row(f"{checked} WHERE name = $1 AND last_successful_check_at IS NOT NULL", helpdesk)


async def test_W1_mail_that_somebody_read_already_is_left_alone(pipeline: Pipeline) -> None:
    read = Maildir(pipeline.mailboxes / "facilitair").deliver(a_mail(subject="Al gelezen").as_bytes(), read=True)
    await pipeline.ticket(a_mail(subject="Komt erna"), "facilitair")
    assert not await pipeline.connection.fetch(
        "SELECT FROM helpdesk.imported_mails WHERE item_key = $1", read.unique_name
    )


async def test_W2_no_ticket_number_makes_a_new_ticket(pipeline: Pipeline) -> None:
    ticket = await pipeline.ticket(a_mail(subject="Muis 3 werkt niet", text="De linkerknop doet niets."))
    assert ticket["title"] == ticket["mail_subject"] == "Muis 3 werkt niet"
    assert "De linkerknop doet niets." in ticket["body_full_text"]
    assert ticket["number"].isdigit()


async def test_W3_a_known_number_makes_a_supplement(pipeline: Pipeline) -> None:
    ticket = await pipeline.ticket(a_mail(subject="Toetsenbord plakt"))
    supplement = await pipeline.supplement(
        a_mail(subject=f"Re: [{ticket['number']}] Toetsenbord plakt", text="Nu ook de spatiebalk.")
    )
    assert supplement["ticket_id"] == ticket["id"]
    assert "Nu ook de spatiebalk." in supplement["body_full_text"]


async def test_W3_a_number_that_is_no_tickets_makes_a_new_ticket(pipeline: Pipeline) -> None:
    name = pipeline.drop(a_mail(subject="Factuur 9876543 klopt niet"))
    assert (await pipeline.outcome(name))["outcome"] == "ticket"
    assert "unknown-number" in await pipeline.reasons(name)


def with_attachments(subject: str, sender: str) -> EmailMessage:
    """A mail with an inline PNG, an attached JPEG, a PDF, and a program that says it is a PNG."""
    mail = a_mail(subject=subject, sender=sender)
    cid = make_msgid(domain="test.example")
    mail.add_alternative(f'<p>Zie <img src="cid:{cid[1:-1]}"></p>', subtype="html")
    html = mail.get_payload()[1]  # type: ignore[index]
    html.add_related(a_picture("PNG"), "image", "png", cid=cid, filename="scherm.png")  # type: ignore[union-attr]
    mail.add_attachment(a_picture("JPEG"), "image", "jpeg", filename="foto.jpg")
    mail.add_attachment(b"%PDF-1.4", "application", "pdf", filename="handleiding.pdf")
    mail.add_attachment(b"MZ\x90\x00", "image", "png", filename="plaatje.png")
    return mail


async def stored_and_left_out(pipeline: Pipeline, column: str, key: int) -> tuple[dict[str, str], dict[str, str]]:
    """Names of the attachments with media type, and with the reason of those that were left out."""
    condition = "ticket_id = $1 AND supplement_id IS NULL" if column == "ticket_id" else "supplement_id = $1"
    rows = await pipeline.connection.fetch(f"SELECT * FROM helpdesk.attachments WHERE {condition}", key)  # noqa: S608
    stored = {row["name"]: row["media_type"] for row in rows if row["blob_sha256"] is not None}
    return stored, {row["name"]: row["left_out_reason"] for row in rows if row["blob_sha256"] is None}


async def test_W4_images_are_stored_with_the_ticket_and_nothing_else(pipeline: Pipeline) -> None:
    ticket = await pipeline.ticket(with_attachments("Scherm flikkert", somebody()))
    stored, left_out = await stored_and_left_out(pipeline, "ticket_id", ticket["id"])
    assert stored == {"scherm.png": "image/png", "foto.jpg": "image/jpeg"}
    assert set(left_out) == {"handleiding.pdf", "plaatje.png"}
    assert "attachment:" in ticket["body_html"]


async def test_W4_images_are_stored_with_the_supplement_and_nothing_else(pipeline: Pipeline) -> None:
    sender = somebody()
    ticket = await pipeline.ticket(a_mail(subject="Beamer zoemt", sender=sender))
    supplement = await pipeline.supplement(with_attachments(f"Ticket {ticket['number']}: beamer", sender))
    stored, left_out = await stored_and_left_out(pipeline, "supplement_id", supplement["id"])
    assert stored == {"scherm.png": "image/png", "foto.jpg": "image/jpeg"}
    assert set(left_out) == {"handleiding.pdf", "plaatje.png"}


async def test_M2_the_ticket_manager_hears_of_a_new_ticket(pipeline: Pipeline) -> None:
    ticket = await pipeline.ticket(a_mail(subject="Server piept", sender=somebody()))
    sent = (await pipeline.notifications(ticket["mail_id"]))[NotificationKind.TICKET_ADDED_MANAGER]
    assert (sent["state"], sent["recipient_address"]) == ("sent", "marieke.de.boer@oosterdam-services.example")
    [mail] = pipeline.received(sent["message_id"])
    assert mail.recipients == ("marieke.de.boer@oosterdam-services.example",)
    assert subject_of(mail.content) == f"ChainWise: Ticket {ticket['number']} - Server piept toegevoegd via de importer"


async def test_M3_the_executor_hears_of_a_supplement(pipeline: Pipeline) -> None:
    sender = somebody()
    ticket = await pipeline.ticket(a_mail(subject="Dock laadt niet", sender=sender))
    supplement = await pipeline.supplement(a_mail(subject=f"Ticket {ticket['number']}", sender=sender))
    sent = (await pipeline.notifications(supplement["mail_id"]))[NotificationKind.SUPPLEMENT_ADDED_EXECUTOR]
    assert (sent["state"], sent["recipient_address"]) == ("sent", "tom.jansen@oosterdam-services.example")
    [mail] = pipeline.received(sent["message_id"])
    assert subject_of(mail.content) == (
        f"ChainWise: Ticket {ticket['number']} - Dock laadt niet heeft een nieuwe aanvulling via portaal"
    )


async def test_M4_the_customer_gets_a_confirmation_that_he_can_answer(pipeline: Pipeline) -> None:
    sender = somebody()
    ticket = await pipeline.ticket(a_mail(subject="Scanner kraakt", sender=sender))
    sent = (await pipeline.notifications(ticket["mail_id"]))[NotificationKind.TICKET_ADDED_CUSTOMER]
    [mail] = pipeline.received(sent["message_id"])
    assert mail.recipients == (sender,)
    subject = subject_of(mail.content)
    assert subject == f"ChainWise: Ticket {ticket['number']} - Scanner kraakt is geregistreerd"
    answer = await pipeline.supplement(a_mail(subject=f"RE: {subject}", sender=sender, in_reply_to=sent["message_id"]))
    assert answer["ticket_id"] == ticket["id"]


async def test_M1_mails_switched_off_silence_M2_but_never_M4(pipeline: Pipeline) -> None:
    sender = somebody()
    ticket = await pipeline.ticket(a_mail(subject="Deur klemt", sender=sender), "facilitair")
    notifications = await pipeline.notifications(ticket["mail_id"])
    assert notifications[NotificationKind.TICKET_ADDED_MANAGER]["state"] == "not-sent"
    confirmation = notifications[NotificationKind.TICKET_ADDED_CUSTOMER]
    [mail] = pipeline.received(confirmation["message_id"])
    assert subject_of(mail.content) == f"Facilitair: Deur klemt staat op onze lijst als {ticket['number']}"


async def test_D7_mail_without_any_sender_is_quarantined_with_its_raw_bytes(pipeline: Pipeline) -> None:
    content = b"To: servicedesk@oosterdam-services.example\nSubject: van niemand\n\nHallo\n"
    outcome = await pipeline.outcome(pipeline.drop(content))
    assert outcome["outcome"] == "quarantine"
    kept = await pipeline.connection.fetchval(
        "SELECT string_agg(content, '' ORDER BY position) FROM helpdesk.blob_chunks WHERE sha256 = $1",
        outcome["raw_sha256"],
    )
    assert kept == content


async def test_every_service_is_live_and_ready_and_has_metrics(pipeline: SupervisedPipeline) -> None:
    async with httpx.AsyncClient() as client:
        for state in pipeline.supervisor.states.values():

            async def all_answer(url: str = state.health_url or "") -> bool:
                paths = ("/health/live", "/health/ready", "/metrics")
                return all([(await client.get(url + path)).is_success for path in paths])

            await eventually(all_answer, f"health of {state.service}")
