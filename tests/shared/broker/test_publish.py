"""A publish returns when a queue has the message, or raises what the caller has to do."""

import asyncio

import pytest
from pydantic import SecretStr

from shared.broker.publish import Publisher
from shared.broker.session import BrokerOutage, Unroutable
from shared.broker.topology import MAIL_RAW, dead_queue
from shared.broker.wire import Delivery
from shared.errors import Outage
from shared.messages import RawMail
from tests.shared.broker.harness import Queues, delete_queue, eventually, kill_connections, raw_mail
from tests.vhosts import EmptyVhost, Vhost


async def test_a_raw_mail_is_a_mail_in_the_queue_with_its_envelope_beside_it(vhost: Vhost) -> None:
    mail = raw_mail()
    async with Publisher(vhost.dsn("fetcher"), "fetcher") as publisher, Queues.of(vhost.admin_dsn) as queues:
        await publisher.publish(mail, payload=b"Subject: Printer\r\n\r\nStuk.")
        message = await queues.take(MAIL_RAW)
    assert message.body == b"Subject: Printer\r\n\r\nStuk."
    assert (message.content_type, message.type, message.app_id) == ("message/rfc822", "mail.raw", "fetcher")
    assert message.correlation_id == str(mail.mail_id)
    assert message.delivery_mode == 2
    assert message.timestamp is not None
    assert Delivery.of(message.body, message.properties, MAIL_RAW).read(RawMail) == mail


async def test_every_publish_has_a_message_id_of_its_own(vhost: Vhost) -> None:
    mail = raw_mail()
    async with Publisher(vhost.dsn("fetcher"), "fetcher") as publisher, Queues.of(vhost.admin_dsn) as queues:
        await asyncio.gather(*(publisher.publish(mail) for _ in range(20)))
        ids = {(await queues.take(MAIL_RAW)).message_id for _ in range(20)}
    assert len(ids) == 20


async def test_a_message_without_a_queue_raises_an_outage_that_says_what_to_do(vhost: Vhost) -> None:
    await delete_queue(vhost, MAIL_RAW)
    async with Publisher(vhost.dsn("fetcher"), "fetcher") as publisher:
        with pytest.raises(Unroutable, match="deploy-topology") as raised:
            await publisher.publish(raw_mail())
    assert isinstance(raised.value, Outage)


async def test_a_publisher_is_not_ready_while_its_messages_are_refused(vhost: Vhost) -> None:
    mail = raw_mail()
    delivery = Delivery(
        queue=MAIL_RAW, body=b"", headers={}, content_type="", message_type="mail.raw", message_id="same",
        correlation_id=str(mail.mail_id), app_id="", timestamp=None, redelivered=False,
    )  # fmt: skip
    await delete_queue(vhost, dead_queue(MAIL_RAW))
    async with Publisher(vhost.dsn("classifier"), "classifier") as publisher:
        await publisher.check()
        with pytest.raises(Unroutable):
            await publisher.republish(delivery, dead_queue(MAIL_RAW), {})
        with pytest.raises(Unroutable, match="deploy-topology"):
            await publisher.check()
        await publisher.republish(delivery, f"{MAIL_RAW}.wait.10s", {})
        await publisher.check()


async def test_an_unroutable_message_does_not_take_its_neighbours_confirms(vhost: Vhost) -> None:
    mail = raw_mail()
    await delete_queue(vhost, dead_queue(MAIL_RAW))
    async with Publisher(vhost.dsn("classifier"), "classifier") as publisher:
        delivery = Delivery(
            queue=MAIL_RAW, body=b"", headers={}, content_type="", message_type="mail.raw", message_id="same",
            correlation_id=str(mail.mail_id), app_id="", timestamp=None, redelivered=False,
        )  # fmt: skip
        lost, kept = await asyncio.gather(
            publisher.republish(delivery, dead_queue(MAIL_RAW), {}),
            publisher.republish(delivery, f"{MAIL_RAW}.wait.10s", {}),
            return_exceptions=True,
        )
    assert isinstance(lost, Unroutable)
    assert kept is None


async def test_publishing_again_after_a_lost_connection_opens_another(vhost: Vhost) -> None:
    async with Publisher(vhost.dsn("fetcher"), "fetcher") as publisher, Queues.of(vhost.admin_dsn) as queues:
        await publisher.publish(raw_mail())
        await kill_connections(vhost, "fetcher")

        async def is_published() -> bool:
            try:
                await publisher.publish(raw_mail())
            except Outage:
                return False
            return True

        await eventually(is_published)
        assert await queues.count(MAIL_RAW) >= 2


async def test_a_broker_that_is_away_is_an_outage(empty_vhost: EmptyVhost) -> None:
    async with Publisher(SecretStr(empty_vhost.amqp_url.replace(empty_vhost.name, "nowhere")), "fetcher") as publisher:
        with pytest.raises(BrokerOutage, match="connecting as «fetcher publishes»"):
            await publisher.publish(raw_mail())
