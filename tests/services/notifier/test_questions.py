"""«Stuur testmail»: a template as a mail to who edits it, by the helpdesk's own account; nothing of it is recorded."""

from __future__ import annotations

import asyncio
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

import pytest

from deploy.demo.smtp_server import Delivery, SmtpServer
from services.notifier.flow import Notifier
from services.notifier.questions import MOST_AN_HOUR, answers
from services.notifier.repository import Repository
from services.notifier.transports import Transports
from shared.answering import Answering
from tests.services.notifier.examples import KEY
from tests.services.notifier.house import House, keyring

ANNA = "anna@helpdesk.example"
_ASK = """
    INSERT INTO service_questions (service, question, helpdesk_id, asked_by, arguments)
    VALUES ('notifier', 'test-mail', 1, $1, $2) RETURNING id"""
_MANY = """
    INSERT INTO service_questions (service, question, helpdesk_id, asked_by, answered_at, answer)
    SELECT 'notifier', 'test-mail', 1, 'x', now(), '{"ok": true}' FROM generate_series(1, MOST)
""".replace("MOST", str(MOST_AN_HOUR))
_ANSWER = "SELECT answer FROM service_questions WHERE id = $1"


async def answer_to(house: House, *, by: str = ANNA, **asked: Any) -> dict[str, Any]:
    """Ask, and what a notifier answers."""
    arguments = {"kind": "ticket-added-customer", "ticket": "1000001", "subject": "[ticketnummer]: proef",
                 "body_html": "<p>Beste [ontvanger], [omschrijving]</p>", "body_text": None}  # fmt: skip
    question = await house.owner.fetchval(_ASK, by, arguments | asked)
    stop = asyncio.Event()
    async with house.database.pool("notifier") as pool, Transports(keyring()) as transports:
        repository = Repository(pool, "test")
        answering = Answering(pool, "notifier", answers(Notifier(repository, transports, KEY), repository))
        running = asyncio.create_task(answering.run(stop))
        async with asyncio.timeout(30):
            while (answer := await house.owner.fetchval(_ANSWER, question)) is None:
                await asyncio.sleep(0.05)
        stop.set()
        await running
    assert await house.owner.fetchval("SELECT arguments FROM service_questions WHERE id = $1", question) == {}
    found: dict[str, Any] = answer
    return found


def mail_in(delivery: Delivery) -> EmailMessage:
    """As a mail client reads it."""
    message = message_from_bytes(delivery.content, policy=SMTP)
    assert isinstance(message, EmailMessage)
    return message


async def test_M4_a_test_mail_is_the_template_of_a_real_ticket_to_who_asks(house: House, smtp: SmtpServer) -> None:
    ticket = await house.ticket()
    number = await house.owner.fetchval("SELECT number FROM tickets WHERE id = $1", ticket)
    answer = await answer_to(house, ticket=number)
    assert (answer["ok"], answer["to"], answer["kind"]) == (True, ANNA, "ticket-added-customer")
    assert answer["reply"].startswith("250 ")
    [delivery] = smtp.deliveries
    assert delivery.recipients == (ANNA,)
    mail = mail_in(delivery)
    assert mail["Subject"] == f"{number}: proef"
    body = mail.get_body(("html",))
    assert body is not None
    assert f"Beste {ANNA}" in body.get_content()
    assert "Foutcode 79" in body.get_content()
    assert await house.owner.fetchval("SELECT count(*) FROM notifications") == 0


async def test_M3_one_of_a_supplement_is_of_the_newest(house: House, smtp: SmtpServer) -> None:
    ticket = await house.ticket()
    number = await house.owner.fetchval("SELECT number FROM tickets WHERE id = $1", ticket)
    asked = {"kind": "supplement-added-executor", "ticket": number, "body_html": "<p>[aanvulling]</p>"}
    assert (await answer_to(house, **asked))["trouble"] == "no-ticket"
    await house.supplement(ticket, body="<p>Nu ook de scanner</p>")
    assert (await answer_to(house, **asked))["ok"]
    body = mail_in(smtp.deliveries[0]).get_body(("html",))
    assert body is not None
    assert "Nu ook de scanner" in body.get_content()


@pytest.mark.parametrize(
    ("change", "asked", "trouble"),
    [
        ("", {"ticket": "nergens"}, "no-ticket"),
        ("", {"by": "anna"}, "no-address"),
        ("INSERT INTO outgoing_holds (helpdesk_id, reason) VALUES (1, 'Verhuizing')", {}, "held"),
        ("UPDATE helpdesks SET outgoing_account_id = NULL", {}, "no-account"),
        ("UPDATE outgoing_accounts SET port = 1", {}, "server-away"),
        ("UPDATE installation SET restored_at = now(), restored_to = now()", {}, "a-copy"),
        (_MANY, {}, "too-many"),
    ],
)
async def test_what_stands_against_it_is_said_and_nothing_goes_out(
    house: House, smtp: SmtpServer, change: str, asked: dict[str, Any], trouble: str
) -> None:
    ticket = await house.ticket()
    number = await house.owner.fetchval("SELECT number FROM tickets WHERE id = $1", ticket)
    if change:
        await house.owner.execute(change)
    answer = await answer_to(house, **{"ticket": number, **asked})
    assert (answer["ok"], answer["trouble"]) == (False, trouble)
    assert smtp.deliveries == []
