"""classifier: finds the facts of each mail.

    python -m services.classifier
    python -m services.classifier facts FILE…     finds them in files, without any server (`facts_of_files.command`)

Reads    queue `mail.raw` (a mail's bytes with its envelope); blobs (mails too large to travel); settings, contacts,
         employees, ticket numbers, Message-IDs of the mails we sent.
Decides  who sent it, which tickets its subject names, what was said (whole and above the marker), which attachments
         are images, whether it is automatic, its content key. Facts only: no ticket is chosen or written here.
Writes   exchange `mail`, key `mail.classified`; blobs: images, and bodies too large to travel; at its start the pattern
         by which it finds ticket numbers, so that the database refuses aliases that nobody would find.

A mail that a person tries in the web console («Probeer een mail») comes with its question in `service_questions`; what
is found of it is handed on to ticket_writer there (`questions`), and stored nowhere else.

Where IMPORTER_CLAMD_URL names a virus scanner, no image is stored unscanned: while it is away, mail waits.

A mail is read in a child process with limits on memory and processor time, which can open no file and no connection
(`reading.confinement`; `reading_confined` or `reading_not_confined` in the log at the start). One that takes more than
a few seconds waits behind the others, as do later mails of its sender: those are read one at a time, with the whole
limit. One that cannot be read even so goes on from its head with the reason `unreadable`; one that shows a bug of ours
is tried five times, then goes on from its head with `our-error`.

A container with less memory than its readers may take is told of at the start (`memory_limit_too_small`), and each
process that the kernel ended for want of it afterwards (`killed_for_memory`).

Configuration  IMPORTER_DATABASE_URL, IMPORTER_AMQP_URL and the secrets `database_password_classifier`,
               `amqp_password_classifier`; IMPORTER_TICKET_NUMBER_PATTERN; IMPORTER_READERS (2),
               IMPORTER_READING_SECONDS (30), IMPORTER_READING_MEMORY_MB (1536); IMPORTER_CLAMD_URL (none); the rest is
               `shared.configuration`'s.
Exit codes     0 drained, 75 stopped before all was finished, 78 bad configuration, 1 an error of ours.
"""

from __future__ import annotations

import shared.lean_start  # noqa: F401 - before all else that logs

# isort: split
import asyncio
import sys
from contextlib import suppress
from functools import partial
from typing import Final

import structlog

from services.classifier import repository
from services.classifier.configuration import ClassifierConfiguration
from services.classifier.flow import Classifier
from services.classifier.memory_limit import limit_mb, tell_kills, warn_of_too_little
from services.classifier.questions import Trials
from services.classifier.reading.pool import ReaderPool
from services.classifier.scanner import Scanner
from shared.answering import Answering
from shared.blobs.postgres import PostgresBlobs
from shared.broker.consume import Consumer
from shared.broker.publish import Publisher
from shared.broker.topology import MAIL_RAW
from shared.database.pool import Pool, check_takes_changes, open_pool
from shared.errors import Outage
from shared.runtime import Process, run_service

SERVICE: Final = "classifier"
_CONNECTIONS: Final = 8
"""For batches of settings, look-ups and images, for large mails, for what people try and for checks."""
_PATIENCE: Final = 2.0
"""Seconds between two tries to tell the database the pattern."""

log = structlog.get_logger()

MEBIBYTE: Final = 1024 * 1024


async def main(process: Process[ClassifierConfiguration]) -> None:
    """Wires the service and works until it is told to stop."""
    configuration = process.configuration
    dsn = configuration.database_dsn.get_secret_value()
    readers = ReaderPool(
        readers=configuration.readers,
        memory_bytes=configuration.reading_memory_mb * MEBIBYTE,
    )
    scanner = Scanner(configuration.clamd_url) if configuration.clamd_url is not None else None
    async with (
        await open_pool(dsn, application_name=SERVICE, max_size=_CONNECTIONS, same_plans=True) as pool,
        readers,
        Publisher(configuration.amqp_dsn, SERVICE) as publisher,
    ):
        classifier = Classifier(
            pool=pool,
            blobs=PostgresBlobs(pool),
            readers=readers,
            publisher=publisher,
            number_pattern=configuration.ticket_number_pattern,
            large_at_once=configuration.readers,
            alone_seconds=configuration.reading_seconds,
            scanner=scanner,
        )
        consumer = Consumer(
            configuration.amqp_dsn,
            MAIL_RAW,
            classifier.handle,
            publisher,
            service=SERVICE,
            workers=configuration.workers,
            drain_seconds=configuration.drain_seconds,
            suspects_after=configuration.suspects_after_seconds,
            healthy=partial(_check, pool, scanner),
            on_dead_letter=partial(repository.record_dead_letter, pool),
            on_poison=classifier.hand_on,
        )
        warn_of_too_little(configuration.readers, configuration.reading_memory_mb, limit_mb())
        process.ready_when("broker", consumer.check)
        process.ready_when("publishing", publisher.check)
        process.ready_when("database", partial(check_takes_changes, pool))
        if scanner is not None:
            process.ready_when("virus scanner", scanner.check)
        trials = Trials(
            pool,
            readers,
            number_pattern=configuration.ticket_number_pattern,
            seconds=configuration.reading_seconds,
            scanner=scanner,
        )
        telling = asyncio.create_task(tell_kills(), name="memory kills")
        try:
            await process.run(
                partial(_run, pool, configuration.ticket_number_pattern, consumer),
                Answering(pool, SERVICE, trials.answers).run,
            )
        finally:
            telling.cancel()


async def _run(pool: Pool, number_pattern: str, consumer: Consumer, stop: asyncio.Event) -> None:
    """Consume, once the database knows the pattern of ticket numbers; while it is away that is waited for."""
    while not stop.is_set():
        try:
            if await repository.record_number_pattern(pool, number_pattern):
                log.info("ticket_number_pattern_changed", pattern=number_pattern)
            break
        except Outage as outage:
            log.warning("database_waiting", problem=str(outage))
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _PATIENCE)
    await consumer.run(stop)


async def _check(pool: Pool, scanner: Scanner | None) -> None:
    """Raises Outage while a server that mail needs does not work."""
    await check_takes_changes(pool)
    if scanner is not None:
        await scanner.check()


if __name__ == "__main__":
    if sys.argv[1:2] == ["facts"]:
        from services.classifier.facts_of_files import command as facts_of_files

        sys.exit(facts_of_files.main(sys.argv[2:]))
    run_service(SERVICE, main, ClassifierConfiguration)
