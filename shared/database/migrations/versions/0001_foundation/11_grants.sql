-- ── who may do what (DESIGN 8): one block a role; tests/shared/database/test_privileges.py holds the same table ────
-- Secrets are readable by their one user: the mailbox's password by the fetcher, an outgoing account's by the notifier.
-- People's tools may write them and never read them (S3).

GRANT USAGE ON SCHEMA helpdesk TO importer_fetcher, importer_classifier, importer_ticket_writer, importer_notifier,
    importer_console, importer_operator, helpdesk_ui;
GRANT SELECT ON public.alembic_version TO importer_fetcher, importer_classifier, importer_ticket_writer,
    importer_notifier, importer_console, importer_operator, helpdesk_ui;

-- PostgreSQL asks UPDATE of who locks a row: whoever stores blobs keeps one from being removed while he ties it.
GRANT UPDATE (created_at) ON blobs TO importer_fetcher, importer_classifier, importer_operator;

REVOKE ALL ON FUNCTION record_dead_letter FROM PUBLIC;
GRANT EXECUTE ON FUNCTION record_dead_letter TO importer_fetcher, importer_classifier, importer_ticket_writer,
    importer_notifier, importer_console, importer_operator;

-- Settings of the importer, for whoever may not read the password.
GRANT SELECT (helpdesk_id, enabled, kind, mailbox_kind, username, password_is_set, secret_expires_on,
    certificate_is_set, certificate_expires_at, login_expires_at, tenant, cloud, server, ca_file, allow_unencrypted,
    impersonate, mailbox_address, folder, generation,
    default_contact_id, default_employee_id, marker, imported_status_id, imported_status_flag, check_interval_seconds, max_mail_bytes,
    import_from, old_mail_days, backlog_limit, after_import, after_import_folder, numbers_of, own_list_ids,
    trusted_authserv_ids, follow_threads, treat_employee_as_customer, confirm_to_employees, hold_strangers, row_version,
    reply_to_is_sender, forwarded_sender, organisation_by_domain, new_ticket_after_days, trim_replies, strip_image_metadata,
    hide_signature_images)
    ON importer_settings
    TO importer_classifier, importer_ticket_writer, importer_notifier, importer_console, importer_operator;
GRANT SELECT (id, name, kind, host, port, security, ca_file, username, password_is_set, secret_expires_on,
    certificate_is_set, certificate_expires_at, login_expires_at, tenant, cloud, mailbox_address, row_version)
    ON outgoing_accounts TO importer_console, importer_operator;

-- ── fetcher: which mailbox is due, which mails are new ─────────────────────────────────────────────────────────────
GRANT SELECT ON importer_settings, mailbox_states, helpdesks, statuses, imported_mails, dead_letters,
    blobs, blob_chunks, mail_blobs TO importer_fetcher;
GRANT SELECT (id, active) ON persons, employees TO importer_fetcher; -- D14: made inactive elsewhere, the mailbox pauses
GRANT UPDATE (last_successful_check_at, last_check_at, next_check_at, failed_checks, problem, problem_kind,
    problem_since, refused_logins, refused_since, login_rests_until, expiry_told_on, lease_holder, lease_until, sync_state, backlog_waiting, backlog_oldest_at, backlog_newest_at, backlog_choice,
    backlog_chosen_at, backlog_chosen_until) ON mailbox_states TO importer_fetcher;
GRANT INSERT ON blobs, blob_chunks, mail_blobs TO importer_fetcher;
GRANT INSERT (mail_id, helpdesk_id, generation, folder, item_key, choice, raw_sha256, raw_size, full_size,
    complete, received_at, fetched_at, published_at, marked_read_at, acted_at, next_republish_at)
    ON imported_mails TO importer_fetcher;
GRANT UPDATE (published_at, marked_read_at, acted_at, republish_count, next_republish_at)
    ON imported_mails TO importer_fetcher;

-- ── classifier: facts ──────────────────────────────────────────────────────────────────────────────────────────────
GRANT SELECT ON organisations, persons, person_addresses, employees, employee_addresses, helpdesks, helpdesk_groups,
    statuses, sender_rules, tickets, ticket_numbers, supplements, imported_mails, blobs, blob_chunks, mail_blobs
    TO importer_classifier;
GRANT SELECT (id, mail_id, kind, helpdesk_id, ticket_id, supplement_id, recipient_address, recipient_key, state, message_id)
    ON notifications TO importer_classifier;
GRANT SELECT (id, name, username, mailbox_address) ON outgoing_accounts TO importer_classifier; -- our own addresses
GRANT INSERT ON blobs, blob_chunks, mail_blobs TO importer_classifier;

-- ── ticket_writer: a ticket or supplement, and the outcome ─────────────────────────────────────────────────────────
GRANT SELECT ON organisations, persons, person_addresses, employees, employee_addresses, calendars, calendar_hours,
    calendar_exceptions, helpdesks, helpdesk_groups, statuses, ticket_types, priorities, environments, categories,
    entry_channels, supplement_types, templates, tickets, ticket_numbers, supplements, ticket_history, attachments,
    attachment_copies, content_keys, notifications, imported_mails, imported_mail_outcomes, dead_letters, blobs, blob_chunks, mail_blobs
    TO importer_ticket_writer;
GRANT USAGE ON SEQUENCE ticket_number_seq TO importer_ticket_writer;
GRANT INSERT ON tickets, supplements, ticket_history, attachments, attachment_copies, content_keys, notifications
    TO importer_ticket_writer;
GRANT UPDATE (status_id, deadline_at, in_progress_at, completed_at, changed_at, changed_by_employee_id,
    changed_by_person_id, needs_review) ON tickets TO importer_ticket_writer;
GRANT UPDATE (outcome, outcome_at, decided_replay, reasons, message_id_header, sender_name, sender_address, subject, sent_at,
    content_key, text_digest, content_key_version, ticket_id, supplement_id, duplicate_of, classified_at,
    event_published_at) ON imported_mails TO importer_ticket_writer;

GRANT UPDATE (state, reason, report_action, report_status, report_diagnostic, reported_at, report_mail_id) ON notifications
    TO importer_ticket_writer;

-- ── notifier: how a notification reads ─────────────────────────────────────────────────────────────────────────────
GRANT SELECT ON organisations, persons, person_addresses, employees, employee_addresses, helpdesks, statuses,
    ticket_types, priorities, environments, categories, entry_channels, supplement_types, templates, outgoing_accounts,
    tickets, ticket_numbers, supplements, notifications TO importer_notifier;
GRANT SELECT (id, time_zone) ON calendars TO importer_notifier; -- in which times are written
GRANT SELECT (id, ticket_id, mail_id, position, name, left_out_reason) ON attachments TO importer_notifier;
GRANT SELECT (mail_id, helpdesk_id, message_id_header, subject, received_at, outcome, event_published_at)
    ON imported_mails TO importer_notifier;
GRANT UPDATE (state, reason, tries, next_try_at, lease_holder, lease_until, message_id, subject, mime, draft_id,
    sent_at, server_reply) ON notifications TO importer_notifier;
GRANT SELECT, UPDATE (refused_logins, refused_since, login_rests_until, refusal, expiry_told_on)
    ON outgoing_account_states TO importer_notifier;

-- ── console and operator: what people ask for ──────────────────────────────────────────────────────────────────────
GRANT SELECT ON organisations, persons, person_addresses, employees, employee_addresses, calendars, calendar_hours,
    calendar_exceptions, helpdesk_groups, helpdesks, statuses, ticket_types, priorities, environments, categories,
    entry_channels, supplement_types, templates, mailbox_states, outgoing_account_states, sender_rules, blobs, blob_chunks, mail_blobs, imported_mails,
    imported_mail_outcomes, dead_letters, tickets, ticket_numbers, supplements, ticket_history, attachments,
    attachment_copies, content_keys, notifications TO importer_console, importer_operator;
GRANT INSERT (helpdesk_id, enabled, kind, username, password_encrypted, secret_expires_on, certificate_encrypted,
    certificate_expires_at, tenant, cloud, server, ca_file, allow_unencrypted, impersonate, mailbox_address, folder,
    default_contact_id, default_employee_id, marker, check_interval_seconds, max_mail_bytes, import_from, old_mail_days,
    backlog_limit, after_import, after_import_folder, numbers_of, own_list_ids, trusted_authserv_ids, follow_threads,
    treat_employee_as_customer, confirm_to_employees, hold_strangers,
    reply_to_is_sender, forwarded_sender, organisation_by_domain, new_ticket_after_days, trim_replies, strip_image_metadata,
    hide_signature_images) ON importer_settings
    TO importer_console, importer_operator;
GRANT UPDATE (enabled, kind, username, password_encrypted, secret_expires_on, certificate_encrypted,
    certificate_expires_at, tenant, cloud, server, ca_file, allow_unencrypted, impersonate, mailbox_address, folder,
    default_contact_id, default_employee_id, marker, check_interval_seconds, max_mail_bytes, import_from, old_mail_days,
    backlog_limit, after_import, after_import_folder, numbers_of, own_list_ids, trusted_authserv_ids, follow_threads,
    treat_employee_as_customer, confirm_to_employees, hold_strangers,
    reply_to_is_sender, forwarded_sender, organisation_by_domain, new_ticket_after_days, trim_replies, strip_image_metadata,
    hide_signature_images) ON importer_settings
    TO importer_console, importer_operator;
GRANT INSERT (name, kind, host, port, security, ca_file, username, password_encrypted, secret_expires_on,
        certificate_encrypted, certificate_expires_at, tenant, cloud, mailbox_address),
    UPDATE (name, kind, host, port, security, ca_file, username, password_encrypted, secret_expires_on,
        certificate_encrypted, certificate_expires_at, tenant, cloud, mailbox_address)
    ON outgoing_accounts TO importer_console, importer_operator;
GRANT INSERT, UPDATE ON organisations, persons, person_addresses, employees, employee_addresses, calendars,
    calendar_hours, calendar_exceptions, helpdesk_groups, helpdesks, statuses, ticket_types, priorities, environments,
    categories, templates TO importer_console, importer_operator;
GRANT DELETE ON person_addresses, employee_addresses, calendar_hours, calendar_exceptions, templates, outgoing_accounts
    TO importer_console, importer_operator;
-- Repairs: check a mailbox now, choose for a backlog, send a waiting mail now, publish or replay a mail, force a second import,
-- discard what is quarantined (a trigger keeps every other outcome as it is), close a dead letter, accept what was reviewed, import old
-- numbers.
GRANT UPDATE (next_check_at, backlog_choice, backlog_chosen_at, backlog_chosen_until) ON mailbox_states
    TO importer_console, importer_operator;
GRANT UPDATE (next_try_at) ON notifications TO importer_console, importer_operator;
GRANT INSERT (helpdesk_id, kind, pattern, verdict), UPDATE (verdict), DELETE ON sender_rules
    TO importer_console, importer_operator;
GRANT INSERT (mail_id, helpdesk_id, generation, folder, item_key, force_number, forced_from, choice, raw_sha256,
    raw_size, full_size, complete, received_at, fetched_at, marked_read_at, next_republish_at)
    ON imported_mails TO importer_console, importer_operator;
GRANT INSERT ON mail_blobs TO importer_console, importer_operator;
GRANT UPDATE (choice, replay_number, published_at, next_republish_at, republish_count, outcome_at, decided_replay,
    reasons) ON imported_mails TO importer_console, importer_operator;
GRANT UPDATE (resolved_at) ON dead_letters TO importer_console, importer_operator;
GRANT UPDATE (status_id, deadline_at, completed_at, changed_at, changed_by_employee_id, changed_by_person_id,
    needs_review) ON tickets TO importer_console, importer_operator;
GRANT UPDATE (visible_to_customer, expanded, status_id, deadline_at, needs_review, held_for_review, changed_at,
    changed_by_employee_id, changed_by_person_id) ON supplements TO importer_console, importer_operator;
GRANT INSERT (ticket_id, supplement_id, at, kind, description, details, employee_id, mail_id)
    ON ticket_history TO importer_console, importer_operator;
GRANT INSERT (number, ticket_id) ON ticket_numbers TO importer_console, importer_operator;
-- The operator alone sweeps up blobs that nothing needs any more.
GRANT DELETE ON mail_blobs, blobs TO importer_operator;

-- ── helpdesk UI: reads the views of ui_v1, writes these columns (docs/schema.md says how) ──────────────────────────
GRANT USAGE ON SCHEMA ui_v1 TO helpdesk_ui;
GRANT SELECT ON ALL TABLES IN SCHEMA ui_v1 TO helpdesk_ui;
GRANT USAGE ON SEQUENCE ticket_number_seq TO helpdesk_ui;

GRANT SELECT (id, row_version, number, helpdesk_id) ON tickets TO helpdesk_ui;
GRANT INSERT (helpdesk_id, organisation_id, contact_id, created_by_employee_id, created_by_person_id, reported_at,
    entry_channel_id, title, body_html, body_full_html, body_full_text, ticket_type_id, priority_id, environment_id,
    category_id, subcategory_id, ticket_manager_id, executor_id, parent_ticket_id, external_id, project, evaluation,
    time_needed_hours, status_id, planned_at, deadline_at, in_progress_at, completed_at, recalculate_deadline,
    changed_at, changed_by_employee_id, changed_by_person_id) ON tickets TO helpdesk_ui;
GRANT UPDATE (helpdesk_id, organisation_id, contact_id, title, body_html, ticket_type_id, priority_id, environment_id,
    category_id, subcategory_id, ticket_manager_id, executor_id, parent_ticket_id, external_id, project, evaluation,
    time_needed_hours, status_id, planned_at, deadline_at, in_progress_at, completed_at, recalculate_deadline,
    changed_at, changed_by_employee_id, changed_by_person_id, merged_into_id, needs_review) ON tickets TO helpdesk_ui;

GRANT SELECT (id, row_version, ticket_id, helpdesk_id) ON supplements TO helpdesk_ui;
GRANT INSERT (ticket_id, reported_at, supplement_type_id, informant_person_id, informant_employee_id, body_html,
    body_full_html, body_full_text, visible_to_customer, expanded, status_id, priority_id, executor_id, planned_at,
    deadline_at, recalculate_deadline, time_needed_hours, created_by_person_id, created_by_employee_id, changed_at,
    changed_by_employee_id, changed_by_person_id) ON supplements TO helpdesk_ui;
GRANT UPDATE (visible_to_customer, expanded, body_html, needs_review, held_for_review, changed_at,
    changed_by_employee_id, changed_by_person_id) ON supplements TO helpdesk_ui;

GRANT SELECT (id), INSERT (ticket_id, supplement_id, kind, description, details, employee_id, person_id)
    ON ticket_history TO helpdesk_ui;
GRANT SELECT (number, ticket_id), INSERT (number, ticket_id) ON ticket_numbers TO helpdesk_ui;

-- The lists and people that the helpdesk UI manages.
GRANT SELECT, INSERT, UPDATE ON organisations, persons, person_addresses, employees, employee_addresses, calendars,
    calendar_hours, calendar_exceptions, statuses, ticket_types, priorities, environments, categories TO helpdesk_ui;
GRANT DELETE ON person_addresses, employee_addresses, calendar_hours, calendar_exceptions TO helpdesk_ui;
GRANT SELECT ON entry_channels, supplement_types TO helpdesk_ui;
