"""Who may do what in the database, with the real roles (DESIGN 8; 11_grants.sql).

Each line is a statement and who may run it; all the others may not. Each runs on rows of every_table.sql, rolled back.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from typing import Any

import asyncpg
import pytest

from shared.database.pool import Pool

SERVICES = {"fetcher", "classifier", "ticket_writer", "notifier"}
PEOPLE = {"console", "operator"}
EVERYONE = SERVICES | PEOPLE | {"ui", "web", "reconciler"}

MAIL = (
    "INSERT INTO imported_mails (mail_id, helpdesk_id, generation, folder, item_key, raw_sha256, raw_size, full_size,"
    " received_at) SELECT gen_random_uuid(), 1, 1, 'INBOX', 'new', sha256, 1, 1, now() FROM blobs LIMIT 1"
)
TICKET = (
    "INSERT INTO tickets (helpdesk_id, organisation_id, contact_id, created_by_employee_id, changed_by_employee_id,"
    " reported_at, title, status_id) VALUES (1, 1, 1, 1, 1, now(), 'Titel', 1)"
)

SEALED = "'\\x01' || substr(sha256(sha256('key')), 1, 8) || sha256('x') || sha256('y')"
"""As long as a sealed secret, and for the key of every_table.sql."""

MAY = {
    # secrets: each has one reader, and people's tools write without reading (S3)
    "SELECT password_encrypted FROM logins": {"fetcher", "notifier"},
    "SELECT certificate_encrypted FROM logins": {"fetcher", "notifier"},
    "SELECT password_encrypted FROM importer_settings": set(),
    "SELECT password_encrypted FROM outgoing_accounts": set(),
    "SELECT name, username, password_is_set, expires_at FROM logins": PEOPLE,
    "SELECT secret_given_at FROM logins": set(),
    "UPDATE logins SET secret_given_at = now()": set(),
    "UPDATE logins SET username = 'x' WHERE id = 1": PEOPLE,
    "INSERT INTO logins (name, username) VALUES ('Nieuw', 'x')": PEOPLE,
    "DELETE FROM logins WHERE id = 9": PEOPLE,
    "SELECT fingerprint FROM login_states": {"fetcher", "notifier"},
    "SELECT problem, probe_at FROM login_states": {"fetcher", "notifier", "web", *PEOPLE},
    "UPDATE login_states SET refused_logins = 0, refused_since = NULL, probe_at = NULL": {"fetcher", "notifier"},
    "UPDATE importer_settings SET login_id = NULL WHERE helpdesk_id = 1": {"web", *PEOPLE},
    "UPDATE outgoing_accounts SET login_id = NULL WHERE id = 1": PEOPLE,
    "SELECT helpdesk.login_of_mailbox(1)": PEOPLE,
    "UPDATE importer_settings SET certificate_encrypted = NULL WHERE helpdesk_id = 2": {"web", *PEOPLE},
    "UPDATE outgoing_accounts SET certificate_encrypted = NULL WHERE id = 1": PEOPLE,
    "SELECT certificate_is_set, login_expires_at FROM importer_settings": {"web", *PEOPLE},
    "SELECT has_certificate, login_expires_at FROM ui_v1.importer_settings": {"ui"},
    "UPDATE importer_settings SET password_encrypted = '' WHERE helpdesk_id = 1": {"web", *PEOPLE},
    "UPDATE outgoing_accounts SET password_encrypted = '' WHERE id = 1": PEOPLE,
    "SELECT public_key FROM sealing_keys": {"web", *PEOPLE},
    "INSERT INTO sealing_keys (key_id, public_key) SELECT substr(sha256(k), 1, 8), k FROM sha256('x') AS k": set(),
    "UPDATE sealing_keys SET published_at = now()": set(),
    "SELECT key_id, public_key FROM ui_v1.sealing_key": {"ui"},
    f"SELECT ui_v1.set_mailbox_password(1, {SEALED})": {"ui"},
    f"SELECT ui_v1.set_account_password(1, {SEALED})": {"ui"},
    "SELECT ui_v1.add_attachment(1, NULL, 'a.txt', 'text/plain', 'x', 1)": {"ui"},
    "SELECT allow_unencrypted FROM outgoing_accounts": PEOPLE,
    "UPDATE outgoing_accounts SET allow_unencrypted = false WHERE id = 1": PEOPLE,
    "SELECT password_is_set FROM importer_settings": {"web", *PEOPLE},
    "SELECT * FROM importer_settings": set(),
    "SELECT username, server, folder FROM importer_settings": {"web", *PEOPLE},
    "SELECT marker FROM importer_settings": {"classifier", "notifier", "web", *PEOPLE},
    "SELECT has_password FROM ui_v1.importer_settings": {"ui"},
    # settings and lists
    "UPDATE importer_settings SET marker = '===' WHERE helpdesk_id = 1": {"web", *PEOPLE},
    "UPDATE importer_settings SET generation = 9 WHERE helpdesk_id = 1": set(),
    "UPDATE importer_settings SET imported_status_id = 2 WHERE helpdesk_id = 1": set(),
    "UPDATE mailbox_states SET lease_holder = 'me', lease_until = now()": {"fetcher"},
    "UPDATE mailbox_states SET sync_state = '{}'": {"fetcher"},
    "UPDATE mailbox_states SET next_check_at = now()": {"fetcher", "web", "reconciler", *PEOPLE},
    "UPDATE mailbox_states SET backlog_choice = 'import', backlog_chosen_at = now(), backlog_chosen_until = now()": {
        "fetcher",
        "web",
        *PEOPLE,
    },
    "UPDATE mailbox_states SET backlog_waiting = 0": {"fetcher"},
    "UPDATE mailbox_states SET import_left = 0, import_left_at = now()": {"fetcher"},
    "UPDATE mailbox_states SET failed_dialogue = '[1]', failed_dialogue_at = now()": {"fetcher"},
    "SELECT failed_dialogue FROM mailbox_states": {"fetcher", "web", *PEOPLE},
    "SELECT * FROM sender_rules": {"classifier", "web", *PEOPLE},
    "INSERT INTO sender_rules (kind, pattern, verdict) VALUES ('domain', 'spam.example', 'block')": {"web", *PEOPLE},
    "UPDATE sender_rules SET verdict = 'allow'": {"web", *PEOPLE},
    "DELETE FROM sender_rules": {"web", *PEOPLE},
    "DELETE FROM mailbox_states": set(),
    "UPDATE web_users SET openid_issuer = 'https://login.example', openid_subject = '42' WHERE false": {"web"},
    "SELECT openid_subject FROM web_users": {"web"},
    "SELECT group_name FROM web_memberships": {"web", *PEOPLE},
    "INSERT INTO web_memberships (user_id, group_name) SELECT id, 'x' FROM web_users LIMIT 1": {"web"},
    "DELETE FROM web_memberships": {"web"},
    "UPDATE web_memberships SET group_name = 'x'": set(),
    "SELECT role FROM web_rights_by_group": {"web", *PEOPLE},
    "UPDATE web_group_rights SET role = 'viewer'": {"web", *PEOPLE},
    "UPDATE web_group_rights SET group_name = 'x'": set(),
    "DELETE FROM web_group_rights": {"web", *PEOPLE},
    "SELECT state FROM web_jobs": {"web"},
    "SELECT came_to FROM web_job_mails": {"web"},
    "UPDATE web_jobs SET state = 'paused'": {"web"},
    "UPDATE web_jobs SET started_by = 1": set(),
    "DELETE FROM web_jobs": {"web"},
    "DELETE FROM web_job_mails": set(),
    "UPDATE web_job_mails SET mail_id = gen_random_uuid()": set(),
    "SELECT problem FROM mailbox_checks": {"web", *PEOPLE},
    "INSERT INTO mailbox_checks (helpdesk_id, took_ms, unread, taken_in, filed, quiet_checks, quiet_ms,"
    " quiet_longest_ms) VALUES (1, 1, 0, 0, 0, 0, 0, 0)": {"fetcher"},
    "UPDATE mailbox_checks SET taken_in = 0": set(),
    "UPDATE mailbox_checks SET problem = problem, alike = alike + 1": set(),
    "UPDATE mailbox_checks SET problem = 'x', alike = alike + 1 WHERE problem_kind = 'unreachable'": {"fetcher"},
    "DELETE FROM mailbox_checks": set(),
    "SELECT remove_mailbox_checks(1)": {"operator"},
    "SELECT * FROM helpdesks": {"web", *PEOPLE},
    "SELECT name FROM helpdesks": {"ticket_writer", "notifier", "web", "reconciler", *PEOPLE},
    "UPDATE helpdesks SET name = 'Anders' WHERE id = 1": PEOPLE,
    "SELECT * FROM calendar_hours": {"ticket_writer", "ui", "web", *PEOPLE},
    "UPDATE persons SET name = 'Anna' WHERE id = 1": {"ui", *PEOPLE},
    "SELECT active FROM persons": EVERYONE - {"notifier", "reconciler"},
    "SELECT name FROM persons": {"notifier", "ui", "web", *PEOPLE},
    "SELECT * FROM person_addresses": {"ui", "web", *PEOPLE},
    "SELECT address_key FROM person_addresses": {"classifier", "ui", "web", *PEOPLE},
    "UPDATE statuses SET position = 1 WHERE id = 2": {"ui", "web", *PEOPLE},
    "SELECT * FROM templates": {"web", *PEOPLE},
    "SELECT subject, body_html, body_text FROM templates": {"notifier", "web", *PEOPLE},
    "DELETE FROM templates": PEOPLE,
    "DELETE FROM organisations WHERE id = 2": set(),
    "UPDATE entry_channels SET system_key = NULL": set(),
    "UPDATE entry_channels SET name = 'post' WHERE system_key IS NULL": {"ui"},
    "SELECT fed_by_rule FROM importer_settings": {"classifier", "web", *PEOPLE},
    "UPDATE ui_v1.mailbox_settings SET fed_by_rule = true": {"ui"},
    # blobs
    "SELECT content FROM blob_chunks": {"fetcher", "classifier", "ticket_writer"},
    "SELECT content FROM raw_mail_chunks": {"web", *PEOPLE},
    "SELECT note_look_at_raw_mail('00000000-0000-0000-0000-000000000001')": {"ui", "web", *PEOPLE},
    # which installation the database belongs to
    "SELECT * FROM installation": set(),
    "UPDATE installation SET confirmed_at = NULL": set(),
    "SELECT installation_confirmed('')": {"fetcher", "notifier"},
    "SELECT present_installation('')": {"fetcher", "notifier"},
    "SELECT * FROM installation_standing()": {"web", *PEOPLE},
    "SELECT confirm_installation('', true)": PEOPLE,
    "SELECT * FROM note_brought_back(now() - interval '1 hour', NULL)": PEOPLE,
    "UPDATE mailbox_states SET read_again_from = NULL, read_again_until = NULL": {"fetcher"},
    "UPDATE mailbox_states SET read_again_silent = true": {"fetcher", *PEOPLE},
    # the audit log
    "SELECT * FROM audit_log": {"web", *PEOPLE},
    "INSERT INTO audit_log (database_role, tool, kind, deed, thing) VALUES ('x', 'x', 'repair', 'x', 'x')": set(),
    "UPDATE audit_log SET actor = 'x'": set(),
    "DELETE FROM audit_log": set(),
    "TRUNCATE audit_log": set(),
    "SELECT record_audit('repair', 'x', 'x', NULL, NULL, NULL, NULL, NULL)": {"reconciler", *PEOPLE},
    "INSERT INTO blobs (sha256, byte_size) VALUES (sha256('new'), 3)": {"fetcher", "classifier"},
    "INSERT INTO blob_chunks VALUES (sha256('1'), 1, '1')": {"fetcher", "classifier"},
    "UPDATE blob_chunks SET content = '2'": set(),
    "DELETE FROM blobs WHERE sha256 = sha256('new')": {"operator"},
    # what goes after a while
    "SELECT raw_mail_days FROM retention": PEOPLE,
    "UPDATE retention SET raw_mail_days = 30": PEOPLE,
    "SELECT * FROM remove_raw_mails(1, '-infinity', '00000000-0000-0000-0000-000000000000')": {"operator"},
    "SELECT remove_identities(1)": {"operator"},
    "SELECT erase_person('niemand@elders.example')": {"operator"},
    "SELECT job, finished_at FROM nightly_jobs": {"reconciler", *PEOPLE},
    "INSERT INTO nightly_jobs (job) VALUES ('retention')": {"operator", "reconciler"},
    # what compares: it sees that a body or bytes are not right, and neither of them
    "SELECT * FROM pictures_not_there(1, 9)": {"reconciler"},
    "SELECT * FROM damaged_blobs('', '\\xff', true)": {"reconciler"},
    # the ledger
    "SELECT outcome FROM imported_mails": {"fetcher", "ticket_writer", "web", "reconciler", *PEOPLE},
    "SELECT subject FROM imported_mails": {"ticket_writer", "web", *PEOPLE},
    MAIL: {"fetcher", *PEOPLE},
    "UPDATE imported_mails SET published_at = now(), marked_read_at = now()": {"fetcher"},
    "UPDATE imported_mails SET next_republish_at = now()": {"fetcher", "web", "reconciler", *PEOPLE},
    "UPDATE imported_mails SET outcome = outcome": {"ticket_writer"},
    "UPDATE imported_mails SET replay_number = replay_number + 1, published_at = NULL, choice = NULL": {"web", *PEOPLE},
    "UPDATE imported_mails SET outcome_at = now(), reasons = '[]', decided_replay = 0 WHERE outcome IS NULL": {
        "ticket_writer",
        "web",
        *PEOPLE,
    },
    "UPDATE imported_mails SET raw_sha256 = raw_sha256": set(),
    "UPDATE imported_mails SET received_at = now()": set(),
    "DELETE FROM imported_mails": set(),
    "SELECT * FROM imported_mail_outcomes": {"web", *PEOPLE},
    "INSERT INTO imported_mail_outcomes (mail_id, outcome, outcome_at, reasons) SELECT mail_id, outcome, outcome_at,"
    " reasons FROM imported_mails": set(),
    "SELECT record_dead_letter('00000000-0000-0000-0000-000000000001', 'ticket.events', 'x')": SERVICES | PEOPLE,
    "INSERT INTO dead_letters (mail_id, queue, reason) SELECT mail_id, 'q', 'r' FROM mail_blobs": set(),
    "UPDATE dead_letters SET resolved_at = now()": {"web", "reconciler", *PEOPLE},
    "INSERT INTO content_keys SELECT 1, sha256('a'), sha256('b'), '00000000-0000-0000-0000-000000000003', 3": {
        "ticket_writer"
    },
    "DELETE FROM content_keys": set(),
    # tickets
    "SELECT body_full_text FROM tickets": {"notifier", "web", *PEOPLE},
    "SELECT body_full_text FROM supplements": {"notifier", "web", *PEOPLE},
    "SELECT number FROM tickets": EVERYONE - {"fetcher"},
    "SELECT body_full_text FROM ui_v1.tickets": {"ui", "web"},
    "SELECT body_full_html FROM ui_v1.tickets": {"ui"},
    "SELECT id FROM tickets WHERE id = 1 FOR UPDATE": {"ticket_writer", "ui"},
    TICKET: {"ticket_writer", "ui"},
    "UPDATE tickets SET status_id = 2, deadline_at = NULL, completed_at = NULL WHERE id = 1": {
        "ticket_writer",
        "ui",
    },
    "UPDATE tickets SET title = 'Anders', priority_id = NULL WHERE id = 1": {"ui"},
    "UPDATE tickets SET reported_at = now() WHERE id = 1": {"ui"},
    "INSERT INTO entry_channels (name) VALUES ('telefoon')": {"ui"},
    "INSERT INTO supplement_types (name) VALUES ('getypt')": {"ui"},
    "UPDATE supplement_types SET name = 'anders' WHERE system_key IS NULL": {"ui"},
    "SELECT subject FROM ui_v1.templates": {"ui"},
    "UPDATE ui_v1.mailbox_settings SET marker = '=='": {"ui"},
    "UPDATE ui_v1.helpdesk_settings SET send_import_mails = false": {"ui"},
    "SELECT content FROM ui_v1.original_mail_chunks": {"ui"},
    "UPDATE tickets SET sender_address = 'iemand@anders.example'": set(),
    "UPDATE tickets SET mail_id = NULL": set(),
    "UPDATE tickets SET number = '1'": set(),
    "DELETE FROM tickets": set(),
    "INSERT INTO ticket_numbers (number, ticket_id) VALUES ('2000001', 1)": {"ui", *PEOPLE},
    "INSERT INTO ticket_numbers (number, ticket_id, is_alias) VALUES ('2000001', 1, false)": set(),
    "SELECT record_ticket_number_pattern('[1-9][0-9]{6}')": {"classifier"},
    "UPDATE ticket_number_pattern SET pattern = '[0-9]+'": set(),
    "SELECT pattern FROM ticket_number_pattern": PEOPLE,
    "SELECT is_found_as_number('1000001')": PEOPLE,
    "SELECT * FROM ticket_number_standing()": PEOPLE,
    "SELECT setval('ticket_number_seq', 1)": set(),
    "UPDATE supplements SET held_for_review = false WHERE id = 1": {"ticket_writer"},
    "UPDATE supplements SET status_id = 1, deadline_at = NULL WHERE id = 1": {"ticket_writer"},
    "SELECT ui_v1.accept_review('00000000-0000-0000-0000-000000000003', 1)": {"ui", "web"},
    "UPDATE review_requests SET answered_at = now()": {"ticket_writer"},
    "SELECT * FROM review_requests": PEOPLE,
    "SELECT * FROM ui_v1.review_requests": {"ui"},
    "UPDATE supplements SET sender_address = NULL": set(),
    "INSERT INTO ticket_history (ticket_id, kind, description) VALUES (1, 'note', 'Gebeld')": {
        "ticket_writer",
        "ui",
    },
    "UPDATE ticket_history SET description = 'Anders'": set(),
    "DELETE FROM ticket_history": set(),
    "INSERT INTO attachments (id, ticket_id, name, media_type, byte_size, left_out_reason)"
    " VALUES (gen_random_uuid(), 1, 'a', 'b', 1, 'c')": {"ticket_writer"},
    "INSERT INTO attachment_copies SELECT gen_random_uuid(), 'thumbnail', gen_random_uuid(), 'image/png', 1, 1, 1,"
    " sha256('x')": {"ticket_writer"},
    "SELECT content FROM ui_v1.attachment_chunks": {"ui", "web"},
    "SELECT content FROM ui_v1.attachment_copy_chunks": {"ui"},
    # notifications
    "SELECT mime FROM notifications": {"notifier", *PEOPLE},
    "SELECT message_id FROM notifications": {"classifier", "ticket_writer", "notifier", *PEOPLE},
    "UPDATE notifications SET state = 'failed', reason = 'x'": {"notifier", "ticket_writer"},
    "UPDATE notifications SET report_status = '5.1.1'": {"ticket_writer"},
    "UPDATE notifications SET sent_at = now()": {"notifier"},
    "UPDATE notifications SET recipient_address = 'iemand@anders.example'": set(),
    "UPDATE notifications SET next_try_at = now()": {"notifier", "web", "reconciler", *PEOPLE},
    "DELETE FROM notifications": set(),
    "SELECT discard_held_mails(NULL, NULL)": PEOPLE,
    "SELECT resend_notification(gen_random_uuid(), 'x@y.example', 'x@y.example', NULL)": {"web", *PEOPLE},
    "SELECT recipient_now(gen_random_uuid())": {"web", *PEOPLE},
    "SELECT helpdesk_id FROM outgoing_holds": {"notifier", "web", "reconciler", *PEOPLE},
    "INSERT INTO outgoing_holds (helpdesk_id, reason) VALUES (NULL, 'x')": {"web", *PEOPLE},
    "DELETE FROM outgoing_holds": {"web", *PEOPLE},
    "SELECT paused_since FROM importer_settings": {"fetcher", "reconciler", "web", *PEOPLE},
    "UPDATE importer_settings SET paused_since = now(), paused_reason = 'x' WHERE helpdesk_id = 1": {"web", *PEOPLE},
    # what the web console asks of services, which alone answer
    "INSERT INTO service_questions (service, question, helpdesk_id, asked_by) VALUES ('fetcher', 'check', 1, 'x')": {
        "web"
    },
    "SELECT answer FROM service_questions": {"web"},
    "SELECT arguments FROM service_questions": {"fetcher", "notifier", "classifier", "ticket_writer"},
    "SELECT mail FROM service_questions": {"classifier"},
    "UPDATE service_questions SET answered_at = now(), answer = '{}' WHERE service = 'nobody'": {
        "fetcher",
        "notifier",
        "classifier",
        "ticket_writer",
    },
    "UPDATE service_questions SET service = 'ticket_writer' WHERE service = 'nobody'": {"classifier"},
    "DELETE FROM service_questions": {"fetcher", "notifier", "classifier", "ticket_writer", "web"},
    "UPDATE service_questions SET question = 'check'": set(),
    "UPDATE helpdesks SET outgoing_account_id = NULL WHERE id = 1": {"web", *PEOPLE},
    "UPDATE calendars SET time_zone = 'Europe/Brussels' WHERE id = 1": {"ui", "web", *PEOPLE},
    "SELECT name FROM logins": {"fetcher", "web", *PEOPLE},
    "SELECT username FROM outgoing_accounts": PEOPLE,
    "UPDATE outgoing_accounts SET host = 'x' WHERE id = 1": PEOPLE,
    "UPDATE employees SET active = false WHERE id = 2": {"ui", *PEOPLE},
    # who uses the web console: it alone reads passwords' hashes, and the command line cannot take a session
    "SELECT password_hash FROM web_users": {"web"},
    "UPDATE web_users SET password_hash = 'x'": {"web"},
    "UPDATE web_users SET operator = true": {"web", *PEOPLE},
    "SELECT name, has_password FROM web_users": {"web", *PEOPLE},
    "INSERT INTO web_rights (user_id, helpdesk_id, role) SELECT id, 2, 'viewer' FROM web_users LIMIT 1": {
        "web",
        *PEOPLE,
    },
    "INSERT INTO web_sessions (token_hash, user_id, ends_at) SELECT sha256('new'), id, now() FROM web_users LIMIT 1": {
        "web"
    },
    "SELECT token_hash FROM web_sessions": {"web"},
    "SELECT subject FROM web_login_tries": {"web"},
    # the server
    "CREATE TABLE helpdesk.mine ()": set(),
    "UPDATE public.alembic_version SET version_num = '0'": set(),
}


@pytest.fixture(scope="session")
async def pools(filled_database: Any) -> AsyncIterator[dict[str, Pool]]:
    async with AsyncExitStack() as stack:
        yield {role: await stack.enter_async_context(filled_database.pool(role, max_size=1)) for role in EVERYONE}


@pytest.mark.parametrize("role", sorted(EVERYONE))
@pytest.mark.parametrize("statement", MAY)
async def test_privilege(pools: dict[str, Pool], statement: str, role: str) -> None:
    async with pools[role].acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        try:
            # A constraint that refuses the row has let the role through.
            with suppress(asyncpg.IntegrityConstraintViolationError):
                await connection.execute(statement)
            allowed = True
        except asyncpg.InsufficientPrivilegeError:
            allowed = False
        finally:
            await transaction.rollback()
    assert allowed is (role in MAY[statement])


async def test_no_role_of_ours_is_powerful(pools: dict[str, Pool]) -> None:
    roles = await pools["console"].fetch(
        "SELECT rolname, rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls AS powerful,"
        " EXISTS (SELECT FROM pg_auth_members WHERE member = pg_roles.oid) AS inherits"
        " FROM pg_roles WHERE rolname ~ '^(importer_|helpdesk_ui)' AND rolname <> 'importer_owner'"
    )
    assert len(roles) == len(EVERYONE)
    assert [row["rolname"] for row in roles if row["powerful"] or row["inherits"]] == []
