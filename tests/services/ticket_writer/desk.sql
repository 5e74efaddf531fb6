-- A small world with fixed ids: helpdesk 1 (ICT) has every default, helpdesk 2 (Facilitair) has none.
INSERT INTO organisations (id, name) VALUES (21, 'Klant BV'), (22, 'Elders NV'), (29, 'Onbekend');
INSERT INTO persons (id, organisation_id, name, active) VALUES
    (11, 21, 'Jan Klant', true), (12, 21, 'Piet Collega', true), (13, 22, 'Oom Elders', true),
    (19, 29, 'Onbekende afzender', true), (18, 29, 'Onbekend Facilitair', true);
INSERT INTO person_addresses (person_id, address) VALUES
    (11, 'jan@klant.example'), (12, 'piet@klant.example'), (13, 'oom@elders.example');
INSERT INTO employees (id, name) VALUES (31, 'Importer'), (32, 'Marieke Manager'), (33, 'Tom Uitvoerder'), (39, 'Importer 2');
INSERT INTO employee_addresses (employee_id, address) VALUES
    (32, 'marieke@desk.example'), (33, 'Tom@desk.example');
INSERT INTO calendars (id, name) VALUES (1, 'Kantooruren'), (2, 'Dag en nacht');
INSERT INTO calendar_hours (calendar_id, weekday, opens, closes)
    SELECT 1, weekday, '08:30'::time, '17:00'::time FROM generate_series(1, 5) AS weekday
    UNION ALL SELECT 2, weekday, '00:00'::time, '24:00'::time FROM generate_series(1, 7) AS weekday;
INSERT INTO calendar_exceptions (calendar_id, day, opens, closes) VALUES
    (1, '2026-03-03', NULL, NULL), (1, '2026-03-04', '10:00', '12:00');
INSERT INTO helpdesks (id, name, calendar_id, default_ticket_manager_id, default_executor_id, recalculate_deadline,
                       sender_address)
    VALUES (1, 'ICT', 1, 32, 33, true, 'helpdesk@desk.example');
INSERT INTO helpdesks (id, name, calendar_id) VALUES (2, 'Facilitair', 2);
INSERT INTO statuses (id, helpdesk_id, name, category, flag, visible_to_customer, expanded) VALUES
    (101, 1, 'E-mail Geïmporteerd', 'open', 'imported', true, false),
    (102, 1, 'Reactie van klant', 'open', NULL, true, true),
    (104, 1, 'Gesloten', 'closed', NULL, true, false),
    (201, 2, 'E-mail Geïmporteerd', 'open', 'imported', false, false);
INSERT INTO ticket_types (id, helpdesk_id, name) VALUES (41, 1, 'Incident');
INSERT INTO priorities (id, helpdesk_id, name, resolution_minutes) VALUES (42, 1, 'Normaal', 120);
INSERT INTO environments (id, helpdesk_id, name) VALUES (43, 1, 'Productie');
UPDATE helpdesks SET default_ticket_type_id = 41, default_priority_id = 42, default_environment_id = 43,
    portal_supplement_status_id = 102 WHERE id = 1;
INSERT INTO importer_settings (helpdesk_id, enabled, kind, server, mailbox_address, default_contact_id, default_employee_id)
    VALUES (1, true, 'maildir', '/mail/ict', 'ict@desk.example', 19, 31),
           (2, true, 'maildir', '/mail/facilitair', 'facilitair@desk.example', 18, 39);
