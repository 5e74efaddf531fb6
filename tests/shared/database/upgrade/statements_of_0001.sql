-- What the services of the version with schema 0001 ask the database, one statement under each line with === (its role).
-- === classifier: services.classifier.repository._LOOK_UP
-- $1 helpdesk_id, $3 numbers in the subject, $4 Message-IDs that may be ours,
    -- $2 $8 $9 whose address is asked about, how near a spelling is (0: as it stands) and the spelling,
    -- $10 $11 whose domain is asked about and how it is spelt,
    -- $5 Message-IDs of the mails that this one answers: ours, or mails that were imported (D8).
    -- $6 and $7 kinds and patterns by which a sender's rule may know the mail.
    -- A number counts when it is of this helpdesk, or numbers of all count, or the two helpdesks share a group (D1).
    -- A thread counts within this helpdesk and its group; of a mail that went to both, this helpdesk's ticket first.
    -- UNION ends a circle of merged tickets.
    -- Of an address, who has it as it stands goes before who has it without its tag. Its domain tells an organisation
    -- only where nobody has the address, and all who have addresses there are of that one.
    -- OFFSET 0 has each address looked up by itself, on its index.
    WITH RECURSIVE asked AS (
        SELECT role, rank, key FROM unnest($2::text[], $8::integer[], $9::text[]) AS asked (role, rank, key)
    ), holder AS (
        SELECT asked.role, asked.rank, address.person_id, NULL::bigint AS employee_id
        FROM asked CROSS JOIN LATERAL (
            SELECT person_id FROM person_addresses WHERE address_key = asked.key OFFSET 0) AS address
        UNION
        SELECT asked.role, asked.rank, NULL, address.employee_id
        FROM asked CROSS JOIN LATERAL (
            SELECT employee_id FROM employee_addresses WHERE address_key = asked.key OFFSET 0) AS address
    ), nearest AS (
        SELECT role, rank, person_id, employee_id
        FROM (SELECT *, min(rank) OVER (PARTITION BY role) AS least FROM holder) AS ranked WHERE rank = least
    ), neighbour AS NOT MATERIALIZED (
        SELECT of.role, person.organisation_id
        FROM unnest($10::text[], $11::text[]) AS of (role, domain)
            CROSS JOIN LATERAL (SELECT person_id FROM person_addresses
                                WHERE split_part(address_key, '@', 2) = of.domain OFFSET 0) AS address
            CROSS JOIN LATERAL (
                SELECT persons.organisation_id FROM persons JOIN organisations ON organisations.id = organisation_id
                WHERE persons.id = address.person_id AND persons.active AND organisations.active OFFSET 0) AS person
    ), of_domain AS (
        SELECT unknown.role, first.organisation_id
        FROM (SELECT DISTINCT role FROM unnest($10::text[]) AS role
              WHERE NOT EXISTS (SELECT FROM nearest WHERE nearest.role = role.role)) AS unknown
            CROSS JOIN LATERAL (
                SELECT organisation_id FROM neighbour WHERE neighbour.role = unknown.role LIMIT 1) AS first
        WHERE NOT EXISTS (SELECT FROM neighbour WHERE neighbour.role = unknown.role
                          AND neighbour.organisation_id <> first.organisation_id)
    ), named AS (
        SELECT number, NULL::text AS message_id, NULL::text AS thread, ticket_id, is_alias
        FROM ticket_numbers WHERE number = ANY($3::text[])
        UNION ALL
        SELECT NULL, message_id, NULL, ticket_id, false FROM notifications WHERE message_id = ANY($4::text[])
        UNION ALL
        SELECT NULL, NULL, message_id, ticket_id, false FROM notifications WHERE message_id = ANY($5::text[])
        UNION ALL
        SELECT NULL, NULL, message_id_header, ticket_id, false FROM imported_mails
        WHERE message_id_header = ANY($5::text[]) AND ticket_id IS NOT NULL
    ), way AS (
        SELECT named.number, named.message_id, named.thread, named.is_alias, ticket.id, ticket.merged_into_id,
            false AS merged
        FROM named JOIN tickets AS ticket ON ticket.id = named.ticket_id
        UNION
        SELECT way.number, way.message_id, way.thread, way.is_alias, ticket.id, ticket.merged_into_id, true
        FROM way JOIN tickets AS ticket ON ticket.id = way.merged_into_id
    ), target AS (
        SELECT way.number AS named_number, way.message_id, way.thread, way.is_alias, way.merged,
            ticket.id AS ticket_id, ticket.number, ticket.helpdesk_id, coalesce(theirs.marker, '') AS marker
        FROM way
            JOIN tickets AS ticket ON ticket.id = way.id
            JOIN helpdesks AS their_helpdesk ON their_helpdesk.id = ticket.helpdesk_id
            JOIN helpdesks AS our_helpdesk ON our_helpdesk.id = $1
            JOIN importer_settings AS ours ON ours.helpdesk_id = $1
            LEFT JOIN importer_settings AS theirs ON theirs.helpdesk_id = ticket.helpdesk_id
        WHERE way.merged_into_id IS NULL AND (
            ticket.helpdesk_id = $1 OR (way.thread IS NULL AND ours.numbers_of = 'all') OR way.message_id IS NOT NULL
            OR our_helpdesk.group_id = their_helpdesk.group_id)
    )
    SELECT
        (SELECT jsonb_object_agg(role, jsonb_build_object(
            'persons', (
                SELECT jsonb_agg(jsonb_build_object(
                        'person_id', person.id, 'organisation_id', person.organisation_id, 'active', person.active)
                    ORDER BY NOT person.active, person.created_at, person.id)
                FROM nearest JOIN persons AS person ON person.id = nearest.person_id WHERE nearest.role = of.role),
            'employee', (
                SELECT jsonb_build_object('employee_id', employee.id, 'active', employee.active)
                FROM nearest JOIN employees AS employee ON employee.id = nearest.employee_id
                WHERE nearest.role = of.role ORDER BY NOT employee.active, employee.id LIMIT 1),
            'organisation_id', (SELECT organisation_id FROM of_domain WHERE of_domain.role = of.role),
            'by_tag', coalesce((SELECT max(rank) = 1 FROM nearest WHERE nearest.role = of.role), false)))
         FROM (SELECT DISTINCT role FROM asked) AS of) AS people,
        (SELECT jsonb_agg(to_jsonb(target) ORDER BY target.helpdesk_id <> $1, target.ticket_id)
         FROM target) AS tickets,
        (SELECT jsonb_agg(to_jsonb(rule))
         FROM unnest($6::text[], $7::text[]) AS asked (kind, pattern) JOIN sender_rules AS rule USING (kind, pattern)
         WHERE rule.helpdesk_id = $1 OR rule.helpdesk_id IS NULL) AS sender_rules
-- === classifier: services.classifier.repository._REPEATED
-- $1 helpdesk_id, $2 mail_id, $3 digests of images, $4 how many other tickets make a logo.
    -- A thread that quotes an image in each of its mails is one ticket: that makes no logo.
    SELECT encode(asked.sha256, 'hex') AS sha256
    FROM unnest($3::bytea[]) AS asked (sha256)
    WHERE (SELECT count(*) FROM (
        SELECT DISTINCT mail.ticket_id
        FROM mail_blobs AS tie JOIN imported_mails AS mail USING (mail_id)
        WHERE tie.sha256 = asked.sha256 AND mail.helpdesk_id = $1 AND mail.mail_id <> $2 AND mail.ticket_id IS NOT NULL
        LIMIT $4) AS other) >= $4
-- === classifier: services.classifier.repository._SETTINGS
-- $1 helpdesk_id. Markers of all helpdesks: the ticket's own counts too, and is not known before reading (D15).
    SELECT coalesce(mailbox_address, CASE WHEN username LIKE '%@%' THEN username END) AS own_address,
        marker, own_list_ids, trusted_authserv_ids, follow_threads, reply_to_is_sender, forwarded_sender,
        organisation_by_domain, strip_image_metadata,
        ARRAY(SELECT DISTINCT marker FROM importer_settings WHERE btrim(marker) <> '' ORDER BY marker) AS markers
    FROM importer_settings WHERE helpdesk_id = $1
-- === fetcher: services.fetcher.repository.ledger._ACTED
UPDATE imported_mails SET acted_at = now() WHERE mail_id = ANY($1)
-- === fetcher: services.fetcher.repository.ledger._DEAD_LETTER
SELECT record_dead_letter($1, $2, $3)
-- === fetcher: services.fetcher.repository.ledger._DUE_TO_REPUBLISH
SELECT
    mail_id, helpdesk_id, received_at, fetched_at, raw_sha256, raw_size, full_size, complete, choice,
    replay_number, force_number > 0 AS forced, republish_count, published_at IS NOT NULL AS confirmed
    FROM imported_mails AS mail
    WHERE awaits_outcome AND (next_republish_at IS NULL OR next_republish_at <= now())
        AND NOT EXISTS (
            SELECT FROM dead_letters WHERE dead_letters.mail_id = mail.mail_id AND resolved_at IS NULL)
    ORDER BY next_republish_at NULLS FIRST LIMIT $1
    FOR UPDATE SKIP LOCKED
-- === fetcher: services.fetcher.repository.ledger._ENVELOPES
SELECT
    mail_id, helpdesk_id, received_at, fetched_at, raw_sha256, raw_size, full_size, complete, choice,
    replay_number, force_number > 0 AS forced FROM imported_mails WHERE mail_id = ANY($1)
-- === fetcher: services.fetcher.repository.ledger._INSERT
INSERT INTO imported_mails (mail_id, helpdesk_id, generation, folder, item_key, raw_sha256, raw_size, full_size,
        complete, received_at, choice, fetched_at, next_republish_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, now(), now() + $12)
    ON CONFLICT DO NOTHING
    RETURNING fetched_at
-- === fetcher: services.fetcher.repository.ledger._KNOWN
SELECT mail_id, published_at, marked_read_at FROM imported_mails WHERE mail_id = ANY($1)
-- === fetcher: services.fetcher.repository.ledger._MARKED_READ
UPDATE imported_mails SET marked_read_at = now(), acted_at = CASE WHEN $2 THEN now() ELSE acted_at END
    WHERE mail_id = ANY($1) AND marked_read_at IS NULL
-- === fetcher: services.fetcher.repository.ledger._PUBLISHED
UPDATE imported_mails SET published_at = now(), next_republish_at = now() + $2
    WHERE mail_id = ANY($1) AND published_at IS NULL
-- === fetcher: services.fetcher.repository.ledger._REPUBLISHING
UPDATE imported_mails AS mail
    SET republish_count = mail.republish_count + 1, next_republish_at = now() + claimed.delay
    FROM unnest($1::uuid[], $2::interval[]) AS claimed (mail_id, delay) WHERE mail.mail_id = claimed.mail_id
-- === fetcher: services.fetcher.repository.ledger._TO_ACT_ON
SELECT mail_id, item_key, received_at, full_size FROM imported_mails
    WHERE helpdesk_id = $1 AND generation = $2 AND folder = $3 AND force_number = 0
        AND acted_at IS NULL AND complete AND outcome IN ('ticket', 'supplement', 'duplicate')
    ORDER BY received_at LIMIT $4
-- === fetcher: services.fetcher.repository.ledger._TO_MARK
SELECT mail_id, item_key, received_at, full_size FROM imported_mails
    WHERE helpdesk_id = $1 AND generation = $2 AND folder = $3 AND force_number = 0
        AND published_at IS NOT NULL AND marked_read_at IS NULL
    ORDER BY received_at LIMIT $4
-- === fetcher: services.fetcher.repository.ledger._UNFINISHED
SELECT count(*) AS mails, min(mail.fetched_at) AS oldest_at,
        (SELECT count(*) FROM dead_letters WHERE resolved_at IS NULL) AS dead_letters
    FROM imported_mails AS mail
    WHERE mail.awaits_outcome AND NOT EXISTS (
        SELECT FROM dead_letters WHERE dead_letters.mail_id = mail.mail_id AND resolved_at IS NULL)
-- === fetcher: services.fetcher.repository.mailboxes._CHANGED
UPDATE mailbox_states SET next_check_at = now()
    WHERE helpdesk_id = $1 AND failed_checks = 0 AND next_check_at > now()
-- === fetcher: services.fetcher.repository.mailboxes._CLAIM
WITH due AS (
        SELECT state.helpdesk_id
        FROM mailbox_states AS state JOIN importer_settings AS settings USING (helpdesk_id)
        WHERE settings.enabled AND state.next_check_at <= now() AND state.lease_until <= now()
            AND coalesce(state.login_rests_until <= now(), true) AND state.helpdesk_id <> ALL($3)
        ORDER BY state.next_check_at
        LIMIT $4
        FOR UPDATE OF state SKIP LOCKED),
    claimed AS (
        UPDATE mailbox_states AS state SET lease_holder = $1, lease_until = now() + $2
        FROM due WHERE state.helpdesk_id = due.helpdesk_id
        RETURNING state.helpdesk_id, state.failed_checks, state.refused_logins, state.next_check_at,
            state.backlog_choice, state.backlog_chosen_at, state.backlog_chosen_until)
    SELECT helpdesk_id, mailbox_kind, server, username, password_encrypted, certificate_encrypted, tenant, cloud,
        ca_file, allow_unencrypted, impersonate, mailbox_address, folder, generation, check_interval_seconds,
        max_mail_bytes, import_from, old_mail_days, backlog_limit, after_import, after_import_folder,
        settings.row_version, failed_checks, refused_logins, now() AS claimed_at,
        backlog_choice, backlog_chosen_at, backlog_chosen_until,
        (SELECT active FROM persons WHERE id = default_contact_id) AS default_contact_active,
        (SELECT active FROM employees WHERE id = default_employee_id) AS default_employee_active,
        (SELECT active FROM statuses WHERE id = imported_status_id AND flag = 'imported') AS imported_status_active
    FROM claimed JOIN importer_settings AS settings USING (helpdesk_id)
    ORDER BY next_check_at
-- === fetcher: services.fetcher.repository.mailboxes._FINISH
UPDATE mailbox_states AS state SET
        last_check_at = now(),
        last_successful_check_at = CASE WHEN $4 THEN now() ELSE last_successful_check_at END,
        next_check_at = CASE WHEN settings.row_version = $8 THEN now() + $5 ELSE now() END,
        failed_checks = $6,
        problem = $7,
        problem_kind = $9,
        problem_since = CASE
            WHEN $7::text IS NULL THEN NULL WHEN problem = $7 THEN problem_since ELSE now() END,
        refused_logins = CASE said.login
            WHEN 'refused' THEN refused_logins + 1 WHEN 'taken' THEN 0 ELSE refused_logins END,
        refused_since = CASE said.login
            WHEN 'refused' THEN coalesce(refused_since, now()) WHEN 'taken' THEN NULL ELSE refused_since END,
        login_rests_until = CASE said.login
            WHEN 'refused' THEN now() + $5 WHEN 'taken' THEN NULL ELSE login_rests_until END
    FROM importer_settings AS settings
        CROSS JOIN LATERAL (SELECT CASE WHEN settings.row_version = $8 THEN $10::text END AS login) AS said
    WHERE state.helpdesk_id = $2 AND state.lease_holder = $1
        AND settings.helpdesk_id = $2 AND settings.generation = $3
-- === fetcher: services.fetcher.repository.mailboxes._LOGIN_REFUSED
UPDATE mailbox_states SET refused_logins = refused_logins + 1, refused_since = coalesce(refused_since, now()),
        login_rests_until = greatest(login_rests_until, now() + $3)
    FROM importer_settings AS settings
    WHERE mailbox_states.helpdesk_id = $1 AND settings.helpdesk_id = $1 AND settings.row_version = $2
-- === fetcher: services.fetcher.repository.mailboxes._LOGIN_TAKEN
UPDATE mailbox_states SET refused_logins = 0, refused_since = NULL, login_rests_until = NULL, next_check_at = now()
    FROM importer_settings AS settings
    WHERE mailbox_states.helpdesk_id = $1 AND settings.helpdesk_id = $1 AND settings.row_version = $2
        AND refused_logins > 0
-- === fetcher: services.fetcher.repository.mailboxes._RECORD_BACKLOG
UPDATE mailbox_states AS state SET
        backlog_waiting = $4, backlog_oldest_at = $5, backlog_newest_at = $6,
        backlog_choice = CASE WHEN backlog_chosen_at = $7 THEN NULL ELSE backlog_choice END,
        backlog_chosen_at = CASE WHEN backlog_chosen_at = $7 THEN NULL ELSE backlog_chosen_at END,
        backlog_chosen_until = CASE WHEN backlog_chosen_at = $7 THEN NULL ELSE backlog_chosen_until END
    FROM importer_settings AS settings
    WHERE state.helpdesk_id = $2 AND state.lease_holder = $1
        AND settings.helpdesk_id = $2 AND settings.generation = $3
-- === fetcher: services.fetcher.repository.mailboxes._RELEASE
UPDATE mailbox_states SET lease_until = '-infinity' WHERE helpdesk_id = ANY($2) AND lease_holder = $1
-- === fetcher: services.fetcher.repository.mailboxes._RENEW
UPDATE mailbox_states AS state SET lease_until = now() + $3
    FROM unnest($2::bigint[], $4::integer[]) AS held (helpdesk_id, generation)
        JOIN importer_settings AS settings USING (helpdesk_id, generation)
    WHERE state.helpdesk_id = held.helpdesk_id AND state.lease_holder = $1 AND settings.enabled
    RETURNING state.helpdesk_id
-- === fetcher: services.fetcher.repository.mailboxes._RESTING
SELECT mailbox_kind, server, username, password_encrypted, certificate_encrypted, tenant, cloud, ca_file,
        allow_unencrypted, impersonate, mailbox_address, folder, problem, login_rests_until - now() AS left
    FROM mailbox_states JOIN importer_settings USING (helpdesk_id)
    WHERE login_rests_until > now() AND username IS NOT NULL AND tenant IS NULL
-- === fetcher: services.fetcher.repository.mailboxes._STATES
SELECT helpdesk_id, last_check_at, last_successful_check_at, problem_kind, failed_checks, refused_logins,
        login_expires_at, backlog_waiting
    FROM mailbox_states JOIN importer_settings USING (helpdesk_id) WHERE enabled
-- === fetcher: services.fetcher.repository.mailboxes._TELL_ENDING
UPDATE mailbox_states SET expiry_told_on = current_date
    WHERE helpdesk_id = $1 AND expiry_told_on IS DISTINCT FROM current_date
-- === fetcher: services.fetcher.repository.mailboxes._TO_TRY
SELECT kind, mailbox_kind, server, username, password_encrypted, certificate_encrypted, tenant, cloud, ca_file,
        allow_unencrypted, impersonate, mailbox_address, folder, row_version, problem, problem_since, refused_logins,
        refused_since, login_rests_until, coalesce(login_rests_until > now(), false) AS login_rests, login_expires_at
    FROM importer_settings JOIN mailbox_states USING (helpdesk_id)
    WHERE helpdesk_id = $1 AND mailbox_kind IS NOT NULL
-- === fetcher: services.fetcher.repository.mailboxes._UNCHANGED
SELECT helpdesk_id FROM importer_settings
        JOIN unnest($1::bigint[], $2::bigint[]) AS open (helpdesk_id, row_version) USING (helpdesk_id, row_version)
    WHERE enabled
-- === notifier: services.notifier.repository.ACCOUNTS
SELECT account.id, account.name, account.login_expires_at, login.refused_logins
FROM outgoing_accounts account JOIN outgoing_account_states login ON login.account_id = account.id
-- === notifier: services.notifier.repository.ACCOUNT_TO_TRY
SELECT
    account.id AS account_id, account.row_version AS account_version, account.kind AS account_kind, account.host,
    account.port, account.security, account.ca_file, account.username, account.password_encrypted,
    account.certificate_encrypted, account.tenant, account.cloud, account.mailbox_address AS account_mailbox,
    coalesce(login.refused_logins, 0) AS refused_logins, coalesce(login.refusal, '') AS refusal,
    coalesce(login.login_rests_until > now(), false) AS login_rests, login.refused_since, login.login_rests_until, account.login_expires_at
FROM outgoing_accounts account JOIN outgoing_account_states login ON login.account_id = account.id
WHERE account.id = $1
-- === notifier: services.notifier.repository.CLAIM_DUE
WITH free AS (
    SELECT id FROM notifications
    WHERE state = 'planned' AND (lease_until IS NULL OR lease_until < now()) AND coalesce(next_try_at, created_at + $3) <= now()
      ORDER BY next_try_at NULLS FIRST, created_at LIMIT $4
    FOR UPDATE SKIP LOCKED
), claimed AS (
    UPDATE notifications SET lease_holder = $1, lease_until = now() + $2, tries = tries + 1
    FROM free WHERE notifications.id = free.id
    RETURNING notifications.*
)

SELECT claimed.*,

    account.id AS account_id, account.row_version AS account_version, account.kind AS account_kind, account.host,
    account.port, account.security, account.ca_file, account.username, account.password_encrypted,
    account.certificate_encrypted, account.tenant, account.cloud, account.mailbox_address AS account_mailbox,
    coalesce(login.refused_logins, 0) AS refused_logins, coalesce(login.refusal, '') AS refusal,
    coalesce(login.login_rests_until > now(), false) AS login_rests,
       helpdesk.name AS helpdesk_name, helpdesk.sender_name, helpdesk.sender_address, helpdesk.reply_to_address,
       helpdesk.ticket_url, calendar.time_zone,
       coalesce(settings.marker, '') AS marker, coalesce(settings.mailbox_address, settings.username) AS mailbox,
       own.subject AS own_subject, own.body_html AS own_html, own.body_text AS own_text,
       ticket.number, ticket.title, ticket.reported_at, ticket.deadline_at,
       organisation.name AS organisation, contact.name AS contact, status.name AS status, priority.name AS priority,
       ticket_type.name AS ticket_type, environment.name AS environment, manager.name AS manager,
       executor.name AS executor,
       left(ticket.body_html, 65537) AS request_html,
       left(ticket.body_full_text, 16385) AS request_text,
       ticket.body_html = ticket.body_full_html AS request_shows_all,
       left(supplement.body_html, 65537) AS supplement_html,
       left(supplement.body_full_text, 16385) AS supplement_text,
       supplement.body_html = supplement.body_full_html AS supplement_shows_all,
       supplement.reported_at AS supplemented_at,
       coalesce(supplement.mail_subject, ticket.mail_subject, '') AS mail_subject,
       mail_from.name AS mail_from_name, mail_from.address AS mail_from_address,
       ARRAY(SELECT name FROM attachments WHERE ticket_id = ticket.id AND mail_id = claimed.mail_id
                 AND left_out_reason IS NULL ORDER BY position, id) AS images,
       ARRAY(SELECT (name, left_out_reason) FROM attachments WHERE ticket_id = ticket.id AND mail_id = claimed.mail_id
                 AND left_out_reason IS NOT NULL ORDER BY position, id) AS left_out,
       CASE claimed.kind
           WHEN 'ticket-added-customer' THEN
               ARRAY(SELECT message_id_header FROM imported_mails WHERE mail_id = claimed.mail_id)
           ELSE ARRAY(
               SELECT message_id FROM (
                   SELECT message_id, sent_at FROM notifications
                   WHERE ticket_id = ticket.id AND id <> claimed.id AND state = 'sent'
                     AND kind <> 'ticket-added-customer'
                   ORDER BY sent_at DESC LIMIT 10) AS earlier
               ORDER BY sent_at)
       END AS answers
FROM claimed
JOIN helpdesks helpdesk ON helpdesk.id = claimed.helpdesk_id
JOIN calendars calendar ON calendar.id = helpdesk.calendar_id
JOIN tickets ticket ON ticket.id = claimed.ticket_id
JOIN organisations organisation ON organisation.id = ticket.organisation_id
JOIN persons contact ON contact.id = ticket.contact_id
JOIN statuses status ON status.id = ticket.status_id
LEFT JOIN supplements supplement ON supplement.id = claimed.supplement_id
CROSS JOIN LATERAL (
    SELECT ticket.sender_name, ticket.sender_address WHERE supplement.id IS NULL
    UNION ALL SELECT supplement.sender_name, supplement.sender_address WHERE supplement.id IS NOT NULL
) AS mail_from (name, address)
LEFT JOIN outgoing_accounts account ON account.id = helpdesk.outgoing_account_id
LEFT JOIN outgoing_account_states login ON login.account_id = account.id
LEFT JOIN importer_settings settings ON settings.helpdesk_id = claimed.helpdesk_id
LEFT JOIN templates own ON own.helpdesk_id = claimed.helpdesk_id AND own.kind = claimed.kind
LEFT JOIN priorities priority ON priority.id = ticket.priority_id
LEFT JOIN ticket_types ticket_type ON ticket_type.id = ticket.ticket_type_id
LEFT JOIN environments environment ON environment.id = ticket.environment_id
LEFT JOIN employees manager ON manager.id = ticket.ticket_manager_id
LEFT JOIN employees executor ON executor.id = ticket.executor_id
ORDER BY claimed.created_at
-- === notifier: services.notifier.repository.CLAIM_OF_EVENT
WITH free AS (
    SELECT id FROM notifications
    WHERE state = 'planned' AND (lease_until IS NULL OR lease_until < now()) AND id = ANY($3::uuid[]) AND (next_try_at IS NULL OR next_try_at <= now())
    FOR UPDATE SKIP LOCKED
), claimed AS (
    UPDATE notifications SET lease_holder = $1, lease_until = now() + $2, tries = tries + 1
    FROM free WHERE notifications.id = free.id
    RETURNING notifications.*
)

SELECT claimed.*,

    account.id AS account_id, account.row_version AS account_version, account.kind AS account_kind, account.host,
    account.port, account.security, account.ca_file, account.username, account.password_encrypted,
    account.certificate_encrypted, account.tenant, account.cloud, account.mailbox_address AS account_mailbox,
    coalesce(login.refused_logins, 0) AS refused_logins, coalesce(login.refusal, '') AS refusal,
    coalesce(login.login_rests_until > now(), false) AS login_rests,
       helpdesk.name AS helpdesk_name, helpdesk.sender_name, helpdesk.sender_address, helpdesk.reply_to_address,
       helpdesk.ticket_url, calendar.time_zone,
       coalesce(settings.marker, '') AS marker, coalesce(settings.mailbox_address, settings.username) AS mailbox,
       own.subject AS own_subject, own.body_html AS own_html, own.body_text AS own_text,
       ticket.number, ticket.title, ticket.reported_at, ticket.deadline_at,
       organisation.name AS organisation, contact.name AS contact, status.name AS status, priority.name AS priority,
       ticket_type.name AS ticket_type, environment.name AS environment, manager.name AS manager,
       executor.name AS executor,
       left(ticket.body_html, 65537) AS request_html,
       left(ticket.body_full_text, 16385) AS request_text,
       ticket.body_html = ticket.body_full_html AS request_shows_all,
       left(supplement.body_html, 65537) AS supplement_html,
       left(supplement.body_full_text, 16385) AS supplement_text,
       supplement.body_html = supplement.body_full_html AS supplement_shows_all,
       supplement.reported_at AS supplemented_at,
       coalesce(supplement.mail_subject, ticket.mail_subject, '') AS mail_subject,
       mail_from.name AS mail_from_name, mail_from.address AS mail_from_address,
       ARRAY(SELECT name FROM attachments WHERE ticket_id = ticket.id AND mail_id = claimed.mail_id
                 AND left_out_reason IS NULL ORDER BY position, id) AS images,
       ARRAY(SELECT (name, left_out_reason) FROM attachments WHERE ticket_id = ticket.id AND mail_id = claimed.mail_id
                 AND left_out_reason IS NOT NULL ORDER BY position, id) AS left_out,
       CASE claimed.kind
           WHEN 'ticket-added-customer' THEN
               ARRAY(SELECT message_id_header FROM imported_mails WHERE mail_id = claimed.mail_id)
           ELSE ARRAY(
               SELECT message_id FROM (
                   SELECT message_id, sent_at FROM notifications
                   WHERE ticket_id = ticket.id AND id <> claimed.id AND state = 'sent'
                     AND kind <> 'ticket-added-customer'
                   ORDER BY sent_at DESC LIMIT 10) AS earlier
               ORDER BY sent_at)
       END AS answers
FROM claimed
JOIN helpdesks helpdesk ON helpdesk.id = claimed.helpdesk_id
JOIN calendars calendar ON calendar.id = helpdesk.calendar_id
JOIN tickets ticket ON ticket.id = claimed.ticket_id
JOIN organisations organisation ON organisation.id = ticket.organisation_id
JOIN persons contact ON contact.id = ticket.contact_id
JOIN statuses status ON status.id = ticket.status_id
LEFT JOIN supplements supplement ON supplement.id = claimed.supplement_id
CROSS JOIN LATERAL (
    SELECT ticket.sender_name, ticket.sender_address WHERE supplement.id IS NULL
    UNION ALL SELECT supplement.sender_name, supplement.sender_address WHERE supplement.id IS NOT NULL
) AS mail_from (name, address)
LEFT JOIN outgoing_accounts account ON account.id = helpdesk.outgoing_account_id
LEFT JOIN outgoing_account_states login ON login.account_id = account.id
LEFT JOIN importer_settings settings ON settings.helpdesk_id = claimed.helpdesk_id
LEFT JOIN templates own ON own.helpdesk_id = claimed.helpdesk_id AND own.kind = claimed.kind
LEFT JOIN priorities priority ON priority.id = ticket.priority_id
LEFT JOIN ticket_types ticket_type ON ticket_type.id = ticket.ticket_type_id
LEFT JOIN environments environment ON environment.id = ticket.environment_id
LEFT JOIN employees manager ON manager.id = ticket.ticket_manager_id
LEFT JOIN employees executor ON executor.id = ticket.executor_id
ORDER BY claimed.created_at
-- === notifier: services.notifier.repository.KEEP_DRAFT
UPDATE notifications SET draft_id = $3, message_id = $4
WHERE id = $1 AND lease_holder = $2 AND state = 'planned'
-- === notifier: services.notifier.repository.KEEP_WRITTEN
UPDATE notifications SET message_id = $3, subject = $4, mime = $5
WHERE id = $1 AND lease_holder = $2 AND state = 'planned' AND mime IS NULL
-- === notifier: services.notifier.repository.RECORD_DEAD_LETTER
SELECT record_dead_letter($1, $2, $3)
-- === notifier: services.notifier.repository.RECORD_FAILED
UPDATE notifications SET state = 'failed', reason = $3, server_reply = $4, next_try_at = NULL,
    lease_holder = NULL, lease_until = NULL
WHERE id = $1 AND lease_holder = $2 AND state = 'planned'
-- === notifier: services.notifier.repository.RECORD_LOGIN_REFUSED
UPDATE outgoing_account_states login SET refused_logins = refused_logins + 1, refusal = $3,
    refused_since = coalesce(refused_since, now()), login_rests_until = greatest(login_rests_until, now() + $4)
FROM outgoing_accounts account
WHERE login.account_id = $1 AND account.id = $1 AND account.row_version = $2
-- === notifier: services.notifier.repository.RECORD_LOGIN_TAKEN
WITH taken AS (
    UPDATE outgoing_account_states
    SET refused_logins = 0, refused_since = NULL, login_rests_until = NULL, refusal = NULL
    WHERE account_id = $1 AND refused_logins > 0 RETURNING account_id)
UPDATE notifications SET next_try_at = now() FROM taken
WHERE state = 'planned' AND reason = 'login-refused' AND next_try_at > now() AND lease_holder IS NULL
    AND helpdesk_id IN (SELECT id FROM helpdesks WHERE outgoing_account_id = taken.account_id)
-- === notifier: services.notifier.repository.RECORD_POSTPONED
UPDATE notifications SET reason = $3, server_reply = $4, next_try_at = now() + $5,
    lease_holder = NULL, lease_until = NULL
WHERE id = $1 AND lease_holder = $2 AND state = 'planned'
-- === notifier: services.notifier.repository.RECORD_SENT
-- a delivery failure may be quicker than we are: it stands (ticket_writer has left its reason)
UPDATE notifications SET state = CASE report_action WHEN 'failed' THEN 'failed' ELSE 'sent' END, sent_at = now(),
    server_reply = $2, reason = CASE report_action WHEN 'failed' THEN reason END,
    next_try_at = NULL, lease_holder = NULL, lease_until = NULL
WHERE id = $1 AND state = 'planned'
-- === notifier: services.notifier.repository.TELL_ENDING
UPDATE outgoing_account_states SET expiry_told_on = current_date
WHERE account_id = $1 AND expiry_told_on IS DISTINCT FROM current_date
-- === notifier: services.notifier.repository.WAITING
SELECT reason, count(*), min(created_at) AS oldest_at FROM notifications WHERE state = 'planned' GROUP BY reason
-- === ticket_writer: services.ticket_writer.queries.ADD_SUPPLEMENT
-- A2-A12; $16 status, $17 deadline and $18 completion of the ticket afterwards
    WITH ticket AS (
        UPDATE tickets SET
            status_id = $16, deadline_at = $17, completed_at = $18,
            changed_at = $7, changed_by_employee_id = $8, changed_by_person_id = NULL
        WHERE id = (($2::jsonb) ->> 'ticket_id')::bigint
        RETURNING id, number, helpdesk_id
    ), supplement AS (
        INSERT INTO supplements (
            ticket_id, helpdesk_id, reported_at, supplement_type_id, informant_person_id, informant_employee_id,
            mail_subject, body_html, body_full_html, body_full_text, visible_to_customer, expanded, status_id,
            priority_id, executor_id, planned_at, deadline_at, recalculate_deadline, time_needed_hours, created_at,
            created_by_person_id, created_by_employee_id, changed_at, changed_by_employee_id, sender_name,
            sender_address, sender_to, sender_cc, sender_person_id, sender_employee_id, automatic, verdict,
            needs_review, held_for_review, mail_id)
        SELECT
            ticket.id, ticket.helpdesk_id, given.reported_at,
            (SELECT id FROM supplement_types WHERE system_key = 'imported_from_mail'),
            given.informant_person_id, given.informant_employee_id, given.mail_subject, $3, $4, $5,
            given.visible_to_customer, given.expanded, given.status_id, given.priority_id, given.executor_id,
            given.planned_at, given.deadline_at, given.recalculate_deadline, given.time_needed_hours, $7,
            given.created_by_person_id, given.created_by_employee_id, $7, $8, given.sender_name,
            given.sender_address, given.sender_to, given.sender_cc, given.sender_person_id, given.sender_employee_id,
            given.automatic, given.verdict, given.needs_review, given.held_for_review, $1
        FROM ticket, jsonb_populate_record(NULL::supplements, $2) AS given
        RETURNING id
    ), written AS (
        SELECT ticket.id AS ticket_id, supplement.id AS supplement_id, ticket.number, ticket.helpdesk_id
        FROM ticket, supplement
    )
    -- $1 mail_id, $2 ticket or supplement, $3 $4 $5 its bodies, $6 the mailbox's helpdesk, $7 time of import, $8 S6,
    -- $9 history, $10 attachments, $11 notifications, $12 the ledger's row, $13 content key, $14 text digest,
    -- $15 whether the content is claimed
    , history AS (
        INSERT INTO ticket_history (ticket_id, supplement_id, at, kind, description, details, employee_id, mail_id)
        SELECT written.ticket_id, written.supplement_id, $7, entry.kind, entry.description, entry.details, $8, $1
        FROM written, jsonb_to_recordset($9) AS entry (position integer, kind text, description text, details jsonb)
        ORDER BY entry.position
    ), stored AS (
        INSERT INTO attachments (id, ticket_id, supplement_id, mail_id, position, name, media_type, byte_size, width,
                                 height, inline, content_id, blob_sha256, left_out_reason, decoration)
        SELECT part.id, written.ticket_id, written.supplement_id, $1, part.position, part.name, part.media_type,
            part.byte_size, part.width, part.height, part.inline, part.content_id, decode(part.sha256, 'hex'),
            part.left_out_reason, part.decoration
        FROM written, jsonb_to_recordset($10) AS part (
            id uuid, position integer, name text, media_type text, byte_size bigint, width integer, height integer,
            inline boolean, content_id text, sha256 text, left_out_reason text, decoration text)
    ), copied AS (
        INSERT INTO attachment_copies (attachment_id, kind, mail_id, media_type, width, height, byte_size, blob_sha256)
        SELECT part.id, copy.kind, $1, copy.media_type, copy.width, copy.height, copy.byte_size,
            decode(copy.sha256, 'hex')
        FROM written, jsonb_to_recordset($10) AS part (id uuid, copies jsonb),
            jsonb_to_recordset(part.copies) AS copy (
                kind text, media_type text, width integer, height integer, byte_size bigint, sha256 text)
    ), planned AS (
        INSERT INTO notifications (id, mail_id, kind, helpdesk_id, ticket_id, supplement_id, recipient_name,
                                   recipient_address, recipient_employee_id, recipient_person_id, state, reason)
        SELECT mail.id, $1, mail.kind, written.helpdesk_id, written.ticket_id, written.supplement_id, mail.name,
            mail.address, mail.employee_id, mail.person_id, mail.state, mail.reason
        FROM written, jsonb_to_recordset($11) AS mail (
            id uuid, kind text, name text, address text, employee_id bigint, person_id bigint, state text, reason text)
    ), claimed AS (
        INSERT INTO content_keys (helpdesk_id, content_key, text_digest, mail_id, ticket_id)
        SELECT $6, $13, $14, $1, written.ticket_id FROM written WHERE $15::boolean
    )
    UPDATE imported_mails AS mail SET
        outcome = ledger.outcome, outcome_at = $7, decided_replay = ledger.decided_replay, reasons = ledger.reasons,
        message_id_header = ledger.message_id_header, sender_name = ledger.sender_name,
        sender_address = ledger.sender_address, subject = ledger.subject, sent_at = ledger.sent_at,
        classified_at = ledger.classified_at, content_key = $13, text_digest = $14,
        content_key_version = ledger.content_key_version,
        ticket_id = written.ticket_id, supplement_id = written.supplement_id
    FROM written, jsonb_to_record($12) AS ledger (
        outcome text, decided_replay integer, reasons jsonb, message_id_header text, sender_name text,
        sender_address text, subject text, sent_at timestamptz, classified_at timestamptz, content_key_version smallint)
    WHERE mail.mail_id = $1
    RETURNING mail.mail_id
-- === ticket_writer: services.ticket_writer.queries.ADD_TICKET
-- N1-N18; what is not named here stays empty, as N11, N13, N14 and N16 want
    WITH ticket AS (
        INSERT INTO tickets (
            helpdesk_id, organisation_id, contact_id, created_at, created_by_employee_id, reported_at,
            entry_channel_id, mail_subject, title, body_html, body_full_html, body_full_text, ticket_type_id,
            priority_id, environment_id, ticket_manager_id, executor_id, status_id, recalculate_deadline, changed_at,
            changed_by_employee_id, sender_name, sender_address, sender_to, sender_cc, sender_person_id,
            sender_employee_id, automatic, verdict, needs_review, mail_id)
        SELECT
            helpdesk_id, organisation_id, contact_id, $7, $8, reported_at,
            (SELECT id FROM entry_channels WHERE system_key = 'mail'), mail_subject, title, $3, $4, $5, ticket_type_id,
            priority_id, environment_id, ticket_manager_id, executor_id, status_id, recalculate_deadline, $7,
            $8, sender_name, sender_address, sender_to, sender_cc, sender_person_id,
            sender_employee_id, automatic, verdict, needs_review, $1
        FROM jsonb_populate_record(NULL::tickets, $2)
        RETURNING id, number, helpdesk_id
    ), written AS (
        SELECT id AS ticket_id, NULL::bigint AS supplement_id, number, helpdesk_id FROM ticket
    )
    -- $1 mail_id, $2 ticket or supplement, $3 $4 $5 its bodies, $6 the mailbox's helpdesk, $7 time of import, $8 S6,
    -- $9 history, $10 attachments, $11 notifications, $12 the ledger's row, $13 content key, $14 text digest,
    -- $15 whether the content is claimed
    , history AS (
        INSERT INTO ticket_history (ticket_id, supplement_id, at, kind, description, details, employee_id, mail_id)
        SELECT written.ticket_id, written.supplement_id, $7, entry.kind, entry.description, entry.details, $8, $1
        FROM written, jsonb_to_recordset($9) AS entry (position integer, kind text, description text, details jsonb)
        ORDER BY entry.position
    ), stored AS (
        INSERT INTO attachments (id, ticket_id, supplement_id, mail_id, position, name, media_type, byte_size, width,
                                 height, inline, content_id, blob_sha256, left_out_reason, decoration)
        SELECT part.id, written.ticket_id, written.supplement_id, $1, part.position, part.name, part.media_type,
            part.byte_size, part.width, part.height, part.inline, part.content_id, decode(part.sha256, 'hex'),
            part.left_out_reason, part.decoration
        FROM written, jsonb_to_recordset($10) AS part (
            id uuid, position integer, name text, media_type text, byte_size bigint, width integer, height integer,
            inline boolean, content_id text, sha256 text, left_out_reason text, decoration text)
    ), copied AS (
        INSERT INTO attachment_copies (attachment_id, kind, mail_id, media_type, width, height, byte_size, blob_sha256)
        SELECT part.id, copy.kind, $1, copy.media_type, copy.width, copy.height, copy.byte_size,
            decode(copy.sha256, 'hex')
        FROM written, jsonb_to_recordset($10) AS part (id uuid, copies jsonb),
            jsonb_to_recordset(part.copies) AS copy (
                kind text, media_type text, width integer, height integer, byte_size bigint, sha256 text)
    ), planned AS (
        INSERT INTO notifications (id, mail_id, kind, helpdesk_id, ticket_id, supplement_id, recipient_name,
                                   recipient_address, recipient_employee_id, recipient_person_id, state, reason)
        SELECT mail.id, $1, mail.kind, written.helpdesk_id, written.ticket_id, written.supplement_id, mail.name,
            mail.address, mail.employee_id, mail.person_id, mail.state, mail.reason
        FROM written, jsonb_to_recordset($11) AS mail (
            id uuid, kind text, name text, address text, employee_id bigint, person_id bigint, state text, reason text)
    ), claimed AS (
        INSERT INTO content_keys (helpdesk_id, content_key, text_digest, mail_id, ticket_id)
        SELECT $6, $13, $14, $1, written.ticket_id FROM written WHERE $15::boolean
    )
    UPDATE imported_mails AS mail SET
        outcome = ledger.outcome, outcome_at = $7, decided_replay = ledger.decided_replay, reasons = ledger.reasons,
        message_id_header = ledger.message_id_header, sender_name = ledger.sender_name,
        sender_address = ledger.sender_address, subject = ledger.subject, sent_at = ledger.sent_at,
        classified_at = ledger.classified_at, content_key = $13, text_digest = $14,
        content_key_version = ledger.content_key_version,
        ticket_id = written.ticket_id, supplement_id = written.supplement_id
    FROM written, jsonb_to_record($12) AS ledger (
        outcome text, decided_replay integer, reasons jsonb, message_id_header text, sender_name text,
        sender_address text, subject text, sent_at timestamptz, classified_at timestamptz, content_key_version smallint)
    WHERE mail.mail_id = $1
    RETURNING mail.mail_id
-- === ticket_writer: services.ticket_writer.queries.EVENTS_PUBLISHED
UPDATE imported_mails SET event_published_at = now() WHERE mail_id = ANY($1::uuid[])
-- === ticket_writer: services.ticket_writer.queries.EVENT_OF_MAIL
SELECT mail.mail_id, mail.helpdesk_id, mail.outcome, mail.outcome_at, mail.ticket_id, ticket.number,
        mail.supplement_id,
        ARRAY(SELECT id FROM notifications WHERE mail_id = mail.mail_id AND state <> 'not-sent' ORDER BY kind)
            AS notification_ids
    FROM imported_mails AS mail JOIN tickets AS ticket ON ticket.id = mail.ticket_id
WHERE mail.mail_id = $1 AND mail.outcome IN ('ticket', 'supplement')
-- === ticket_writer: services.ticket_writer.queries.LOCK_MAIL
-- $1 mail_id, $2 keys of advisory locks, ascending
    WITH locked AS MATERIALIZED (SELECT pg_advisory_xact_lock(key) FROM unnest($2::bigint[]) AS key)
    SELECT outcome, decided_replay, (SELECT count(*) FROM locked) AS locks
    FROM imported_mails WHERE mail_id = $1 FOR NO KEY UPDATE
-- === ticket_writer: services.ticket_writer.queries.LOCK_NOTIFICATION
-- $1 Message-ID of a mail of ours
    SELECT id AS notification_id, recipient_address AS address,
        coalesce(report_action = 'failed', false) AS has_failed
    FROM notifications WHERE message_id = $1 FOR NO KEY UPDATE
-- === ticket_writer: services.ticket_writer.queries.LOCK_TICKET
-- $1 numbers in the order in which they are tried, $2 Message-ID of a mail of ours, which goes before them.
    -- $3 arrival of a mail that a ticket may have been closed too long for; null: for this one none is.
    -- Merged tickets lead to their target. The first that exists is locked; one that has been closed too long only
    -- where no other is named, so that an answer finds the ticket that goes on from it.
    WITH RECURSIVE named AS (
        SELECT ticket_id, NULL::text AS number, 0::bigint AS position FROM notifications WHERE message_id = $2
        UNION ALL
        SELECT ticket_id, tried.number, tried.position
        FROM unnest($1::text[]) WITH ORDINALITY AS tried (number, position) JOIN ticket_numbers USING (number)
    ), way AS (
        SELECT ticket.id, ticket.merged_into_id, named.number, named.position, false AS merged
        FROM named JOIN tickets AS ticket ON ticket.id = named.ticket_id
        UNION
        SELECT ticket.id, ticket.merged_into_id, way.number, way.position, true
        FROM way JOIN tickets AS ticket ON ticket.id = way.merged_into_id
    ), target AS (
        SELECT way.id, way.number, way.position, way.merged,
            way.position > 0 AND coalesce(
                status.category = 'closed' AND coalesce(ticket.completed_at, ticket.changed_at)
                < $3::timestamptz - make_interval(days => importer.new_ticket_after_days), false) AS closed_too_long
        FROM way
            JOIN tickets AS ticket ON ticket.id = way.id
            JOIN statuses AS status ON status.id = ticket.status_id
            LEFT JOIN importer_settings AS importer ON importer.helpdesk_id = ticket.helpdesk_id
        WHERE way.merged_into_id IS NULL
    ), chosen AS (
        SELECT id, number, position, merged FROM target ORDER BY closed_too_long, position LIMIT 1
    )
    SELECT ticket.id, ticket.merged_into_id, chosen.number, chosen.merged,
        ARRAY(SELECT tried FROM unnest($1::text[]) WITH ORDINALITY AS given (tried, place)
              WHERE place < chosen.position AND NOT EXISTS (SELECT FROM target WHERE target.number = tried)
              ORDER BY place) AS gone
    FROM chosen JOIN tickets AS ticket ON ticket.id = chosen.id
    FOR NO KEY UPDATE OF ticket
-- === ticket_writer: services.ticket_writer.queries.MAILBOX_FACTS
-- $1 helpdesk_id, $2 contacts in order, $3 employee, $4 what mails to the sender are counted by, $5 subject,
    -- $6 content key, $7 text digest, $8 Message-ID, $9 period of the limits, $10 how long an unknown recipient is left
    -- alone, $11 organisation of the sender's domain, $12 an unknown sender's domain
    SELECT
        statement_timestamp() AS decided_at,
        helpdesk.name, helpdesk.default_ticket_type_id, helpdesk.default_priority_id, helpdesk.default_environment_id,
        helpdesk.default_ticket_manager_id, helpdesk.default_executor_id, helpdesk.recalculate_deadline,
        helpdesk.send_import_mails, helpdesk.fallback_recipient,
        importer.default_employee_id, importer.old_mail_days, importer.confirm_to_employees,
        status.id AS imported_status_id,
        (SELECT jsonb_build_object('id', id, 'organisation_id', organisation_id, 'active', active)
         FROM persons WHERE id = importer.default_contact_id) AS default_contact,
        (SELECT jsonb_agg(jsonb_build_object('id', id, 'organisation_id', organisation_id, 'active', active)
                          ORDER BY asked.position)
         FROM unnest($2::bigint[]) WITH ORDINALITY AS asked (id, position) JOIN persons USING (id)) AS contacts,
        (SELECT jsonb_agg(jsonb_build_object('id', employee.id, 'name', employee.name, 'active', employee.active,
                                             'address', address.address))
         FROM employees AS employee LEFT JOIN LATERAL (
             SELECT address FROM employee_addresses WHERE employee_id = employee.id ORDER BY position LIMIT 1
         ) AS address ON true
         WHERE employee.id IN (helpdesk.default_ticket_manager_id, helpdesk.default_executor_id, $3)) AS employees,
        ARRAY(SELECT lower(mailbox_address) FROM importer_settings WHERE mailbox_address IS NOT NULL
              UNION SELECT lower(username) FROM importer_settings WHERE username LIKE '%@%'
              UNION SELECT lower(sender_address) FROM helpdesks WHERE sender_address IS NOT NULL
              UNION SELECT lower(reply_to_address) FROM helpdesks WHERE reply_to_address IS NOT NULL) AS own_addresses,
        (SELECT id FROM organisations WHERE id = $11) AS sender_organisation_id,
        sent.in_all, sent.same_subject,
        (SELECT count(*) FROM notifications WHERE split_part(recipient_key, '@', 2) = $12
            AND kind = 'ticket-added-customer' AND recipient_person_id IS NULL AND recipient_employee_id IS NULL
            AND state <> 'not-sent' AND created_at > statement_timestamp() - $9::interval) AS in_domain,
        EXISTS (SELECT FROM notifications WHERE recipient_key = $4 AND state = 'failed' AND reason = 'unknown-recipient'
                AND created_at > statement_timestamp() - $10::interval) AS unknown_recipient,
        (SELECT jsonb_agg(jsonb_build_object(
                    'mail_id', claim.mail_id, 'helpdesk_id', claim.helpdesk_id, 'helpdesk_name', other.name,
                    'ticket_id', ticket.id, 'ticket_number', ticket.number, 'same_text', claim.text_digest = $7)
                ORDER BY claim.helpdesk_id, claim.mail_id)
         FROM content_keys AS claim
             JOIN tickets AS taken ON taken.id = claim.ticket_id
             JOIN tickets AS ticket ON ticket.id = coalesce(taken.merged_into_id, taken.id)
             JOIN helpdesks AS other ON other.id = claim.helpdesk_id
         WHERE claim.content_key = $6) AS claims,
        EXISTS (SELECT FROM imported_mails AS earlier JOIN content_keys AS claim USING (mail_id)
                WHERE earlier.message_id_header = $8 AND earlier.helpdesk_id = $1
                    AND (claim.content_key, claim.text_digest) <> ($6, $7)) AS same_message_id_differs
    FROM helpdesks AS helpdesk
        JOIN importer_settings AS importer ON importer.helpdesk_id = helpdesk.id
        LEFT JOIN statuses AS status ON status.helpdesk_id = helpdesk.id AND status.flag = 'imported'
        CROSS JOIN LATERAL (
            SELECT count(*) AS in_all, count(*) FILTER (WHERE lower(mail.subject) = lower($5::text)) AS same_subject
            FROM notifications AS notification JOIN imported_mails AS mail USING (mail_id)
            WHERE notification.recipient_key = $4 AND notification.kind = 'ticket-added-customer'
                AND notification.state <> 'not-sent'
                AND notification.created_at > statement_timestamp() - $9::interval
        ) AS sent
    WHERE helpdesk.id = $1
-- === ticket_writer: services.ticket_writer.queries.NOTE_IN_HISTORY
-- $1 tickets, $2 kind, $3 description, $4 details, $5 employee, $6 mail_id
    INSERT INTO ticket_history (ticket_id, at, kind, description, details, employee_id, mail_id)
    SELECT ticket_id, statement_timestamp(), $2, $3, $4, $5, $6 FROM unnest($1::bigint[]) AS ticket_id
-- === ticket_writer: services.ticket_writer.queries.RECORD_DEAD_LETTER
SELECT record_dead_letter($1, $2, $3)
-- === ticket_writer: services.ticket_writer.queries.REPORT_DELIVERY
-- $1 notification, its row locked, $2 action, $3 status code, $4 diagnostic, $5 arrival of the report, $6 its mail,
    -- $7 why the notification failed; null: it did not. One that is still being sent becomes failed when that ends.
    UPDATE notifications SET
        report_action = $2, report_status = $3, report_diagnostic = $4, reported_at = $5, report_mail_id = $6,
        state = CASE WHEN $7::text IS NOT NULL AND state = 'sent' THEN 'failed' ELSE state END,
        reason = CASE WHEN $7::text IS NOT NULL AND state IN ('planned', 'sent') THEN $7 ELSE reason END
    WHERE id = $1
-- === ticket_writer: services.ticket_writer.queries.SETTLE_WITHOUT_TICKET
-- a duplicate or a quarantined mail: $1 mail_id, $2 the ledger's row, $3 content key, $4 text digest
    UPDATE imported_mails AS mail SET
        outcome = ledger.outcome, outcome_at = statement_timestamp(), decided_replay = ledger.decided_replay,
        reasons = ledger.reasons,
        message_id_header = ledger.message_id_header, sender_name = ledger.sender_name,
        sender_address = ledger.sender_address, subject = ledger.subject, sent_at = ledger.sent_at,
        classified_at = ledger.classified_at, content_key = $3, text_digest = $4,
        content_key_version = ledger.content_key_version,
        duplicate_of = ledger.duplicate_of, ticket_id = ledger.ticket_id
    FROM jsonb_to_record($2) AS ledger (
        outcome text, decided_replay integer, reasons jsonb, message_id_header text, sender_name text,
        sender_address text, subject text, sent_at timestamptz, classified_at timestamptz, content_key_version smallint,
        duplicate_of uuid, ticket_id bigint)
    WHERE mail.mail_id = $1
-- === ticket_writer: services.ticket_writer.queries.TICKET_FACTS
-- $1 ticket id, its row locked, $2 sender's address, $3 his contacts, $4 period of the limits, $5 day of arrival,
    -- $6 as $3 of LOCK_TICKET
    SELECT
        ticket.id, ticket.number, ticket.helpdesk_id, ticket.contact_id, ticket.organisation_id, ticket.deadline_at,
        ticket.planned_at, ticket.completed_at, ticket.priority_id, ticket.time_needed_hours,
        ticket.recalculate_deadline,
        helpdesk.name AS helpdesk_name, helpdesk.send_import_mails, helpdesk.fallback_recipient,
        coalesce(importer.treat_employee_as_customer, false) AS treat_employee_as_customer,
        coalesce(importer.hold_strangers, false) AS hold_strangers,
        coalesce(importer.trim_replies, false) AS trim_replies,
        coalesce(status.category = 'closed' AND coalesce(ticket.completed_at, ticket.changed_at)
            < $6::timestamptz - make_interval(days => importer.new_ticket_after_days), false) AS closed_too_long,
        priority.resolution_minutes, calendar.time_zone, calendar.holiday_country,
        to_jsonb(status) AS status, to_jsonb(portal_status) AS portal_status,
        (SELECT jsonb_build_object('id', employee.id, 'name', employee.name, 'active', employee.active, 'address', (
                    SELECT address FROM employee_addresses WHERE employee_id = employee.id ORDER BY position LIMIT 1))
         FROM employees AS employee WHERE employee.id = ticket.executor_id) AS executor,
        (SELECT jsonb_agg(jsonb_build_array(weekday, extract(epoch FROM opens)::int / 60,
                                            extract(epoch FROM closes)::int / 60))
         FROM calendar_hours WHERE calendar_id = calendar.id) AS hours,
        (SELECT jsonb_agg(jsonb_build_array(day, extract(epoch FROM opens)::int / 60,
                                            extract(epoch FROM closes)::int / 60))
         FROM calendar_exceptions WHERE calendar_id = calendar.id AND day >= $5::date - 1) AS exceptions,
        ARRAY(SELECT person_id FROM unnest($3::bigint[]) AS person_id
              WHERE person_id IN (ticket.contact_id, ticket.sender_person_id)
                  OR EXISTS (SELECT FROM supplements WHERE ticket_id = ticket.id AND NOT needs_review
                             AND person_id IN (informant_person_id, sender_person_id))) AS participants,
        $2 <> '' AND (
            lower(ticket.sender_address) = $2
            OR EXISTS (SELECT FROM jsonb_array_elements(ticket.sender_to || ticket.sender_cc) AS reader
                       WHERE lower(reader ->> 'address') = $2)
            OR EXISTS (SELECT FROM supplements AS earlier WHERE earlier.ticket_id = ticket.id
                       AND NOT earlier.needs_review AND (
                           lower(earlier.sender_address) = $2
                           OR EXISTS (SELECT FROM jsonb_array_elements(earlier.sender_to || earlier.sender_cc) AS reader
                                      WHERE lower(reader ->> 'address') = $2)))) AS sender_took_part,
        (SELECT jsonb_object_agg(recipient_key, mails) FROM (
            SELECT recipient_key, count(*) AS mails FROM notifications
            WHERE ticket_id = ticket.id AND kind <> 'ticket-added-customer' AND state <> 'not-sent'
                AND recipient_key IS NOT NULL AND created_at > statement_timestamp() - $4::interval
            GROUP BY recipient_key) AS by_address) AS sent
    FROM tickets AS ticket
        JOIN helpdesks AS helpdesk ON helpdesk.id = ticket.helpdesk_id
        JOIN statuses AS status ON status.id = ticket.status_id
        JOIN calendars AS calendar ON calendar.id = helpdesk.calendar_id
        LEFT JOIN statuses AS portal_status ON portal_status.id = helpdesk.portal_supplement_status_id
        LEFT JOIN priorities AS priority ON priority.id = ticket.priority_id
        LEFT JOIN importer_settings AS importer ON importer.helpdesk_id = helpdesk.id
    WHERE ticket.id = $1
-- === ticket_writer: services.ticket_writer.queries.UNPUBLISHED_EVENTS
SELECT mail.mail_id, mail.helpdesk_id, mail.outcome, mail.outcome_at, mail.ticket_id, ticket.number,
        mail.supplement_id,
        ARRAY(SELECT id FROM notifications WHERE mail_id = mail.mail_id AND state <> 'not-sent' ORDER BY kind)
            AS notification_ids
    FROM imported_mails AS mail JOIN tickets AS ticket ON ticket.id = mail.ticket_id

    -- $1 age from which an event counts as left behind, $2 how many at once
    WHERE mail.event_published_at IS NULL AND mail.outcome IN ('ticket', 'supplement')
        AND mail.outcome_at < now() - $1::interval
    ORDER BY mail.outcome_at LIMIT $2 FOR NO KEY UPDATE OF mail SKIP LOCKED
-- === ticket_writer: services.ticket_writer.queries._EVENT
SELECT mail.mail_id, mail.helpdesk_id, mail.outcome, mail.outcome_at, mail.ticket_id, ticket.number,
        mail.supplement_id,
        ARRAY(SELECT id FROM notifications WHERE mail_id = mail.mail_id AND state <> 'not-sent' ORDER BY kind)
            AS notification_ids
    FROM imported_mails AS mail JOIN tickets AS ticket ON ticket.id = mail.ticket_id
