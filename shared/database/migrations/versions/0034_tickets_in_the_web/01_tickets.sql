-- ── a ticket as it was imported ────────────────────────────────────────────────────────────────────────────────────────

GRANT SELECT (id, number, helpdesk_id, helpdesk_name, title, status_name, organisation_name, contact_name, sender_name, sender_address,
    created_by_name, reported_at, entry_channel_name, ticket_type_name, priority_name, environment_name, category_name,
    subcategory_name, ticket_manager_name, executor_name, parent_ticket_number, merged_into_number, deadline_at, completed_at,
    changed_at, changed_by_name, automatic, needs_review, mail_id, body_html, body_full_text) ON ui_v1.tickets TO importer_web;
GRANT SELECT (id, ticket_id, reported_at, supplement_type_name, informant_name, sender_name, sender_address, visible_to_customer,
    status_name, verdict, automatic, needs_review, held_for_review, mail_id, body_html, body_full_text) ON ui_v1.supplements TO importer_web;
GRANT SELECT (id, ticket_id, supplement_id, mail_id, position, name, media_type, byte_size, stored, left_out_reason, created_at) ON ui_v1.attachments TO importer_web;
GRANT SELECT (id, ticket_id, at, description, author_name, mail_id) ON ui_v1.ticket_history TO importer_web;
GRANT SELECT (number, ticket_id) ON ui_v1.ticket_numbers TO importer_web;
