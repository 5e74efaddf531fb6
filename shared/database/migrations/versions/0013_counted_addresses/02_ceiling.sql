-- ── how many unknown senders a helpdesk confirms to in an hour (D10) ──────────────────────────────────────────────

ALTER TABLE helpdesks ADD COLUMN unknown_senders_per_hour integer NOT NULL DEFAULT 100
    CONSTRAINT unknown_senders_can_be_counted CHECK (unknown_senders_per_hour BETWEEN 0 AND 100000);
COMMENT ON COLUMN helpdesks.unknown_senders_per_hour IS 'Confirmations (M4) that go to unknown senders in an hour at most; 0: none (D10).';
GRANT SELECT (unknown_senders_per_hour) ON helpdesks TO importer_ticket_writer;

CREATE OR REPLACE VIEW ui_v1.helpdesk_settings AS
SELECT id, name, active, group_id, calendar_id, default_ticket_type_id, default_priority_id, default_environment_id,
    default_ticket_manager_id, default_executor_id, recalculate_deadline, portal_supplement_status_id,
    send_import_mails, sender_name, sender_address, reply_to_address, fallback_recipient, ticket_url, row_version,
    unknown_senders_per_hour
FROM helpdesk.helpdesks;
COMMENT ON COLUMN ui_v1.helpdesk_settings.unknown_senders_per_hour IS 'Confirmations (M4) that go to unknown senders in an hour at most; 0: none (D10).';
GRANT INSERT (unknown_senders_per_hour), UPDATE (unknown_senders_per_hour) ON ui_v1.helpdesk_settings TO helpdesk_ui;
