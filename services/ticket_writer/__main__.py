"""ticket_writer: decides what becomes of a classified mail, and writes it in one transaction.

    python -m services.ticket_writer
    python -m services.ticket_writer explain        decides on facts that come on standard input (`explain.command`)
    python -m services.ticket_writer accept …       accepts what a person has reviewed (`review.command`)

Reads    `mail.classified`; settings, calendars, people, tickets, and large bodies from the blob store.
Decides  new ticket, supplement, duplicate or quarantine; every field of the spec; who is to be notified, or why not.
Writes   ticket or supplement, history, attachments, content key, notifications and the mail's outcome, all or nothing;
         then `ticket.event` on exchange `ticket`. Events left behind by a crash are published by a sweeper. What a
         person accepts in the helpdesk UI is carried out within seconds (`review.requests`). What would become of a
         mail that he tries in the web console is answered in `service_questions` (`questions`), and rolled back.

Settings: those of every service (`shared.configuration.ServiceConfiguration`), with the role and user
importer_ticket_writer. Replicas may run side by side: they compete for messages and lock what they touch.

Exit codes: those of `shared.runtime` (0 drained, 75 not all finished, 78 bad configuration, 1 an error of ours).
"""

from __future__ import annotations

import shared.lean_start  # noqa: F401 - before all else that logs

# isort: split
import sys
from functools import partial
from typing import Final

from services.ticket_writer.flow import Flow, Writer
from services.ticket_writer.questions import answers
from services.ticket_writer.repository import Repository
from services.ticket_writer.review.command import accept_mails
from services.ticket_writer.review.requests import ReviewRequests
from services.ticket_writer.sweeper import EventSweeper
from shared.answering import Answering
from shared.asking import answer
from shared.blobs.postgres import PostgresBlobs
from shared.broker.consume import Consumer
from shared.broker.publish import Publisher
from shared.broker.topology import MAIL_CLASSIFIED
from shared.configuration import ServiceConfiguration
from shared.database.pool import check_takes_changes, open_pool
from shared.runtime import Process, run_service

SERVICE: Final = "ticket_writer"
_CONNECTIONS: Final = 7
"""For batches being written and recorded, large bodies, the sweeper, requests, questions and checks, one each."""


async def main(process: Process[ServiceConfiguration]) -> None:
    """Wire the service and run it until it is told to stop."""
    configuration = process.configuration
    pool = await open_pool(
        configuration.database_dsn.get_secret_value(),
        application_name=SERVICE,
        same_plans=True,
        max_size=_CONNECTIONS,
    )
    async with pool, Publisher(configuration.amqp_dsn, SERVICE) as publisher:
        repository = Repository(pool)
        healthy = partial(check_takes_changes, pool)
        flow = Flow(Writer(repository, PostgresBlobs(pool)), repository, publisher)
        consumer = Consumer(
            configuration.amqp_dsn,
            MAIL_CLASSIFIED,
            flow.handle,
            publisher,
            service=SERVICE,
            workers=configuration.workers,
            drain_seconds=configuration.drain_seconds,
            suspects_after=configuration.suspects_after_seconds,
            healthy=healthy,
            on_dead_letter=flow.record_dead_letter,
            on_poison=flow.is_done,
        )
        process.ready_when("database", healthy)
        process.ready_when("broker", consumer.check)
        process.ready_when("publishing", publisher.check)
        await process.run(
            consumer.run,
            EventSweeper(repository, publisher).run,
            ReviewRequests(pool).run,
            Answering(pool, SERVICE, answers(repository)).run,
        )


if __name__ == "__main__":
    if sys.argv[1:2] == ["explain"]:
        from services.ticket_writer.explain import command as explain

        sys.exit(explain.main(sys.argv[2:]))
    if sys.argv[1:2] == ["accept"]:
        sys.exit(answer(SERVICE, lambda asked: accept_mails(asked, sys.argv[2], sys.argv[3:])))
    run_service(SERVICE, main)
