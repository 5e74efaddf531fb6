-- What the schema makes impossible. Each case is one transaction on the rows of every_table.sql, under a line
-- `-- case => the constraint that refuses it` (`not null`: a column that may not be empty).

-- an address without an at => address_has_an_at
INSERT INTO person_addresses (person_id, address) VALUES (1, 'korenaar');

-- an address twice, in other letters => person_addresses_person_id_address_key_key
INSERT INTO person_addresses (person_id, address) VALUES (1, 'ANNA@korenaar.example');

-- an address of two employees => employee_addresses_address_key_key
INSERT INTO employee_addresses (employee_id, address) VALUES (1, 'PIET@helpdesk.example');

-- M5 two imported statuses => one_imported_status_per_helpdesk
UPDATE statuses SET flag = 'imported' WHERE id = 2;

-- M5 an imported status that is closed => imported_status_is_open
UPDATE statuses SET flag = 'imported' WHERE id = 4;

-- N10 a default of another helpdesk => helpdesks_id_default_priority_id_fkey
UPDATE helpdesks SET default_priority_id = 2 WHERE id = 1;

-- a subcategory of another category => tickets_helpdesk_id_category_id_subcategory_id_fkey
UPDATE tickets SET category_id = 3 WHERE id = 1;

-- D14 on without an imported status => importer_on_needs_imported_status
UPDATE statuses SET flag = NULL WHERE id = 3;
UPDATE importer_settings SET enabled = true, kind = 'maildir', server = '/x', default_contact_id = 1,
    default_employee_id = 1 WHERE helpdesk_id = 2;

-- D14 the flag taken away while on => importer_on_keeps_its_status
UPDATE statuses SET flag = NULL WHERE id = 1;

-- D14 on with an inactive contact => importer_on_needs_active_contact
UPDATE persons SET active = false WHERE id = 1;
UPDATE importer_settings SET default_contact_id = 1;

-- D14 on with an inactive employee => importer_on_needs_active_employee
UPDATE employees SET active = false WHERE id = 1;
UPDATE importer_settings SET enabled = false, password_encrypted = NULL;
UPDATE importer_settings SET enabled = true WHERE helpdesk_id = 1;

-- D14 on without a contact => importer_on_needs_default_contact
UPDATE importer_settings SET default_contact_id = NULL;

-- D14 on without an employee => importer_on_needs_default_employee
UPDATE importer_settings SET default_employee_id = NULL;

-- D14 the contact deleted while on => importer_settings_default_contact_id_fkey
DELETE FROM persons WHERE id = 2;

-- S2 on without a login => importer_on_needs_login
UPDATE importer_settings SET kind = 'imap' WHERE helpdesk_id = 1;

-- a folder of two helpdesks => a_maildir_belongs_to_one_helpdesk
UPDATE importer_settings SET kind = 'maildir', server = '/mail/support/' WHERE helpdesk_id = 2;

-- S3 D9 on with a password and no tenant, at Microsoft 365 => importer_on_needs_tenant
UPDATE importer_settings SET kind = NULL, server = 'outlook.office365.com', username = 'x', password_encrypted = ''
    WHERE helpdesk_id = 1;

-- D9 on with an app and no mailbox => importer_on_needs_address
UPDATE importer_settings SET kind = NULL, server = NULL, tenant = 'desk.example', username = 'app'
    WHERE helpdesk_id = 1;

-- S4 on with nothing that tells a kind => importer_on_needs_kind
UPDATE importer_settings SET kind = NULL, server = NULL WHERE helpdesk_id = 1;

-- a password and a certificate => password_or_certificate
UPDATE importer_settings SET certificate_encrypted = '', certificate_expires_at = now() WHERE helpdesk_id = 1;

-- a certificate without its end => certificate_has_an_end
UPDATE importer_settings SET certificate_encrypted = '' WHERE helpdesk_id = 2;

-- a tenant that would be another path => tenant_is_an_id_or_a_domain
UPDATE importer_settings SET tenant = 'a/../b' WHERE helpdesk_id = 2;

-- a folder of two helpdesks, one of a kind that its path tells => a_maildir_belongs_to_one_helpdesk
UPDATE importer_settings SET server = '/mail/support/' WHERE helpdesk_id = 2;

-- a mailbox of two helpdesks, by its address and by its login => a_mailbox_belongs_to_one_helpdesk
UPDATE importer_settings SET enabled = false, password_encrypted = NULL;
UPDATE importer_settings SET kind = 'imap', username = 'Support@helpdesk.example' WHERE helpdesk_id = 1;
UPDATE importer_settings SET kind = 'ews', mailbox_address = 'support@helpdesk.example', folder = 'inbox' WHERE helpdesk_id = 2;

-- a login of two helpdesks => a_login_belongs_to_one_helpdesk
UPDATE importer_settings SET enabled = false, password_encrypted = NULL;
UPDATE importer_settings SET kind = 'imap', server = 'mail.example', username = 'DESK' WHERE helpdesk_id = 1;
UPDATE importer_settings SET kind = NULL, server = 'mail.example', username = 'desk' WHERE helpdesk_id = 2;

-- an SMTP account without a server => smtp_names_its_server
INSERT INTO outgoing_accounts (name, kind, port) VALUES ('X', 'smtp', 25);

-- D9 a Graph account without a tenant => graph_has_a_tenant
INSERT INTO outgoing_accounts (name, kind) VALUES ('X', 'graph');

-- D9 an app that sends for nobody => a_tenant_has_app_and_mailbox
INSERT INTO outgoing_accounts (name, kind, tenant, username) VALUES ('X', 'graph', 'desk.example', 'app');

-- mail that travels for all to read, unless that was chosen => sending_unencrypted_is_chosen
INSERT INTO outgoing_accounts (name, host, port, security, username) VALUES ('X', 'mail.example', 25, 'none', 'x');

-- a password that is sent to another server than it was given for => a_secret_stays_with_its_place
UPDATE outgoing_accounts SET host = 'mail.elders.example' WHERE id = 1;

-- a password that is sent without TLS, which it was not given for => a_secret_stays_with_its_place
UPDATE outgoing_accounts SET security = 'none', allow_unencrypted = true WHERE id = 1;

-- a password of a mailbox that is sent to another server => a_secret_stays_with_its_place
UPDATE importer_settings SET enabled = false, kind = 'imap', server = 'mail.elders.example' WHERE helpdesk_id = 1;

-- a password that goes by a way round: the server is cleared first => a_secret_stays_with_its_place
UPDATE importer_settings SET enabled = false, kind = 'imap', server = NULL WHERE helpdesk_id = 1;

-- a key that is not told by its own id => key_id_is_of_the_key
INSERT INTO sealing_keys (key_id, public_key) VALUES (substr(sha256('a'), 1, 8), sha256('b'));

-- a mailbox of two helpdesks, by different protocols => a_mailbox_belongs_to_one_helpdesk
UPDATE importer_settings SET enabled = false, password_encrypted = NULL;
UPDATE importer_settings SET kind = 'imap', mailbox_address = 'Support@helpdesk.example' WHERE helpdesk_id = 1;
UPDATE importer_settings SET kind = 'ews', mailbox_address = 'support@helpdesk.example' WHERE helpdesk_id = 2;

-- D18 a backlog without bounds => backlog_has_its_bounds
UPDATE mailbox_states SET backlog_waiting = 3;

-- D18 bounds of a backlog that is none => backlog_has_its_bounds
UPDATE mailbox_states SET backlog_oldest_at = now(), backlog_newest_at = now();

-- D18 half a choice => backlog_choice_is_whole
UPDATE mailbox_states SET backlog_choice = 'import';

-- D17 a sender's rule twice, for all => sender_rule_is_unique
INSERT INTO sender_rules (kind, pattern, verdict) VALUES ('domain', 'reclame.example', 'allow');

-- D17 a sender's rule in capitals => sender_pattern_is_folded
INSERT INTO sender_rules (kind, pattern, verdict) VALUES ('list', 'Nieuws.Lijst.Example', 'block');

-- D17 a domain that is an address => sender_pattern_is_of_its_kind
INSERT INTO sender_rules (kind, pattern, verdict) VALUES ('domain', 'a@b.example', 'block');

-- D7 decided without an outcome => decided_is_an_outcome
INSERT INTO imported_mails (mail_id, helpdesk_id, generation, folder, item_key, raw_sha256, raw_size, full_size,
    received_at, decided_replay) SELECT gen_random_uuid(), 1, 1, 'INBOX', 'new', raw_sha256, 1, 1, now(), 0
    FROM imported_mails WHERE item_key = 'item-1';

-- D7 a replay that nobody asked for => decided_is_an_outcome
UPDATE imported_mails SET decided_replay = 1 WHERE mail_id = '00000000-0000-0000-0000-000000000005';

-- D7 an outcome without a time => outcome_has_a_time
UPDATE imported_mails SET outcome_at = NULL WHERE mail_id = '00000000-0000-0000-0000-000000000005';

-- D7 quarantine without a reason => quarantine_has_a_reason
UPDATE imported_mails SET reasons = '[]' WHERE mail_id = '00000000-0000-0000-0000-000000000005';

-- D7 another outcome for a ticket => an_outcome_is_final
UPDATE imported_mails SET outcome = 'quarantine', ticket_id = NULL WHERE mail_id =
    '00000000-0000-0000-0000-000000000001';

-- D7 an outcome taken back => an_outcome_is_final
UPDATE imported_mails SET outcome = NULL, outcome_at = NULL WHERE mail_id = '00000000-0000-0000-0000-000000000005';

-- D7 the ticket of another mail => an_outcome_is_of_its_mail
UPDATE imported_mails SET outcome = 'ticket', ticket_id = 1 WHERE mail_id = '00000000-0000-0000-0000-000000000005';

-- D13 an item imported twice => imported_mails_helpdesk_id_generation_folder_item_key_force_key
INSERT INTO imported_mails (mail_id, helpdesk_id, generation, folder, item_key, raw_sha256, raw_size, full_size,
    received_at) SELECT gen_random_uuid(), 1, 1, 'INBOX', 'item-1', raw_sha256, 1, 1, now() FROM imported_mails;

-- D13 a forced import of nothing => forced_has_an_origin
INSERT INTO imported_mails (mail_id, helpdesk_id, generation, folder, item_key, force_number, raw_sha256, raw_size,
    full_size, received_at) SELECT gen_random_uuid(), 1, 1, 'INBOX', 'item-1', 1, raw_sha256, 1, 1, now() FROM
    imported_mails;

-- D13 content that the helpdesk has => content_keys_pkey
INSERT INTO content_keys VALUES (1, sha256('key'), sha256('text'), '00000000-0000-0000-0000-000000000003', 3);

-- D13 content that the ticket has, from another mailbox => a_ticket_takes_a_content_once
INSERT INTO content_keys VALUES (2, sha256('key'), sha256('text'), '00000000-0000-0000-0000-000000000003', 1);

-- the raw bytes of a mail removed => attachments_mail_id_blob_sha256_fkey
DELETE FROM mail_blobs;
DELETE FROM blobs WHERE sha256 = sha256('2');

-- D1 a number that is an alias => ticket_numbers_pkey
INSERT INTO tickets (helpdesk_id, organisation_id, contact_id, created_by_employee_id, changed_by_employee_id,
    reported_at, title, status_id, number) VALUES (1, 1, 1, 1, 1, now(), 'Titel', 1, 'TCK-12');

-- D1 an alias that is a number => ticket_numbers_pkey
INSERT INTO ticket_numbers (number, ticket_id) VALUES ('1000002', 1);

-- D1 an alias that nobody would find => an_alias_is_found
INSERT INTO ticket_numbers (number, ticket_id) VALUES ('99999999999', 1);

-- D1 a pattern that misses our own numbers => the_pattern_finds_our_numbers
SELECT record_ticket_number_pattern('2[0-9]{6}');

-- D3 a day that is open and closed => a_holiday_is_open_or_closed
UPDATE calendars SET open_holidays = '{Koningsdag}', closed_holidays = '{Koningsdag}';

-- S4 on without an Exchange server => importer_on_needs_exchange_server
UPDATE importer_settings SET enabled = false, kind = 'ews', server = NULL, username = 'DOM\naam', mailbox_address = 'a@b.example',
    password_encrypted = 'x' WHERE helpdesk_id = 1;
UPDATE importer_settings SET enabled = true WHERE helpdesk_id = 1;

-- D1 a second own number => one_own_number_per_ticket
INSERT INTO ticket_numbers VALUES ('77', 1, false);

-- D3 hours that begin and never end => closed_or_with_hours
UPDATE calendar_exceptions SET opens = '9:00';

-- D1 an own number removed => own_number_stays
DELETE FROM ticket_numbers WHERE ticket_id = 1;

-- D1 a ticket's number changed => a_ticket_keeps_its_number
UPDATE tickets SET number = '5' WHERE id = 1;

-- D1 an alias moved to another ticket => a_ticket_keeps_its_number
UPDATE ticket_numbers SET ticket_id = 2 WHERE number = 'TCK-12';

-- N2 no contact => not null
INSERT INTO tickets (helpdesk_id, organisation_id, contact_id, created_by_employee_id, changed_by_employee_id,
    reported_at, title, status_id) VALUES (1, 1, NULL, 1, 1, now(), 'Titel', 1);

-- N3 nobody made it => created_by_one_author
INSERT INTO tickets (helpdesk_id, organisation_id, contact_id, created_by_employee_id, changed_by_employee_id,
    reported_at, title, status_id) VALUES (1, 1, 1, NULL, 1, now(), 'Titel', 1);

-- N15 a status of another helpdesk => tickets_helpdesk_id_status_id_fkey
INSERT INTO tickets (helpdesk_id, organisation_id, contact_id, created_by_employee_id, changed_by_employee_id,
    reported_at, title, status_id) VALUES (1, 1, 1, 1, 1, now(), 'Titel', 3);

-- D10 imported without its sender => imported_has_its_sender
INSERT INTO tickets (helpdesk_id, organisation_id, contact_id, created_by_employee_id, changed_by_employee_id,
    reported_at, title, status_id, mail_id) VALUES (1, 1, 1, 1, 1, now(), 'Titel', 1,
    '00000000-0000-0000-0000-000000000005');

-- D19 no title => tickets_title_check
INSERT INTO tickets (helpdesk_id, organisation_id, contact_id, created_by_employee_id, changed_by_employee_id,
    reported_at, title, status_id) VALUES (1, 1, 1, 1, 1, now(), ' ', 1);

-- merged into itself => merged_tickets_form_no_loop
UPDATE tickets SET merged_into_id = 1 WHERE id = 1;

-- merged in a circle => merged_tickets_form_no_loop
UPDATE tickets SET merged_into_id = 3 WHERE id = 1;
UPDATE tickets SET merged_into_id = 2 WHERE id = 3;
UPDATE tickets SET merged_into_id = 1 WHERE id = 2;

-- N13 its own grandparent => parent_tickets_form_no_loop
UPDATE tickets SET parent_ticket_id = 3 WHERE id = 1;
UPDATE tickets SET parent_ticket_id = 1 WHERE id = 3;

-- A2 of another helpdesk than its ticket => a_supplement_is_of_its_tickets_helpdesk
INSERT INTO supplements (ticket_id, helpdesk_id, reported_at, supplement_type_id, informant_person_id,
    informant_employee_id, visible_to_customer, expanded, status_id, priority_id, recalculate_deadline,
    created_by_person_id, changed_by_employee_id, needs_review, held_for_review) VALUES (1, 2, now(), 1, 1, NULL,
    true, false, 2, NULL, false, 1, 1, true, false);

-- A5 two informants => one_informant
INSERT INTO supplements (ticket_id, helpdesk_id, reported_at, supplement_type_id, informant_person_id,
    informant_employee_id, visible_to_customer, expanded, status_id, priority_id, recalculate_deadline,
    created_by_person_id, changed_by_employee_id, needs_review, held_for_review) VALUES (1, NULL, now(), 1, 1, 2,
    true, false, 2, NULL, false, 1, 1, true, false);

-- A9 a priority of another helpdesk => supplements_helpdesk_id_priority_id_fkey
INSERT INTO supplements (ticket_id, helpdesk_id, reported_at, supplement_type_id, informant_person_id,
    informant_employee_id, visible_to_customer, expanded, status_id, priority_id, recalculate_deadline,
    created_by_person_id, changed_by_employee_id, needs_review, held_for_review) VALUES (1, NULL, now(), 1, 1, NULL,
    true, false, 2, 2, false, 1, 1, true, false);

-- D20 held, yet visible => held_is_reviewed
INSERT INTO supplements (ticket_id, helpdesk_id, reported_at, supplement_type_id, informant_person_id,
    informant_employee_id, visible_to_customer, expanded, status_id, priority_id, recalculate_deadline,
    created_by_person_id, changed_by_employee_id, needs_review, held_for_review) VALUES (1, NULL, now(), 1, 1, NULL,
    true, false, 2, NULL, false, 1, 1, true, true);

-- D4 an SVG => stored_is_an_image
UPDATE attachments SET media_type = 'image/svg+xml' WHERE blob_sha256 IS NOT NULL;

-- D4 neither stored nor left out => stored_or_left_out
UPDATE attachments SET left_out_reason = NULL;

-- D4 a copy that browsers do not show either => attachment_copies_media_type_check
UPDATE attachment_copies SET media_type = 'image/tiff';

-- D4 something left out that decorates => decoration_is_stored
UPDATE attachments SET decoration = 'logo' WHERE blob_sha256 IS NULL;

-- DESIGN 4 an image whose blob is not tied to its mail => attachments_mail_id_blob_sha256_fkey
UPDATE attachments SET blob_sha256 = sha256('2') WHERE blob_sha256 IS NOT NULL;

-- D11 not sent without a reason => not_sent_has_a_reason
UPDATE notifications SET state = 'not-sent';

-- sent without proof => sent_has_proof
UPDATE notifications SET state = 'sent';

-- M3 a mail on a supplement that names none => supplement_kind_names_its_supplement
UPDATE notifications SET kind = 'supplement-added-executor';

-- M2 told of in a summary, but in which => in_summary_names_it
UPDATE notifications SET state = 'not-sent', reason = 'in-summary';

-- M2 sent by itself and in a summary => in_summary_names_it
UPDATE notifications SET kind = 'ticket-added-manager', supplement_id = NULL, summary_id = id;

-- M4 a customer's mail that waits for others => summaries_are_for_staff
UPDATE notifications SET kind = 'ticket-added-customer', supplement_id = NULL, collects_until = now();

-- M2 a summary in a summary => a_summary_is_in_no_other
UPDATE notifications SET kind = 'ticket-added-manager', supplement_id = NULL, state = 'not-sent', reason = 'in-summary',
    collects_until = now(), summary_id = id;

-- M2 a summary after no mail => summaries_have_a_beginning
UPDATE helpdesks SET summary_after = 0;

-- M4 quoting what nobody knows => quotes_are_known
UPDATE helpdesks SET quoted_to_strangers = 'body';

-- D10 fewer than no confirmations => unknown_senders_can_be_counted
UPDATE helpdesks SET unknown_senders_per_hour = -1;

-- the same mail twice => notifications_mail_id_kind_resend_of_key
INSERT INTO notifications (id, mail_id, kind, helpdesk_id, ticket_id, recipient_address, state) SELECT
    gen_random_uuid(), mail_id, kind, 1, 1, 'x@y.example', 'planned' FROM notifications;

-- a mail that repeats itself => no_mail_repeats_itself
UPDATE notifications SET resend_of = id;
