REVOKE SELECT (raw_sha256) ON imported_mails FROM importer_ticket_writer;
