-- ── what each column means: tickets, supplements and what hangs on them ────────────────────────────────────────────

COMMENT ON SEQUENCE ticket_number_seq IS 'Ticket numbers, for the importer and the helpdesk UI alike (D1).';

COMMENT ON TABLE tickets IS 'Tickets (N1–N18).';
COMMENT ON COLUMN tickets.number IS '«ticketnummer», from ticket_number_seq unless given; never changes (D1).';
COMMENT ON COLUMN tickets.helpdesk_id IS '«helpdesk» (N4).';
COMMENT ON COLUMN tickets.organisation_id IS '«organisatie» (N2).';
COMMENT ON COLUMN tickets.contact_id IS '«contactpersoon», «aanmelder» (N2).';
COMMENT ON COLUMN tickets.created_at IS 'When it was added here.';
COMMENT ON COLUMN tickets.created_by_employee_id IS '«aangemaakt door», when an employee did: S6 for an imported ticket (N3).';
COMMENT ON COLUMN tickets.created_by_person_id IS '«aangemaakt door», when a contact did, in the portal.';
COMMENT ON COLUMN tickets.reported_at IS '«datum gemeld»: when the mail arrived (N5).';
COMMENT ON COLUMN tickets.entry_channel_id IS '«binnenkomst» (N6).';
COMMENT ON COLUMN tickets.mail_subject IS '«mail onderwerp» (N7).';
COMMENT ON COLUMN tickets.title IS '«titel»; «(geen onderwerp)» for a mail without a subject (N8, D19).';
COMMENT ON COLUMN tickets.body_html IS '«verzoekveld» as shown: sanitised html, images as attachment:<id> (N9, D5).';
COMMENT ON COLUMN tickets.body_full_html IS 'The whole body as sanitised html, images as attachment:<id> (D5).';
COMMENT ON COLUMN tickets.body_full_text IS 'The whole body as plain text (D5).';
COMMENT ON COLUMN tickets.ticket_type_id IS '«soort» (N10).';
COMMENT ON COLUMN tickets.priority_id IS '«prioriteit» (N10).';
COMMENT ON COLUMN tickets.environment_id IS '«omgeving» (N10).';
COMMENT ON COLUMN tickets.category_id IS '«categorie» (N11).';
COMMENT ON COLUMN tickets.subcategory_id IS '«subcategorie», of that category (N11).';
COMMENT ON COLUMN tickets.ticket_manager_id IS '«ticketmanager» (N12).';
COMMENT ON COLUMN tickets.executor_id IS '«uitvoerder» (N12).';
COMMENT ON COLUMN tickets.parent_ticket_id IS '«hoort bij ticket» (N13).';
COMMENT ON COLUMN tickets.external_id IS '«extern ID» (N13).';
COMMENT ON COLUMN tickets.project IS '«project» (N13).';
COMMENT ON COLUMN tickets.evaluation IS '«evaluatievelden» (N13).';
COMMENT ON COLUMN tickets.time_needed_hours IS '«benodigde tijd werkzaamheden», in hours (N14).';
COMMENT ON COLUMN tickets.status_id IS '«status» (N15).';
COMMENT ON COLUMN tickets.planned_at IS '«datum gepland» (N16).';
COMMENT ON COLUMN tickets.deadline_at IS '«datum deadline» (N16, A10).';
COMMENT ON COLUMN tickets.in_progress_at IS '«datum in behandeling» (N16).';
COMMENT ON COLUMN tickets.completed_at IS '«datum voltooid»; cleared when a supplement reopens the ticket (N16, D2).';
COMMENT ON COLUMN tickets.recalculate_deadline IS '«herberekening deadline» (N17).';
COMMENT ON COLUMN tickets.changed_at IS '«laatst gewijzigd» (N18).';
COMMENT ON COLUMN tickets.changed_by_employee_id IS '«laatst gewijzigd» by, when an employee did: S6 for an import (N18, A12).';
COMMENT ON COLUMN tickets.changed_by_person_id IS '«laatst gewijzigd» by, when a contact did, in the portal.';
COMMENT ON COLUMN tickets.merged_into_id IS 'The ticket that it was merged into; its number then leads there (D1).';
COMMENT ON COLUMN tickets.sender_name IS 'Who really sent the mail: name (D10).';
COMMENT ON COLUMN tickets.sender_address IS 'Who really sent the mail: address (D10).';
COMMENT ON COLUMN tickets.sender_to IS 'To of the mail: a list of {"name", "address"} (D10).';
COMMENT ON COLUMN tickets.sender_cc IS 'Cc of the mail: a list of {"name", "address"} (D10).';
COMMENT ON COLUMN tickets.sender_person_id IS 'The contact who sent it; null: not a contact.';
COMMENT ON COLUMN tickets.sender_employee_id IS 'The employee who sent it; null: not an employee (D12).';
COMMENT ON COLUMN tickets.automatic IS 'Kind of automatic mail; null: a person wrote it (D6).';
COMMENT ON COLUMN tickets.verdict IS 'How sure the sender is: {"sender": contact, employee or unknown, "dmarc": pass, fail or none} (D10).';
COMMENT ON COLUMN tickets.needs_review IS 'Whether a person should look at it, for instance after a forged sender.';
COMMENT ON COLUMN tickets.mail_id IS 'The mail that it was made from; null: made by people.';
COMMENT ON COLUMN tickets.status_flag IS '«vlag» of the status: imported («geïmporteerd») or null; kept by triggers (M5).';
COMMENT ON COLUMN tickets.search_document IS 'Title and text for Dutch full-text search; kept by a trigger.';

COMMENT ON TABLE ticket_numbers IS 'Every number by which a ticket is known: its own, and aliases from earlier systems (D1).';
COMMENT ON COLUMN ticket_numbers.number IS 'As it stands in a subject.';
COMMENT ON COLUMN ticket_numbers.ticket_id IS 'The ticket.';
COMMENT ON COLUMN ticket_numbers.is_alias IS 'False for the ticket''s own number, which a trigger registers.';

COMMENT ON TABLE supplements IS 'Supplements to tickets: «aanvulling» (A1–A12).';
COMMENT ON COLUMN supplements.ticket_id IS '«hoort bij ticket» (A2).';
COMMENT ON COLUMN supplements.helpdesk_id IS 'The ticket''s helpdesk when it was written; filled in by a trigger.';
COMMENT ON COLUMN supplements.reported_at IS '«datum gemeld»: when the mail arrived (A3).';
COMMENT ON COLUMN supplements.supplement_type_id IS '«aanvullingstype» (A4).';
COMMENT ON COLUMN supplements.informant_person_id IS '«informatieverstrekker», when a contact is (A5).';
COMMENT ON COLUMN supplements.informant_employee_id IS '«informatieverstrekker», when an employee is (A5, D12).';
COMMENT ON COLUMN supplements.mail_subject IS 'Subject of the mail.';
COMMENT ON COLUMN supplements.body_html IS '«omschrijving» as shown: sanitised html above the marker, images as attachment:<id> (A6, D5).';
COMMENT ON COLUMN supplements.body_full_html IS 'The whole body as sanitised html, images as attachment:<id> (D5).';
COMMENT ON COLUMN supplements.body_full_text IS 'The whole body as plain text (D5).';
COMMENT ON COLUMN supplements.visible_to_customer IS '«zichtbaar klant» (A7).';
COMMENT ON COLUMN supplements.expanded IS '«uitgeklapt» (A7).';
COMMENT ON COLUMN supplements.status_id IS '«status» of the ticket after it (A8).';
COMMENT ON COLUMN supplements.priority_id IS '«prioriteit» of the ticket at that moment (A9).';
COMMENT ON COLUMN supplements.executor_id IS '«uitvoerder» of the ticket at that moment (A9).';
COMMENT ON COLUMN supplements.planned_at IS '«datum gepland» of the ticket at that moment (A9).';
COMMENT ON COLUMN supplements.deadline_at IS '«datum deadline» of the ticket after it (A10).';
COMMENT ON COLUMN supplements.recalculate_deadline IS '«herberekenen deadline» of the ticket at that moment (A9).';
COMMENT ON COLUMN supplements.time_needed_hours IS '«benodigde tijd werkzaamheden (uren)» of the ticket at that moment (A9).';
COMMENT ON COLUMN supplements.created_at IS 'When it was added here.';
COMMENT ON COLUMN supplements.created_by_person_id IS '«aangemaakt» by, when a contact did (A11).';
COMMENT ON COLUMN supplements.created_by_employee_id IS '«aangemaakt» by, when an employee did (A11, D12).';
COMMENT ON COLUMN supplements.changed_at IS '«laatste wijziging» (A12).';
COMMENT ON COLUMN supplements.changed_by_employee_id IS '«laatste wijziging» by, when an employee did: S6 for an import (A12).';
COMMENT ON COLUMN supplements.changed_by_person_id IS '«laatste wijziging» by, when a contact did, in the portal.';
COMMENT ON COLUMN supplements.sender_name IS 'Who really sent the mail: name (D10).';
COMMENT ON COLUMN supplements.sender_address IS 'Who really sent the mail: address (D10).';
COMMENT ON COLUMN supplements.sender_to IS 'To of the mail: a list of {"name", "address"} (D10).';
COMMENT ON COLUMN supplements.sender_cc IS 'Cc of the mail: a list of {"name", "address"} (D10).';
COMMENT ON COLUMN supplements.sender_person_id IS 'The contact who sent it; null: not a contact.';
COMMENT ON COLUMN supplements.sender_employee_id IS 'The employee who sent it; null: not an employee (D12).';
COMMENT ON COLUMN supplements.automatic IS 'Kind of automatic mail; null: a person wrote it (D6).';
COMMENT ON COLUMN supplements.verdict IS 'How sure it belongs here: {"grade": strong, fair or weak, "found_by", "number", "relation", "dmarc", "sentence": all of it in Dutch} (D10, D20).';
COMMENT ON COLUMN supplements.needs_review IS 'Whether a person should look at it, for instance because a stranger sent it (D20).';
COMMENT ON COLUMN supplements.held_for_review IS 'Whether it is hidden from the customer until a person accepts it (D20).';
COMMENT ON COLUMN supplements.mail_id IS 'The mail that it was made from; null: made by people.';
COMMENT ON COLUMN supplements.search_document IS 'Subject and text for Dutch full-text search; kept by a trigger.';

COMMENT ON TABLE ticket_history IS 'History of a ticket: «historie» (N1, A1). Entries are added, never changed.';
COMMENT ON COLUMN ticket_history.ticket_id IS 'The ticket.';
COMMENT ON COLUMN ticket_history.supplement_id IS 'The supplement that it is about, if any.';
COMMENT ON COLUMN ticket_history.at IS 'When it happened.';
COMMENT ON COLUMN ticket_history.kind IS 'What happened.';
COMMENT ON COLUMN ticket_history.description IS 'The same for people, in Dutch.';
COMMENT ON COLUMN ticket_history.details IS 'The same for programs, such as the values before and after.';
COMMENT ON COLUMN ticket_history.employee_id IS 'The employee who did it.';
COMMENT ON COLUMN ticket_history.person_id IS 'The contact who did it.';
COMMENT ON COLUMN ticket_history.mail_id IS 'The mail that caused it.';

COMMENT ON TABLE attachments IS 'Images of tickets and supplements, and a row for every attachment that was left out (W4, D4).';
COMMENT ON COLUMN attachments.id IS 'UUIDv5 of mail and part: what attachment:<id> in a body names.';
COMMENT ON COLUMN attachments.ticket_id IS 'The ticket.';
COMMENT ON COLUMN attachments.supplement_id IS 'The supplement; null: of the ticket itself.';
COMMENT ON COLUMN attachments.mail_id IS 'The mail that brought it.';
COMMENT ON COLUMN attachments.position IS 'Order in the mail.';
COMMENT ON COLUMN attachments.name IS 'File name, decoded.';
COMMENT ON COLUMN attachments.media_type IS 'Of a stored image what its bytes are; else what the mail claims (D4).';
COMMENT ON COLUMN attachments.byte_size IS 'How many bytes.';
COMMENT ON COLUMN attachments.width IS 'Width of a stored image in pixels.';
COMMENT ON COLUMN attachments.height IS 'Height of a stored image in pixels.';
COMMENT ON COLUMN attachments.inline IS 'Whether the body shows it.';
COMMENT ON COLUMN attachments.content_id IS 'Its Content-ID in the mail, without brackets.';
COMMENT ON COLUMN attachments.blob_sha256 IS 'Its bytes; null: left out.';
COMMENT ON COLUMN attachments.left_out_reason IS 'Why it was not stored, in Dutch; null: it was (D4).';
COMMENT ON COLUMN attachments.decoration IS 'tracking: nobody sees it; logo: the same bytes came with mails of other tickets; null: neither (D4).';

COMMENT ON TABLE attachment_copies IS 'Copies of images that browsers do not show (HEIC, TIFF), made of their pixels alone (D4).';
COMMENT ON COLUMN attachment_copies.attachment_id IS 'The image.';
COMMENT ON COLUMN attachment_copies.kind IS 'rendition: to show in place of the image; thumbnail: a small one.';
COMMENT ON COLUMN attachment_copies.mail_id IS 'The mail that brought the image.';
COMMENT ON COLUMN attachment_copies.media_type IS 'PNG or JPEG.';
COMMENT ON COLUMN attachment_copies.width IS 'Width in pixels.';
COMMENT ON COLUMN attachment_copies.height IS 'Height in pixels.';
COMMENT ON COLUMN attachment_copies.byte_size IS 'How many bytes.';
COMMENT ON COLUMN attachment_copies.blob_sha256 IS 'Its bytes.';

COMMENT ON TABLE notifications IS 'The mails of M2–M4, decided with the ticket: planned, or not sent with the reason.';
COMMENT ON COLUMN notifications.mail_id IS 'The mail that caused it.';
COMMENT ON COLUMN notifications.kind IS 'Which mail: to the manager (M2), to the executor (M3), to the customer (M4).';
COMMENT ON COLUMN notifications.helpdesk_id IS 'The helpdesk whose template and account it uses (D15).';
COMMENT ON COLUMN notifications.ticket_id IS 'The ticket that it is about.';
COMMENT ON COLUMN notifications.supplement_id IS 'The supplement that it is about (M3).';
COMMENT ON COLUMN notifications.recipient_name IS 'Name of the recipient.';
COMMENT ON COLUMN notifications.recipient_address IS 'Address of the recipient; null: there was none (D11).';
COMMENT ON COLUMN notifications.recipient_key IS 'In small letters and without what follows a plus sign: what the limits are counted by (D10).';
COMMENT ON COLUMN notifications.recipient_employee_id IS 'The employee that he is.';
COMMENT ON COLUMN notifications.recipient_person_id IS 'The contact that he is.';
COMMENT ON COLUMN notifications.state IS 'Planned, sent, not sent on purpose, or failed.';
COMMENT ON COLUMN notifications.reason IS 'Why it was not sent, failed, or waits.';
COMMENT ON COLUMN notifications.tries IS 'How often sending was tried.';
COMMENT ON COLUMN notifications.next_try_at IS 'When it is tried again; null: at once.';
COMMENT ON COLUMN notifications.lease_holder IS 'The notifier that has it in hand.';
COMMENT ON COLUMN notifications.lease_until IS 'Until when no other takes it, by the database''s clock.';
COMMENT ON COLUMN notifications.message_id IS 'Its Message-ID without angle brackets, kept so that a second try is the same mail and its reports are recognised (D6).';
COMMENT ON COLUMN notifications.subject IS 'Subject as sent.';
COMMENT ON COLUMN notifications.mime IS 'The mail as sent: written once, sent again as it is.';
COMMENT ON COLUMN notifications.draft_id IS 'Immutable id of its draft in Exchange Online, kept before it is sent: tells after a crash whether it went.';
COMMENT ON COLUMN notifications.sent_at IS 'When the server accepted it.';
COMMENT ON COLUMN notifications.server_reply IS 'What the server last answered.';
COMMENT ON COLUMN notifications.report_action IS 'What a delivery report said of it later (RFC 3464); only failed makes the notification failed, and stays. Null: no report came (D6).';
COMMENT ON COLUMN notifications.report_status IS 'The report''s status code (RFC 3463), such as 5.1.1; empty: it named none.';
COMMENT ON COLUMN notifications.report_diagnostic IS 'The receiving server''s own words in the report; empty: none.';
COMMENT ON COLUMN notifications.reported_at IS 'When the report arrived.';
COMMENT ON COLUMN notifications.report_mail_id IS 'The mail that was the report, which is a supplement to the ticket too.';

-- Columns that mean the same wherever they stand.
DO $$
DECLARE
    plain record;
BEGIN
    FOR plain IN
        SELECT format('helpdesk.%I.%I', base.relname, col.attname) AS name, CASE col.attname
            WHEN 'id' THEN 'Identity, given by the database.'
            WHEN 'active' THEN 'Whether it may be chosen; what was chosen before stays.'
            WHEN 'created_at' THEN 'When it was added.'
            WHEN 'helpdesk_id' THEN 'The helpdesk that it belongs to.'
            WHEN 'row_version' THEN 'Moves with each change; an UPDATE names the one that it has read.' END AS meaning
        FROM pg_class AS base JOIN pg_attribute AS col ON col.attrelid = base.oid
        WHERE base.relnamespace = 'helpdesk'::regnamespace AND base.relkind = 'r'
            AND col.attname IN ('id', 'active', 'created_at', 'helpdesk_id', 'row_version')
            AND col_description(base.oid, col.attnum) IS NULL
    LOOP
        EXECUTE format('COMMENT ON COLUMN %s IS %L', plain.name, plain.meaning);
    END LOOP;
END $$;

-- ── the views of the helpdesk UI ───────────────────────────────────────────────────────────────────────────────────

COMMENT ON SCHEMA ui_v1 IS 'What the helpdesk UI reads. Columns may be added at a view''s end; any other change is ui_v2.';
COMMENT ON VIEW ui_v1.helpdesks IS 'Helpdesks with their defaults.';
COMMENT ON VIEW ui_v1.importer_settings IS 'Settings of the importer as the first tab shows them; never the password (S1–S8).';
COMMENT ON VIEW ui_v1.statuses IS 'Statuses of a helpdesk, in the order of position.';
COMMENT ON VIEW ui_v1.contacts IS 'Contacts with their organisation and addresses.';
COMMENT ON VIEW ui_v1.employees IS 'Employees with their addresses.';
COMMENT ON VIEW ui_v1.tickets IS 'Tickets with the names of everything that a screen shows.';
COMMENT ON VIEW ui_v1.imported_tickets IS 'The work list «geïmporteerd»: tickets that staff still have to complete, without merged ones (M5).';
COMMENT ON VIEW ui_v1.ticket_numbers IS 'Every number by which a ticket is known, aliases too (D1).';
COMMENT ON VIEW ui_v1.supplements IS 'Supplements with the names of everything that a screen shows.';
COMMENT ON VIEW ui_v1.ticket_history IS 'History of a ticket with its authors.';
COMMENT ON VIEW ui_v1.attachments IS 'Attachments, those that were left out too (stored = false).';
COMMENT ON VIEW ui_v1.attachment_chunks IS 'Bytes of stored attachments, in rows of at most 1 MiB: read them by attachment_id, in the order of position.';
COMMENT ON VIEW ui_v1.attachment_copies IS 'Which copies there are of images that browsers do not show.';
COMMENT ON VIEW ui_v1.attachment_copy_chunks IS 'Bytes of those copies, in rows of at most 1 MiB: read them by attachment_id and kind, in the order of position.';
COMMENT ON VIEW ui_v1.imported_mails IS 'What became of every mail, and why (D7).';
COMMENT ON VIEW ui_v1.notifications IS 'Mails about a ticket, sent or not, and why (M2–M4).';

-- A view's column means what the column of that name behind it means; what the view adds is said here.
DO $$
DECLARE
    shown record;
BEGIN
    FOR shown IN
        SELECT view.oid::regclass AS name, col.attname, col_description(base.oid, origin.attnum) AS meaning
        FROM pg_class AS view
            JOIN pg_attribute AS col ON col.attrelid = view.oid AND col.attnum > 0
            JOIN pg_class AS base ON base.relnamespace = 'helpdesk'::regnamespace AND base.relname = CASE view.relname
                WHEN 'imported_tickets' THEN 'tickets' WHEN 'contacts' THEN 'persons'
                WHEN 'attachment_chunks' THEN 'blob_chunks' WHEN 'attachment_copy_chunks' THEN 'blob_chunks' ELSE view.relname END
            JOIN pg_attribute AS origin ON origin.attrelid = base.oid AND origin.attname = col.attname
        WHERE view.relnamespace = 'ui_v1'::regnamespace
    LOOP
        EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', shown.name, shown.attname, shown.meaning);
    END LOOP;
END $$;

DO $$
DECLARE
    added record;
BEGIN
    FOR added IN
        SELECT format('ui_v1.%I.%I', view.relname, col.attname) AS name, CASE
            WHEN said.meaning IS NOT NULL THEN said.meaning
            WHEN col.attname LIKE '%\_name' THEN 'Name of the ' || replace(left(col.attname, -5), '_', ' ') || '.'
            WHEN col.attname LIKE '%\_number' THEN 'Number of the ' || replace(replace(left(col.attname, -7), '_', ' '), 'merged into', 'ticket it was merged into') || '.'
            WHEN col.attname LIKE '%\_key' THEN 'Key by which programs know the ' || replace(left(col.attname, -4), '_', ' ') || '.'
            END AS meaning
        FROM pg_class AS view JOIN pg_attribute AS col ON col.attrelid = view.oid AND col.attnum > 0
            LEFT JOIN (VALUES
                ('created_by_name', 'Name of who created it.'),
                ('changed_by_name', 'Name of who changed it last.'),
                ('addresses', 'Mail addresses, in their order.'),
                ('organisation_active', 'Whether the organisation may be chosen.'),
                ('has_password', 'Whether there is a password; it is never shown (S3).'),
                ('last_successful_check_at', 'Last check that succeeded (S8).'),
                ('problem', 'Why the mailbox cannot be read now, as a sentence; null: nothing is wrong.'),
                ('problem_kind', 'Kind of that problem.'),
                ('problem_since', 'Since when.'),
                ('has_certificate', 'Whether there is a certificate; it is never shown (S3).'),
                ('refused_logins', 'Logins that were refused since one was taken, or the login was changed.'),
                ('refused_since', 'When the first of them was; null: none.'),
                ('login_rests_until', 'Until when nobody tries to log in; null: it was not refused.'),
                ('status_category', 'Whether the ticket is open or closed.'),
                ('stored', 'Whether its bytes are stored; if not, left_out_reason says why.'),
                ('hidden', 'Whether the helpdesk wants it hidden: a tracking pixel or a logo (setting hide_signature_images).'),
                ('kind', 'rendition: to show in place of the image; thumbnail: a small one.'),
                ('attachment_id', 'The attachment.')) AS said (attname, meaning) USING (attname)
        WHERE view.relnamespace = 'ui_v1'::regnamespace AND col_description(view.oid, col.attnum) IS NULL
    LOOP
        EXECUTE format('COMMENT ON COLUMN %s IS %L', added.name, added.meaning);
    END LOOP;
END $$;
