-- ── secrets are read with the login alone; a ticket that was held is accepted by ticket_writer alone ───────────────

REVOKE SELECT (username, password_encrypted, certificate_encrypted, login_expires_at, tenant, cloud, ca_file)
    ON importer_settings FROM importer_fetcher;
REVOKE SELECT (name, username, password_encrypted, certificate_encrypted, login_expires_at, tenant, cloud, ca_file)
    ON outgoing_accounts FROM importer_notifier;

REVOKE UPDATE (status_id, deadline_at, completed_at, changed_at, changed_by_employee_id, changed_by_person_id,
    needs_review) ON tickets FROM importer_console, importer_operator;
REVOKE UPDATE (visible_to_customer, expanded, status_id, deadline_at, needs_review, held_for_review, changed_at,
    changed_by_employee_id, changed_by_person_id) ON supplements FROM importer_console, importer_operator;
REVOKE INSERT (ticket_id, supplement_id, at, kind, description, details, employee_id, mail_id)
    ON ticket_history FROM importer_console, importer_operator;
REVOKE UPDATE (held_for_review) ON supplements FROM helpdesk_ui;
