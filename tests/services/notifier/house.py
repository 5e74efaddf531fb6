"""A helpdesk with tickets and planned notifications in a real database, and a notifier on it, in its own role."""

import secrets
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Self

import asyncpg
from pydantic import SecretStr

from deploy.demo.smtp_server import SmtpServer
from services.notifier.flow import Notifier
from services.notifier.repository import Repository
from services.notifier.smtp import Rest, SmtpTransport
from services.notifier.transports import Make, Transports
from shared.database.pool import Connection
from shared.messages import NotificationKind, Outcome, TicketEvent
from shared.sealing import Keyring, new_key
from tests.databases import Database
from tests.services.notifier.examples import KEY, NOW

ENCRYPTION_KEY = new_key()
NO_REST = Rest(timedelta(0), timedelta(0))

_SEED = """
INSERT INTO organisations (id, name) VALUES (1, 'Bakkerij Jansen');
INSERT INTO persons (id, organisation_id, name) VALUES (1, 1, 'Piet Jansen');
INSERT INTO employees (id, name) VALUES (1, 'Sanne de Wit'), (2, 'Karim Bouzid');
INSERT INTO calendars (id, name) VALUES (1, 'Kantooruren');
INSERT INTO helpdesks (id, name, calendar_id, ticket_url, sender_name)
    VALUES (1, 'ICT', 1, 'https://helpdesk.example/tickets/[ticketnummer]', 'Servicedesk ICT');
INSERT INTO statuses (id, helpdesk_id, name, flag) VALUES (1, 1, 'E-mail Geïmporteerd', 'imported');
INSERT INTO priorities (id, helpdesk_id, name) VALUES (1, 1, 'Normaal');
INSERT INTO importer_settings (helpdesk_id, kind, server, mailbox_address, marker)
    VALUES (1, 'maildir', '/mail', 'ict@example.nl', '===== vul boven deze regel uw reactie =====');
SELECT setval(sequence::regclass, taken) FROM sequences_behind();
"""

_TICKET = """
INSERT INTO tickets (helpdesk_id, organisation_id, contact_id, created_by_employee_id, reported_at, title, mail_subject,
    body_html, body_full_html, body_full_text, status_id, priority_id, ticket_manager_id, executor_id,
    changed_by_employee_id, sender_name, sender_address, mail_id)
VALUES (1, 1, 1, 1, $1, $2, $2, $3, $3, 'Foutcode 79', 1, 1, 1, 2, 1, 'Piet', 'piet@klant.example', $4)
RETURNING id
"""
_SUPPLEMENT = """
INSERT INTO supplements (ticket_id, helpdesk_id, reported_at, supplement_type_id, informant_person_id, mail_subject,
    body_html, body_full_html, body_full_text, visible_to_customer, expanded, status_id, recalculate_deadline,
    created_by_person_id, changed_by_employee_id, sender_name, sender_address, mail_id)
SELECT $1, 1, $2, id, 1, 'RE', $3, $3, 'Nog steeds', true, false, 1, false, 1, 1, 'Piet', 'piet@klant.example', $4
FROM supplement_types WHERE system_key = 'imported_from_mail' RETURNING id
"""


@dataclass(frozen=True, slots=True)
class House:
    """The helpdesk; `owner` may do all and is nobody's pool."""

    database: Database
    owner: Connection

    @classmethod
    @asynccontextmanager
    async def of(cls, database: Database) -> AsyncIterator[Self]:
        """Fill the database."""
        async with database.connect("owner") as owner:
            await owner.execute(_SEED)
            yield cls(database, owner)

    async def send_by(self, server: SmtpServer, *, password: str | None = None, **columns: Any) -> None:
        """Let the helpdesk send by this server, with these columns of its account."""
        if password is not None:
            columns["password_encrypted"] = keyring().public.seal(SecretStr(password))
        row = {"name": "uit", "host": server.host, "port": server.port, "security": "none"} | columns
        places = ", ".join(f"${n}" for n in range(1, len(row) + 1))
        await self.owner.execute("UPDATE helpdesks SET outgoing_account_id = NULL")
        await self.owner.execute("DELETE FROM outgoing_accounts")
        account = await self.owner.fetchval(
            f"INSERT INTO outgoing_accounts ({', '.join(row)}) VALUES ({places}) RETURNING id",  # noqa: S608
            *row.values(),
        )
        await self.owner.execute("UPDATE helpdesks SET outgoing_account_id = $1", account)

    async def ticket(self, *, title: str = "Printer doet het niet", body: str = "<p>Foutcode 79</p>") -> int:
        """A new ticket from a mail of its own; its id."""
        mail_id = await self.mail("begin@klant.example")
        return int(await self.owner.fetchval(_TICKET, NOW, title, body, mail_id))

    async def mail(self, message_id: str) -> uuid.UUID:
        """A mail in the ledger; its id."""
        mail_id, raw = uuid.uuid4(), secrets.token_bytes(32)
        await self.owner.execute("INSERT INTO blobs (sha256, byte_size) VALUES ($1, 1)", raw)
        await self.owner.execute(
            """INSERT INTO imported_mails (mail_id, helpdesk_id, generation, folder, item_key, raw_sha256, raw_size,
                   full_size, received_at, message_id_header)
               VALUES ($1, 1, 1, 'INBOX', gen_random_uuid(), $2, 1, 1, $3, $4)""",
            mail_id,
            raw,
            NOW,
            message_id,
        )
        return mail_id

    async def supplement(self, ticket: int, *, body: str = "<p>Nog steeds</p>") -> tuple[int, uuid.UUID]:
        """A supplement to a ticket; its id and its mail's."""
        mail_id = await self.mail(f"{secrets.token_hex(4)}@klant.example")
        supplement = await self.owner.fetchval(_SUPPLEMENT, ticket, NOW, body, mail_id)
        return supplement, mail_id

    async def plan(
        self,
        kind: NotificationKind = NotificationKind.TICKET_ADDED_CUSTOMER,
        *,
        ticket: int | None = None,
        to: str = "piet@klant.example",
    ) -> uuid.UUID:
        """Plan a notification as ticket_writer does, for a new ticket unless one is given; its id."""
        ticket = await self.ticket() if ticket is None else ticket
        supplement: int | None = None
        mail_id = await self.owner.fetchval("SELECT mail_id FROM tickets WHERE id = $1", ticket)
        if kind is NotificationKind.SUPPLEMENT_ADDED_EXECUTOR:
            supplement, mail_id = await self.supplement(ticket)
        notification_id = uuid.uuid4()
        await self.owner.execute(
            """INSERT INTO notifications (id, mail_id, kind, helpdesk_id, ticket_id, supplement_id, recipient_name,
                   recipient_address, state)
               VALUES ($1, $2, $3, 1, $4, $5, 'Piet Jansen', $6, 'planned')""",
            notification_id,
            mail_id,
            kind.value,
            ticket,
            supplement,
            to,
        )
        return notification_id

    async def event(self, *notification_ids: uuid.UUID) -> TicketEvent:
        """The event that ticket_writer publishes for these notifications of one mail."""
        row = await self.row(notification_ids[0])
        return TicketEvent(
            mail_id=row["mail_id"],
            event_id=uuid.uuid4(),
            outcome=Outcome.TICKET if row["supplement_id"] is None else Outcome.SUPPLEMENT,
            helpdesk_id=row["helpdesk_id"],
            ticket_id=row["ticket_id"],
            ticket_number="1000001",
            supplement_id=row["supplement_id"],
            committed_at=NOW,
            notification_ids=notification_ids,
        )

    async def row(self, notification_id: uuid.UUID) -> asyncpg.Record:
        """The notification as it stands in the database."""
        row = await self.owner.fetchrow("SELECT * FROM notifications WHERE id = $1", notification_id)
        assert row is not None
        return row

    async def pass_time(self, by: timedelta) -> None:
        """Let time pass for every notification: the moments that it waits for come closer by `by`."""
        await self.owner.execute(
            """UPDATE notifications SET created_at = created_at - $1::interval,
                   next_try_at = next_try_at - $1::interval, lease_until = lease_until - $1::interval,
                   collects_until = collects_until - $1::interval""",
            by,
        )

    @asynccontextmanager
    async def notifier(
        self, *, rest: Rest = NO_REST, kinds: Mapping[str, Make] | None = None
    ) -> AsyncIterator[Notifier]:
        """A notifier of its own, as its role. `rest`: how long it leaves a server in trouble alone."""
        known = {"smtp": partial(SmtpTransport, rest=rest)} if kinds is None else kinds
        async with self.database.pool("notifier") as pool, Transports(keyring(), known) as transports:
            yield Notifier(Repository(pool, f"test:{secrets.token_hex(4)}"), transports, KEY)


def keyring() -> Keyring:
    """With the tests' key."""
    return Keyring.from_secret(ENCRYPTION_KEY)
