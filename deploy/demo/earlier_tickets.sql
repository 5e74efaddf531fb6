-- Tickets from before the importer: 1000001 to 1000003, of which the second had another number in an older system.
-- Run by the owner of the database, in the transaction behind organisation.sql.

SET LOCAL search_path = helpdesk, public;

INSERT INTO tickets (helpdesk_id, organisation_id, contact_id, title, body_html, body_full_html, body_full_text, status_id,
                     priority_id, ticket_manager_id, executor_id, recalculate_deadline, reported_at, completed_at,
                     created_by_employee_id, changed_by_employee_id)
SELECT helpdesks.id, persons.organisation_id, persons.id, given.title, '<p>' || given.request || '</p>',
       '<p>' || given.request || '</p>', given.request, statuses.id, priorities.id, helpdesks.default_ticket_manager_id,
       helpdesks.default_executor_id, helpdesks.recalculate_deadline, now() - given.ago,
       CASE WHEN statuses.category = 'closed' THEN now() - given.ago / 2 END, employees.id, employees.id
FROM (VALUES
    (1, 'ICT-servicedesk', 'Sanne Visser', 'Kassa 1 start niet op', 'Kassa 1 blijft bij het logo staan.',
     'In behandeling', 'Hoog', interval '1 day', 'Tom Jansen'),
    (2, 'ICT-servicedesk', 'Ahmed Yılmaz', 'VPN verbreekt elk uur', 'Elk uur valt de verbinding weg.',
     'Gereed', 'Normaal', interval '12 days', 'Tom Jansen'),
    (3, 'Facilitair', 'Joke Hoekstra', 'Lekkende kraan in de keuken', 'De kraan lekt sinds maandag.',
     'Ingepland', 'Gewoon', interval '3 days', 'Fatima el Amrani')
) AS given (position, helpdesk, contact, title, request, status, priority, ago, author)
JOIN helpdesks ON helpdesks.name = given.helpdesk
JOIN persons ON persons.name = given.contact
JOIN statuses ON statuses.helpdesk_id = helpdesks.id AND statuses.name = given.status
JOIN priorities ON priorities.helpdesk_id = helpdesks.id AND priorities.name = given.priority
JOIN employees ON employees.name = given.author
ORDER BY given.position;

INSERT INTO ticket_numbers (number, ticket_id)
SELECT '1000417', id FROM tickets WHERE title = 'VPN verbreekt elk uur';
