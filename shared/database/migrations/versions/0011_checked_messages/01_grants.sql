GRANT SELECT (raw_sha256) ON imported_mails TO importer_ticket_writer;
