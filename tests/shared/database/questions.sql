-- Questions that screens and services ask all day, under a line `-- question => the index that answers it`.

-- work list of a helpdesk => tickets_work_list
SELECT id, number, title, contact_name FROM ui_v1.imported_tickets WHERE helpdesk_id = 3 ORDER BY reported_at DESC, id
    DESC LIMIT 20

-- its second page => tickets_work_list
SELECT id, number, title, contact_name FROM ui_v1.imported_tickets WHERE helpdesk_id = 3 AND (reported_at, id) <
    (now() - interval '3 days', 999999) ORDER BY reported_at DESC, id DESC LIMIT 20

-- work list of all helpdesks => tickets_work_list_of_all
SELECT id, number, title, contact_name FROM ui_v1.imported_tickets ORDER BY reported_at DESC, id DESC LIMIT 20

-- a status => tickets_status
SELECT id, number, title, status_name, contact_name FROM ui_v1.tickets WHERE helpdesk_id = 3 AND status_id = 10 ORDER
    BY reported_at DESC LIMIT 50

-- full text => tickets_search
SELECT id, number, title, status_name, contact_name FROM ui_v1.tickets WHERE search_document @@
    websearch_to_tsquery('dutch', 'kassa n42') ORDER BY reported_at DESC LIMIT 50

-- subject => tickets_mail_subject
SELECT id, number, title, status_name, contact_name FROM ui_v1.tickets WHERE mail_subject ILIKE '%n4242%' ORDER BY
    reported_at DESC LIMIT 50

-- sender => tickets_sender
SELECT id, number, title, status_name, contact_name FROM ui_v1.tickets WHERE lower(sender_address) =
    lower('Persoon7@klant.example') ORDER BY reported_at DESC LIMIT 50

-- contact => tickets_contact
SELECT id, number, title, status_name, contact_name FROM ui_v1.tickets WHERE contact_id = 77 ORDER BY reported_at DESC
    LIMIT 50

-- organisation => tickets_organisation
SELECT id, number, title, status_name, contact_name FROM ui_v1.tickets WHERE organisation_id = 77 ORDER BY reported_at
    DESC LIMIT 50

-- executor => tickets_executor
SELECT id, number, title, status_name, contact_name FROM ui_v1.tickets WHERE executor_id = 7 AND status_id = 2

-- number => tickets_pkey
SELECT id, number, title, status_name, contact_name FROM ui_v1.tickets WHERE id = (SELECT ticket_id FROM
    ui_v1.ticket_numbers WHERE number = '1000777')

-- history => ticket_history_ticket
SELECT * FROM ui_v1.ticket_history WHERE ticket_id = 777 ORDER BY at, id

-- what became of a helpdesk's mails => imported_mails_outcome
SELECT * FROM ui_v1.imported_mails WHERE helpdesk_id = 3 AND outcome = 'quarantine' ORDER BY received_at DESC LIMIT 50

-- mails to republish => imported_mails_without_outcome
SELECT mail_id FROM helpdesk.imported_mails WHERE awaits_outcome AND next_republish_at < now() ORDER BY
    next_republish_at LIMIT 100 FOR UPDATE SKIP LOCKED

-- mails to mark read => imported_mails_not_marked_read
SELECT mail_id FROM helpdesk.imported_mails WHERE helpdesk_id = 3 AND marked_read_at IS NULL

-- a Message-ID => imported_mails_message_id
SELECT mail_id FROM helpdesk.imported_mails WHERE message_id_header = '<mail-77@klant.example>'

-- notifications to send => notifications_planned
SELECT id FROM helpdesk.notifications WHERE state = 'planned' AND next_try_at < now() ORDER BY next_try_at LIMIT 20

-- how many mails went to an address => notifications_counted
SELECT count(*) FROM helpdesk.notifications WHERE coalesce(counted_address, recipient_key) = 'persoon7@klant.example' AND created_at > now() -
    interval '1 hour'

-- how many mails of a helpdesk went to unknown senders => notifications_state
SELECT count(*) FROM helpdesk.notifications WHERE helpdesk_id = 1 AND kind = 'ticket-added-customer' AND
    recipient_person_id IS NULL AND recipient_employee_id IS NULL AND state IN ('planned', 'sent', 'failed') AND
    created_at > now() - interval '1 hour'

-- what collects the mails to an employee => notifications_collecting
SELECT id FROM helpdesk.notifications WHERE helpdesk_id = 1 AND coalesce(counted_address, recipient_key) =
    'sanne@desk.example' AND collects_until > statement_timestamp() AND state = 'planned' AND tries = 0

-- what a summary tells of => notifications_summary
SELECT ticket_id FROM helpdesk.notifications WHERE summary_id = ANY(ARRAY['00000000-0000-4000-8000-000000000001'::uuid])

-- a sender => person_addresses_key
SELECT person_id FROM helpdesk.person_addresses WHERE address_key = lower('Persoon7@klant.example')

-- how many mails went to unknown addresses in a domain => notifications_counted_domain
SELECT count(*) FROM helpdesk.notifications WHERE coalesce(counted_domain, split_part(recipient_key, '@', 2)) = 'elders.example' AND
    kind = 'ticket-added-customer' AND recipient_person_id IS NULL AND recipient_employee_id IS NULL AND created_at >
    now() - interval '3 hours'

-- who has addresses in a domain => person_addresses_domain
SELECT person_id FROM helpdesk.person_addresses WHERE split_part(address_key, '@', 2) = ANY('{elders.example}')
