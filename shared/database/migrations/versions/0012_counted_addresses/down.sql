REVOKE SELECT (helpdesk_id) ON notifications FROM importer_ticket_writer;
ALTER TABLE notifications DROP COLUMN counted_address, DROP COLUMN counted_domain;
