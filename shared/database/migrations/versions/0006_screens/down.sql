DROP VIEW ui_v1.original_mail_chunks, ui_v1.mailbox_settings, ui_v1.helpdesk_settings, ui_v1.templates;
DROP VIEW ui_v1.imported_tickets;
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
GRANT SELECT ON ui_v1.imported_tickets TO helpdesk_ui;
REVOKE UPDATE (reported_at) ON helpdesk.tickets, helpdesk.supplements FROM helpdesk_ui;
REVOKE INSERT (name) ON helpdesk.entry_channels, helpdesk.supplement_types FROM helpdesk_ui;
REVOKE EXECUTE ON FUNCTION helpdesk.mailbox_kind FROM helpdesk_ui;
DROP TRIGGER template_can_be_used ON helpdesk.templates;
DROP FUNCTION helpdesk.check_template;
DROP FUNCTION helpdesk.template_problem;
DROP FUNCTION helpdesk.placeholders;
