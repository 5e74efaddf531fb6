-- What 0001 gave.

GRANT SELECT ON blobs, dead_letters, helpdesks, imported_mails, importer_settings, mail_blobs, mailbox_states,
    statuses TO importer_fetcher;
GRANT INSERT (acted_at, marked_read_at, published_at) ON imported_mails TO importer_fetcher;
GRANT UPDATE (sync_state) ON mailbox_states TO importer_fetcher;
GRANT SELECT ON blobs, employee_addresses, employees, helpdesk_groups, helpdesks, imported_mails, organisations,
    person_addresses, persons, statuses, supplements, tickets TO importer_classifier;
GRANT SELECT (after_import, after_import_folder, allow_unencrypted, backlog_limit, ca_file, certificate_expires_at,
    certificate_is_set, check_interval_seconds, cloud, confirm_to_employees, default_contact_id, default_employee_id,
    enabled, folder, generation, hide_signature_images, hold_strangers, impersonate, import_from,
    imported_status_flag, imported_status_id, kind, login_expires_at, mailbox_kind, max_mail_bytes,
    new_ticket_after_days, old_mail_days, password_is_set, row_version, secret_expires_on, server, tenant,
    treat_employee_as_customer, trim_replies) ON importer_settings TO importer_classifier;
GRANT SELECT (helpdesk_id, id, kind, mail_id, recipient_address, recipient_key, state, supplement_id) ON notifications
    TO importer_classifier;
GRANT SELECT (id, mailbox_address, name, username) ON outgoing_accounts TO importer_classifier;
GRANT SELECT ON attachment_copies, attachments, blobs, calendar_exceptions, calendars, categories, dead_letters,
    employee_addresses, employees, entry_channels, environments, helpdesk_groups, helpdesks, imported_mail_outcomes,
    imported_mails, mail_blobs, notifications, organisations, person_addresses, persons, priorities, review_requests,
    supplement_types, supplements, templates, ticket_history, ticket_numbers, ticket_types, tickets TO
    importer_ticket_writer;
GRANT SELECT (after_import, after_import_folder, allow_unencrypted, backlog_limit, ca_file, certificate_expires_at,
    certificate_is_set, check_interval_seconds, cloud, enabled, folder, follow_threads, forwarded_sender, generation,
    hide_signature_images, impersonate, import_from, imported_status_flag, imported_status_id, kind, login_expires_at,
    mailbox_kind, marker, max_mail_bytes, numbers_of, organisation_by_domain, own_list_ids, password_is_set,
    reply_to_is_sender, row_version, secret_expires_on, server, strip_image_metadata, tenant, trusted_authserv_ids) ON
    importer_settings TO importer_ticket_writer;
GRANT UPDATE (in_progress_at) ON tickets TO importer_ticket_writer;
GRANT SELECT ON categories, employee_addresses, employees, entry_channels, environments, helpdesks, organisations,
    outgoing_accounts, person_addresses, persons, priorities, statuses, supplement_types, supplements, templates,
    ticket_numbers, ticket_types, tickets TO importer_notifier;
GRANT SELECT (event_published_at, helpdesk_id, outcome, received_at, subject) ON imported_mails TO importer_notifier;
GRANT SELECT (after_import, after_import_folder, allow_unencrypted, backlog_limit, ca_file, certificate_expires_at,
    certificate_is_set, check_interval_seconds, cloud, confirm_to_employees, default_contact_id, default_employee_id,
    enabled, folder, follow_threads, forwarded_sender, generation, hide_signature_images, hold_strangers, impersonate,
    import_from, imported_status_flag, imported_status_id, kind, login_expires_at, mailbox_kind, max_mail_bytes,
    new_ticket_after_days, numbers_of, old_mail_days, organisation_by_domain, own_list_ids, password_is_set,
    reply_to_is_sender, row_version, secret_expires_on, server, strip_image_metadata, tenant,
    treat_employee_as_customer, trim_replies, trusted_authserv_ids) ON importer_settings TO importer_notifier;
