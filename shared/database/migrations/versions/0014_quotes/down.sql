DROP VIEW ui_v1.helpdesk_settings;
CREATE VIEW ui_v1.helpdesk_settings AS
SELECT id, name, active, group_id, calendar_id, default_ticket_type_id, default_priority_id, default_environment_id,
    default_ticket_manager_id, default_executor_id, recalculate_deadline, portal_supplement_status_id,
    send_import_mails, sender_name, sender_address, reply_to_address, fallback_recipient, ticket_url, row_version,
    unknown_senders_per_hour
FROM helpdesk.helpdesks;
GRANT SELECT, INSERT (name, active, group_id, calendar_id, default_ticket_type_id, default_priority_id,
    default_environment_id, default_ticket_manager_id, default_executor_id, recalculate_deadline,
    portal_supplement_status_id, send_import_mails, sender_name, sender_address, reply_to_address, fallback_recipient,
    ticket_url, unknown_senders_per_hour), UPDATE (name, active, group_id, calendar_id, default_ticket_type_id,
    default_priority_id, default_environment_id, default_ticket_manager_id, default_executor_id, recalculate_deadline,
    portal_supplement_status_id, send_import_mails, sender_name, sender_address, reply_to_address, fallback_recipient,
    ticket_url, unknown_senders_per_hour) ON ui_v1.helpdesk_settings TO helpdesk_ui;
ALTER TABLE helpdesks DROP COLUMN quoted_to_strangers;
ALTER TABLE notifications DROP COLUMN to_stranger;
