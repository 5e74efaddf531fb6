"""Messages beside the ledger, in a real RabbitMQ: what is lost, what is left over, and what nobody knows."""

from __future__ import annotations

import uuid
from typing import Final

import aio_pika
import pytest

from services.console.reconcile import queues
from services.console.reconcile.kinds import Kind, Remedy
from services.console.reconcile.queues import Looked, look_into
from shared.broker.session import BrokerOutage, Session
from shared.broker.topology import MAIL_CLASSIFIED, MAIL_RAW, TICKET_EVENTS, dead_queue
from tests.services.console.reconcile.conftest import MAIL, Installation, told

TICKET, WITHOUT_OUTCOME = MAIL.format(1), MAIL.format(5)
LATE: Final = """UPDATE imported_mails SET outcome = NULL, outcome_at = NULL, decided_replay = NULL, reasons = '[]'
    WHERE mail_id = 'mail:5'"""


async def put(installation: Installation, queue: str, mail_id: str, *, times: int = 1) -> None:
    """Put a message about the mail into a queue, past all exchanges."""
    connection = await aio_pika.connect(installation.vhost.admin_dsn.get_secret_value())
    async with connection, connection.channel() as channel:
        for _ in range(times):
            message = aio_pika.Message(b"x", correlation_id=mail_id, message_id=str(uuid.uuid4()))
            await channel.default_exchange.publish(message, queue)


async def count(installation: Installation, queue: str) -> int:
    """How many messages a queue has."""
    session = await Session.open(installation.vhost.admin_dsn, "test")
    async with session:
        declared = await (await session.channel()).declare_queue(queue, passive=True)
        return declared.declaration_result.message_count or 0


async def test_a_mail_without_outcome_that_no_queue_has_is_published_again_and_then_no_more(
    sound: Installation,
) -> None:
    await sound.sql(LATE)
    report = await sound.compare()
    assert told(report) == [(Kind.STUCK, "5")]
    assert (await sound.compare(repairs=True)).left == 0
    due = "SELECT next_republish_at <= now() AND awaits_outcome FROM imported_mails WHERE mail_id = $1"
    assert (await sound.sql(due, WITHOUT_OUTCOME))[0][0]  # the fetcher's sweeper takes it up
    await sound.compare(repairs=True)
    (deed,) = await sound.sql("SELECT deed, mail_id, helpdesk_id FROM audit_log WHERE tool = 'reconciler'")
    assert (deed["deed"], str(deed["mail_id"]), deed["helpdesk_id"]) == ("published-again", WITHOUT_OUTCOME, 1)


@pytest.mark.parametrize("queue", [MAIL_RAW, MAIL_CLASSIFIED])
async def test_a_mail_that_a_queue_has_is_on_its_way_however_long_it_waits(sound: Installation, queue: str) -> None:
    await sound.sql(LATE)
    await put(sound, queue, WITHOUT_OUTCOME)
    assert told(await sound.compare()) == []
    assert await count(sound, queue) == 1  # it was given back


async def test_a_mail_that_gets_its_outcome_while_it_is_looked_for_is_no_difference(
    sound: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sound.sql(LATE)

    async def decided(session: Session, names: dict[str, str]) -> Looked:
        """A service had it in hand, and is done with it by now."""
        await sound.sql(
            """UPDATE imported_mails SET outcome = 'quarantine', outcome_at = now(), decided_replay = 0,
                reasons = '[{"id": "no-sender"}]' WHERE mail_id = 'mail:5' AND $1""",
            MAIL_RAW in names,
        )
        return await look_into(session, names)

    monkeypatch.setattr(queues, "look_into", decided)
    assert told(await sound.compare()) == []


NO_REPAIR = {
    "something loses it": "UPDATE imported_mails SET republish_count = 3",
    "no fetcher runs": "UPDATE imported_mails SET next_republish_at = now() - interval '1 hour'",
}


@pytest.mark.parametrize("why", NO_REPAIR)
async def test_a_mail_that_publishing_again_does_not_help_needs_a_person(sound: Installation, why: str) -> None:
    await sound.sql(f"{LATE}; {NO_REPAIR[why]}")
    report = await sound.compare(repairs=True)
    (difference,) = report.found
    assert (difference.kind, difference.who, report.left) == (Kind.STUCK, Remedy.PERSON, 1)
    assert difference.detail


@pytest.mark.parametrize("queue", [MAIL_RAW, MAIL_CLASSIFIED, TICKET_EVENTS])
async def test_a_parked_message_of_which_all_is_done_is_thrown_away_and_no_other(
    sound: Installation, queue: str
) -> None:
    other = MAIL.format(5) if queue != TICKET_EVENTS else MAIL.format(3)
    await sound.sql(
        "UPDATE notifications SET state = 'planned', sent_at = NULL, next_try_at = now() + interval '1 day'"
        " WHERE mail_id = 'mail:3'"
    )
    for mail in (TICKET, other):
        letter = "INSERT INTO dead_letters (mail_id, queue, reason) VALUES ($1, $2, 'x')"
        await sound.sql(letter, mail, queue)
        await put(sound, dead_queue(queue), mail)
    assert told(await sound.compare()) == [(Kind.LEFTOVER, "1")]
    assert await count(sound, dead_queue(queue)) == 2
    report = await sound.compare(repairs=True)
    assert (report.repaired_count, report.left) == (1, 0)
    assert await count(sound, dead_queue(queue)) == 1
    assert told(await sound.compare(repairs=True)) == []
    open_ones = await sound.sql("SELECT mail_id FROM dead_letters WHERE resolved_at IS NULL")
    assert [str(row["mail_id"]) for row in open_ones] == [other]
    deeds = await sound.sql("SELECT deed FROM audit_log WHERE tool = 'reconciler' ORDER BY id")
    assert [row["deed"] for row in deeds] == ["dropped", "closed-dead-letter"]


async def test_a_message_about_a_mail_that_the_ledger_never_saw_is_left_to_a_person(sound: Installation) -> None:
    await put(sound, dead_queue(MAIL_RAW), MAIL.format(9))
    report = await sound.compare(repairs=True)
    assert (told(report), report.left) == ([(Kind.UNKNOWN_MAIL, "9")], 1)
    assert await count(sound, dead_queue(MAIL_RAW)) == 1


async def test_a_dead_letter_without_its_message_is_left_to_a_person(sound: Installation) -> None:
    await sound.sql("""INSERT INTO dead_letters (mail_id, queue, reason, recorded_at)
        VALUES ('mail:5', 'mail.raw', 'de opslag is weg', now() - interval '2 hours')""")
    report = await sound.compare(repairs=True)
    assert (told(report), report.left) == ([(Kind.LETTER_WITHOUT_MESSAGE, "5")], 1)
    await put(sound, dead_queue(MAIL_RAW), WITHOUT_OUTCOME)
    assert told(await sound.compare()) == []


async def test_a_copy_of_what_is_done_is_harmless(sound: Installation) -> None:
    await sound.sql(LATE)
    await put(sound, MAIL_RAW, WITHOUT_OUTCOME)
    await put(sound, MAIL_CLASSIFIED, TICKET)
    report = await sound.compare()
    assert (told(report), report.left) == ([(Kind.COPY, "1")], 0)


async def test_looking_gives_all_back_and_condemns_nothing(sound: Installation) -> None:
    """Queues with work are looked into only where the ledger misses something; those of suspects never."""
    await put(sound, MAIL_RAW, TICKET, times=3)
    report = await sound.compare()
    assert report.looked_at["messages"] == 0
    await sound.sql(LATE)
    report = await sound.compare()
    assert await count(sound, MAIL_RAW) == 3
    user = next(user for user in sound.vhost.topology.users if user.service == "reconciler")
    assert "suspect" not in user.read
    assert user.write == "^$"


async def test_where_rabbitmq_is_away_the_rest_is_compared_all_the_same(
    sound: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(*_: object) -> Session:
        raise BrokerOutage("RabbitMQ does not answer.")

    monkeypatch.setattr(Session, "open", refused)
    await sound.sql("DELETE FROM notifications WHERE mail_id = 'mail:1'")
    report = await sound.compare()
    assert told(report) == [(Kind.NOBODY_TOLD, "1")]
    assert report.not_compared == ["The queues: RabbitMQ does not answer."]
