-- ── an Exchange server is found and confirmed before the importer is on (S4) ────────────────────────────────────────
-- NOT VALID: where it is on already without a server, that mailbox's problem says so, and the upgrade goes on.

ALTER TABLE helpdesk.importer_settings ADD CONSTRAINT importer_on_needs_exchange_server
    CHECK (NOT enabled OR mailbox_kind <> 'ews' OR server IS NOT NULL) NOT VALID;
