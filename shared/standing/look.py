"""Looks at the database and at RabbitMQ side by side; whoever is away holds up nobody for longer than `within`."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from pydantic import SecretStr

from shared.broker.administration import ManagementRefused
from shared.database.pool import Pool, SchemaLacks, open_pool, transaction
from shared.errors import Misconfigured, Outage, TryAgain
from shared.sentences import Sentence, ended, said_by
from shared.standing.broker import BrokerStanding, broker_standing
from shared.standing.certificates import ServerCertificate, server_certificate
from shared.standing.database import in_the_way
from shared.standing.needs import NEEDS_A_PERSON, Standing
from shared.standing.recorded import Recorded, recorded
from shared.standing.schema import NOTHING_MISSING, SchemaStanding, schema_standing

_WAIT_FOR_NO_LOCK: Final = "SET LOCAL lock_timeout = '2s'"


@dataclass(frozen=True, slots=True)
class Where:
    """Where to look: each with user and password; `vhost` is that of the queues."""

    database_dsn: SecretStr
    amqp_dsn: SecretStr
    management_dsn: SecretStr
    vhost: str
    within: timedelta = timedelta(seconds=1.5)
    """How long each server has to answer; a database that has answered may then read for as long as it takes."""


async def look(where: Where) -> Standing:
    """What can be seen now. Raises Misconfigured when a server refuses our login or has an older schema."""
    beside = asyncio.create_task(_look_at_broker(where), name="look at RabbitMQ")
    shown = asyncio.create_task(_look_at_certificates(where), name="look at certificates")
    try:
        seen, schema, database_trouble = await _look_at_database(where)
        queues, broker_trouble = await beside
        certificates = await shown
    finally:
        beside.cancel()
        shown.cancel()
    at = seen.at if seen else datetime.now(UTC)
    return Standing(at, seen, queues, database_trouble, broker_trouble, certificates, schema)


async def read(pool: Pool) -> Recorded:
    """What the database says. Raises Outage, and TryAgain: where a table is locked, within seconds."""
    async with transaction(pool) as connection:
        await connection.execute(_WAIT_FOR_NO_LOCK)
        return await recorded(connection, NEEDS_A_PERSON)


async def _look_at_database(where: Where) -> tuple[Recorded | None, SchemaStanding, str]:
    try:
        async with asyncio.timeout(_seconds(where)):
            pool = await open_pool(
                where.database_dsn.get_secret_value(),
                application_name="helpdesk-importer",
                max_size=1,
                patience=timedelta(0),
            )
    except TimeoutError:
        silent = Sentence("It does not answer within %(seconds)g seconds.", seconds=_seconds(where))
        return None, NOTHING_MISSING, silent
    except Outage as error:
        return None, NOTHING_MISSING, said_by(error)
    try:
        return await _read_and_trouble(pool)
    except (Outage, TryAgain) as error:
        return None, NOTHING_MISSING, said_by(error)
    finally:
        pool.terminate()


async def _read_and_trouble(pool: Pool) -> tuple[Recorded | None, SchemaStanding, str]:
    """What is recorded, how the schema stands, and what keeps the database from taking more: there may be all three."""
    seen, schema, trouble, lacks = None, NOTHING_MISSING, "", ""
    try:
        seen = await read(pool)
    except SchemaLacks as error:
        lacks = said_by(error)
    except TryAgain as error:
        trouble = said_by(error)
    try:
        schema = await _read_schema(pool)
    except TryAgain as error:
        trouble = trouble or said_by(error)
    if schema == NOTHING_MISSING:  # else that tells it, with its remedy
        trouble = trouble or lacks
    async with transaction(pool) as connection:
        return seen, schema, await in_the_way(connection) or trouble


async def _read_schema(pool: Pool) -> SchemaStanding:
    """Definitions are read with a lock on their table, as its rows are."""
    async with transaction(pool) as connection:
        await connection.execute(_WAIT_FOR_NO_LOCK)
        return await schema_standing(connection)


async def _look_at_broker(where: Where) -> tuple[BrokerStanding | None, str]:
    try:
        async with asyncio.timeout(_seconds(where)):
            return await broker_standing(where.amqp_dsn, where.management_dsn, where.vhost), ""
    except TimeoutError:
        return None, Sentence(
            "RabbitMQ does not answer within %(seconds)g seconds.", seconds=where.within.total_seconds()
        )
    except (Outage, ManagementRefused) as error:
        return None, ended(said_by(error))
    except Misconfigured as error:
        return None, said_by(error)


async def _look_at_certificates(where: Where) -> tuple[ServerCertificate, ...]:
    """Those that could be seen: whoever does not answer is told by the others."""
    looks = [
        asyncio.create_task(server_certificate("PostgreSQL", where.database_dsn)),
        asyncio.create_task(server_certificate("RabbitMQ", where.management_dsn)),
    ]
    done, late = await asyncio.wait(looks, timeout=_seconds(where))
    for each in late:
        each.cancel()
    return tuple(seen for each in looks if each in done and (seen := each.result()) is not None)


def _seconds(where: Where) -> float:
    return where.within.total_seconds()
