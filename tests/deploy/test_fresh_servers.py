"""The fixtures that every other test stands on."""

import aio_pika
import asyncpg


async def test_a_fresh_database_is_empty(empty_database: str) -> None:
    connection = await asyncpg.connect(empty_database)
    try:
        tables = await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
        assert tables == 0
    finally:
        await connection.close()


async def test_a_fresh_vhost_takes_a_message(empty_vhost: object) -> None:
    connection = await aio_pika.connect(empty_vhost.amqp_url)  # type: ignore[attr-defined]
    async with connection:
        channel = await connection.channel()
        queue = await channel.declare_queue("seen", durable=True, arguments={"x-queue-type": "quorum"})
        await channel.default_exchange.publish(aio_pika.Message(b"hello"), routing_key="seen")
        message = await queue.get(timeout=10)
        assert message is not None
        assert message.body == b"hello"
        await message.ack()
