"""From delivery to event, on a real broker: what is told to the notifier, and what a crash at each step leaves."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from services.ticket_writer.flow import Flow
from services.ticket_writer.sweeper import EventSweeper
from shared.broker.publish import Publisher
from shared.broker.topology import MAIL_CLASSIFIED, TICKET_EVENTS
from shared.broker.wire import Delivery, encode
from shared.errors import Outage
from shared.messages import ClassifiedMail, Outcome, TicketEvent
from tests.services.ticket_writer.conftest import Desk
from tests.services.ticket_writer.givens import candidate, mail
from tests.shared.broker.harness import Queues
from tests.vhosts import Vhost

NOWHERE = SecretStr("amqp://nobody:nothing@127.0.0.1:1/")


@dataclass(frozen=True, slots=True)
class House:
    """The desk with a broker: the service's own publisher, and the administrator's look into the queues."""

    desk: Desk
    publisher: Publisher
    queues: Queues

    def flow(self, publisher: Publisher | None = None) -> Flow:
        return Flow(self.desk.writer, self.desk.repository, publisher or self.publisher)

    def sweeper(self, **changes: Any) -> EventSweeper:
        return EventSweeper(self.desk.repository, self.publisher, **{"age": timedelta(0), **changes})

    async def events(self) -> list[TicketEvent]:
        """The events in the queue, taken out of it."""
        count = await self.queues.count(TICKET_EVENTS)
        taken = [await self.queues.take(TICKET_EVENTS) for _ in range(count)]
        return [TicketEvent.model_validate_json(message.body) for message in taken]


@pytest.fixture
async def house(desk: Desk, module_vhost: Vhost) -> AsyncIterator[House]:
    """The small world with a broker whose queues are empty."""
    async with (
        Publisher(module_vhost.dsn("ticket_writer"), "ticket_writer") as publisher,
        Queues.of(module_vhost.admin_dsn) as queues,
    ):
        yield House(desk, publisher, queues)


def delivery(given: ClassifiedMail) -> Delivery:
    """A mail as the queue gives it."""
    encoded = encode(given)
    return Delivery(
        queue=MAIL_CLASSIFIED,
        body=encoded.body,
        headers=encoded.headers,
        content_type=encoded.content_type,
        message_type=given.type,
        message_id=str(uuid.uuid4()),
        correlation_id=str(given.mail_id),
        app_id="classifier",
        timestamp=datetime(2026, 3, 2, 12, 0, tzinfo=UTC),
        redelivered=False,
    )


async def test_a_new_ticket_is_told_with_its_planned_mails(house: House) -> None:
    given = await house.desk.fetch(mail(received_at=datetime.now(UTC)))
    await house.flow().handle(delivery(given))
    (event,) = await house.events()
    ticket, ledger = await house.desk.ticket_of(given), await house.desk.ledger_of(given)
    assert (event.mail_id, event.outcome, event.helpdesk_id) == (given.mail_id, Outcome.TICKET, 1)
    assert (event.ticket_id, event.ticket_number, event.supplement_id) == (ticket["id"], "1000001", None)
    assert event.committed_at == ledger["outcome_at"]
    planned = await house.desk.rows("SELECT id FROM notifications")
    assert sorted(event.notification_ids) == sorted(row["id"] for row in planned)
    assert len(planned) == 2
    assert ledger["event_published_at"] is not None
    assert ledger["classified_at"] == datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


async def test_a_supplement_is_told_and_mails_that_are_not_sent_are_not(house: House) -> None:
    await house.desk.take_in(mail())
    given = await house.desk.fetch(mail(candidates=(candidate(),)))
    await house.flow().handle(delivery(given))
    (event,) = await house.events()
    assert (event.outcome, event.supplement_id) == (Outcome.SUPPLEMENT, (await house.desk.supplement_of(given))["id"])
    assert event.notification_ids == (), "the mail is old (D18)"


async def test_duplicates_and_quarantined_mails_are_not_told(house: House) -> None:
    first = mail()
    await house.desk.take_in(first)
    for given in (mail(content_key=first.content_key), mail(sender=None)):
        await house.flow().handle(delivery(await house.desk.fetch(given)))
    assert await house.events() == []


async def test_every_message_delivered_twice_changes_nothing_and_tells_the_same_again(house: House) -> None:
    given = await house.desk.fetch(mail(received_at=datetime.now(UTC)))
    await house.flow().handle(delivery(given))
    before = await house.desk.everything()
    await house.flow().handle(delivery(given))
    first, again = await house.events()
    assert first == again
    assert first.event_id == uuid.uuid5(given.mail_id, "event:ticket")
    assert await house.desk.everything() == before


async def test_a_crash_after_the_commit_and_before_the_event_is_made_good_by_the_next_delivery(house: House) -> None:
    given = await house.desk.fetch(mail())
    async with Publisher(NOWHERE, "ticket_writer") as unreachable:
        with pytest.raises(Outage):
            await house.flow(unreachable).handle(delivery(given))
    ledger = await house.desk.ledger_of(given)
    assert (ledger["outcome"], ledger["event_published_at"]) == ("ticket", None)
    await house.flow().handle(delivery(given))
    assert [event.mail_id for event in await house.events()] == [given.mail_id]


async def test_an_event_left_behind_is_published_by_the_sweeper_once(house: House) -> None:
    given = mail()
    await house.desk.take_in(given)
    assert await house.sweeper().sweep() == 1
    assert await house.sweeper().sweep() == 0
    assert [event.mail_id for event in await house.events()] == [given.mail_id]
    assert (await house.desk.ledger_of(given))["event_published_at"] is not None


async def test_the_sweeper_leaves_a_fresh_outcome_to_the_writer(house: House) -> None:
    await house.desk.take_in(mail())
    assert await house.sweeper(age=timedelta(minutes=1)).sweep() == 0


async def test_sweepers_share_the_work(house: House) -> None:
    for _ in range(12):
        await house.desk.take_in(mail())
    swept = await asyncio.gather(*(house.sweeper().sweep() for _ in range(3)))
    assert sum(swept) == 12
    assert len(await house.events()) == 12


async def test_the_sweeper_records_nothing_while_the_broker_is_away(house: House) -> None:
    given = mail()
    await house.desk.take_in(given)
    async with Publisher(NOWHERE, "ticket_writer") as unreachable:
        with pytest.raises(Outage):
            await EventSweeper(house.desk.repository, unreachable, age=timedelta(0)).sweep()
    assert (await house.desk.ledger_of(given))["event_published_at"] is None


async def test_D7_a_dead_letter_is_recorded_in_the_ledger(house: House) -> None:
    given = await house.desk.fetch(mail())
    await house.flow().record_dead_letter(delivery(given), "incomplete settings")
    row = await house.desk.row("SELECT queue, reason FROM dead_letters WHERE mail_id = $1", given.mail_id)
    assert tuple(row) == (MAIL_CLASSIFIED, "incomplete settings")
