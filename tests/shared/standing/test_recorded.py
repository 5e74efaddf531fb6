"""What `status`, metrics, alarms and Vandaag ask does not take longer the more mails there have been."""

from __future__ import annotations

from pathlib import Path

from shared.standing.needs import NEEDS_A_PERSON
from shared.standing.recorded import recorded
from tests.databases import Database

EVERY_TABLE = Path(__file__).parents[1] / "database" / "every_table.sql"
MAILS = 20_000
OLD_MAILS = f"""
    WITH one AS (SELECT mail_id, helpdesk_id, generation, folder FROM imported_mails LIMIT 1)
    INSERT INTO imported_mails (mail_id, helpdesk_id, generation, folder, item_key, raw_removed_at, raw_size, full_size,
        received_at, fetched_at, published_at, marked_read_at, outcome, outcome_at, decided_replay, reasons)
    SELECT gen_random_uuid(), helpdesk_id, generation, folder, 'old ' || n, now(), 1, 1, past.moment, past.moment,
        past.moment, past.moment, 'quarantine', past.moment, 0, '[{{"id": "sender-blocked", "detail": ""}}]'
    FROM one, generate_series(1, {MAILS}) AS n,
        LATERAL (SELECT now() - interval '60 days' - n * interval '1 minute') AS past (moment)
"""  # noqa: S608 - a number of ours
OLD_NOTIFICATIONS = """
    INSERT INTO notifications (id, mail_id, kind, helpdesk_id, ticket_id, state, reason, created_at)
    SELECT gen_random_uuid(), mail.mail_id, 'ticket-added-customer', ticket.helpdesk_id, ticket.id, 'not-sent',
        'no-address', mail.received_at
    FROM imported_mails AS mail, (SELECT id, helpdesk_id FROM tickets LIMIT 1) AS ticket
    WHERE mail.item_key LIKE 'old %'
"""
ROWS_READ = """
    SELECT relname AS table, coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) AS rows
    FROM pg_stat_xact_user_tables WHERE relname = ANY('{imported_mails,notifications}')
"""


async def test_what_came_long_ago_is_not_read_again(database: Database) -> None:
    async with database.connect("owner") as owner:
        await owner.execute(EVERY_TABLE.read_text(encoding="utf-8"))
        await owner.execute(OLD_MAILS)
        await owner.execute(OLD_NOTIFICATIONS)
        await owner.execute("VACUUM ANALYZE imported_mails, notifications")  # as the server does by itself
    async with database.connect("console") as connection, connection.transaction():
        await recorded(connection, NEEDS_A_PERSON)
        read = {row["table"]: row["rows"] for row in await connection.fetch(ROWS_READ)}

    assert {table for table, rows in read.items() if rows > MAILS / 10} == set(), read
