-- The sample organisation: Oosterdam Services, with an ICT and a facilities helpdesk, and the customers who mail them.
-- Run by role importer_console in one transaction, on an empty database; `demo.mailboxes` is the folder of the Maildirs,
-- `demo.smtp_port` the port of the mail server on this machine.

SET LOCAL search_path = helpdesk, public;

INSERT INTO organisations (name) VALUES
    ('Bakkerij De Gouden Aar'), ('Notariskantoor Hoekstra'), ('Gemeente Oosterdam'), ('Basisschool De Regenboog'),
    ('Onbekende afzenders');

INSERT INTO persons (organisation_id, name, active)
SELECT organisations.id, given.name, given.active
FROM (VALUES
    ('Bakkerij De Gouden Aar',   'Sanne Visser',                     true),
    ('Bakkerij De Gouden Aar',   'Pieter Kok',                       true),
    ('Notariskantoor Hoekstra',  'Joke Hoekstra',                    true),
    ('Gemeente Oosterdam',       'Ahmed Yılmaz',                     true),
    ('Gemeente Oosterdam',       'Linda Smit',                       true),
    ('Basisschool De Regenboog', 'Karin Mulder',                     true),
    ('Basisschool De Regenboog', 'Bas Willems',                      false),
    ('Onbekende afzenders',      'Onbekende afzender (ICT)',         true),
    ('Onbekende afzenders',      'Onbekende afzender (Facilitair)',  true)
) AS given (organisation, name, active)
JOIN organisations ON organisations.name = given.organisation;

INSERT INTO person_addresses (person_id, address)
SELECT persons.id, given.address
FROM (VALUES
    ('Sanne Visser',  'sanne.visser@goudenaar.example'),
    ('Pieter Kok',    'p.kok@goudenaar.example'),
    ('Joke Hoekstra', 'j.hoekstra@hoekstra-notaris.example'),
    ('Ahmed Yılmaz',  'a.yilmaz@oosterdam.example'),
    ('Linda Smit',    'linda.smit@oosterdam.example'),
    ('Karin Mulder',  'Karin.Mulder@regenboog.example'),
    ('Karin Mulder',  'directie@regenboog.example'),
    ('Bas Willems',   'b.willems@regenboog.example')
) AS given (name, address)
JOIN persons ON persons.name = given.name;

INSERT INTO employees (name, active) VALUES
    ('E-mail importer', true), ('Marieke de Boer', true), ('Tom Jansen', true), ('Fatima el Amrani', true),
    ('Kees Vermeulen', false);

INSERT INTO employee_addresses (employee_id, address)
SELECT employees.id, given.address
FROM (VALUES
    ('Marieke de Boer',  'marieke.de.boer@oosterdam-services.example'),
    ('Tom Jansen',       'tom.jansen@oosterdam-services.example'),
    ('Fatima el Amrani', 'fatima.el.amrani@oosterdam-services.example'),
    ('Kees Vermeulen',   'kees.vermeulen@oosterdam-services.example')
) AS given (name, address)
JOIN employees ON employees.name = given.name;

INSERT INTO calendars (name) VALUES ('Kantooruren'), ('Gebouwbeheer');

INSERT INTO calendar_hours (calendar_id, weekday, opens, closes)
SELECT calendars.id, weekday, given.opens::time, given.closes::time
FROM (VALUES ('Kantooruren', 5, '08:30', '17:00'), ('Gebouwbeheer', 6, '07:00', '22:00')) AS given (name, days, opens, closes)
JOIN calendars ON calendars.name = given.name
CROSS JOIN LATERAL generate_series(1, given.days) AS weekday;

INSERT INTO calendar_exceptions (calendar_id, day, description)
SELECT id, '2026-12-24', 'Kerstavond: gesloten' FROM calendars WHERE name = 'Kantooruren';

INSERT INTO outgoing_accounts (name, host, port, security)
VALUES ('Mailserver op deze machine', '127.0.0.1', current_setting('demo.smtp_port')::integer, 'none');

-- ICT: all defaults filled, mails on, deadlines recalculated. Facilitair: hardly any default, no mails to staff.
INSERT INTO helpdesks (name, calendar_id, default_ticket_manager_id, default_executor_id, recalculate_deadline,
                       send_import_mails, outgoing_account_id, sender_name, sender_address, ticket_url)
SELECT given.name, calendars.id, manager.id, executor.id, given.recalculate, given.mails,
       (SELECT id FROM outgoing_accounts), given.name, given.address, given.url
FROM (VALUES
    ('ICT-servicedesk', 'Kantooruren', 'Marieke de Boer', 'Tom Jansen', true, true,
     'servicedesk@oosterdam-services.example', 'https://portaal.oosterdam-services.example/ticket/[ticketnummer]'),
    ('Facilitair', 'Gebouwbeheer', 'Fatima el Amrani', NULL, false, false,
     'facilitair@oosterdam-services.example', '')
) AS given (name, calendar, manager, executor, recalculate, mails, address, url)
JOIN calendars ON calendars.name = given.calendar
LEFT JOIN employees manager ON manager.name = given.manager
LEFT JOIN employees executor ON executor.name = given.executor;
-- The demo's mails come all at once, and each is to be seen by itself: no summaries of those to staff.
UPDATE helpdesks SET summary_after = NULL;

INSERT INTO statuses (helpdesk_id, name, category, position, flag, visible_to_customer, expanded)
SELECT helpdesks.id, given.name, given.category, given.position, given.flag, given.visible, given.expanded
FROM (VALUES
    ('ICT-servicedesk', 'E-mail Geïmporteerd',  'open',   1, 'imported', true,  false),
    ('ICT-servicedesk', 'In behandeling',       'open',   2, NULL,       true,  true),
    ('ICT-servicedesk', 'Wacht op klant',       'open',   3, NULL,       true,  false),
    ('ICT-servicedesk', 'Reactie van klant',    'open',   4, NULL,       true,  true),
    ('ICT-servicedesk', 'Gereed',               'closed', 5, NULL,       true,  false),
    ('Facilitair',      'E-mail Geïmporteerd',  'open',   1, 'imported', false, false),
    ('Facilitair',      'Ingepland',            'open',   2, NULL,       false, false),
    ('Facilitair',      'Afgehandeld',          'closed', 3, NULL,       true,  false)
) AS given (helpdesk, name, category, position, flag, visible, expanded)
JOIN helpdesks ON helpdesks.name = given.helpdesk;

INSERT INTO ticket_types (helpdesk_id, name)
SELECT helpdesks.id, given.name
FROM (VALUES ('ICT-servicedesk', 'Incident'), ('ICT-servicedesk', 'Wijziging'), ('Facilitair', 'Melding')) AS given (helpdesk, name)
JOIN helpdesks ON helpdesks.name = given.helpdesk;

INSERT INTO priorities (helpdesk_id, name, position, resolution_minutes)
SELECT helpdesks.id, given.name, given.position, given.minutes
FROM (VALUES
    ('ICT-servicedesk', 'Hoog', 1, 240), ('ICT-servicedesk', 'Normaal', 2, 960), ('ICT-servicedesk', 'Laag', 3, NULL),
    ('Facilitair', 'Spoed', 1, 120), ('Facilitair', 'Gewoon', 2, 2400)
) AS given (helpdesk, name, position, minutes)
JOIN helpdesks ON helpdesks.name = given.helpdesk;

INSERT INTO environments (helpdesk_id, name)
SELECT id, 'Productie' FROM helpdesks WHERE name = 'ICT-servicedesk';

INSERT INTO categories (helpdesk_id, name)
SELECT helpdesks.id, given.name
FROM (VALUES ('ICT-servicedesk', 'Werkplek'), ('ICT-servicedesk', 'Netwerk'), ('Facilitair', 'Gebouw')) AS given (helpdesk, name)
JOIN helpdesks ON helpdesks.name = given.helpdesk;

INSERT INTO categories (helpdesk_id, parent_id, name)
SELECT helpdesk_id, id, 'Kassa' FROM categories WHERE name = 'Werkplek';

UPDATE helpdesks SET
    default_ticket_type_id = (SELECT id FROM ticket_types WHERE helpdesk_id = helpdesks.id AND name = 'Incident'),
    default_priority_id = (SELECT id FROM priorities WHERE helpdesk_id = helpdesks.id AND name = 'Normaal'),
    default_environment_id = (SELECT id FROM environments WHERE helpdesk_id = helpdesks.id),
    portal_supplement_status_id = (SELECT id FROM statuses WHERE helpdesk_id = helpdesks.id AND name = 'Reactie van klant')
WHERE name = 'ICT-servicedesk';

-- ICT uses the default texts; Facilitair thanks in its own words.
INSERT INTO templates (helpdesk_id, kind, subject, body_html, body_text)
SELECT id, 'ticket-added-customer', 'Facilitair: [tickettitel] staat op onze lijst als [ticketnummer]',
       '<p>Beste [aanmelder],</p><p>Uw melding <b>[tickettitel]</b> staat op onze lijst als [ticketnummer].</p>',
       E'Beste [aanmelder],\n\nUw melding «[tickettitel]» staat op onze lijst als [ticketnummer].\n'
FROM helpdesks WHERE name = 'Facilitair';

INSERT INTO importer_settings (helpdesk_id, enabled, kind, server, mailbox_address, default_contact_id,
                               default_employee_id, marker, check_interval_seconds)
SELECT helpdesks.id, true, 'maildir', current_setting('demo.mailboxes') || '/' || given.folder, helpdesks.sender_address,
       persons.id, employees.id, given.marker, 5
FROM (VALUES
    ('ICT-servicedesk', 'ict',        'Onbekende afzender (ICT)',        '===== vul boven deze regel uw reactie ====='),
    ('Facilitair',      'facilitair', 'Onbekende afzender (Facilitair)', '--- Reageer boven deze lijn ---')
) AS given (helpdesk, folder, contact, marker)
JOIN helpdesks ON helpdesks.name = given.helpdesk
JOIN persons ON persons.name = given.contact
JOIN employees ON employees.name = 'E-mail importer';
