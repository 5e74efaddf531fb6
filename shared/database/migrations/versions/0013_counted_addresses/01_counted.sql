-- Written by ticket_writer (services/ticket_writer/rules/counted.py), since no SQL knows the Public Suffix List. An older
-- ticket_writer that runs beside it leaves them null: what stands in recipient_key then counts, as before.
ALTER TABLE notifications
    ADD COLUMN counted_address text,
    ADD COLUMN counted_domain  text;

COMMENT ON COLUMN notifications.counted_address IS
    'the mailbox that recipient_address leads to, by which mails out are counted: no tag, no quotes, no dots at Gmail';
COMMENT ON COLUMN notifications.counted_domain IS
    'the registrable domain of recipient_address, by which mails to unknown senders are counted; null: a provider''s';

-- An address that a server did not know is left alone for sixty days: those at Gmail keep that under their new key.
UPDATE notifications
SET counted_address = replace(split_part(recipient_key, '@', 1), '.', '') || '@gmail.com'
WHERE split_part(recipient_key, '@', 2) IN ('gmail.com', 'googlemail.com')
    AND recipient_key NOT LIKE '%"%' AND created_at > now() - interval '60 days';

GRANT SELECT (helpdesk_id, counted_address, counted_domain) ON notifications TO importer_ticket_writer;

-- Not CONCURRENTLY: that waits for every snapshot, and a second `migrate` waits for this one with a snapshot. Writers of
-- this one table wait meanwhile, seconds for a million mails. notifications_recipient and notifications_recipient_domain
-- go on serving the versions before this one.
CREATE INDEX notifications_counted ON notifications (coalesce(counted_address, recipient_key), created_at)
    WHERE coalesce(counted_address, recipient_key) IS NOT NULL;
CREATE INDEX notifications_counted_domain
    ON notifications (coalesce(counted_domain, split_part(recipient_key, '@', 2)), created_at)
    WHERE kind = 'ticket-added-customer' AND recipient_person_id IS NULL AND recipient_employee_id IS NULL;
