-- ── ui_v1: what the helpdesk UI reads ──────────────────────────────────────────────────────────────────────────────
-- A view's columns are a contract: columns may be added at its end, anything else is ui_v2. The views run with their
-- owner's rights, so the UI needs none on the tables below. They have no order: the screen says which it wants.
-- Names are looked up a row at a time: twenty joins would be more than the planner puts in a good order, and a page
-- that does not select a name does not pay for it.

CREATE SCHEMA ui_v1;

CREATE VIEW ui_v1.helpdesks AS
SELECT helpdesks.id, helpdesks.name, helpdesks.active, helpdesks.group_id, groups.name AS group_name,
    helpdesks.calendar_id, helpdesks.default_ticket_type_id, helpdesks.default_priority_id,
    helpdesks.default_environment_id, helpdesks.default_ticket_manager_id, helpdesks.default_executor_id,
    helpdesks.recalculate_deadline, helpdesks.portal_supplement_status_id, helpdesks.send_import_mails, helpdesks.row_version
FROM helpdesk.helpdesks LEFT JOIN helpdesk.helpdesk_groups AS groups ON groups.id = helpdesks.group_id;

CREATE VIEW ui_v1.importer_settings AS
SELECT settings.helpdesk_id, settings.enabled, settings.kind, settings.username,
    settings.password_is_set AS has_password, settings.server, settings.mailbox_address, settings.folder,
    settings.default_contact_id, contact.name AS default_contact_name, settings.default_employee_id,
    employee.name AS default_employee_name, settings.marker, state.last_successful_check_at, state.problem,
    state.problem_since, settings.row_version,
    settings.mailbox_kind, settings.tenant, settings.certificate_is_set AS has_certificate, settings.cloud,
    settings.ca_file, settings.allow_unencrypted, settings.impersonate, settings.secret_expires_on,
    settings.certificate_expires_at, settings.login_expires_at, state.problem_kind, state.refused_logins,
    state.refused_since, state.login_rests_until
FROM helpdesk.importer_settings AS settings
    JOIN helpdesk.mailbox_states AS state USING (helpdesk_id)
    LEFT JOIN helpdesk.persons AS contact ON contact.id = settings.default_contact_id
    LEFT JOIN helpdesk.employees AS employee ON employee.id = settings.default_employee_id;

CREATE VIEW ui_v1.statuses AS
SELECT id, helpdesk_id, name, category, position, flag, visible_to_customer, expanded, active, row_version
FROM helpdesk.statuses;

CREATE VIEW ui_v1.contacts AS
SELECT persons.id, persons.name, persons.active, persons.organisation_id, organisations.name AS organisation_name,
    organisations.active AS organisation_active,
    ARRAY(SELECT address FROM helpdesk.person_addresses WHERE person_id = persons.id ORDER BY id) AS addresses,
    persons.row_version
FROM helpdesk.persons JOIN helpdesk.organisations ON organisations.id = persons.organisation_id;

CREATE VIEW ui_v1.employees AS
SELECT id, name, active,
    ARRAY(SELECT address FROM helpdesk.employee_addresses WHERE employee_id = employees.id ORDER BY position) AS addresses,
    row_version
FROM helpdesk.employees;

CREATE VIEW ui_v1.tickets AS
SELECT ticket.id, ticket.number, ticket.title,
    ticket.helpdesk_id, (SELECT name FROM helpdesk.helpdesks WHERE id = ticket.helpdesk_id) AS helpdesk_name,
    ticket.status_id, status.name AS status_name, status.category AS status_category, ticket.status_flag,
    ticket.organisation_id, (SELECT name FROM helpdesk.organisations WHERE id = ticket.organisation_id) AS organisation_name,
    ticket.contact_id, (SELECT name FROM helpdesk.persons WHERE id = ticket.contact_id) AS contact_name,
    ticket.created_at, ticket.created_by_employee_id, ticket.created_by_person_id,
    coalesce((SELECT name FROM helpdesk.employees WHERE id = ticket.created_by_employee_id),
        (SELECT name FROM helpdesk.persons WHERE id = ticket.created_by_person_id)) AS created_by_name,
    ticket.reported_at,
    ticket.entry_channel_id, (SELECT system_key FROM helpdesk.entry_channels WHERE id = ticket.entry_channel_id) AS entry_channel_key,
    (SELECT name FROM helpdesk.entry_channels WHERE id = ticket.entry_channel_id) AS entry_channel_name,
    ticket.mail_subject, ticket.body_html, ticket.body_full_html, ticket.body_full_text,
    ticket.ticket_type_id, (SELECT name FROM helpdesk.ticket_types WHERE id = ticket.ticket_type_id) AS ticket_type_name,
    ticket.priority_id, (SELECT name FROM helpdesk.priorities WHERE id = ticket.priority_id) AS priority_name,
    ticket.environment_id, (SELECT name FROM helpdesk.environments WHERE id = ticket.environment_id) AS environment_name,
    ticket.category_id, (SELECT name FROM helpdesk.categories WHERE id = ticket.category_id) AS category_name,
    ticket.subcategory_id, (SELECT name FROM helpdesk.categories WHERE id = ticket.subcategory_id) AS subcategory_name,
    ticket.ticket_manager_id, (SELECT name FROM helpdesk.employees WHERE id = ticket.ticket_manager_id) AS ticket_manager_name,
    ticket.executor_id, (SELECT name FROM helpdesk.employees WHERE id = ticket.executor_id) AS executor_name,
    ticket.parent_ticket_id, (SELECT number FROM helpdesk.tickets WHERE id = ticket.parent_ticket_id) AS parent_ticket_number,
    ticket.merged_into_id, (SELECT number FROM helpdesk.tickets WHERE id = ticket.merged_into_id) AS merged_into_number,
    ticket.external_id, ticket.project, ticket.evaluation, ticket.time_needed_hours, ticket.planned_at,
    ticket.deadline_at, ticket.in_progress_at, ticket.completed_at, ticket.recalculate_deadline,
    ticket.changed_at, ticket.changed_by_employee_id, ticket.changed_by_person_id,
    coalesce((SELECT name FROM helpdesk.employees WHERE id = ticket.changed_by_employee_id),
        (SELECT name FROM helpdesk.persons WHERE id = ticket.changed_by_person_id)) AS changed_by_name,
    ticket.sender_name, ticket.sender_address, ticket.sender_to, ticket.sender_cc, ticket.sender_person_id,
    ticket.sender_employee_id, ticket.automatic, ticket.verdict, ticket.needs_review, ticket.mail_id,
    ticket.search_document, ticket.row_version
FROM helpdesk.tickets AS ticket JOIN helpdesk.statuses AS status ON status.id = ticket.status_id;

-- The work list «geïmporteerd»: what staff still have to complete (M5). Light: no bodies.
CREATE VIEW ui_v1.imported_tickets AS
SELECT ticket.id, ticket.number, ticket.title,
    ticket.helpdesk_id, (SELECT name FROM helpdesk.helpdesks WHERE id = ticket.helpdesk_id) AS helpdesk_name,
    ticket.status_id, ticket.reported_at,
    ticket.organisation_id, (SELECT name FROM helpdesk.organisations WHERE id = ticket.organisation_id) AS organisation_name,
    ticket.contact_id, (SELECT name FROM helpdesk.persons WHERE id = ticket.contact_id) AS contact_name,
    ticket.sender_name, ticket.sender_address, ticket.priority_id,
    ticket.executor_id, (SELECT name FROM helpdesk.employees WHERE id = ticket.executor_id) AS executor_name,
    ticket.automatic, ticket.needs_review, ticket.row_version
FROM helpdesk.tickets AS ticket
WHERE ticket.status_flag = 'imported' AND ticket.merged_into_id IS NULL;

CREATE VIEW ui_v1.ticket_numbers AS
SELECT number, ticket_id, is_alias FROM helpdesk.ticket_numbers;

CREATE VIEW ui_v1.supplements AS
SELECT supplement.id,
    supplement.ticket_id, (SELECT number FROM helpdesk.tickets WHERE id = supplement.ticket_id) AS ticket_number,
    supplement.helpdesk_id, supplement.reported_at, supplement.supplement_type_id,
    (SELECT system_key FROM helpdesk.supplement_types WHERE id = supplement.supplement_type_id) AS supplement_type_key,
    (SELECT name FROM helpdesk.supplement_types WHERE id = supplement.supplement_type_id) AS supplement_type_name,
    supplement.informant_person_id, supplement.informant_employee_id,
    coalesce((SELECT name FROM helpdesk.persons WHERE id = supplement.informant_person_id),
        (SELECT name FROM helpdesk.employees WHERE id = supplement.informant_employee_id)) AS informant_name,
    supplement.mail_subject, supplement.body_html, supplement.body_full_html, supplement.body_full_text,
    supplement.visible_to_customer, supplement.expanded,
    supplement.status_id, (SELECT name FROM helpdesk.statuses WHERE id = supplement.status_id) AS status_name,
    supplement.priority_id, (SELECT name FROM helpdesk.priorities WHERE id = supplement.priority_id) AS priority_name,
    supplement.executor_id, (SELECT name FROM helpdesk.employees WHERE id = supplement.executor_id) AS executor_name,
    supplement.planned_at, supplement.deadline_at, supplement.recalculate_deadline, supplement.time_needed_hours,
    supplement.created_at, supplement.created_by_person_id, supplement.created_by_employee_id,
    coalesce((SELECT name FROM helpdesk.persons WHERE id = supplement.created_by_person_id),
        (SELECT name FROM helpdesk.employees WHERE id = supplement.created_by_employee_id)) AS created_by_name,
    supplement.changed_at, supplement.changed_by_employee_id, supplement.changed_by_person_id,
    coalesce((SELECT name FROM helpdesk.employees WHERE id = supplement.changed_by_employee_id),
        (SELECT name FROM helpdesk.persons WHERE id = supplement.changed_by_person_id)) AS changed_by_name,
    supplement.sender_name, supplement.sender_address, supplement.sender_to, supplement.sender_cc,
    supplement.sender_person_id, supplement.sender_employee_id, supplement.automatic, supplement.verdict,
    supplement.needs_review, supplement.held_for_review, supplement.mail_id, supplement.search_document,
    supplement.row_version
FROM helpdesk.supplements AS supplement;

CREATE VIEW ui_v1.ticket_history AS
SELECT history.id, history.ticket_id, history.supplement_id, history.at, history.kind, history.description,
    history.details, history.employee_id, history.person_id, coalesce(employee.name, person.name) AS author_name,
    history.mail_id
FROM helpdesk.ticket_history AS history
    LEFT JOIN helpdesk.employees AS employee ON employee.id = history.employee_id
    LEFT JOIN helpdesk.persons AS person ON person.id = history.person_id;

CREATE VIEW ui_v1.attachments AS
SELECT id, ticket_id, supplement_id, mail_id, position, name, media_type, byte_size, width, height, inline, content_id,
    left_out_reason IS NULL AS stored, left_out_reason, created_at, decoration,
    decoration IS NOT NULL AND coalesce((
        SELECT settings.hide_signature_images
        FROM helpdesk.tickets AS ticket JOIN helpdesk.importer_settings AS settings USING (helpdesk_id)
        WHERE ticket.id = attachments.ticket_id), true) AS hidden
FROM helpdesk.attachments;

CREATE VIEW ui_v1.attachment_copies AS
SELECT attachment_id, kind, media_type, width, height, byte_size
FROM helpdesk.attachment_copies;

CREATE VIEW ui_v1.attachment_copy_chunks AS
SELECT copies.attachment_id, copies.kind, chunks.position, chunks.content
FROM helpdesk.attachment_copies AS copies JOIN helpdesk.blob_chunks AS chunks ON chunks.sha256 = copies.blob_sha256;

CREATE VIEW ui_v1.attachment_chunks AS
SELECT attachments.id AS attachment_id, chunks.position, chunks.content
FROM helpdesk.attachments JOIN helpdesk.blob_chunks AS chunks ON chunks.sha256 = attachments.blob_sha256;

CREATE VIEW ui_v1.imported_mails AS
SELECT mail.mail_id, mail.helpdesk_id, mail.received_at, mail.fetched_at, mail.outcome, mail.outcome_at, mail.reasons,
    mail.message_id_header, mail.sender_name, mail.sender_address, mail.subject, mail.sent_at, mail.ticket_id,
    mail.supplement_id, mail.duplicate_of, mail.forced_from, mail.complete, mail.full_size
FROM helpdesk.imported_mails AS mail;

CREATE VIEW ui_v1.notifications AS
SELECT id, mail_id, kind, helpdesk_id, ticket_id, supplement_id, recipient_name, recipient_address,
    recipient_employee_id, recipient_person_id, state, reason, created_at, tries, next_try_at, subject, sent_at,
    report_action, report_status, report_diagnostic, reported_at, report_mail_id
FROM helpdesk.notifications;
