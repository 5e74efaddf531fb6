-- ── a mailbox that a redirecting rule feeds (D6) ───────────────────────────────────────────────────────────────────

ALTER TABLE importer_settings ADD COLUMN fed_by_rule boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN importer_settings.fed_by_rule IS 'Whether a rule of another mailbox redirects its mail to this one: what such a rule adds to a mail is then no sign of automatic mail (D6).';
GRANT SELECT (fed_by_rule) ON importer_settings TO importer_classifier, importer_console, importer_operator;
GRANT INSERT (fed_by_rule), UPDATE (fed_by_rule) ON importer_settings TO importer_console, importer_operator;

CREATE OR REPLACE VIEW ui_v1.mailbox_settings AS
SELECT helpdesk_id, enabled, default_contact_id, default_employee_id, marker, check_interval_seconds, max_mail_bytes,
    import_from, old_mail_days, backlog_limit, numbers_of, own_list_ids, trusted_authserv_ids, follow_threads,
    treat_employee_as_customer, confirm_to_employees, hold_strangers, reply_to_is_sender, forwarded_sender,
    organisation_by_domain, new_ticket_after_days, trim_replies, strip_image_metadata, hide_signature_images,
    row_version, fed_by_rule
FROM helpdesk.importer_settings;
COMMENT ON COLUMN ui_v1.mailbox_settings.fed_by_rule IS 'A rule of another mailbox redirects its mail to this one (D6).';
GRANT INSERT (fed_by_rule), UPDATE (fed_by_rule) ON ui_v1.mailbox_settings TO helpdesk_ui;
