-- ── what the web console shows and changes of a helpdesk's settings: as the command line, and no secret is read ────────
-- Which helpdesk a user may change is decided by the console (`services.console.web.visitors`).

GRANT SELECT (kind, mailbox_kind, username, password_is_set, secret_expires_on, certificate_is_set,
        certificate_expires_at, login_expires_at, tenant, cloud, server, ca_file, allow_unencrypted, impersonate,
        mailbox_address, folder, generation, default_contact_id, marker, imported_status_id, imported_status_flag,
        check_interval_seconds, max_mail_bytes, import_from, read_mail_from, old_mail_days, backlog_limit,
        after_import, after_import_folder, numbers_of, own_list_ids, trusted_authserv_ids, fed_by_rule,
        follow_threads, treat_employee_as_customer, confirm_to_employees, hold_strangers, reply_to_is_sender,
        forwarded_sender, organisation_by_domain, new_ticket_after_days, trim_replies, strip_image_metadata,
        hide_signature_images, login_id, paused_since, paused_reason, row_version),
    INSERT (helpdesk_id, enabled, kind, username, password_encrypted, secret_expires_on, certificate_encrypted,
        certificate_expires_at, tenant, cloud, server, ca_file, allow_unencrypted, impersonate, mailbox_address, folder,
        default_contact_id, default_employee_id, marker, check_interval_seconds, max_mail_bytes, import_from,
        read_mail_from, old_mail_days, backlog_limit, after_import, after_import_folder, numbers_of, own_list_ids,
        trusted_authserv_ids, fed_by_rule, follow_threads, treat_employee_as_customer, confirm_to_employees,
        hold_strangers, reply_to_is_sender, forwarded_sender, organisation_by_domain, new_ticket_after_days,
        trim_replies, strip_image_metadata, hide_signature_images, login_id),
    UPDATE (enabled, kind, username, password_encrypted, secret_expires_on, certificate_encrypted,
        certificate_expires_at, tenant, cloud, server, ca_file, allow_unencrypted, impersonate, mailbox_address, folder,
        default_contact_id, default_employee_id, marker, check_interval_seconds, max_mail_bytes, import_from,
        read_mail_from, old_mail_days, backlog_limit, after_import, after_import_folder, numbers_of, own_list_ids,
        trusted_authserv_ids, fed_by_rule, follow_threads, treat_employee_as_customer, confirm_to_employees,
        hold_strangers, reply_to_is_sender, forwarded_sender, organisation_by_domain, new_ticket_after_days,
        trim_replies, strip_image_metadata, hide_signature_images, login_id, paused_since, paused_reason)
    ON importer_settings TO importer_web;
GRANT SELECT, UPDATE (calendar_id, group_id, default_ticket_type_id, default_priority_id, default_environment_id,
    default_ticket_manager_id, default_executor_id, recalculate_deadline, portal_supplement_status_id,
    send_import_mails, outgoing_account_id, sender_name, sender_address, reply_to_address, fallback_recipient,
    unknown_senders_per_hour, quoted_to_strangers, summary_after, ticket_url) ON helpdesks TO importer_web;
GRANT SELECT, INSERT, UPDATE ON calendars, statuses, ticket_types, priorities, environments, categories
    TO importer_web;
GRANT SELECT, INSERT, DELETE ON calendar_hours, calendar_exceptions TO importer_web;
GRANT SELECT, INSERT (helpdesk_id, kind, subject, body_html, body_text), UPDATE (subject, body_html, body_text)
    ON templates TO importer_web;
GRANT SELECT, INSERT (helpdesk_id, kind, pattern, verdict), UPDATE (verdict), DELETE ON sender_rules TO importer_web;
GRANT SELECT (id, name, active) ON persons, employees TO importer_web;
GRANT SELECT (id, person_id, address, address_key) ON person_addresses TO importer_web;
GRANT SELECT (id, employee_id, address, address_key, position) ON employee_addresses TO importer_web;
GRANT SELECT (id, name) ON helpdesk_groups, outgoing_accounts TO importer_web;
-- A login's secret is sealed for the public key; only whether there is one can be read.
GRANT SELECT ON sealing_keys TO importer_web;
GRANT SELECT (id, name, password_is_set, certificate_is_set, certificate_expires_at),
    UPDATE (password_encrypted, secret_expires_on, certificate_encrypted, certificate_expires_at)
    ON logins TO importer_web;
GRANT SELECT (login_id, refused_since, probe_at, problem) ON login_states TO importer_web;
GRANT EXECUTE ON FUNCTION helpdesk.mailbox_kind, helpdesk.free_login_name, helpdesk.refuse_shared_login
    TO importer_web;
-- Who set what and when, and the brakes.
GRANT SELECT ON audit_log TO importer_web;
GRANT SELECT, INSERT (helpdesk_id, reason), DELETE ON outgoing_holds TO importer_web;
