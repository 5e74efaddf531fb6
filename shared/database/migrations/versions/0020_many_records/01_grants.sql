-- ticket_writer writes many tickets in one statement, and tells which of them is whose by the mail.
GRANT SELECT (mail_id) ON tickets TO importer_ticket_writer;
GRANT SELECT (mail_id) ON supplements TO importer_ticket_writer;
