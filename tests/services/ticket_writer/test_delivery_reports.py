"""A delivery report is kept with the notification that it is about, and with its ticket (SPEC D6, D10)."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.ticket_writer.writing import Message
from shared.messages import AutomaticKind, Bodies, BouncedRecipient, ClassifiedMail, Outcome
from tests.services.ticket_writer.conftest import Desk
from tests.services.ticket_writer.givens import COLLEAGUE, WHOLE, mail, sender

OURS = "ours@desk.example"
UNKNOWN = {"status": "5.1.1", "action": "failed"}


@pytest.fixture
async def asked(desk: Desk) -> ClassifiedMail:
    """Jan's first mail, whose confirmation our server took."""
    given = mail()
    await desk.take_in(given)
    await desk.execute(
        "UPDATE notifications SET state = 'sent', reason = NULL, sent_at = now(), message_id = $1"
        " WHERE kind = 'ticket-added-customer'",
        OURS,
    )
    return given


def report(**said: str) -> ClassifiedMail:
    bounced = BouncedRecipient(recipient="jan@klant.example", diagnostic="550 User unknown", **said)
    return mail(sender=None, automatic=AutomaticKind.BOUNCE, own_message_id=OURS, bounced=(bounced,))


async def notification(desk: Desk) -> dict[str, Any]:
    return dict(await desk.row("SELECT * FROM notifications WHERE message_id = $1", OURS))


@pytest.mark.usefixtures("asked")
async def test_D6_a_failure_makes_the_notification_failed(desk: Desk) -> None:
    bounce = report(**UNKNOWN)
    assert await desk.take_in(bounce) is Outcome.SUPPLEMENT
    row = await notification(desk)
    assert (row["state"], row["reason"], row["report_action"]) == ("failed", "unknown-recipient", "failed")
    assert (row["report_status"], row["report_diagnostic"]) == ("5.1.1", "550 User unknown")
    assert (row["reported_at"], row["report_mail_id"]) == (bounce.received_at, bounce.mail_id)
    said = await desk.value(
        "SELECT string_agg(description, ' ') FROM ticket_history WHERE mail_id = $1", bounce.mail_id
    )
    assert "Onze e-mail aan jan@klant.example is niet afgeleverd (5.1.1): 550 User unknown." in said


@pytest.mark.usefixtures("asked")
async def test_D10_no_mail_for_sixty_days_to_an_address_that_bounced_as_unknown(desk: Desk) -> None:
    await desk.take_in(report(**UNKNOWN))
    again, later = [mail(subject=each, received_at=datetime.now(UTC)) for each in ("Nog eens", "Veel later")]
    await desk.take_in(again)
    await desk.execute("UPDATE notifications SET created_at = created_at - interval '61 days'")
    await desk.take_in(later)
    states = [
        await desk.value(
            "SELECT coalesce(reason, state) FROM notifications WHERE mail_id = $1 AND kind = 'ticket-added-customer'",
            each.mail_id,
        )
        for each in (again, later)
    ]
    assert states == ["unknown-recipient", "planned"]


@pytest.mark.usefixtures("asked")
async def test_D10_what_a_report_says_holds_for_the_mails_after_it_in_one_batch(desk: Desk) -> None:
    moment = datetime.now(UTC)
    mails = [
        mail(subject="Ervoor", received_at=moment, sender=sender("piet@klant.example", COLLEAGUE)),
        report(**UNKNOWN),
        mail(subject="Erna", received_at=moment),
    ]
    for each in mails:
        await desk.fetch(each)
    await desk.writer.write_all([Message(each, Bodies(whole=WHOLE), each.received_at) for each in mails])
    states = await desk.rows(
        "SELECT coalesce(reason, state) FROM notifications JOIN imported_mails USING (mail_id)"
        " WHERE kind = 'ticket-added-customer' AND mail_id = ANY($1) ORDER BY imported_mails.subject DESC",
        [each.mail_id for each in mails],
    )
    assert [state for (state,) in states] == ["planned", "unknown-recipient"]


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize("said", [{"status": "4.4.1", "action": "delayed"}, {"status": "2.1.5", "action": "delivered"}])
async def test_D6_a_delay_or_a_delivery_is_no_failure(said: dict[str, str], desk: Desk) -> None:
    await desk.take_in(report(**said))
    row = await notification(desk)
    assert (row["state"], row["reason"], row["report_action"]) == ("sent", None, said["action"])


@pytest.mark.usefixtures("asked")
async def test_D6_a_failure_after_a_delay_counts_and_stays(desk: Desk) -> None:
    for said in ({"status": "4.4.1", "action": "delayed"}, UNKNOWN, {"status": "2.1.5", "action": "delivered"}):
        await desk.take_in(report(**said))
    row = await notification(desk)
    assert (row["state"], row["report_action"], row["report_status"]) == ("failed", "failed", "5.1.1")


@pytest.mark.usefixtures("asked")
async def test_D6_a_failure_that_is_quicker_than_the_notifier_stands_once_it_has_recorded(desk: Desk) -> None:
    await desk.execute("UPDATE notifications SET state = 'planned', sent_at = NULL WHERE message_id = $1", OURS)
    await desk.take_in(report(**UNKNOWN))
    row = await notification(desk)
    assert (row["state"], row["reason"], row["report_action"]) == ("planned", "unknown-recipient", "failed")
