"""A database in which nothing differs, RabbitMQ with the importer's own users, and a comparison of both."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from pydantic import SecretStr

from services.console.reconcile.comparing import Report, Servers, Wanted, compare
from services.console.reconcile.configuration import ReconcilerConfiguration
from services.console.reconcile.differences import Difference
from services.console.reconcile.queues import Queues
from tests.databases import Database
from tests.shared.database.conftest import EVERY_TABLE
from tests.vhosts import Vhost

MAIL = "00000000-0000-0000-0000-00000000000{}"
_MAIL = re.compile(r"mail:(\d)")
SOUND = """
    -- what every_table.sql leaves open is done, two hours ago and more
    UPDATE imported_mails SET published_at = received_at, marked_read_at = received_at, acted_at = received_at,
        fetched_at = received_at, next_republish_at = now() + interval '1 hour';
    UPDATE imported_mails SET outcome_at = received_at, event_published_at = received_at WHERE outcome IS NOT NULL;
    UPDATE dead_letters SET resolved_at = recorded_at;
    UPDATE imported_mails SET outcome = 'quarantine', outcome_at = received_at, decided_replay = 0,
        reasons = '[{"id": "no-sender"}]' WHERE mail_id = 'mail:5';
    DELETE FROM notifications;
    INSERT INTO notifications (id, mail_id, kind, helpdesk_id, ticket_id, supplement_id, recipient_address, state,
        message_id, sent_at, created_at)
    SELECT gen_random_uuid(), mail_id,
        CASE outcome WHEN 'ticket' THEN 'ticket-added-manager' ELSE 'supplement-added-executor' END,
        helpdesk_id, ticket_id, supplement_id, 'piet@helpdesk.example', 'sent', mail_id || '@here', received_at,
        received_at
    FROM imported_mails WHERE outcome IN ('ticket', 'supplement');
    UPDATE nightly_jobs SET finished_at = now();
    DELETE FROM outgoing_holds;
"""


@dataclass(frozen=True, slots=True)
class Installation:
    """What is compared; `sql` runs as a superuser past triggers and foreign keys: what no tool of ours would do."""

    database: Database
    vhost: Vhost

    async def sql(self, statements: str, *parameters: Any) -> list[asyncpg.Record]:
        """Run statements; of one with parameters, or a query, its rows. «mail:1» is the id of the first mail."""
        statements = _MAIL.sub(lambda named: MAIL.format(named[1]), statements)
        superuser = await asyncpg.connect(
            self.database.server.database(self.database.name),
            server_settings={"search_path": "helpdesk", "session_replication_role": "replica"},
        )
        try:
            if parameters or statements.lstrip().upper().startswith("SELECT"):
                rows: list[asyncpg.Record] = await superuser.fetch(statements, *parameters)
                return rows
            await superuser.execute(statements)
            return []
        finally:
            await superuser.close()

    async def compare(self, *, repairs: bool = False, **wanted: Any) -> Report:
        """A comparison without mailboxes, as importer_reconciler; a mail that is missed is looked for again at once."""
        async with self.servers() as servers:
            return await compare(servers, Wanted(repairs=repairs, **wanted))

    @asynccontextmanager
    async def servers(self) -> AsyncIterator[Servers]:
        """Whom a comparison asks."""
        configuration = ReconcilerConfiguration(
            database_url=self.database.dsn("reconciler"),
            amqp_url=self.vhost.dsn("reconciler"),
            rabbitmq_management_url=SecretStr(self._management()),
        )
        queues: Queues = replace(configuration.queues(), pause=timedelta(0))
        async with self.database.pool("reconciler", max_size=2) as pool:
            yield Servers(pool, queues, configuration, with_mailboxes=False)

    def _management(self) -> str:
        user = next(user.name for user in self.vhost.topology.users if user.service == "reconciler")
        password = self.vhost.passwords["reconciler"].get_secret_value()
        scheme, _, rest = self.vhost.empty.server.management_url.partition("://")
        return f"{scheme}://{user}:{password}@{rest.rpartition('@')[2]}"


@pytest.fixture
async def sound(database: Database, vhost: Vhost) -> Installation:
    """An installation in which nothing differs."""
    installation = Installation(database, vhost)
    async with database.connect("owner") as owner:
        await owner.execute(EVERY_TABLE)
    await installation.sql(SOUND)
    return installation


Kinds = Callable[[Report], list[tuple[str, str]]]


def told(report: Report) -> list[tuple[str, str]]:
    """The kinds of a report, with the last digit of the mail that each is about ('': none)."""
    return [(difference.kind.value, _last(difference)) for difference in report.found]


def _last(difference: Difference) -> str:
    return str(difference.mail_id)[-1] if difference.mail_id else ""
