"""notifier: writes the mails that were planned with a ticket and sends them.

    python -m services.notifier

Reads    the queue `ticket.events`; the planned rows of `notifications`, and the ticket, settings, templates and
         outgoing account that they name
Decides  how a notification reads (services.notifier.rules.compose), what a mail server's reply means (rules.replies),
         when to try again (rules.retry)
Writes   mail, by the helpdesk's outgoing account; the state of `notifications`: written, sent, postponed, failed
         (services.notifier.flow)
Answers  questions of the web console: test mails (services.notifier.questions)

Every 5 seconds it also sends what is due without an event: postponed mails, those whose event was lost, those of a
notifier that died. Two or more notifiers share the work; no mail is sent twice (flow says when one might be).

Settings, from the environment (shared.configuration) beside those of every service:
    IMPORTER_MESSAGE_ID_KEY    the secret that our Message-IDs are signed with, at least 32 characters; also
                               IMPORTER_MESSAGE_ID_KEY_FILE, or the file message_id_key among the secrets
    IMPORTER_MICROSOFT_LOGIN_URL, IMPORTER_MICROSOFT_GRAPH_URL
                               hosts in place of those of Microsoft's clouds (shared.microsoft.clouds)
    IMPORTER_INSTALLATION_ID   the secret that tells this installation from a copy (shared.database.installation);
                               also as a file, as above
    IMPORTER_ENCRYPTION_KEYS   the secret that opens the passwords and certificates of outgoing accounts; as above

`python -m services.notifier check ACCOUNT_ID` logs in to an outgoing account and sends nothing (account_check).

Exit codes: shared.runtime.
"""

from __future__ import annotations

import shared.lean_start  # noqa: F401 - before all else that logs

# isort: split
import os
import secrets
import socket
import sys
from functools import partial
from typing import Final

from services.notifier.account_check import try_account
from services.notifier.flow import Notifier
from services.notifier.metrics import show_waiting
from services.notifier.questions import answers
from services.notifier.repository import Repository
from services.notifier.transports import Transports
from shared.answering import Answering
from shared.asking import answer
from shared.broker.consume import Consumer
from shared.broker.publish import Publisher
from shared.broker.topology import TICKET_EVENTS
from shared.broker.wire import Delivery
from shared.configuration import ServiceConfiguration
from shared.database.installation import Installation, presented
from shared.database.pool import check_takes_changes, open_pool
from shared.errors import Misconfigured
from shared.messages import TicketEvent
from shared.runtime import Process, run_service
from shared.sealing import Keyring

_CONNECTIONS: Final = 10
"""For batches that are claimed, kept and recorded, for the sweeper, and for what does not go as it should."""
SHORTEST_KEY: Final = 32
"""Characters of the secret message_id_key; shorter ones can be guessed."""


async def main(process: Process[ServiceConfiguration]) -> None:
    """Wire the service and run it until it is told to stop."""
    configuration = process.configuration
    keyring = Keyring.from_secret(configuration.secret("encryption_keys"))
    key = _message_id_key(configuration)
    holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
    pool = await open_pool(
        configuration.database_dsn.get_secret_value(),
        application_name="notifier",
        max_size=_CONNECTIONS,
        same_plans=True,
    )
    async with (
        pool,
        Transports(keyring) as transports,
        Publisher(configuration.amqp_dsn, "notifier") as publisher,
    ):
        presents = presented(configuration.secret_if_given("installation_id"))
        installation = Installation(pool, presents)
        repository = Repository(pool, holder, presents)
        healthy = partial(check_takes_changes, pool)
        notifier = Notifier(repository, transports, key)

        async def handle(delivery: Delivery) -> None:
            await notifier.deliver(delivery.read(TicketEvent).notification_ids)

        async def record(delivery: Delivery, reason: str) -> None:
            if delivery.mail_id is not None:
                await repository.record_dead_letter(delivery.mail_id, delivery.queue, reason)

        consumer = Consumer(
            configuration.amqp_dsn,
            TICKET_EVENTS,
            handle,
            publisher,
            service="notifier",
            workers=configuration.workers,
            drain_seconds=configuration.drain_seconds,
            suspects_after=configuration.suspects_after_seconds,
            healthy=healthy,
            on_dead_letter=record,
        )
        answering = Answering(pool, "notifier", answers(notifier, repository))
        process.ready_when("database", healthy)
        process.ready_when("broker", consumer.check)
        process.note("installation", installation.note)
        await process.run(
            installation.run,
            consumer.run,
            notifier.sweep_until,
            notifier.renew_until,
            answering.run,
            partial(show_waiting, repository),
        )


def _message_id_key(configuration: ServiceConfiguration) -> bytes:
    key = configuration.secret("message_id_key").get_secret_value()
    if len(key) < SHORTEST_KEY:
        raise Misconfigured(
            f"The secret message_id_key is too short: put {SHORTEST_KEY} or more random characters in it."
        )
    return key.encode()


if __name__ == "__main__":
    match sys.argv[1:]:
        case []:
            run_service("notifier", main)
        case ["check", account_id] if account_id.isdecimal():
            sys.exit(answer("notifier", lambda asked: try_account(asked, int(account_id), again=False)))
        case ["check", account_id, "again"] if account_id.isdecimal():
            sys.exit(answer("notifier", lambda asked: try_account(asked, int(account_id), again=True)))
        case _:
            sys.exit("usage: python -m services.notifier [check ACCOUNT_ID [again]]")
