-- ── tickets that come by telephone, supplements that staff type, the day that was reported, the original mail ───────

GRANT INSERT (name) ON helpdesk.entry_channels, helpdesk.supplement_types TO helpdesk_ui;
GRANT UPDATE (reported_at) ON helpdesk.tickets, helpdesk.supplements TO helpdesk_ui;

CREATE OR REPLACE VIEW ui_v1.imported_tickets AS
SELECT ticket.id, ticket.number, ticket.title,
    ticket.helpdesk_id, (SELECT name FROM helpdesk.helpdesks WHERE id = ticket.helpdesk_id) AS helpdesk_name,
    ticket.status_id, ticket.reported_at,
    ticket.organisation_id, (SELECT name FROM helpdesk.organisations WHERE id = ticket.organisation_id) AS organisation_name,
    ticket.contact_id, (SELECT name FROM helpdesk.persons WHERE id = ticket.contact_id) AS contact_name,
    ticket.sender_name, ticket.sender_address, ticket.priority_id,
    ticket.executor_id, (SELECT name FROM helpdesk.employees WHERE id = ticket.executor_id) AS executor_name,
    ticket.automatic, ticket.needs_review, ticket.row_version,
    (SELECT name FROM helpdesk.statuses WHERE id = ticket.status_id) AS status_name,
    (SELECT name FROM helpdesk.priorities WHERE id = ticket.priority_id) AS priority_name
FROM helpdesk.tickets AS ticket
WHERE ticket.status_flag = 'imported' AND ticket.merged_into_id IS NULL;
COMMENT ON COLUMN ui_v1.imported_tickets.status_name IS 'Name of the status.';
COMMENT ON COLUMN ui_v1.imported_tickets.priority_name IS 'Name of the priority.';

CREATE VIEW ui_v1.original_mail_chunks AS
SELECT mail.mail_id, chunks.position, chunks.content
FROM helpdesk.imported_mails AS mail JOIN helpdesk.blob_chunks AS chunks ON chunks.sha256 = mail.raw_sha256
WHERE mail.outcome IN ('ticket', 'supplement');
COMMENT ON VIEW ui_v1.original_mail_chunks IS
    'The bytes of the mail that a ticket or supplement was made from (message/rfc822), in the order of position: to be downloaded, never shown as html. Of a mail that is in quarantine none are shown.';
COMMENT ON COLUMN ui_v1.original_mail_chunks.mail_id IS 'The mail.';
COMMENT ON COLUMN ui_v1.original_mail_chunks.position IS 'Order of the chunks.';
COMMENT ON COLUMN ui_v1.original_mail_chunks.content IS 'Up to 1 MiB of its bytes.';
GRANT SELECT ON ui_v1.original_mail_chunks TO helpdesk_ui;
