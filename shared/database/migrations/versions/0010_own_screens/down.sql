DO $$
BEGIN
    IF coalesce(current_setting('helpdesk.lose_data', true), '') <> 'yes'
        AND EXISTS (SELECT FROM helpdesk.attachments WHERE added_by_employee_id IS NOT NULL) THEN
        RAISE EXCEPTION 'People added attachments by hand, which this downgrade would destroy.'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'Keep them elsewhere first; when they may go, downgrade with lose_data.';
    END IF;
END $$;

REVOKE UPDATE (name), DELETE ON entry_channels, supplement_types FROM helpdesk_ui;
DROP TRIGGER the_importers_own_stays ON supplement_types;
DROP TRIGGER the_importers_own_stays ON entry_channels;
DROP FUNCTION helpdesk.refuse_change_of_the_importers_own;

DROP FUNCTION ui_v1.remove_attachment;
DROP FUNCTION ui_v1.add_attachment;
DROP VIEW ui_v1.attachments;
CREATE VIEW ui_v1.attachments AS
SELECT id, ticket_id, supplement_id, mail_id, position, name, media_type, byte_size, width, height, inline, content_id,
    left_out_reason IS NULL AS stored, left_out_reason, created_at, decoration,
    decoration IS NOT NULL AND coalesce((
        SELECT settings.hide_signature_images
        FROM helpdesk.tickets AS ticket JOIN helpdesk.importer_settings AS settings USING (helpdesk_id)
        WHERE ticket.id = attachments.ticket_id), true) AS hidden
FROM helpdesk.attachments;
GRANT SELECT ON ui_v1.attachments TO helpdesk_ui;
DELETE FROM attachments WHERE added_by_employee_id IS NOT NULL;
ALTER TABLE attachments DROP CONSTRAINT stored_is_an_image, DROP CONSTRAINT a_mail_adds_by_itself,
    DROP COLUMN added_by_employee_id,
    ADD CONSTRAINT stored_is_an_image CHECK (
        blob_sha256 IS NULL
        OR (media_type IN ('image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/bmp', 'image/tiff', 'image/heic', 'image/heif')
            AND width IS NOT NULL AND height IS NOT NULL));

DROP VIEW ui_v1.mailbox_settings;
CREATE VIEW ui_v1.mailbox_settings AS
SELECT helpdesk_id, enabled, default_contact_id, default_employee_id, marker, check_interval_seconds, max_mail_bytes,
    import_from, old_mail_days, backlog_limit, numbers_of, own_list_ids, trusted_authserv_ids, follow_threads,
    treat_employee_as_customer, confirm_to_employees, hold_strangers, reply_to_is_sender, forwarded_sender,
    organisation_by_domain, new_ticket_after_days, trim_replies, strip_image_metadata, hide_signature_images, row_version
FROM helpdesk.importer_settings;
GRANT SELECT, INSERT (helpdesk_id, enabled, default_contact_id, default_employee_id, marker, check_interval_seconds,
    max_mail_bytes, import_from, old_mail_days, backlog_limit, numbers_of, own_list_ids, trusted_authserv_ids,
    follow_threads, treat_employee_as_customer, confirm_to_employees, hold_strangers, reply_to_is_sender,
    forwarded_sender, organisation_by_domain, new_ticket_after_days, trim_replies, strip_image_metadata,
    hide_signature_images), UPDATE (enabled, default_contact_id, default_employee_id, marker, check_interval_seconds,
    max_mail_bytes, import_from, old_mail_days, backlog_limit, numbers_of, own_list_ids, trusted_authserv_ids,
    follow_threads, treat_employee_as_customer, confirm_to_employees, hold_strangers, reply_to_is_sender,
    forwarded_sender, organisation_by_domain, new_ticket_after_days, trim_replies, strip_image_metadata,
    hide_signature_images) ON ui_v1.mailbox_settings TO helpdesk_ui;
ALTER TABLE importer_settings DROP COLUMN fed_by_rule;
