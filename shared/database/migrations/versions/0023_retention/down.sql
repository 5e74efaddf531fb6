DO $$
BEGIN
    IF coalesce(current_setting('helpdesk.lose_data', true), '') <> 'yes' AND (EXISTS (SELECT FROM helpdesk.nightly_jobs)
        OR EXISTS (SELECT FROM helpdesk.retention WHERE num_nonnulls(raw_mail_days, identity_days) > 0)) THEN
        RAISE EXCEPTION 'Table nightly_jobs or retention has rows, which this downgrade would destroy.'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'Restore a backup instead; or, when the data may go, downgrade with lose_data.';
    END IF;
    IF EXISTS (SELECT FROM helpdesk.imported_mails WHERE raw_removed_at IS NOT NULL) THEN
        RAISE EXCEPTION 'Table imported_mails has mails whose bytes were removed, which the version before cannot hold.'
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Restore a backup instead.';
    END IF;
END $$;
DROP TABLE nightly_jobs;
DROP FUNCTION helpdesk.erase_person, helpdesk.without_address, helpdesk.names_address, helpdesk.remove_identities,
    helpdesk.remove_raw_mails, helpdesk.raw_mail_is_needed;
ALTER TABLE imported_mails DROP CONSTRAINT bytes_are_there_or_removed, DROP CONSTRAINT what_awaits_an_outcome_has_its_bytes,
    DROP COLUMN raw_removed_at, ALTER COLUMN raw_sha256 SET NOT NULL;
DROP TABLE retention;
