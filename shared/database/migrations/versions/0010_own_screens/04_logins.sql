-- ── the helpdesk UI names the mailbox: user name, server and what they need (S2, S4, D9) ───────────────────────────
-- The triggers of logins judge: another server needs the secret again, in the same transaction and before it.

CREATE OR REPLACE VIEW ui_v1.mailbox_settings AS
SELECT helpdesk_id, enabled, default_contact_id, default_employee_id, marker, check_interval_seconds, max_mail_bytes,
    import_from, old_mail_days, backlog_limit, numbers_of, own_list_ids, trusted_authserv_ids, follow_threads,
    treat_employee_as_customer, confirm_to_employees, hold_strangers, reply_to_is_sender, forwarded_sender,
    organisation_by_domain, new_ticket_after_days, trim_replies, strip_image_metadata, hide_signature_images,
    row_version, fed_by_rule, kind, username, server, tenant, mailbox_address, folder
FROM helpdesk.importer_settings;
COMMENT ON VIEW ui_v1.mailbox_settings IS 'Settings «e-Mail importer» of a helpdesk, to be read, added and changed. The mailbox''s state is in ui_v1.importer_settings; a helpdesk without a row has no settings yet.';
COMMENT ON COLUMN ui_v1.mailbox_settings.kind IS 'How the mailbox is read: imap, ews, graph or maildir; null: as «Server» and the login tell (S4, D9).';
COMMENT ON COLUMN ui_v1.mailbox_settings.username IS 'S2 «Gebruikersnaam email box»; with a tenant the app''s client id.';
COMMENT ON COLUMN ui_v1.mailbox_settings.server IS 'S4 «Server»: host, host:port or URL; null: the cloud''s own. Another one needs the password again.';
COMMENT ON COLUMN ui_v1.mailbox_settings.tenant IS 'Tenant of Microsoft Entra where the app logs in; null: the login is the server''s own (D9).';
COMMENT ON COLUMN ui_v1.mailbox_settings.mailbox_address IS 'Address of the mailbox; null: the login is its address (D9).';
COMMENT ON COLUMN ui_v1.mailbox_settings.folder IS 'Folder that is read; INBOX, in any case, is the inbox.';
GRANT INSERT (kind, username, server, tenant, mailbox_address, folder),
    UPDATE (kind, username, server, tenant, mailbox_address, folder) ON ui_v1.mailbox_settings TO helpdesk_ui;
