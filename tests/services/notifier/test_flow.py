"""From a planned row to a mail and back: each is sent once, and its row says what became of it (DESIGN 5, 9)."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from uuid import UUID

import asyncpg
import pytest
import structlog
from pydantic import SecretStr

from deploy.demo.smtp_server import Delivery, SmtpServer
from services.notifier import flow
from services.notifier.flow import LostClaim, Notifier
from services.notifier.notification import Written
from services.notifier.repository import EVENT_LOST_AFTER, LEASE, Repository
from services.notifier.rules.retry import DELAYS, DELAYS_IN_DOUBT, LAST_TRY
from services.notifier.smtp import Rest
from shared.errors import Outage
from shared.messages import NotificationKind
from shared.portal.delivery import DeliveryReason
from tests.services.notifier.house import House, keyring

Mails = Sequence[tuple[UUID, Written]]

GOES_AWAY = """
    CREATE FUNCTION goes_away() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'terminating connection' USING ERRCODE = 'admin_shutdown'; END $$;
    CREATE TRIGGER goes_away BEFORE UPDATE OF message_id ON notifications EXECUTE FUNCTION goes_away()"""


async def _until(fact: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not fact():
            await asyncio.sleep(0.01)


async def _sweep_all(notifier: Notifier) -> None:
    while await notifier.sweep():
        pass


def _mail(delivery: Delivery) -> EmailMessage:
    message = message_from_bytes(delivery.content, policy=SMTP)
    assert isinstance(message, EmailMessage)
    return message


async def test_a_planned_notification_is_sent_and_recorded(house: House, smtp: SmtpServer) -> None:
    planned = await house.plan()
    async with house.notifier() as notifier:
        await notifier.deliver([planned])
    [delivery] = smtp.deliveries
    row = await house.row(planned)
    assert (delivery.sender, delivery.recipients) == ("ict@example.nl", ("piet@klant.example",))
    assert (row["state"], row["server_reply"], row["tries"]) == ("sent", "250 2.0.0 Ok: queued as 1", 1)
    assert row["sent_at"] is not None
    assert row["mime"] == delivery.content
    mail = _mail(delivery)
    assert mail["Message-ID"] == f"<{row['message_id']}>"
    assert mail["Subject"] == row["subject"]
    assert mail["In-Reply-To"] == "<begin@klant.example>"
    assert (row["lease_holder"], row["lease_until"], row["next_try_at"], row["reason"]) == (None, None, None, None)


async def test_M2_M3_M4_read_as_the_ticket_says(house: House, smtp: SmtpServer) -> None:
    ticket = await house.ticket()
    first = [
        await house.plan(NotificationKind.TICKET_ADDED_MANAGER, ticket=ticket, to="sanne@example.nl"),
        await house.plan(NotificationKind.TICKET_ADDED_CUSTOMER, ticket=ticket),
    ]
    await house.owner.execute(
        """INSERT INTO attachments (id, ticket_id, mail_id, name, media_type, byte_size, left_out_reason)
           SELECT gen_random_uuid(), id, mail_id, 'handleiding.pdf', 'application/pdf', 9, 'geen afbeelding'
           FROM tickets"""
    )
    async with house.notifier() as notifier:
        await notifier.deliver(first)
        await notifier.deliver([await house.plan(NotificationKind.SUPPLEMENT_ADDED_EXECUTOR, ticket=ticket)])
    by_end = {str(mail["Subject"]).rsplit(" ", 1)[-1]: mail for mail in map(_mail, smtp.deliveries)}
    assert set(by_end) == {"importer", "geregistreerd", "portaal"}
    to_manager = by_end["importer"].get_body(("plain",))
    assert to_manager is not None
    text = to_manager.get_content()
    for expected in ("Foutcode 79", "Bakkerij Jansen", "Normaal", "Karim Bouzid", "handleiding.pdf (geen afbeelding)"):
        assert expected in text
    assert "https://helpdesk.example/tickets/10000" in text
    assert by_end["portaal"]["In-Reply-To"] == by_end["importer"]["Message-ID"]
    supplement = by_end["portaal"].get_body(("plain",))
    assert supplement is not None
    assert "Nog steeds" in supplement.get_content()


async def test_M2_M4_the_contacts_name_stands_in_where_the_mail_has_none(house: House, smtp: SmtpServer) -> None:
    ticket = await house.ticket()
    planned = [
        await house.plan(NotificationKind.TICKET_ADDED_MANAGER, ticket=ticket, to="sanne@example.nl"),
        await house.plan(ticket=ticket),
    ]
    await house.owner.execute("UPDATE tickets SET sender_name = NULL, sender_person_id = 1")
    await house.owner.execute(
        """UPDATE notifications SET recipient_name = CASE kind WHEN 'ticket-added-customer' THEN recipient_address
               ELSE '' END, recipient_person_id = CASE kind WHEN 'ticket-added-customer' THEN 1 END,
           recipient_employee_id = CASE kind WHEN 'ticket-added-manager' THEN 1 END"""
    )
    async with house.notifier() as notifier:
        await notifier.deliver(planned)
    bodies = {str(mail["To"]): mail.get_body(("plain",)) for mail in map(_mail, smtp.deliveries)}
    customer, manager = bodies["Piet Jansen <piet@klant.example>"], bodies["Sanne de Wit <sanne@example.nl>"]
    assert customer is not None
    assert "Beste Piet Jansen," in customer.get_content()
    assert manager is not None
    assert "Beste Sanne de Wit," in manager.get_content()
    assert "Piet Jansen (piet@klant.example) heeft" in manager.get_content()


async def test_an_event_that_comes_twice_sends_nothing_twice(house: House, smtp: SmtpServer) -> None:
    planned = await house.plan()
    async with house.notifier() as notifier, house.notifier() as another:
        await asyncio.gather(*(each.deliver([planned]) for each in (notifier, another, notifier, another)))
        await notifier.deliver([planned])
    assert len(smtp.deliveries) == 1
    assert (await house.row(planned))["tries"] == 1


async def test_what_an_outage_kept_from_being_written_is_sent_as_soon_as_the_database_answers(
    house: House, smtp: SmtpServer
) -> None:
    planned = await house.plan()
    await house.owner.execute(GOES_AWAY)
    async with house.notifier() as notifier:
        with pytest.raises(Outage):
            await notifier.deliver([planned])
        await house.owner.execute("DROP TRIGGER goes_away ON notifications; DROP FUNCTION goes_away()")
        assert (await house.row(planned))["tries"] == 0
        await notifier.deliver([planned])  # its event comes again
    row = await house.row(planned)
    assert (row["state"], row["tries"], row["lease_holder"]) == ("sent", 1, None)
    assert len(smtp.deliveries) == 1


async def test_what_an_outage_kept_from_being_written_after_its_claim_is_given_back(
    house: House, smtp: SmtpServer
) -> None:
    planned = await house.plan()
    await house.pass_time(EVENT_LOST_AFTER)
    await house.owner.execute(GOES_AWAY)
    async with house.notifier() as notifier:
        with pytest.raises(Outage):
            await notifier.sweep()
        await house.owner.execute("DROP TRIGGER goes_away ON notifications; DROP FUNCTION goes_away()")
        assert (await house.row(planned))["lease_holder"] is not None
        await notifier.sweep()
    row = await house.row(planned)
    assert (row["state"], row["tries"], row["lease_holder"]) == ("sent", 1, None)
    assert len(smtp.deliveries) == 1


async def test_a_claim_whose_answer_was_lost_waits_for_no_lease_to_end(
    house: House, smtp: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = await house.plan()
    claim = Repository.claim_written

    async def lost(repository: Repository, mails: Mails) -> set[UUID]:
        await claim(repository, mails)
        raise Outage("The connection to the database was lost.")

    async with house.notifier() as notifier:
        with monkeypatch.context() as patch:
            patch.setattr(Repository, "claim_written", lost)
            with pytest.raises(Outage):
                await notifier.deliver([planned])
        await notifier.sweep()
    assert (await house.row(planned))["tries"] == 1
    assert len(smtp.deliveries) == 1


async def test_a_claim_that_succeeds_at_the_second_try_is_not_given_back_while_it_is_being_sent(
    house: House, smtp: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = await house.plan()
    claim, tries = Repository.claim_written, iter([Outage("The connection to the database was lost.")])
    given_back: list[Sequence[UUID]] = []

    async def lost_once(repository: Repository, mails: Mails) -> set[UUID]:
        if (trouble := next(tries, None)) is not None:
            raise trouble
        return await claim(repository, mails)

    async def give_back(_: Repository, ids: Sequence[UUID]) -> None:
        given_back.append(ids)

    monkeypatch.setattr(Repository, "claim_written", lost_once)
    monkeypatch.setattr(Repository, "give_back", give_back)
    async with house.notifier() as notifier:
        with pytest.raises(Outage):
            await notifier.deliver([planned])
        await asyncio.gather(notifier.deliver([planned]), *(notifier.sweep() for _ in range(4)))
    assert (await house.row(planned))["state"] == "sent"
    assert len(smtp.deliveries) == 1
    assert len(given_back) <= 1, "before the second claim or not at all"


BETWEEN = {
    "another notifier claims it": "UPDATE notifications SET lease_holder = 'other', lease_until = 'tomorrow'",
    "another notifier has sent it": "UPDATE notifications SET state = 'sent', sent_at = now(), message_id = '1@desk'",
    "another notifier had trouble": "UPDATE notifications SET tries = 1, next_try_at = now() + interval '1 minute'",
    "a person discards it": "UPDATE notifications SET state = 'not-sent', reason = 'discarded-by-person'",
    "mail is held": "INSERT INTO outgoing_holds (helpdesk_id, reason) VALUES (NULL, 'wrong template')",
}


@pytest.mark.parametrize("what", BETWEEN)
async def test_what_changes_while_a_mail_is_written_keeps_it_from_being_sent(
    house: House, smtp: SmtpServer, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    planned = await house.plan()
    claim, before = Repository.claim_written, await house.row(planned)

    async def late(repository: Repository, mails: Mails) -> set[UUID]:
        await house.owner.execute(BETWEEN[what])
        return await claim(repository, mails)

    monkeypatch.setattr(Repository, "claim_written", late)
    async with house.notifier() as notifier:
        await notifier.deliver([planned])
    assert smtp.deliveries == []
    assert (await house.row(planned))["mime"] == before["mime"]


async def test_one_mail_that_cannot_be_written_costs_those_of_its_batch_nothing(house: House, smtp: SmtpServer) -> None:
    planned = [await house.plan(to=to) for to in ("een@klant.example", "geen adres", "twee@klant.example")]
    async with house.notifier() as notifier:
        await asyncio.gather(*(notifier.deliver([each]) for each in planned))
    assert [(await house.row(each))["state"] for each in planned] == ["sent", "failed", "sent"]
    assert sorted(delivery.recipients[0] for delivery in smtp.deliveries) == ["een@klant.example", "twee@klant.example"]


async def test_two_notifiers_share_a_hundred_mails_and_send_each_once(house: House, smtp: SmtpServer) -> None:
    planned = [await house.plan(to=f"klant{n}@klant.example") for n in range(100)]
    await house.pass_time(EVENT_LOST_AFTER)
    async with house.notifier() as notifier, house.notifier() as another:
        await asyncio.gather(
            _sweep_all(notifier), _sweep_all(another), *(notifier.deliver([each]) for each in planned[:20])
        )
    assert sorted(delivery.recipients[0] for delivery in smtp.deliveries) == sorted(
        f"klant{n}@klant.example" for n in range(100)
    )
    assert {(await house.row(each))["tries"] for each in planned} == {1}


async def test_a_temporary_refusal_is_tried_again_with_the_same_mail(house: House, smtp: SmtpServer) -> None:
    planned = await house.plan()
    smtp.answers["RCPT"] = ["450 4.7.1 greylisted, come back"]
    async with house.notifier() as notifier:
        await notifier.deliver([planned])
        postponed = await house.row(planned)
        assert (postponed["state"], postponed["reason"]) == ("planned", DeliveryReason.REFUSED_FOR_NOW)
        assert postponed["server_reply"] == "450 4.7.1 greylisted, come back"
        await notifier.deliver([planned])  # the same event again: not yet due
        assert await notifier.sweep() == 0
        await house.owner.execute("UPDATE helpdesks SET sender_name = 'Een nieuwe naam'")
        await house.pass_time(DELAYS[0])
        assert await notifier.sweep() == 1
    sent = await house.row(planned)
    assert (sent["state"], sent["tries"], sent["reason"]) == ("sent", 2, None)
    assert [sent["message_id"], sent["mime"]] == [postponed["message_id"], postponed["mime"]]
    assert [delivery.content for delivery in smtp.deliveries] == [postponed["mime"]]


async def test_after_72_hours_of_tries_it_has_failed(house: House, smtp: SmtpServer) -> None:
    planned = await house.plan()
    smtp.answers["RCPT"] = ["450 4.2.2 mailbox full"] * LAST_TRY
    async with house.notifier() as notifier:
        await notifier.deliver([planned])
        waited = timedelta(0)
        for delay in DELAYS:
            assert (await house.row(planned))["state"] == "planned"
            assert await notifier.sweep() == 0
            await house.pass_time(delay)
            waited += delay
            assert await notifier.sweep() == 1
        await house.pass_time(timedelta(days=30))
        assert await notifier.sweep() == 0
    row = await house.row(planned)
    assert waited == timedelta(hours=72)
    assert (row["state"], row["reason"], row["tries"]) == ("failed", DeliveryReason.GAVE_UP, 25)
    assert row["server_reply"] == "refused-for-now: 450 4.2.2 mailbox full"
    assert smtp.deliveries == []


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        pytest.param("550 5.1.1 user unknown", DeliveryReason.UNKNOWN_RECIPIENT, id="D10 unknown recipient"),
        pytest.param("554 5.7.1 policy", DeliveryReason.REFUSED, id="refused"),
    ],
)
async def test_a_permanent_refusal_is_recorded_and_the_others_go(
    house: House, smtp: SmtpServer, reply: str, reason: DeliveryReason
) -> None:
    ticket = await house.ticket()
    refused = await house.plan(ticket=ticket, to="weg@klant.example")
    other = await house.plan(NotificationKind.TICKET_ADDED_MANAGER, ticket=ticket, to="sanne@example.nl")
    smtp.refused["weg@klant.example"] = reply
    async with house.notifier() as notifier:
        await notifier.deliver([refused, other])
        await house.pass_time(timedelta(days=4))
        assert await notifier.sweep() == 0
    row = await house.row(refused)
    assert (row["state"], row["reason"], row["server_reply"]) == ("failed", reason, reply)
    assert (await house.row(other))["state"] == "sent"


async def test_a_recipient_that_is_no_address_fails_with_a_sentence(house: House, smtp: SmtpServer) -> None:
    planned = await house.plan(to="piet@klant.example>\r\nRCPT TO:<x@y.nl")
    async with house.notifier() as notifier:
        await notifier.deliver([planned])
    row = await house.row(planned)
    assert (row["state"], row["reason"]) == ("failed", DeliveryReason.REFUSED)
    assert "is not a mail address" in row["server_reply"]
    assert smtp.deliveries == []


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        pytest.param("UPDATE helpdesks SET outgoing_account_id = NULL", "no outgoing account", id="no account"),
        pytest.param("UPDATE importer_settings SET mailbox_address = NULL", "no address to send from", id="no address"),
    ],
)
async def test_without_an_account_it_stays_planned_with_words_and_goes_when_there_is_one(
    house: House, smtp: SmtpServer, statement: str, words: str
) -> None:
    planned = await house.plan()
    await house.owner.execute(statement)
    async with house.notifier() as notifier:
        await notifier.deliver([planned])
        row = await house.row(planned)
        assert (row["state"], row["reason"]) == ("planned", DeliveryReason.NO_ACCOUNT)
        assert words in row["server_reply"]
        await house.send_by(smtp)
        await house.owner.execute("UPDATE importer_settings SET mailbox_address = 'ict@example.nl'")
        await house.pass_time(DELAYS[0])
        await notifier.sweep()
    assert (await house.row(planned))["state"] == "sent"


async def test_a_mended_password_is_used_at_once(house: House, smtp: SmtpServer) -> None:
    smtp.login = ("importer", "goed")
    await house.send_by(smtp, username="importer", password="fout")
    first, second = await house.plan(), await house.plan()
    async with house.notifier(rest=Rest()) as notifier:
        await notifier.deliver([first])
        await notifier.deliver([second])
        assert smtp.logins == ["importer"]  # the second mail did not try the wrong password again
        row = await house.row(second)
        assert (row["state"], row["reason"]) == ("planned", DeliveryReason.LOGIN_REFUSED)
        await house.send_by(smtp, username="importer", password="goed")
        await house.pass_time(DELAYS[0])
        assert await notifier.sweep() == 2
    assert [delivery.login for delivery in smtp.deliveries] == ["importer", "importer"]


async def test_a_refused_login_rests_for_every_notifier_until_one_probe(house: House, smtp: SmtpServer) -> None:
    smtp.login = ("importer", "goed")
    await house.send_by(smtp, username="importer", password="fout")
    rests = (
        "SELECT extract(epoch FROM probe_at - now())::float FROM login_states JOIN outgoing_accounts USING (login_id)"
    )
    for hours in (1, 2):
        await house.owner.execute("UPDATE login_states SET probe_at = now() WHERE refused_logins > 0")
        async with house.notifier() as first, house.notifier() as second:
            await first.deliver([await house.plan()])
            await second.deliver([waiting := await house.plan()])
        assert len(smtp.logins) == hours
        assert hours * 3600 - 60 < await house.owner.fetchval(rests) <= hours * 3600 * 1.2
    row = await house.row(waiting)
    assert (row["state"], row["reason"]) == ("planned", DeliveryReason.LOGIN_REFUSED)
    assert "5.7.8" in row["server_reply"]


async def test_a_login_that_is_taken_again_makes_what_waited_for_it_due(house: House, smtp: SmtpServer) -> None:
    smtp.login = ("importer", "goed")
    await house.send_by(smtp, username="importer", password="fout")
    waiting, probe = await house.plan(), await house.plan()
    async with house.notifier() as notifier:
        await notifier.deliver([waiting])
        smtp.login = ("importer", "fout")  # set right at the server
        await house.owner.execute("UPDATE login_states SET probe_at = now() WHERE refused_logins > 0")
        await notifier.deliver([probe])
        assert await house.owner.fetchval("SELECT max(refused_logins) FROM login_states") == 0
        assert await notifier.sweep() == 1
    assert (await house.row(waiting))["state"] == "sent"


async def test_a_changed_account_makes_what_waited_for_it_due(house: House, smtp: SmtpServer) -> None:
    smtp.login = ("importer", "goed")
    await house.send_by(smtp, username="importer", password="fout")
    waiting = await house.plan()
    async with house.notifier() as notifier:
        await notifier.deliver([waiting])
        right = keyring().public.seal(SecretStr("goed"))
        await house.owner.execute("UPDATE outgoing_accounts SET password_encrypted = $1", right)
        assert await notifier.sweep() == 1
    assert (await house.row(waiting))["state"] == "sent"


async def test_a_password_that_no_key_opens_is_told(house: House, smtp: SmtpServer) -> None:
    planned = await house.plan()
    await house.send_by(smtp, username="importer", password_encrypted=b"van een andere sleutel")
    async with house.notifier() as notifier:
        await notifier.deliver([planned])
    row = await house.row(planned)
    assert row["reason"] == DeliveryReason.LOGIN_REFUSED
    assert "cannot be opened" in row["server_reply"]
    assert await house.owner.fetchval("SELECT max(refused_logins) FROM login_states") == 0  # nobody was asked


async def test_a_row_whose_event_was_lost_is_found(house: House, smtp: SmtpServer) -> None:
    planned = await house.plan()
    async with house.notifier() as notifier:
        assert await notifier.sweep() == 0
        await house.pass_time(EVENT_LOST_AFTER)
        assert await notifier.sweep() == 1
    assert (await house.row(planned))["state"] == "sent"
    assert len(smtp.deliveries) == 1


async def test_what_a_dead_notifier_had_written_goes_out_unchanged_when_its_lease_ends(
    house: House, smtp: SmtpServer
) -> None:
    """Killed after the mail was committed and before it was sent."""
    planned = await house.plan()
    smtp.answers["MAIL"] = ["451 4.3.0 not yet"]
    async with house.notifier() as dead:
        await dead.deliver([planned])
    written = await house.row(planned)
    await house.owner.execute(
        "UPDATE notifications SET next_try_at = NULL, lease_holder = 'dead', lease_until = now() + $1", LEASE
    )
    async with house.notifier() as notifier:
        await notifier.deliver([planned])
        assert await notifier.sweep() == 0
        await house.pass_time(LEASE + EVENT_LOST_AFTER)
        assert await notifier.sweep() == 1
    assert [delivery.content for delivery in smtp.deliveries] == [written["mime"]]
    assert (await house.row(planned))["state"] == "sent"


async def test_a_server_that_takes_mails_and_never_says_so_gets_each_a_few_times(
    house: House, smtp: SmtpServer
) -> None:
    planned = await house.plan()
    smtp.break_after_data = len(DELAYS_IN_DOUBT) + 2
    async with house.notifier() as notifier:
        await notifier.deliver([planned])
        for number, delay in enumerate(DELAYS_IN_DOUBT, start=1):
            row = await house.row(planned)
            assert (row["state"], row["reason"], row["doubtful_tries"]) == ("planned", "server-away", number)
            assert "may have taken the mail" in row["server_reply"]
            assert await notifier.sweep() == 0
            await house.pass_time(delay)
            assert await notifier.sweep() == 1
        await house.pass_time(timedelta(days=30))
        assert await notifier.sweep() == 0
    row = await house.row(planned)
    assert (row["state"], row["reason"]) == ("failed", DeliveryReason.GAVE_UP)
    assert "may have taken the mail" in row["server_reply"], "a person is told that it may have arrived"
    assert len(smtp.deliveries) == len(DELAYS_IN_DOUBT) + 1


async def test_a_server_that_is_slow_with_one_mail_holds_up_no_later_one(
    house: House, smtp: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.notifier.flow.SWEEP_SECONDS", 0.05)
    answers, asked = asyncio.Event(), asyncio.Event()

    async def answers_the_first_late(_: Delivery) -> None:
        if not asked.is_set():
            asked.set()
            await answers.wait()

    smtp.on_delivery = answers_the_first_late
    first = await house.plan()
    await house.pass_time(EVENT_LOST_AFTER)
    stop = asyncio.Event()
    async with house.notifier() as notifier:
        sweeping = asyncio.create_task(notifier.sweep_until(stop))
        await asked.wait()
        later = await house.plan()
        await house.pass_time(EVENT_LOST_AFTER)
        async with asyncio.timeout(30):
            while (await house.row(later))["state"] != "sent":
                await asyncio.sleep(0.05)
        assert (await house.row(first))["state"] == "planned"
        answers.set()
        stop.set()
        await sweeping
    assert (await house.row(first))["state"] == "sent"
    assert len(smtp.deliveries) == 2


async def test_a_claim_in_hand_is_renewed_and_one_that_nobody_renews_ends_soon(house: House, smtp: SmtpServer) -> None:
    planned = await house.plan()
    slow = asyncio.Event()
    asked = asyncio.Event()

    async def answers_late(_: Delivery) -> None:
        asked.set()
        await slow.wait()

    smtp.on_delivery = answers_late
    stop = asyncio.Event()
    async with house.notifier() as notifier, house.notifier() as other:
        sending = asyncio.create_task(notifier.deliver([planned]))
        await asked.wait()
        await house.pass_time(LEASE - timedelta(seconds=1))
        stop.set()
        await notifier.renew_until(stop)  # once, as the clock would have it
        await house.pass_time(timedelta(seconds=2))
        assert await other.sweep() == 0, "the claim is held"
        await house.pass_time(LEASE)
        assert await notifier.sweep() == 0, "what is in our own hands is not sent beside it"
        slow.set()
        await sending
    assert len(smtp.deliveries) == 1
    assert (await house.row(planned))["state"] == "sent"


async def test_a_notifier_whose_claim_may_have_run_out_hands_nothing_over(
    house: House, smtp: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stood still with its machine, or could not renew the claim, and another one has sent the mail meanwhile."""
    planned = await house.plan()
    asked, goes_on = asyncio.Event(), asyncio.Event()

    async def stands_still(_: str) -> None:
        if not asked.is_set():
            asked.set()
            await goes_on.wait()

    smtp.on_recipient = stands_still
    async with house.notifier() as notifier, house.notifier() as other:
        sending = asyncio.create_task(notifier.deliver([planned]))
        await asked.wait()
        await house.pass_time(LEASE)
        later = flow._clock() + LEASE.total_seconds()
        monkeypatch.setattr(flow, "_clock", lambda: later)
        assert await other.sweep() == 1
        goes_on.set()
        with pytest.raises(LostClaim):
            await sending
        assert await notifier.sweep() == 0
    assert len(smtp.deliveries) == 1
    row = await house.row(planned)
    assert (row["state"], row["doubtful_tries"]) == ("sent", 0)


async def test_a_mail_that_was_handed_over_when_its_time_was_up_is_in_doubt(
    house: House, smtp: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = await house.plan()
    monkeypatch.setattr(flow, "TRY_SECONDS", 3)
    never = asyncio.Event()

    async def never_answers(_: Delivery) -> None:
        await never.wait()

    smtp.on_delivery = never_answers
    async with house.notifier() as notifier:
        await notifier.deliver([planned])
    row = await house.row(planned)
    assert (row["state"], row["reason"], row["doubtful_tries"]) == ("planned", "server-away", 1)
    assert "may have taken the mail" in row["server_reply"]


async def test_a_database_that_is_away_after_the_250_is_waited_for(house: House, smtp: SmtpServer) -> None:
    planned = await house.plan()
    name = house.database.name
    superuser = await asyncpg.connect(house.database.server.url)
    shut = asyncio.Event()

    async def shut_the_database(_: Delivery) -> None:
        await superuser.execute(f"ALTER DATABASE {name} CONNECTION LIMIT 0")
        await superuser.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND application_name = $2",
            name,
            "notifier",
        )
        shut.set()

    smtp.on_delivery = shut_the_database
    async with house.notifier() as notifier:
        delivering = asyncio.create_task(notifier.deliver([planned]))
        await shut.wait()
        with structlog.testing.capture_logs() as logged:
            await _until(lambda: any(line["event"] == "recording_waits" for line in logged))
        assert {line["exc_info"] for line in logged} == {False}  # each was known for an outage
        await superuser.execute(f"ALTER DATABASE {name} CONNECTION LIMIT -1")
        await delivering
    await superuser.close()
    assert (await house.row(planned))["state"] == "sent"
    assert len(smtp.deliveries) == 1


async def test_a_cancelled_handler_still_records_what_the_server_took(house: House, smtp: SmtpServer) -> None:
    planned = await house.plan()
    async with house.notifier() as notifier:
        # the row is locked, so that the recording waits while its handler is cancelled
        locked = house.owner.transaction()

        async def lock(_: Delivery) -> None:
            await locked.start()
            await house.owner.execute("SELECT FROM notifications FOR UPDATE")

        smtp.on_delivery = lock
        delivering = asyncio.create_task(notifier.deliver([planned]))
        await _until(lambda: bool(notifier._recording))
        delivering.cancel()
        with pytest.raises(asyncio.CancelledError):
            await delivering
        await locked.rollback()
        await notifier.finish()
    assert (await house.row(planned))["state"] == "sent"


async def test_an_error_of_ours_is_told_and_the_mail_goes_when_it_is_mended(house: House, smtp: SmtpServer) -> None:
    planned = await house.plan()
    async with house.notifier(kinds={}) as older:  # a version that does not know this kind of account yet
        await older.deliver([planned])
    row = await house.row(planned)
    assert (row["state"], row["reason"]) == ("planned", DeliveryReason.OUR_ERROR)
    assert "KeyError" in row["server_reply"]
    await house.pass_time(DELAYS[0])
    async with house.notifier() as mended:
        assert await mended.sweep() == 1
    assert (await house.row(planned))["state"] == "sent"
    assert len(smtp.deliveries) == 1


async def test_a_row_that_no_try_ever_finished_is_given_up(house: House, smtp: SmtpServer) -> None:
    planned = await house.plan()
    await house.owner.execute("UPDATE notifications SET tries = $1", LAST_TRY)
    async with house.notifier() as notifier:
        await notifier.deliver([planned])
    assert (await house.row(planned))["state"] == "failed"
    assert smtp.deliveries == []


async def test_an_unusable_template_of_the_helpdesk_gives_way_to_the_default(house: House, smtp: SmtpServer) -> None:
    await house.owner.execute(
        """ALTER TABLE templates DISABLE TRIGGER USER; -- as an earlier version took it
           INSERT INTO templates (helpdesk_id, kind, subject, body_text)
           VALUES (1, 'ticket-added-customer', 'Geen nummer', 'Hallo [onbekend]');
           ALTER TABLE templates ENABLE TRIGGER USER"""
    )
    planned = await house.plan()
    async with house.notifier() as notifier:
        await notifier.deliver([planned])
    assert str(_mail(smtp.deliveries[0])["Subject"]).endswith("is geregistreerd")
