DROP TABLE service_questions;
REVOKE ALL ON importer_settings, helpdesks, calendars, statuses, ticket_types, priorities, environments, categories,
    calendar_hours, calendar_exceptions, templates, sender_rules, persons, employees, person_addresses,
    employee_addresses, helpdesk_groups, outgoing_accounts, sealing_keys, logins, login_states, audit_log,
    outgoing_holds FROM importer_web;
REVOKE ALL (kind, mailbox_kind, username, password_is_set, secret_expires_on, certificate_is_set, certificate_expires_at,
    login_expires_at, tenant, cloud, server, ca_file, allow_unencrypted, impersonate, mailbox_address, folder, generation,
    default_contact_id, marker, imported_status_id, imported_status_flag, check_interval_seconds, max_mail_bytes,
    import_from, read_mail_from, old_mail_days, backlog_limit, after_import, after_import_folder, numbers_of,
    own_list_ids, trusted_authserv_ids, fed_by_rule, follow_threads, treat_employee_as_customer, confirm_to_employees,
    hold_strangers, reply_to_is_sender, forwarded_sender, organisation_by_domain, new_ticket_after_days, trim_replies,
    strip_image_metadata, hide_signature_images, login_id, paused_since, paused_reason, row_version,
    password_encrypted, certificate_encrypted) ON importer_settings FROM importer_web;
GRANT SELECT (helpdesk_id, enabled, default_employee_id) ON importer_settings TO importer_web;
GRANT SELECT (id, name) ON helpdesks TO importer_web;
GRANT SELECT (helpdesk_id) ON outgoing_holds TO importer_web;
REVOKE EXECUTE ON FUNCTION helpdesk.mailbox_kind, helpdesk.free_login_name, helpdesk.refuse_shared_login
    FROM importer_web;
