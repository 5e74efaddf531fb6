-- One row or more in every table: two helpdesks, a ticket of each, a supplement, a duplicate, a quarantined mail.
INSERT INTO organisations (id, name) VALUES (1, 'Bakkerij De Korenaar'), (2, 'Onbekend');
INSERT INTO persons (id, organisation_id, name) VALUES (1, 1, 'Anna de Vries'), (2, 2, 'Onbekende afzender');
INSERT INTO person_addresses (person_id, address) VALUES (1, 'Anna@Korenaar.example');
INSERT INTO employees (id, name) VALUES (1, 'E-mail importer'), (2, 'Piet Bakker');
INSERT INTO employee_addresses (employee_id, address) VALUES (2, 'piet@helpdesk.example');
INSERT INTO calendars (id, name) VALUES (1, 'Kantooruren');
INSERT INTO calendar_hours VALUES (1, 1, '8:30', '17:00');
INSERT INTO calendar_exceptions (calendar_id, day, description) VALUES (1, '2026-12-24', 'Bedrijfsuitje');
INSERT INTO outgoing_accounts (id, name, host, port, username, password_encrypted)
    VALUES (1, 'Uitgaand', 'mail.example', 587, 'support', '\x01');
INSERT INTO sealing_keys (key_id, public_key) SELECT substr(sha256(key), 1, 8), key FROM sha256('key') AS key;
INSERT INTO helpdesk_groups (id, name) VALUES (1, 'Samen');
INSERT INTO helpdesks (id, name, group_id, calendar_id, outgoing_account_id, sender_address)
    VALUES (1, 'Support', 1, 1, 1, 'support@helpdesk.example'), (2, 'Verkoop', 1, 1, 1, NULL);
INSERT INTO statuses (id, helpdesk_id, name, flag) VALUES (1, 1, 'E-mail Geïmporteerd', 'imported'), (2, 1, 'Open', NULL),
    (3, 2, 'Nieuw', 'imported');
INSERT INTO statuses (id, helpdesk_id, name, category) VALUES (4, 1, 'Gesloten', 'closed');
INSERT INTO ticket_types (id, helpdesk_id, name) VALUES (1, 1, 'Storing');
INSERT INTO priorities (id, helpdesk_id, name, resolution_minutes) VALUES (1, 1, 'Hoog', 240), (2, 2, 'Laag', NULL);
INSERT INTO environments (id, helpdesk_id, name) VALUES (1, 1, 'Productie');
INSERT INTO categories (id, helpdesk_id, parent_id, name) VALUES (1, 1, NULL, 'Kassa'), (2, 1, 1, 'Printer'), (3, 1, NULL, 'Web');
UPDATE helpdesks SET default_ticket_type_id = 1, default_priority_id = 1, default_environment_id = 1,
    default_ticket_manager_id = 2, default_executor_id = 2, portal_supplement_status_id = 2 WHERE id = 1;
INSERT INTO templates (helpdesk_id, kind, subject) VALUES (1, 'ticket-added-customer', '[ticketnummer] is geregistreerd');
INSERT INTO importer_settings (helpdesk_id, enabled, kind, server, default_contact_id, default_employee_id, password_encrypted)
    VALUES (1, true, 'maildir', '/mail/support', 2, 1, '\x02'), (2, false, NULL, NULL, NULL, NULL, NULL);
INSERT INTO sender_rules (helpdesk_id, kind, pattern, verdict)
    VALUES (NULL, 'domain', 'reclame.example', 'block'), (1, 'address', 'baas@reclame.example', 'allow');

INSERT INTO blobs (sha256, byte_size) SELECT sha256(n::text::bytea), 1 FROM generate_series(1, 5) AS n;
INSERT INTO blob_chunks SELECT sha256(n::text::bytea), 0, n::text::bytea FROM generate_series(1, 5) AS n;
INSERT INTO imported_mails (mail_id, helpdesk_id, generation, folder, item_key, raw_sha256, raw_size, full_size, received_at)
SELECT ('00000000-0000-0000-0000-00000000000' || n)::uuid, CASE WHEN n = 2 THEN 2 ELSE 1 END, 1, 'INBOX', 'item-' || n,
    sha256(n::text::bytea), 1, 1, timestamptz '2026-11-23 09:00+01' + n * interval '1 minute'
FROM generate_series(1, 5) AS n;
INSERT INTO mail_blobs SELECT mail_id, raw_sha256 FROM imported_mails;

INSERT INTO tickets (id, helpdesk_id, organisation_id, contact_id, created_by_employee_id, changed_by_employee_id,
    reported_at, entry_channel_id, mail_subject, title, body_html, body_full_html, body_full_text, priority_id, category_id,
    subcategory_id, status_id, sender_name, sender_address, mail_id)
SELECT 1, 1, 1, 1, 1, 1, '2026-11-23 09:01+01', id, 'Kassa hapert', 'Kassa hapert', '<p>De bonnenprinters lopen vast</p>',
    '<p>De bonnenprinters lopen vast</p>', 'De bonnenprinters lopen vast', 1, 1, 2, 1, 'Anna', 'anna@korenaar.example',
    '00000000-0000-0000-0000-000000000001' FROM entry_channels WHERE system_key = 'mail';
INSERT INTO tickets (id, helpdesk_id, organisation_id, contact_id, created_by_employee_id, changed_by_employee_id,
    reported_at, title, status_id, sender_address, mail_id)
VALUES (2, 2, 2, 2, 1, 1, '2026-11-23 09:02+01', 'Offerte', 3, 'wie@elders.example', '00000000-0000-0000-0000-000000000002'),
    (3, 1, 2, 2, 1, 1, '2026-11-23 08:00+01', 'Uit het portaal', 2, NULL, NULL);
UPDATE ticket_number_pattern SET pattern = 'TCK-[0-9]{1,5}|[1-9][0-9]{6,9}';
INSERT INTO ticket_numbers (number, ticket_id) VALUES ('TCK-12', 1);
INSERT INTO supplements (id, ticket_id, reported_at, supplement_type_id, informant_person_id, body_full_text,
    visible_to_customer, expanded, status_id, priority_id, recalculate_deadline, created_by_person_id,
    changed_by_employee_id, sender_address, mail_id)
SELECT 1, 1, '2026-11-23 09:03+01', id, 1, 'Nu ook de schermen', true, false, 2, 1, false, 1, 1, 'anna@korenaar.example',
    '00000000-0000-0000-0000-000000000003' FROM supplement_types WHERE system_key = 'imported_from_mail';
INSERT INTO ticket_history (ticket_id, kind, description, employee_id) VALUES (1, 'created', 'Aangemaakt via mail import', 1);
INSERT INTO ticket_history (ticket_id, supplement_id, kind, description) VALUES (1, 1, 'supplemented', 'Aangevuld via mail import');
INSERT INTO attachments (id, ticket_id, mail_id, name, media_type, byte_size, width, height, inline, blob_sha256)
VALUES ('10000000-0000-0000-0000-000000000001', 1, '00000000-0000-0000-0000-000000000001', 'scherm.png', 'image/png', 1, 1, 1,
    true, sha256('1'::bytea));
INSERT INTO attachments (id, ticket_id, mail_id, name, media_type, byte_size, left_out_reason)
VALUES ('10000000-0000-0000-0000-000000000002', 1, '00000000-0000-0000-0000-000000000001', 'factuur.pdf', 'application/pdf', 9,
    'geen afbeelding');
INSERT INTO attachment_copies (attachment_id, kind, mail_id, media_type, width, height, byte_size, blob_sha256)
VALUES ('10000000-0000-0000-0000-000000000001', 'rendition', '00000000-0000-0000-0000-000000000001', 'image/png', 1, 1, 1,
    sha256('1'::bytea));
INSERT INTO content_keys (helpdesk_id, content_key, text_digest, mail_id, ticket_id)
VALUES (1, sha256('key'), sha256('text'), '00000000-0000-0000-0000-000000000001', 1);
UPDATE imported_mails SET outcome = 'ticket', outcome_at = now(), ticket_id = CASE WHEN helpdesk_id = 1 THEN 1 ELSE 2 END
    WHERE item_key IN ('item-1', 'item-2');
UPDATE imported_mails SET outcome = 'supplement', outcome_at = now(), ticket_id = 1, supplement_id = 1 WHERE item_key = 'item-3';
UPDATE imported_mails SET outcome = 'quarantine', outcome_at = now(), reasons = '[{"id": "no-sender"}]' WHERE item_key = 'item-4';
UPDATE imported_mails SET outcome = 'duplicate', outcome_at = now(), reasons = '[{"id": "duplicate-content"}]',
    duplicate_of = '00000000-0000-0000-0000-000000000001' WHERE item_key = 'item-4';
INSERT INTO notifications (id, mail_id, kind, helpdesk_id, ticket_id, recipient_address, state)
VALUES ('20000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000001', 'ticket-added-customer', 1, 1,
    'Anna@Korenaar.example', 'planned');
INSERT INTO review_requests (mail_id, employee_id, answered_at) VALUES ('00000000-0000-0000-0000-000000000003', 1, now());
SELECT record_dead_letter('00000000-0000-0000-0000-000000000005', 'mail.classified', 'onze fout');
INSERT INTO helpdesk_administrators (helpdesk_id, employee_id) VALUES (1, 1);
INSERT INTO alarms (cause, key, helpdesks, english, dutch) VALUES ('mailbox', 'unreachable x', '{}', 'Away', 'Weg');
INSERT INTO alarm_tellings (alarm_id, event, channel) SELECT id, 'began', 'mail' FROM alarms;
INSERT INTO alarm_digests (helpdesk_id, day, channel) VALUES (1, '2026-11-23', 'mail');
INSERT INTO maintenance_windows (helpdesk_id, ends_at) VALUES (1, now() + interval '1 hour');
INSERT INTO outgoing_holds (helpdesk_id, reason) VALUES (2, 'Verhuizing');
INSERT INTO sender_budgets (helpdesk_id, sender, spent_until) VALUES (1, sha256('veelschrijver'), now());
INSERT INTO held_mails (mail_id, helpdesk_id, sender_address, held_until)
    SELECT mail_id, helpdesk_id, 'veel@elders.example', now() FROM imported_mails LIMIT 1;
INSERT INTO mailbox_checks (helpdesk_id, at, took_ms, unread, taken_in, filed, problem_kind, problem, problem_ended, quiet_checks,
    quiet_ms, quiet_longest_ms) VALUES
    (1, '2026-01-01 00:00Z', 900, 2, 2, 2, NULL, NULL, NULL, 0, 0, 0),
    (1, '2026-01-01 09:00Z', 20000, 0, 0, 0, 'unreachable', 'De mailserver antwoordt niet.', NULL, 540, 81000, 900),
    (1, '2026-01-01 11:00Z', 300, 1, 1, 1, NULL, NULL, '2026-01-01 09:00Z', 3, 60000, 20000),
    (2, '2026-01-01 09:00Z', 300, 1, 1, 1, NULL, NULL, NULL, 0, 0, 0);
UPDATE mailbox_states SET failed_dialogue_at = '2026-01-01 09:00Z', failed_dialogue = '[
    {"at": 0, "took": 20000, "asked": "connect een-lange-naam-van-een-mailserver.voorbeeld.example:993", "came": "timed out"}]'
    WHERE helpdesk_id = 1;
INSERT INTO service_questions (service, question, helpdesk_id, asked_by) VALUES ('notifier', 'nothing', 2, 'baas');

INSERT INTO web_users (name, operator) VALUES ('baas-van-alles', true), ('kijkster', false);
INSERT INTO web_rights (user_id, helpdesk_id, role) SELECT id, 1, 'viewer' FROM web_users WHERE name = 'kijkster';
INSERT INTO web_group_rights (issuer, group_name, called, helpdesk_id, role) VALUES
    ('https://login.example', '0b1c', 'Servicedesk', 1, 'viewer'), ('https://login.example', '7d2e', '', NULL, 'operator');
INSERT INTO web_memberships (user_id, group_name) SELECT id, '0b1c' FROM web_users WHERE name = 'kijkster';
INSERT INTO web_sessions (token_hash, user_id, ends_at) SELECT sha256('session'), id, now() FROM web_users LIMIT 1;
INSERT INTO web_invitations (token_hash, user_id, ends_at) SELECT sha256('link'), id, now() FROM web_users LIMIT 1;
INSERT INTO web_jobs (what, started_by, state, total, done, failed, worked_ms)
    SELECT 'replay', id, 'paused', 3, 1, 1, 2000 FROM web_users WHERE name = 'baas-van-alles';
INSERT INTO web_job_mails (job_id, position, mail_id, came_to)
    SELECT id, n, ('00000000-0000-0000-0000-00000000000' || n)::uuid, (ARRAY['done', 'unknown'])[n]
    FROM web_jobs, generate_series(1, 3) AS n;
INSERT INTO web_login_tries (subject) VALUES (sha256('name'));

-- New rows get ids well after these.
DO $$
DECLARE
    counter text;
BEGIN
    FOR counter IN SELECT format('%I.%I', schemaname, sequencename) FROM pg_sequences
        WHERE schemaname = 'helpdesk' AND sequencename <> 'ticket_number_seq' LOOP
        PERFORM setval(counter, 100);
    END LOOP;
END $$;
INSERT INTO nightly_jobs (job) VALUES ('reconcile');
