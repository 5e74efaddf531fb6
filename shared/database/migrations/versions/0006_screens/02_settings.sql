-- ── settings, as the first tab and «Beheer – Helpdesk» have them; the triggers of the tables judge (D14) ───────────

CREATE VIEW ui_v1.helpdesk_settings AS
SELECT id, name, active, group_id, calendar_id, default_ticket_type_id, default_priority_id, default_environment_id, default_ticket_manager_id, default_executor_id, recalculate_deadline, portal_supplement_status_id, send_import_mails, sender_name, sender_address, reply_to_address, fallback_recipient, ticket_url, row_version
FROM helpdesk.helpdesks;
COMMENT ON VIEW ui_v1.helpdesk_settings IS 'Helpdesks with their defaults and what they say of mails (M1, N10, N12, N17), to be read, added and changed.';
COMMENT ON COLUMN ui_v1.helpdesk_settings.id IS 'The helpdesk.';
COMMENT ON COLUMN ui_v1.helpdesk_settings.name IS 'Its name.';
COMMENT ON COLUMN ui_v1.helpdesk_settings.active IS 'Whether it may be chosen.';
COMMENT ON COLUMN ui_v1.helpdesk_settings.group_id IS 'The group that it belongs to (D1).';
COMMENT ON COLUMN ui_v1.helpdesk_settings.calendar_id IS 'Its working hours (D3).';
COMMENT ON COLUMN ui_v1.helpdesk_settings.default_ticket_type_id IS 'Default type («soort», N10).';
COMMENT ON COLUMN ui_v1.helpdesk_settings.default_priority_id IS 'Default priority («prioriteit», N10).';
COMMENT ON COLUMN ui_v1.helpdesk_settings.default_environment_id IS 'Default environment («omgeving», N10).';
COMMENT ON COLUMN ui_v1.helpdesk_settings.default_ticket_manager_id IS 'Default ticket manager («ticketmanager», N12).';
COMMENT ON COLUMN ui_v1.helpdesk_settings.default_executor_id IS 'Default executor («uitvoerder», N12).';
COMMENT ON COLUMN ui_v1.helpdesk_settings.recalculate_deadline IS '«herberekening deadline» of new tickets (N17).';
COMMENT ON COLUMN ui_v1.helpdesk_settings.portal_supplement_status_id IS 'Status after a supplement from the portal or by mail; null: as it was (A8).';
COMMENT ON COLUMN ui_v1.helpdesk_settings.send_import_mails IS '«Mail versturen bij toevoegen uit e-mail importer» (M1).';
COMMENT ON COLUMN ui_v1.helpdesk_settings.sender_name IS 'The name above its mails.';
COMMENT ON COLUMN ui_v1.helpdesk_settings.sender_address IS 'The address that its mails come from.';
COMMENT ON COLUMN ui_v1.helpdesk_settings.reply_to_address IS 'Where answers go; null: the mailbox that is imported.';
COMMENT ON COLUMN ui_v1.helpdesk_settings.fallback_recipient IS 'Who gets what has no manager or executor; null: nobody (D11).';
COMMENT ON COLUMN ui_v1.helpdesk_settings.ticket_url IS 'The page of a ticket, with [ticketnummer] where the number goes.';
COMMENT ON COLUMN ui_v1.helpdesk_settings.row_version IS 'Moves with each change; an UPDATE names the one that it has read.';
GRANT SELECT, INSERT (name, active, group_id, calendar_id, default_ticket_type_id, default_priority_id, default_environment_id, default_ticket_manager_id, default_executor_id, recalculate_deadline, portal_supplement_status_id, send_import_mails, sender_name, sender_address, reply_to_address, fallback_recipient, ticket_url), UPDATE (name, active, group_id, calendar_id, default_ticket_type_id, default_priority_id, default_environment_id, default_ticket_manager_id, default_executor_id, recalculate_deadline, portal_supplement_status_id, send_import_mails, sender_name, sender_address, reply_to_address, fallback_recipient, ticket_url) ON ui_v1.helpdesk_settings TO helpdesk_ui;

CREATE VIEW ui_v1.mailbox_settings AS
SELECT helpdesk_id, enabled, default_contact_id, default_employee_id, marker, check_interval_seconds, max_mail_bytes, import_from, old_mail_days, backlog_limit, numbers_of, own_list_ids, trusted_authserv_ids, follow_threads, treat_employee_as_customer, confirm_to_employees, hold_strangers, reply_to_is_sender, forwarded_sender, organisation_by_domain, new_ticket_after_days, trim_replies, strip_image_metadata, hide_signature_images, row_version
FROM helpdesk.importer_settings;
COMMENT ON VIEW ui_v1.mailbox_settings IS 'Settings «e-Mail importer» of a helpdesk, to be read, added and changed. The mailbox''s login and state are in ui_v1.importer_settings; a helpdesk without a row has no settings yet.';
COMMENT ON COLUMN ui_v1.mailbox_settings.helpdesk_id IS 'The helpdesk.';
COMMENT ON COLUMN ui_v1.mailbox_settings.enabled IS 'S1 «Maak gebruik van de E-mail importer».';
COMMENT ON COLUMN ui_v1.mailbox_settings.default_contact_id IS 'S5 «Standaard contactpersoon».';
COMMENT ON COLUMN ui_v1.mailbox_settings.default_employee_id IS 'S6 «Standaard werknemer».';
COMMENT ON COLUMN ui_v1.mailbox_settings.marker IS 'S7 «Mail header».';
COMMENT ON COLUMN ui_v1.mailbox_settings.check_interval_seconds IS 'Seconds between two checks (W1).';
COMMENT ON COLUMN ui_v1.mailbox_settings.max_mail_bytes IS 'The largest mail that is fetched whole (D17).';
COMMENT ON COLUMN ui_v1.mailbox_settings.import_from IS '«importeren vanaf» (D18).';
COMMENT ON COLUMN ui_v1.mailbox_settings.old_mail_days IS 'Mail older than this sends no mails (D18).';
COMMENT ON COLUMN ui_v1.mailbox_settings.backlog_limit IS 'More old mails than this wait for a choice (D18).';
COMMENT ON COLUMN ui_v1.mailbox_settings.numbers_of IS 'Whose ticket numbers are known: all, or group (D1).';
COMMENT ON COLUMN ui_v1.mailbox_settings.own_list_ids IS 'List-Ids of groups of our own (D6).';
COMMENT ON COLUMN ui_v1.mailbox_settings.trusted_authserv_ids IS 'Servers whose Authentication-Results count (D10).';
COMMENT ON COLUMN ui_v1.mailbox_settings.follow_threads IS 'An answer without a number is found by its thread (D8).';
COMMENT ON COLUMN ui_v1.mailbox_settings.treat_employee_as_customer IS 'Mail of an employee counts as a customer''s (D12).';
COMMENT ON COLUMN ui_v1.mailbox_settings.confirm_to_employees IS 'An employee gets M4 too (D12).';
COMMENT ON COLUMN ui_v1.mailbox_settings.hold_strangers IS 'What strangers add stays hidden until it is accepted (D20).';
COMMENT ON COLUMN ui_v1.mailbox_settings.reply_to_is_sender IS 'The address in Reply-To counts as the sender (D19).';
COMMENT ON COLUMN ui_v1.mailbox_settings.forwarded_sender IS 'What an employee forwards counts as its first sender''s (D12).';
COMMENT ON COLUMN ui_v1.mailbox_settings.organisation_by_domain IS 'A stranger is of the organisation that uses his domain (S5).';
COMMENT ON COLUMN ui_v1.mailbox_settings.new_ticket_after_days IS 'Mail to a ticket closed longer than this is a new ticket; null: never (A8).';
COMMENT ON COLUMN ui_v1.mailbox_settings.trim_replies IS 'A supplement shows no quoted replies and signatures (A6).';
COMMENT ON COLUMN ui_v1.mailbox_settings.strip_image_metadata IS 'Images are stored without positions, names and devices (D4).';
COMMENT ON COLUMN ui_v1.mailbox_settings.hide_signature_images IS 'Tracking pixels and repeated logos are hidden (D4).';
COMMENT ON COLUMN ui_v1.mailbox_settings.row_version IS 'Moves with each change; an UPDATE names the one that it has read.';
GRANT SELECT, INSERT (helpdesk_id, enabled, default_contact_id, default_employee_id, marker, check_interval_seconds, max_mail_bytes, import_from, old_mail_days, backlog_limit, numbers_of, own_list_ids, trusted_authserv_ids, follow_threads, treat_employee_as_customer, confirm_to_employees, hold_strangers, reply_to_is_sender, forwarded_sender, organisation_by_domain, new_ticket_after_days, trim_replies, strip_image_metadata, hide_signature_images), UPDATE (enabled, default_contact_id, default_employee_id, marker, check_interval_seconds, max_mail_bytes, import_from, old_mail_days, backlog_limit, numbers_of, own_list_ids, trusted_authserv_ids, follow_threads, treat_employee_as_customer, confirm_to_employees, hold_strangers, reply_to_is_sender, forwarded_sender, organisation_by_domain, new_ticket_after_days, trim_replies, strip_image_metadata, hide_signature_images) ON ui_v1.mailbox_settings TO helpdesk_ui;

-- the check of settings calls it with the rights of who writes
GRANT EXECUTE ON FUNCTION helpdesk.mailbox_kind TO helpdesk_ui;
