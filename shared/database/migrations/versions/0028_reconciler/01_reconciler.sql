-- ── the role of `reconcile` ────────────────────────────────────────────────────────────────────────────────────────
-- It sees ids, states and times, and neither who wrote nor what. What only a body or bytes can tell, the two functions
-- below say for it. It repairs by making things due, which the services then do as ever.

GRANT USAGE ON SCHEMA helpdesk TO importer_reconciler;
GRANT SELECT ON public.alembic_version TO importer_reconciler;

GRANT SELECT (id, name) ON helpdesks TO importer_reconciler;
GRANT SELECT (helpdesk_id, enabled, paused_since, mailbox_kind, generation, folder, after_import) ON importer_settings
    TO importer_reconciler;
GRANT SELECT (helpdesk_id, next_check_at, problem) ON mailbox_states TO importer_reconciler;
GRANT SELECT (mail_id, helpdesk_id, generation, folder, force_number, raw_sha256, complete, received_at, fetched_at,
    published_at, marked_read_at, acted_at, republish_count, next_republish_at, outcome, outcome_at, awaits_outcome,
    ticket_id, supplement_id, duplicate_of, event_published_at) ON imported_mails TO importer_reconciler;
GRANT SELECT (mail_id, queue, reason, recorded_at, resolved_at) ON dead_letters TO importer_reconciler;
GRANT SELECT (id, number, helpdesk_id, mail_id) ON tickets TO importer_reconciler;
GRANT SELECT (id, ticket_id, helpdesk_id, mail_id) ON supplements TO importer_reconciler;
GRANT SELECT (blob_sha256) ON attachments TO importer_reconciler;
GRANT SELECT (blob_sha256) ON attachment_copies TO importer_reconciler;
GRANT SELECT (sha256, byte_size, created_at) ON blobs TO importer_reconciler;
GRANT SELECT (mail_id, sha256) ON mail_blobs TO importer_reconciler;
GRANT SELECT (id, mail_id, kind, helpdesk_id, ticket_id, state, created_at, next_try_at, lease_until, sent_at,
    doubtful_tries) ON notifications TO importer_reconciler;
GRANT SELECT (helpdesk_id) ON outgoing_holds TO importer_reconciler;

-- Repairs: publish a mail again, check a mailbox now, send a mail now, close the letter of a mail that has its outcome.
GRANT UPDATE (next_republish_at) ON imported_mails TO importer_reconciler;
GRANT UPDATE (next_check_at) ON mailbox_states TO importer_reconciler;
GRANT UPDATE (next_try_at) ON notifications TO importer_reconciler;
GRANT UPDATE (resolved_at) ON dead_letters TO importer_reconciler;
GRANT EXECUTE ON FUNCTION helpdesk.record_audit TO importer_reconciler;
GRANT SELECT (job, started_at, finished_at), INSERT (job), UPDATE (started_at, finished_at, told) ON nightly_jobs TO importer_reconciler;

-- Pictures that a body shows and that its ticket has not: of the tickets with these ids, and of their supplements.
CREATE FUNCTION helpdesk.pictures_not_there(first_ticket bigint, last_ticket bigint)
    RETURNS TABLE (ticket_id bigint, mail_id uuid, pictures bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT body.ticket_id, body.mail_id, count(*)
    FROM (
        SELECT t.id AS ticket_id, t.mail_id, t.body_html FROM helpdesk.tickets AS t
        WHERE t.id BETWEEN first_ticket AND last_ticket
        UNION ALL
        SELECT s.ticket_id, s.mail_id, s.body_html FROM helpdesk.supplements AS s
        WHERE s.ticket_id BETWEEN first_ticket AND last_ticket) AS body
    CROSS JOIN LATERAL (
        SELECT DISTINCT named[1]::uuid AS id
        FROM regexp_matches(body.body_html,
            'src="attachment:([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"', 'g') AS named) AS shown
    WHERE body.mail_id IS NOT NULL AND body.body_html LIKE '%src="attachment:%' AND NOT EXISTS (
        SELECT FROM helpdesk.attachments AS a
        WHERE a.id = shown.id AND a.ticket_id = body.ticket_id AND a.blob_sha256 IS NOT NULL)
    GROUP BY body.ticket_id, body.mail_id
$$;
COMMENT ON FUNCTION helpdesk.pictures_not_there IS 'how many pictures bodies of these tickets show that the tickets have not';

-- Blobs between two digests whose bytes are not there, or are others; whether each is hashed, or only measured.
CREATE FUNCTION helpdesk.damaged_blobs(first_digest bytea, last_digest bytea, hashed boolean)
    RETURNS TABLE (sha256 bytea, byte_size bigint, bytes_there bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT blob.sha256, blob.byte_size, there.bytes
    FROM helpdesk.blobs AS blob
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(octet_length(chunk.content)), 0)::bigint AS bytes FROM helpdesk.blob_chunks AS chunk
        WHERE chunk.sha256 = blob.sha256) AS there
    WHERE blob.sha256 BETWEEN first_digest AND last_digest AND (
        there.bytes <> blob.byte_size
        -- what would not fit into one value is measured alone
        OR hashed AND blob.byte_size < 536870912 AND blob.sha256 <> (
            SELECT pg_catalog.sha256(coalesce(string_agg(chunk.content, ''::bytea ORDER BY chunk.position), ''::bytea))
            FROM helpdesk.blob_chunks AS chunk WHERE chunk.sha256 = blob.sha256))
$$;
COMMENT ON FUNCTION helpdesk.damaged_blobs IS 'blobs between two digests whose bytes are missing or differ; hashed: not only their length is looked at';
REVOKE ALL ON FUNCTION helpdesk.pictures_not_there, helpdesk.damaged_blobs FROM PUBLIC;
GRANT EXECUTE ON FUNCTION helpdesk.pictures_not_there, helpdesk.damaged_blobs TO importer_reconciler;

