"""A mail out is sent once more when a person says so, and then as any other (M2–M4, D10)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from email import message_from_bytes
from typing import Any, Protocol
from uuid import UUID

import pytest

from deploy.demo.smtp_server import SmtpServer
from services.console.repairs import resend
from services.console.repairs.resend import Bar
from services.ticket_writer.queries import LOCK_NOTIFICATION
from shared.messages import NotificationKind
from shared.portal.mail_limits import LIMITS
from shared.portal.reasons import NotSentReason
from tests.databases import Database
from tests.services.notifier.house import House


class CommandLine(Protocol):
    """The fixture `importer`."""

    async def says(self, *arguments: str, code: int = 0) -> str: ...


@pytest.fixture
async def smtp() -> AsyncIterator[SmtpServer]:
    async with SmtpServer() as server:
        yield server


@pytest.fixture
async def house(database: Database, smtp: SmtpServer) -> AsyncIterator[House]:
    async with House.of(database) as house:
        await house.send_by(smtp)
        yield house


async def failed(house: House, kind: NotificationKind = NotificationKind.TICKET_ADDED_CUSTOMER, **columns: Any) -> UUID:
    """A mail that was refused for good, to an address of the contact that was typed wrongly."""
    planned = await house.plan(kind, to="piet@klnat.example")
    await house.owner.execute(
        """UPDATE notifications SET state = 'failed', reason = 'unknown-recipient', server_reply = '550 5.1.1 wie?',
               tries = 1, message_id = 'eerder@example.nl', subject = 'Ticket aangemaakt', mime = 'x',
               recipient_person_id = CASE kind WHEN 'ticket-added-customer' THEN 1 END,
               counted_address = 'piet@klnat.example' WHERE id = $1""",
        planned,
    )
    for name, value in columns.items():
        await house.owner.execute(f"UPDATE notifications SET {name} = $2 WHERE id = $1", planned, value)  # noqa: S608
    return planned


async def knows_piet_at(house: House, *addresses: str) -> None:
    await house.owner.execute("DELETE FROM person_addresses")
    for address in addresses:
        await house.owner.execute("INSERT INTO person_addresses (person_id, address) VALUES (1, $1)", address)


async def again(house: House, earlier: UUID) -> Any:
    return await house.owner.fetchrow("SELECT * FROM notifications WHERE resend_of = $1", earlier)


async def barred(house: House, notification: UUID) -> object:
    found = await resend.candidate(house.owner, notification)
    assert found is not None
    return found.barred


async def test_a_corrected_address_gets_the_mail_written_anew_and_the_earlier_outcome_stays(
    importer: CommandLine, house: House, smtp: SmtpServer
) -> None:
    earlier = await failed(house)
    before = await house.row(earlier)
    await knows_piet_at(house, "piet@klant.example")
    await house.owner.execute(
        "INSERT INTO templates (helpdesk_id, kind, subject) VALUES (1, 'ticket-added-customer', 'Nu: [ticketnummer]')"
    )
    async with house.notifier() as notifier:
        assert await notifier.sweep() == 0  # never by itself
        said = await importer.says("notifications", "resend", "--yes", str(earlier))
        assert "Piet Jansen <piet@klant.example> is sent again" in said
        assert await notifier.sweep() == 1
        assert await notifier.sweep() == 0
    [delivery] = smtp.deliveries
    row = await again(house, earlier)
    mail = message_from_bytes(delivery.content)
    assert delivery.recipients == ("piet@klant.example",)
    assert mail["Subject"].startswith("Nu: ")
    assert mail["Message-ID"] == f"<{row['message_id']}>" != "<eerder@example.nl>"
    assert (row["state"], row["tries"], row["counted_address"]) == ("sent", 1, "piet@klant.example")
    assert await house.row(earlier) == before
    for message_id in ("eerder@example.nl", row["message_id"]):  # a report of either finds its own
        assert await house.owner.fetchval(LOCK_NOTIFICATION, message_id) in {earlier, row["id"]}
    logged = await house.owner.fetchrow("SELECT * FROM audit_log WHERE deed = 'resent'")
    assert logged is not None
    assert (logged["thing_id"], logged["after"], logged["tool"]) == (
        str(row["id"]), {"resend_of": str(earlier)}, "helpdesk-importer"
    )  # fmt: skip
    assert logged["actor"]


async def test_without_a_yes_it_says_to_whom_what_would_go_and_sends_nothing(
    importer: CommandLine, house: House
) -> None:
    earlier = await failed(house)
    await knows_piet_at(house, "piet@klant.example")
    said = await importer.says("notifications", "resend", str(earlier), code=1)
    assert "«Ticket aangemaakt» goes once more to Piet Jansen <piet@klant.example>" in said
    assert await again(house, earlier) is None


async def test_asked_by_many_at_once_it_is_planned_once(house: House) -> None:
    earlier = await failed(house)
    await knows_piet_at(house, "piet@klant.example")

    async def ask() -> bool:
        async with house.database.connect("web") as connection:
            return await resend.resend(connection, earlier, "piet@klant.example")

    assert sorted(await asyncio.gather(*(ask() for _ in range(5)))) == [False] * 4 + [True]
    assert await barred(house, earlier) is Bar.ALREADY
    assert await house.owner.fetchval("SELECT count(*) FROM notifications") == 2


async def test_what_was_resent_can_be_resent_by_its_newest(house: House, smtp: SmtpServer) -> None:
    earlier = await failed(house)
    await knows_piet_at(house, "piet@klant.example")
    assert await resend.resend(house.owner, earlier, "piet@klant.example")
    second = (await again(house, earlier))["id"]
    assert await barred(house, second) is Bar.NOT_ENDED
    async with house.notifier() as notifier:
        await notifier.sweep()
    assert await barred(house, earlier) is Bar.ALREADY
    await knows_piet_at(house, "p.jansen@klant.example")
    assert await resend.resend(house.owner, second, "p.jansen@klant.example")
    async with house.notifier() as notifier:
        await notifier.sweep()
    assert [each.recipients for each in smtp.deliveries] == [("piet@klant.example",), ("p.jansen@klant.example",)]


async def test_it_is_held_and_discarded_as_any_other_and_then_sent_after_all(house: House, smtp: SmtpServer) -> None:
    earlier = await failed(house)
    await knows_piet_at(house, "piet@klant.example")
    await house.owner.execute("INSERT INTO outgoing_holds (reason) VALUES ('wacht')")
    assert await resend.resend(house.owner, earlier, "piet@klant.example")
    second = (await again(house, earlier))["id"]
    async with house.notifier() as notifier:
        assert await notifier.sweep() == 0
        assert await house.owner.fetchval("SELECT discard_held_mails(NULL, NULL)") == 1
        await house.owner.execute("DELETE FROM outgoing_holds")
        assert await notifier.sweep() == 0
        assert await resend.resend(house.owner, second, "piet@klant.example")
        assert await notifier.sweep() == 1
    assert len(smtp.deliveries) == 1


async def test_a_yes_to_another_recipient_than_he_has_now_sends_nothing(house: House) -> None:
    earlier = await failed(house)
    await knows_piet_at(house, "piet@klant.example")
    assert not await resend.resend(house.owner, earlier, "iemand@anders.example")
    plan = "SELECT resend_notification($1, 'iemand@anders.example', 'x', NULL)"
    assert await house.owner.fetchval(plan, earlier) is None


@pytest.mark.parametrize(
    ("state", "reason"),
    [("planned", None), ("not-sent", "automatic"), ("not-sent", "over-limit")],
)
async def test_what_is_on_its_way_or_was_never_to_be_sent_is_not_resent(
    house: House, state: str, reason: str | None
) -> None:
    earlier = await failed(house, state=state, reason=reason)
    await knows_piet_at(house, "piet@klant.example")
    assert await barred(house, earlier) is Bar.NOT_ENDED
    assert not await resend.resend(house.owner, earlier, "piet@klant.example")
    plan = "SELECT resend_notification($1, 'piet@klant.example', 'x', NULL)"
    assert await house.owner.fetchval(plan, earlier) is None


async def test_D10_a_mailbox_of_our_own_a_bounced_address_and_the_limits_bar_it(house: House) -> None:
    earlier = await failed(house)
    assert await barred(house, earlier) is Bar.NO_ADDRESS
    await knows_piet_at(house, "ICT@example.nl")
    assert await barred(house, earlier) is NotSentReason.OWN_ADDRESS
    await knows_piet_at(house, "piet@klnat.example")
    assert await barred(house, earlier) is NotSentReason.UNKNOWN_RECIPIENT
    await knows_piet_at(house, "piet@klant.example")
    assert await barred(house, earlier) is None
    for _ in range(LIMITS.in_all):
        await house.plan(to="piet@klant.example")
    assert await barred(house, earlier) is NotSentReason.OVER_LIMIT
    await house.pass_time(LIMITS.period + timedelta(minutes=1))
    assert await barred(house, earlier) is None


async def test_D11_M1_staff_get_it_where_they_read_mail_now(house: House) -> None:
    earlier = await failed(house, NotificationKind.TICKET_ADDED_MANAGER)
    assert await barred(house, earlier) is Bar.NO_ADDRESS  # it went to the address for mail without a recipient
    await house.owner.execute("UPDATE helpdesks SET fallback_recipient = 'opvang@example.nl'")
    found = await resend.candidate(house.owner, earlier)
    assert found is not None
    assert (found.recipient, found.barred) == ("opvang@example.nl", None)
    await house.owner.execute("UPDATE notifications SET recipient_employee_id = 1 WHERE id = $1", earlier)
    assert await barred(house, earlier) is Bar.NO_ADDRESS
    await house.owner.execute("INSERT INTO employee_addresses (employee_id, address) VALUES (1, 'sanne@example.org')")
    found = await resend.candidate(house.owner, earlier)
    assert found is not None
    assert (found.name, found.recipient, found.barred) == ("Sanne de Wit", "sanne@example.org", None)
    await house.owner.execute("UPDATE helpdesks SET send_import_mails = false")
    assert await barred(house, earlier) is NotSentReason.MAILS_OFF


async def test_a_summary_that_is_resent_tells_of_all_that_it_told_of(house: House, smtp: SmtpServer) -> None:
    await house.owner.execute("INSERT INTO employee_addresses (employee_id, address) VALUES (1, 'sanne@example.org')")
    earlier = await failed(house, NotificationKind.TICKET_ADDED_MANAGER, recipient_employee_id=1)
    await house.owner.execute("UPDATE notifications SET collects_until = now() - interval '1 hour'")
    told = await house.plan(NotificationKind.TICKET_ADDED_MANAGER, ticket=await house.ticket(title="De lift hangt"))
    await house.owner.execute(
        "UPDATE notifications SET state = 'not-sent', reason = 'in-summary', summary_id = $2 WHERE id = $1",
        told,
        earlier,
    )
    assert await resend.resend(house.owner, earlier, "sanne@example.org")
    async with house.notifier() as notifier:
        assert await notifier.sweep() == 1
    [delivery] = smtp.deliveries
    assert delivery.recipients == ("sanne@example.org",)
    text = message_from_bytes(delivery.content).as_string()
    assert "De lift hangt" in text
    assert "Printer doet het niet" in text
