REVOKE SELECT (mail_id) ON tickets FROM importer_ticket_writer;
REVOKE SELECT (mail_id) ON supplements FROM importer_ticket_writer;
