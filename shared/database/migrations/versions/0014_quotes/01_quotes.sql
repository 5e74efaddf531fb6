-- ── what a confirmation repeats of the mail of a stranger (M4, D10) ────────────────────────────────────────────────
-- An older ticket_writer leaves to_stranger false, an older notifier looks at neither: both write as they did.

ALTER TABLE notifications ADD COLUMN to_stranger boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN notifications.to_stranger IS 'Whether it goes to a sender whom nobody knows and no trusted check vouches for: it repeats none of his links, and of his mail what quoted_to_strangers says (M4).';

ALTER TABLE helpdesks ADD COLUMN quoted_to_strangers text NOT NULL DEFAULT 'subject'
    CONSTRAINT quotes_are_known CHECK (quoted_to_strangers IN ('nothing', 'subject', 'all'));
COMMENT ON COLUMN helpdesks.quoted_to_strangers IS 'What a confirmation (M4) repeats to a sender whom nobody knows and no trusted check vouches for, never with links: nothing, the beginning of the subject, or that of the text too.';
GRANT SELECT (quoted_to_strangers) ON helpdesks TO importer_notifier;

CREATE OR REPLACE VIEW ui_v1.helpdesk_settings AS
SELECT id, name, active, group_id, calendar_id, default_ticket_type_id, default_priority_id, default_environment_id,
    default_ticket_manager_id, default_executor_id, recalculate_deadline, portal_supplement_status_id,
    send_import_mails, sender_name, sender_address, reply_to_address, fallback_recipient, ticket_url, row_version,
    unknown_senders_per_hour, quoted_to_strangers
FROM helpdesk.helpdesks;
COMMENT ON COLUMN ui_v1.helpdesk_settings.quoted_to_strangers IS 'What a confirmation (M4) repeats to an unknown sender whom no trusted check vouches for: nothing, subject or all.';
GRANT INSERT (quoted_to_strangers), UPDATE (quoted_to_strangers) ON ui_v1.helpdesk_settings TO helpdesk_ui;
