-- ── what services may, and no more ─────────────────────────────────────────────────────────────────────────────────
-- 0001 gave whole tables. Here each service keeps what its statements read and write: a service that falls to a mail
-- gives away no more than that. tests/shared/database/test_least_rights.py holds the grants against the statements.

-- fetcher: whose turn it is, what the ledger knows
REVOKE SELECT ON blobs, dead_letters, helpdesks, imported_mails, importer_settings, mail_blobs, mailbox_states,
    statuses FROM importer_fetcher;
GRANT SELECT (sha256, byte_size) ON blobs TO importer_fetcher;
GRANT SELECT (mail_id, resolved_at) ON dead_letters TO importer_fetcher;
GRANT SELECT (mail_id, helpdesk_id, generation, folder, item_key, force_number, choice, replay_number, raw_sha256,
    raw_size, full_size, complete, received_at, fetched_at, published_at, marked_read_at, acted_at, republish_count,
    next_republish_at, outcome, awaits_outcome) ON imported_mails TO importer_fetcher;
GRANT SELECT (helpdesk_id, enabled, kind, username, password_encrypted, certificate_encrypted, login_expires_at,
    tenant, cloud, server, ca_file, allow_unencrypted, impersonate, mailbox_kind, mailbox_address, folder, generation,
    default_contact_id, default_employee_id, imported_status_id, check_interval_seconds, max_mail_bytes, import_from,
    old_mail_days, backlog_limit, after_import, after_import_folder, row_version) ON importer_settings TO
    importer_fetcher;
GRANT SELECT (helpdesk_id, last_successful_check_at, last_check_at, next_check_at, failed_checks, problem,
    problem_kind, problem_since, refused_logins, refused_since, login_rests_until, expiry_told_on, lease_holder,
    lease_until, backlog_waiting, backlog_choice, backlog_chosen_at, backlog_chosen_until) ON mailbox_states TO
    importer_fetcher;
GRANT SELECT (id, flag, active) ON statuses TO importer_fetcher;
REVOKE INSERT (acted_at, marked_read_at, published_at) ON imported_mails FROM importer_fetcher;
REVOKE UPDATE (sync_state) ON mailbox_states FROM importer_fetcher;

-- classifier: who has an address, which number is whose; no body of a ticket, no secret, no account
REVOKE SELECT ON blobs, employee_addresses, employees, helpdesk_groups, helpdesks, imported_mails, organisations,
    person_addresses, persons, statuses, supplements, tickets FROM importer_classifier;
GRANT SELECT (sha256, byte_size) ON blobs TO importer_classifier;
GRANT SELECT (employee_id, address_key) ON employee_addresses TO importer_classifier;
GRANT SELECT (id, active) ON employees TO importer_classifier;
GRANT SELECT (id, group_id) ON helpdesks TO importer_classifier;
GRANT SELECT (mail_id, helpdesk_id, message_id_header, ticket_id) ON imported_mails TO importer_classifier;
GRANT SELECT (id, active) ON organisations TO importer_classifier;
GRANT SELECT (person_id, address_key) ON person_addresses TO importer_classifier;
GRANT SELECT (id, organisation_id, active, created_at) ON persons TO importer_classifier;
GRANT SELECT (id, number, helpdesk_id, merged_into_id) ON tickets TO importer_classifier;
REVOKE SELECT (after_import, after_import_folder, allow_unencrypted, backlog_limit, ca_file, certificate_expires_at,
    certificate_is_set, check_interval_seconds, cloud, confirm_to_employees, default_contact_id, default_employee_id,
    enabled, folder, generation, hide_signature_images, hold_strangers, impersonate, import_from,
    imported_status_flag, imported_status_id, kind, login_expires_at, mailbox_kind, max_mail_bytes,
    new_ticket_after_days, old_mail_days, password_is_set, row_version, secret_expires_on, server, tenant,
    treat_employee_as_customer, trim_replies) ON importer_settings FROM importer_classifier;
REVOKE SELECT (helpdesk_id, id, kind, mail_id, recipient_address, recipient_key, state, supplement_id) ON
    notifications FROM importer_classifier;
REVOKE SELECT (id, mailbox_address, name, username) ON outgoing_accounts FROM importer_classifier;

-- ticket_writer: what a decision stands on
REVOKE SELECT ON attachment_copies, attachments, blobs, calendar_exceptions, calendars, categories, dead_letters,
    employee_addresses, employees, entry_channels, environments, helpdesk_groups, helpdesks, imported_mail_outcomes,
    imported_mails, mail_blobs, notifications, organisations, person_addresses, persons, priorities, review_requests,
    supplement_types, supplements, templates, ticket_history, ticket_numbers, ticket_types, tickets FROM
    importer_ticket_writer;
GRANT SELECT (sha256, byte_size) ON blobs TO importer_ticket_writer;
GRANT SELECT (calendar_id, day, opens, closes) ON calendar_exceptions TO importer_ticket_writer;
GRANT SELECT (id, time_zone, holiday_country) ON calendars TO importer_ticket_writer;
GRANT SELECT (employee_id, address, position) ON employee_addresses TO importer_ticket_writer;
GRANT SELECT (id, name, active) ON employees TO importer_ticket_writer;
GRANT SELECT (id, system_key) ON entry_channels TO importer_ticket_writer;
GRANT SELECT (id, name, calendar_id, default_ticket_type_id, default_priority_id, default_environment_id,
    default_ticket_manager_id, default_executor_id, recalculate_deadline, portal_supplement_status_id,
    send_import_mails, sender_address, reply_to_address, fallback_recipient) ON helpdesks TO importer_ticket_writer;
GRANT SELECT (mail_id, helpdesk_id, outcome, outcome_at, decided_replay, message_id_header, subject, ticket_id,
    supplement_id, event_published_at) ON imported_mails TO importer_ticket_writer;
GRANT SELECT (id, mail_id, kind, ticket_id, recipient_address, recipient_key, recipient_employee_id,
    recipient_person_id, state, reason, created_at, message_id, report_action) ON notifications TO
    importer_ticket_writer;
GRANT SELECT (id) ON organisations TO importer_ticket_writer;
GRANT SELECT (id, organisation_id, active) ON persons TO importer_ticket_writer;
GRANT SELECT (id, resolution_minutes) ON priorities TO importer_ticket_writer;
GRANT SELECT (id, mail_id, employee_id, answered_at) ON review_requests TO importer_ticket_writer;
GRANT SELECT (id, system_key) ON supplement_types TO importer_ticket_writer;
GRANT SELECT (id, ticket_id, helpdesk_id, reported_at, informant_person_id, status_id, sender_address, sender_to,
    sender_cc, sender_person_id, automatic, needs_review, held_for_review, by_employee) ON supplements TO
    importer_ticket_writer;
GRANT SELECT (number, ticket_id) ON ticket_numbers TO importer_ticket_writer;
GRANT SELECT (id, number, helpdesk_id, organisation_id, contact_id, priority_id, executor_id, time_needed_hours,
    status_id, planned_at, deadline_at, completed_at, recalculate_deadline, changed_at, merged_into_id,
    sender_address, sender_to, sender_cc, sender_person_id, needs_review) ON tickets TO importer_ticket_writer;
REVOKE SELECT (after_import, after_import_folder, allow_unencrypted, backlog_limit, ca_file, certificate_expires_at,
    certificate_is_set, check_interval_seconds, cloud, enabled, folder, follow_threads, forwarded_sender, generation,
    hide_signature_images, impersonate, import_from, imported_status_flag, imported_status_id, kind, login_expires_at,
    mailbox_kind, marker, max_mail_bytes, numbers_of, organisation_by_domain, own_list_ids, password_is_set,
    reply_to_is_sender, row_version, secret_expires_on, server, strip_image_metadata, tenant, trusted_authserv_ids) ON
    importer_settings FROM importer_ticket_writer;
REVOKE UPDATE (in_progress_at) ON tickets FROM importer_ticket_writer;

-- notifier: what a mail says, and the account that sends it
REVOKE SELECT ON categories, employee_addresses, employees, entry_channels, environments, helpdesks, organisations,
    outgoing_accounts, person_addresses, persons, priorities, statuses, supplement_types, supplements, templates,
    ticket_numbers, ticket_types, tickets FROM importer_notifier;
GRANT SELECT (id, name) ON employees TO importer_notifier;
GRANT SELECT (id, name) ON environments TO importer_notifier;
GRANT SELECT (id, name, calendar_id, outgoing_account_id, sender_name, sender_address, reply_to_address, ticket_url)
    ON helpdesks TO importer_notifier;
GRANT SELECT (id, name) ON organisations TO importer_notifier;
GRANT SELECT (id, name, kind, host, port, security, ca_file, username, password_encrypted, certificate_encrypted,
    login_expires_at, tenant, cloud, mailbox_address, row_version) ON outgoing_accounts TO importer_notifier;
GRANT SELECT (id, name) ON persons TO importer_notifier;
GRANT SELECT (id, name) ON priorities TO importer_notifier;
GRANT SELECT (id, name) ON statuses TO importer_notifier;
GRANT SELECT (id, reported_at, mail_subject, body_html, body_full_html, body_full_text, sender_name, sender_address)
    ON supplements TO importer_notifier;
GRANT SELECT (helpdesk_id, kind, subject, body_html, body_text) ON templates TO importer_notifier;
GRANT SELECT (id, name) ON ticket_types TO importer_notifier;
GRANT SELECT (id, number, organisation_id, contact_id, reported_at, mail_subject, title, body_html, body_full_html,
    body_full_text, ticket_type_id, priority_id, environment_id, ticket_manager_id, executor_id, status_id,
    deadline_at, sender_name, sender_address) ON tickets TO importer_notifier;
REVOKE SELECT (event_published_at, helpdesk_id, outcome, received_at, subject) ON imported_mails FROM
    importer_notifier;
REVOKE SELECT (after_import, after_import_folder, allow_unencrypted, backlog_limit, ca_file, certificate_expires_at,
    certificate_is_set, check_interval_seconds, cloud, confirm_to_employees, default_contact_id, default_employee_id,
    enabled, folder, follow_threads, forwarded_sender, generation, hide_signature_images, hold_strangers, impersonate,
    import_from, imported_status_flag, imported_status_id, kind, login_expires_at, mailbox_kind, max_mail_bytes,
    new_ticket_after_days, numbers_of, old_mail_days, organisation_by_domain, own_list_ids, password_is_set,
    reply_to_is_sender, row_version, secret_expires_on, server, strip_image_metadata, tenant,
    treat_employee_as_customer, trim_replies, trusted_authserv_ids) ON importer_settings FROM importer_notifier;
