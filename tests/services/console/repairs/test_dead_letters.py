"""`dead-letters` on a real broker: looking loses nothing, a replay is as the first time, a discard keeps the mail."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime
from typing import Any

import aio_pika
import pytest

from shared.broker.topology import MAIL_CLASSIFIED, MAIL_RAW, TICKET_EVENTS, dead_queue
from tests.services.console.repairs.conftest import CommandLine, Sql
from tests.vhosts import Vhost

TICKET = "00000000-0000-0000-0000-000000000001"
DEAD = "00000000-0000-0000-0000-000000000005"
NOBODY = "00000000-0000-0000-0000-0000000000ff"


def park(vhost: Vhost, queue: str, *mail_ids: str) -> None:
    """Put a message about each of these mails into the dead-letter queue, as the consumer does."""

    async def visit() -> None:
        async with await aio_pika.connect(vhost.admin_dsn.get_secret_value()) as connection:
            channel = await connection.channel()
            for mail_id in mail_ids:
                message = aio_pika.Message(
                    f"body of {mail_id}".encode(),
                    message_id=str(uuid.uuid4()),
                    correlation_id=mail_id,
                    type="mail.classified",
                    headers={
                        "version": 1,
                        "attempt": 5,
                        "failures": 5,
                        "first_error": "KeyError: 'a'",
                        "last_error": "KeyError: 'b'",
                        "reason": f"our bug with {mail_id[-1]}",
                        "service": "ticket_writer",
                        "at": datetime.now(UTC).isoformat(),
                    },
                )
                await channel.default_exchange.publish(message, dead_queue(queue))

    asyncio.run(visit())


def messages(vhost: Vhost, queue: str) -> list[tuple[str, dict[str, Any]]]:
    """Take all that is in a queue: body and headers."""

    async def visit() -> list[tuple[str, dict[str, Any]]]:
        async with await aio_pika.connect(vhost.admin_dsn.get_secret_value()) as connection:
            opened = await (await connection.channel()).get_queue(queue, ensure=False)
            found = []
            while (message := await opened.get(no_ack=True, fail=False)) is not None:
                found.append((message.body.decode(), dict(message.headers)))
            return found

    return asyncio.run(visit())


def open_letters(sql: Sql) -> list[str]:
    """The mails with an open dead letter in the ledger."""
    return [str(row["mail_id"]) for row in sql("SELECT mail_id FROM dead_letters WHERE resolved_at IS NULL")]


def test_looking_at_dead_letters_loses_nothing_and_keeps_their_order(with_broker: CommandLine, vhost: Vhost) -> None:
    mail_ids = [str(uuid.UUID(int=number)) for number in range(20, 25)]
    park(vhost, MAIL_CLASSIFIED, *mail_ids)
    for _ in range(3):
        listed = with_broker.json("dead-letters", "list")["messages"]
        assert [letter["mail_id"] for letter in listed] == mail_ids
    assert listed[0]["reason"] == "our bug with 4"
    assert (listed[0]["service"], listed[0]["failures"]) == ("ticket_writer", 5)
    (shown,) = with_broker.json("dead-letters", "show", mail_ids[1])
    assert (shown["first_error"], shown["headers"]["version"]) == ("KeyError: 'a'", "1")
    assert "our bug with 5" in with_broker("dead-letters", "show", shown["message_id"])
    assert [body for body, _ in messages(vhost, dead_queue(MAIL_CLASSIFIED))] == [
        f"body of {each}" for each in mail_ids
    ]


def test_a_letter_without_a_message_is_listed_too(with_broker: CommandLine) -> None:
    found = with_broker.json("dead-letters", "list")
    assert found["messages"] == []
    assert [letter["mail_id"] for letter in found["without_message"]] == [DEAD]
    assert with_broker.json("dead-letters", "list", "--queue", "mail.raw")["without_message"] == []


def test_D7_a_replay_is_as_the_first_time_and_closes_the_letter(
    with_broker: CommandLine, vhost: Vhost, sql: Sql
) -> None:
    park(vhost, MAIL_CLASSIFIED, DEAD, TICKET)
    with_broker("dead-letters", "replay", DEAD)
    ((body, headers),) = messages(vhost, MAIL_CLASSIFIED)
    assert (body, headers["version"]) == (f"body of {DEAD}", 1)
    assert headers.keys().isdisjoint({"attempt", "failures", "reason", "first_error", "last_error"})
    assert open_letters(sql) == []
    assert [body for body, _ in messages(vhost, dead_queue(MAIL_CLASSIFIED))] == [f"body of {TICKET}"]


def test_all_of_one_queue_are_replayed(with_broker: CommandLine, vhost: Vhost) -> None:
    park(vhost, MAIL_RAW, DEAD, TICKET)
    park(vhost, TICKET_EVENTS, TICKET)
    with_broker("dead-letters", "replay", "--all", "--queue", "mail.raw")
    assert len(messages(vhost, MAIL_RAW)) == 2
    assert messages(vhost, dead_queue(MAIL_RAW)) == []
    assert len(messages(vhost, dead_queue(TICKET_EVENTS))) == 1


def test_D7_a_discard_takes_the_message_away_and_keeps_the_mail_in_quarantine(
    with_broker: CommandLine, vhost: Vhost, sql: Sql
) -> None:
    park(vhost, MAIL_CLASSIFIED, DEAD)
    with_broker("dead-letters", "discard", "--all")
    assert messages(vhost, dead_queue(MAIL_CLASSIFIED)) == []
    assert messages(vhost, MAIL_CLASSIFIED) == []
    assert open_letters(sql) == []
    (mail,) = with_broker.json("quarantine", "list", "--discarded")
    assert mail["mail_id"] == DEAD


@pytest.mark.parametrize("verb", ["replay", "discard"])
@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        pytest.param([], "Name dead letters by id, or say --all", id="neither ids nor all"),
        pytest.param([DEAD, "--all"], "Name dead letters by id, or say --all", id="ids and all"),
        pytest.param([DEAD, NOBODY], "among the 1 dead letters; nothing was changed", id="one of two is not there"),
    ],
)
def test_bad_input_changes_nothing(
    with_broker: CommandLine, vhost: Vhost, sql: Sql, *, verb: str, arguments: list[str], complaint: str
) -> None:
    park(vhost, MAIL_CLASSIFIED, DEAD)
    assert complaint in with_broker("dead-letters", verb, *arguments, code=1)
    assert open_letters(sql) == [DEAD]
    assert len(messages(vhost, dead_queue(MAIL_CLASSIFIED))) == 1


def test_a_broker_that_is_away_is_a_sentence(filled: CommandLine) -> None:
    filled.environment["IMPORTER_AMQP_URL"] = "amqp://console:secret@127.0.0.1:1/"
    said = filled("dead-letters", "list", code=1)
    assert "RabbitMQ" in said
    assert "secret" not in said
