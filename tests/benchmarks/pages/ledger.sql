-- What the importer would have left of the tickets of growth.sql: a mail each, of which one of fifty is in quarantine,
-- two mails out, of which one of a hundred failed, a row of the audit log for one of five. As growth.sql, run by a
-- superuser with session_replication_role = replica.

INSERT INTO helpdesk.imported_mails (
    mail_id, helpdesk_id, generation, folder, item_key, raw_removed_at, raw_size, full_size, received_at, fetched_at,
    published_at, marked_read_at, outcome, outcome_at, decided_replay, reasons, message_id_header, sender_name,
    sender_address, subject, sent_at, ticket_id, classified_at, event_published_at)
SELECT md5('mail ' || id)::uuid, helpdesk_id, 1, 'INBOX', 'earlier ' || id, reported_at, 5000, 5000, reported_at,
    reported_at, reported_at, reported_at, CASE WHEN is_held THEN 'quarantine' ELSE 'ticket' END, reported_at, 0,
    CASE WHEN is_held THEN
        '[{"id": "no-sender", "detail": ""}, {"id": "discarded-by-person", "detail": "niets mee te doen"}]'
    ELSE '[]' END::jsonb,
    id || '@vroeger.example', 'Contact', sender_address, mail_subject, reported_at, CASE WHEN is_held THEN NULL ELSE id END,
    reported_at, reported_at
FROM helpdesk.tickets, LATERAL (SELECT id % 50 = 0) AS of_fifty (is_held)
WHERE number::bigint >= 100000000;

INSERT INTO helpdesk.notifications (
    id, mail_id, kind, helpdesk_id, ticket_id, recipient_name, recipient_address, state, reason, created_at, message_id,
    subject, sent_at)
SELECT md5(kind || mail_id)::uuid, mail_id, kind, helpdesk_id, ticket_id, 'Iemand', sender_address,
    CASE WHEN failed THEN 'failed' ELSE 'sent' END, CASE WHEN failed THEN 'refused' END, received_at,
    md5(kind || mail_id) || '@importer.example', subject, CASE WHEN failed THEN NULL ELSE received_at END
FROM helpdesk.imported_mails, (VALUES ('ticket-added-manager'), ('ticket-added-customer')) AS kinds (kind),
    LATERAL (SELECT ticket_id % 100 = 1) AS of_hundred (failed)
WHERE ticket_id IS NOT NULL AND item_key LIKE 'earlier %';

INSERT INTO helpdesk.audit_log (at, actor, database_role, tool, kind, deed, thing, helpdesk_id, mail_id)
SELECT received_at, 'beheerder', 'importer_web', 'web', 'raw-mail', 'looked', 'raw mail', helpdesk_id, mail_id
FROM helpdesk.imported_mails WHERE item_key LIKE 'earlier %' AND ticket_id % 5 = 1;

ANALYZE;
