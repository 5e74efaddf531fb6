-- A database that has been in use: as many tickets and contacts as the settings bench.first to bench.last say, beside
-- those of customers.sql. Run by a superuser with session_replication_role = replica, so that no trigger and no foreign
-- key is looked at: what the triggers would write (number, status flag, search document) is written here.

INSERT INTO helpdesk.persons (id, organisation_id, name, active)
OVERRIDING SYSTEM VALUE
SELECT 1000000 + n, organisation.id, 'Contact van vroeger ' || n, true
FROM generate_series(current_setting('bench.first')::bigint, current_setting('bench.last')::bigint) AS n
    JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM helpdesk.organisations
          WHERE name LIKE 'Klantorganisatie %') AS organisation ON organisation.place = n % 50;

INSERT INTO helpdesk.person_addresses (person_id, address)
SELECT 1000000 + n, format('vroeger%s@vroeger%s.example', n, n % 1000)
FROM generate_series(current_setting('bench.first')::bigint, current_setting('bench.last')::bigint) AS n;

WITH ticket AS (
    INSERT INTO helpdesk.tickets (
        number, helpdesk_id, organisation_id, contact_id, title, mail_subject, body_html, body_full_html, body_full_text,
        status_id, status_flag, priority_id, ticket_manager_id, executor_id, recalculate_deadline, reported_at,
        created_at, changed_at, created_by_employee_id, changed_by_employee_id, sender_address, search_document)
    SELECT (100000000 + n)::text, helpdesks.id, organisation.id, 1000000 + n, words.said, words.said,
        '<p>Graag hulp.</p>', '<p>Graag hulp.</p>', 'Graag hulp.', statuses.id, statuses.flag,
        helpdesks.default_priority_id, helpdesks.default_ticket_manager_id, helpdesks.default_executor_id, false,
        at.reported, at.reported, at.reported, employees.id, employees.id,
        format('vroeger%s@vroeger%s.example', n, n % 1000), to_tsvector('simple', words.said)
    FROM generate_series(current_setting('bench.first')::bigint, current_setting('bench.last')::bigint) AS n
        JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM helpdesk.organisations
              WHERE name LIKE 'Klantorganisatie %') AS organisation ON organisation.place = n % 50
        JOIN helpdesk.helpdesks ON helpdesks.name = 'ICT-servicedesk'
        JOIN helpdesk.statuses ON statuses.helpdesk_id = helpdesks.id AND statuses.name = 'Gereed'
        JOIN helpdesk.employees ON employees.name = 'Tom Jansen'
        CROSS JOIN LATERAL (SELECT format('Melding van vroeger %s over de printer op kamer %s', n, n % 997) AS said) AS words
        CROSS JOIN LATERAL (SELECT now() - interval '1 day' - n * interval '1 minute' AS reported) AS at
    RETURNING id, number
)
INSERT INTO helpdesk.ticket_numbers (number, ticket_id, is_alias) SELECT number, id, false FROM ticket;
