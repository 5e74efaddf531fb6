-- As many imported tickets as the setting test.tickets says, spread over ten helpdesks, one in fifty still to be completed.
INSERT INTO organisations (name) SELECT 'Organisatie ' || n FROM generate_series(1, 1000) AS n;
INSERT INTO persons (organisation_id, name) SELECT 1 + n % 1000, 'Persoon ' || n FROM generate_series(1, 10000) AS n;
INSERT INTO person_addresses (person_id, address) SELECT n, 'persoon' || n || '@klant.example' FROM generate_series(1, 10000) AS n;
INSERT INTO employees (name) SELECT 'Werknemer ' || n FROM generate_series(1, 50) AS n;
INSERT INTO calendars (name) VALUES ('Kantooruren');
INSERT INTO helpdesks (name, calendar_id) SELECT 'Helpdesk ' || n, 1 FROM generate_series(1, 10) AS n;
INSERT INTO statuses (helpdesk_id, name, flag, category)
SELECT helpdesk, 'Status ' || n, CASE WHEN n = 1 THEN 'imported' END, CASE WHEN n = 4 THEN 'closed' ELSE 'open' END
FROM generate_series(1, 10) AS helpdesk, generate_series(1, 4) AS n ORDER BY helpdesk, n;
INSERT INTO importer_settings (helpdesk_id) SELECT id FROM helpdesks;
INSERT INTO blobs VALUES (sha256('x'), 1);

CREATE FUNCTION pg_temp.mail_id(n bigint) RETURNS uuid LANGUAGE sql AS
$$ SELECT ('00000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid $$;
CREATE FUNCTION pg_temp.words(length int, seed bigint) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg((ARRAY['kassa', 'printer', 'storing', 'scherm', 'wachtwoord', 'factuur', 'levering', 'bestelling',
        'account', 'mail', 'server', 'verbinding', 'traag', 'uitval', 'melding', 'update', 'installatie', 'licentie',
        'gebruiker', 'toegang', 'netwerk', 'telefoon'])[1 + abs(hashint8(seed * 31 + n)) % 22]
        || CASE WHEN n % 7 = 0 THEN ' n' || abs(hashint8(seed + n)) % 65536 ELSE '' END, ' ')
    FROM generate_series(1, length) AS n $$;

INSERT INTO imported_mails (mail_id, helpdesk_id, generation, folder, item_key, raw_sha256, raw_size, full_size, received_at,
    published_at, marked_read_at, message_id_header, sender_address)
SELECT pg_temp.mail_id(n), 1 + n % 10, 1, 'INBOX', 'item-' || n, sha256('x'), 1, 1, now() - n * interval '1 minute', now(), now(),
    '<mail-' || n || '@klant.example>', 'Persoon' || 1 + n % 10000 || '@klant.example'
FROM generate_series(1, current_setting('test.tickets')::bigint) AS n;
INSERT INTO tickets (helpdesk_id, organisation_id, contact_id, created_by_employee_id, changed_by_employee_id, reported_at,
    title, mail_subject, body_html, body_full_html, body_full_text, status_id, executor_id, sender_address, mail_id)
SELECT 1 + n % 10, 1 + n % 1000, 1 + n % 10000, 1, 1, now() - n * interval '1 minute', subject, subject, body, body, body,
    4 * (n % 10) + CASE WHEN n / 10 % 50 = 0 THEN 1 WHEN n / 10 % 10 = 0 THEN 2 ELSE 4 END, 1 + n % 50,
    'Persoon' || 1 + n % 10000 || '@klant.example', pg_temp.mail_id(n)
FROM generate_series(1, current_setting('test.tickets')::bigint) AS n,
    LATERAL (SELECT pg_temp.words(8, n) AS subject, pg_temp.words(60, n * 1000) AS body) AS written;
UPDATE imported_mails SET outcome = 'ticket', outcome_at = now(), ticket_id = tickets.id, classified_at = now(), event_published_at = now()
FROM tickets WHERE tickets.mail_id = imported_mails.mail_id;
INSERT INTO notifications (id, mail_id, kind, helpdesk_id, ticket_id, recipient_address, state, sent_at, message_id, created_at)
SELECT gen_random_uuid(), mail_id, 'ticket-added-customer', helpdesk_id, id, sender_address, 'sent', now(),
    '<ticket-' || id || '@helpdesk.example>', reported_at FROM tickets;
INSERT INTO ticket_history (ticket_id, kind, description) SELECT id, 'created', 'Aangemaakt via mail import' FROM tickets;
