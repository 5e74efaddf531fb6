CREATE INDEX notifications_recipient ON notifications (recipient_key, created_at) WHERE recipient_key IS NOT NULL;
CREATE INDEX notifications_recipient_domain ON notifications (split_part(recipient_key, '@', 2), created_at)
    WHERE kind = 'ticket-added-customer' AND recipient_person_id IS NULL AND recipient_employee_id IS NULL;
