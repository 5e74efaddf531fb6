"""The fetcher: takes unread mail out of the helpdesks' mailboxes and hands it to the classifier.

reads     importer_settings (S1–S4, D18), mailbox_states, the mailboxes themselves, outcomes in the ledger
decides   which mailbox is due, which mails are new, and when to ask again after trouble
writes    blobs and ledger rows, `mail.raw` (confirmed), then the mark «read» in the mailbox; after the final outcome
          it moves or deletes the mail where the settings say so; S8 and the mailbox's problem in mailbox_states
settings  those of every service (`shared.configuration`), and
          IMPORTER_WORKERS        mailboxes checked at once (default 10)
          IMPORTER_LEASE_SECONDS  how long a mailbox stays this fetcher's without a sign of life (default 15)
          IMPORTER_SPOOL_BYTES    bytes of mail held at a time in memory and temporary files (default 256 MiB)
          IMPORTER_MAILDIR_ROOT   the folder beneath which all Maildirs must lie (default: anywhere)
          IMPORTER_INSTALLATION_ID  the secret that tells this installation from a copy (shared.database.installation);
                                    also as a file, as the next one
          IMPORTER_ENCRYPTION_KEYS  the secret that opens passwords and certificates of mailboxes; also
                                    IMPORTER_ENCRYPTION_KEYS_FILE, or the file encryption_keys among the secrets
          IMPORTER_MICROSOFT_LOGIN_URL, IMPORTER_MICROSOFT_GRAPH_URL
                                  hosts in place of those of Microsoft's clouds (shared.microsoft.clouds)
          TMPDIR                  where mails above 256 KiB are put while they are stored
replicas  any number: leases share out the mailboxes, row locks the mails to republish
check     python -m services.fetcher check HELPDESK_ID tries one mailbox and changes nothing in it (mailbox_check);
          discover HELPDESK_ID finds its Exchange server, for a person to confirm (discovery); the running service
          answers the same to who asks in the web console (questions)
          compare SECONDS SINCE|- HELPDESK_ID… tells what mailboxes have and the ledger has not (mailbox_comparison)
exit      0 drained, 75 stopped before all was finished, 78 bad configuration, 1 an error of ours
"""

from __future__ import annotations

import shared.lean_start  # noqa: F401 - before all else that logs

# isort: split
import os
import socket
import sys
import uuid
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from pydantic import Field

from services.fetcher import metrics
from services.fetcher.concurrently import ByteBudget
from services.fetcher.flow import Check
from services.fetcher.mailbox_check import try_mailbox
from services.fetcher.mailbox_comparison import compare_mailboxes
from services.fetcher.mailboxes.maildir.confinement import MaildirConfiguration
from services.fetcher.open_files import allow_many
from services.fetcher.publishing import MailPublisher
from services.fetcher.questions import answers
from services.fetcher.repository.ledger import Ledger
from services.fetcher.repository.logins import LoginRepository
from services.fetcher.repository.mailboxes import MailboxRepository
from services.fetcher.schedule import Schedule
from services.fetcher.sweeper import Sweeper
from shared.answering import Answering
from shared.asking import answer
from shared.blobs.postgres import PostgresBlobs
from shared.broker.publish import Publisher
from shared.configuration import ServiceConfiguration
from shared.database.installation import Installation, presented
from shared.database.pool import check_takes_changes, open_pool
from shared.runtime import Process, run_service
from shared.sealing import Keyring

SERVICE: Final = "fetcher"


class FetcherConfiguration(MaildirConfiguration, ServiceConfiguration):
    """What the fetcher is told besides what every service is told."""

    workers: int = Field(default=10, ge=1, le=200, description="how many mailboxes are checked at once, 1 to 200")
    lease_seconds: int = Field(
        default=15, ge=3, le=3600, description="seconds without a sign of life after which others take a mailbox over"
    )
    spool_bytes: int = Field(
        default=256 * 1024 * 1024, ge=1024 * 1024, description="bytes of mail to hold at a time, at least 1048576"
    )


async def main(process: Process[FetcherConfiguration]) -> None:
    """Wire the fetcher together and run it until it is told to stop."""
    configuration = process.configuration
    allow_many()
    keyring = Keyring.from_secret(configuration.secret("encryption_keys"))
    pool = await open_pool(configuration.database_dsn.get_secret_value(), application_name=SERVICE, same_plans=True)
    async with pool, Publisher(configuration.amqp_dsn, SERVICE) as broker:
        blobs = PostgresBlobs(pool)
        ledger = Ledger(pool, blobs)
        publisher = MailPublisher(broker, ledger, blobs)
        budget = ByteBudget(configuration.spool_bytes)
        presents = presented(configuration.secret_if_given("installation_id"))
        installation = Installation(pool, presents)
        holder = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4()}"
        mailboxes = MailboxRepository(pool, holder, keyring, presents)

        new_check = partial(Check, ledger=ledger, publisher=publisher, budget=budget)

        schedule = Schedule(
            mailboxes,
            new_check,
            at_once=configuration.workers,
            lease=timedelta(seconds=configuration.lease_seconds),
        )
        process.ready_when("database", partial(check_takes_changes, pool))
        process.ready_when("broker", broker.check)
        process.note("installation", installation.note)
        await process.run(
            installation.run,
            schedule.run,
            Sweeper(ledger, publisher).run,
            partial(metrics.show_states, mailboxes, LoginRepository(pool), ledger),
            Answering(pool, SERVICE, answers(configuration, pool, installation.note)).run,
        )


if __name__ == "__main__":
    match sys.argv[1:]:
        case []:
            run_service(SERVICE, main, FetcherConfiguration)
        case ["check", helpdesk_id] if helpdesk_id.isdecimal():
            sys.exit(answer(SERVICE, lambda asked: try_mailbox(asked, int(helpdesk_id), again=False)))
        case ["check", helpdesk_id, "again"] if helpdesk_id.isdecimal():
            sys.exit(answer(SERVICE, lambda asked: try_mailbox(asked, int(helpdesk_id), again=True)))
        case ["compare", older_than, since, *helpdesk_ids] if all(map(str.isdecimal, (older_than, *helpdesk_ids))):
            compared = partial(
                compare_mailboxes,
                older_than=timedelta(seconds=int(older_than)),
                since=None if since == "-" else datetime.fromisoformat(since),
                helpdesk_ids=[int(each) for each in helpdesk_ids],
            )
            sys.exit(answer(SERVICE, compared))
        case ["discover", helpdesk_id] if helpdesk_id.isdecimal():
            from services.fetcher.discovery import find_server  # it stands on all of EWS, as `registry` says

            sys.exit(answer(SERVICE, lambda asked: find_server(asked, int(helpdesk_id))))
        case _:
            sys.exit(
                "usage: python -m services.fetcher [check HELPDESK_ID [again] | discover HELPDESK_ID |"
                " compare SECONDS SINCE|- HELPDESK_ID…]"
            )
