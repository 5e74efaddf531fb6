-- Who writes the mails of `tests.benchmarks.mix`: 250 contacts in 50 organisations, and the thousand tickets that
-- follow-ups are about, 1000001 to 1001000. Run by the owner of the database, behind organisation.sql.

SET LOCAL search_path = helpdesk, public;

INSERT INTO organisations (name) SELECT 'Klantorganisatie ' || n FROM generate_series(0, 49) AS n;

INSERT INTO persons (organisation_id, name)
SELECT organisations.id, 'Contact ' || n
FROM generate_series(0, 249) AS n JOIN organisations ON organisations.name = 'Klantorganisatie ' || n % 50;

INSERT INTO person_addresses (person_id, address)
SELECT persons.id, format('contact%s@klant%s.example', n, n % 50)
FROM generate_series(0, 249) AS n JOIN persons ON persons.name = 'Contact ' || n;

INSERT INTO tickets (helpdesk_id, organisation_id, contact_id, title, body_html, body_full_html, body_full_text, status_id,
                     priority_id, ticket_manager_id, executor_id, recalculate_deadline, reported_at,
                     created_by_employee_id, changed_by_employee_id)
SELECT helpdesks.id, persons.organisation_id, persons.id, 'Melding van eerder ' || n, '<p>Graag hulp.</p>',
       '<p>Graag hulp.</p>', 'Graag hulp.', statuses.id, helpdesks.default_priority_id,
       helpdesks.default_ticket_manager_id, helpdesks.default_executor_id, helpdesks.recalculate_deadline,
       now() - interval '1 day', employees.id, employees.id
FROM generate_series(0, 999) AS n
    JOIN helpdesks ON helpdesks.name = 'ICT-servicedesk'
    JOIN persons ON persons.name = 'Contact ' || n % 250
    JOIN statuses ON statuses.helpdesk_id = helpdesks.id AND statuses.name = 'In behandeling'
    JOIN employees ON employees.name = 'Tom Jansen'
ORDER BY n;

-- every sender gets his confirmation: the limits are for floods, and a benchmark is one
UPDATE helpdesks SET unknown_senders_per_hour = 100000;
